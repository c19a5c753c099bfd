//! What is in a backup, and what of it is noticed; on a local cluster, where the place does not matter.
