//! Scheduled jobs that run unattended.
//!
//! This module defines jobs, their due times and their last runs, independent of the scheduler. `cron/` implements
//! cron; another scheduler can be added next to it and use the same jobs.

pub(crate) mod cron;
mod error;
mod field;
pub(crate) mod installed;
pub(crate) mod job;
pub(crate) mod pinned;
pub(crate) mod record;
pub(crate) mod runs;
mod when;

pub use error::InvalidWhen;
pub(crate) use error::ScheduleError;
pub(crate) use installed::KIND;
pub use installed::ScheduledJob;
pub use job::Job;
pub(crate) use job::usual;
pub use when::When;
