//! The address ranges of networks.

pub(crate) mod clashes;
mod range;
mod taken;
