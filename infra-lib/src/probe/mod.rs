//! Health probes, one file per kind.
