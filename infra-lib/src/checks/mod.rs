//! The checks that `setup` runs before it changes anything, and that `doctor` runs: one file per group.
//!
//! A group returns a [`Check`] with a hint for each problem, or one that says that all is
//! well. Nothing here changes anything but [`install`], which `setup --install` uses and which asks first.

mod activity;
mod certificates;
mod compose_file;
mod connections;
mod cors;
mod engine;
mod env_file;
mod groups;
mod images;
pub(crate) mod install;
mod log_patterns;
mod mounts;
mod names;
pub(crate) mod ports;
mod reload;
mod require;
mod run;
mod services;
mod subnets;
mod tools;

pub(crate) use require::require;
pub(crate) use run::{everything, preflight};
