//! Health probes, one file per kind.

mod check;

pub use check::{Check, Verdict};
