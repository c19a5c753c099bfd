//! Jobs that run while nobody is there: what, when, and who starts them.
//!
//! What a job is, when it is due and how it ended last is told here, whoever starts it. Cron is the one that does, in
//! `cron/`; another one stands beside it and takes the same jobs.

pub(crate) mod cron;
mod error;
mod field;
mod installed;
mod job;
pub(crate) mod pinned;
pub(crate) mod record;
pub(crate) mod runs;
mod when;

pub use error::ScheduleError;
pub use installed::ScheduledJob;
pub(crate) use installed::{KIND, installed};
pub use job::Job;
pub(crate) use job::usual;
pub use when::When;
