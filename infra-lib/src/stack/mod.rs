//! The stack: preflight checks, and starting, scaling, restarting and stopping services.

pub(crate) mod create;
pub(crate) mod dependencies;
pub(crate) mod early_check;
pub(crate) mod grace;
pub(crate) mod launch;
pub(crate) mod levels;
pub(crate) mod ports;
mod preflight;
pub(crate) mod replicas;
pub(crate) mod restart;
pub(crate) mod scale;
mod secrets;
mod shared_data;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod subnets;

pub(crate) use preflight::Preflight;
