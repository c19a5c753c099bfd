//! Health probes, one file per kind, all run in parallel.
//!
//! To add a kind: write its file with a `plan` that returns the probes for a `Snapshot`, and add its line
//! to `KINDS` in `kinds`.

mod ask;
mod backup_age;
mod configured;
mod connectivity;
mod container;
mod control_group;
mod disk;
mod environment;
pub(crate) mod http;
mod kinds;
pub(crate) mod logs;
mod memory;
mod migrations;
mod network;
pub(crate) mod ports;
mod postgres;
mod probe;
mod public_ports;
mod redis;
mod releases;
mod resources;
mod scheduled_jobs;
pub(crate) mod snapshot;
mod tcp;
mod tls;
mod usage;
mod volumes;

pub(crate) use crate::report::{Check, Verdict};
pub(crate) use ask::{ask_all, run};
pub(crate) use kinds::{KINDS, Kind};
use probe::{ANSWER, Known, PROGRAM};
pub(crate) use probe::{Probe, one_line};
pub(crate) use snapshot::{Snapshot, failure};
