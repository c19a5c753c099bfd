//! Cron: lines of the user's crontab, between marks that say whose they are.

pub(crate) mod block;
pub(crate) mod crontab;
pub(crate) mod daemon;
mod line;

pub(crate) use line::{Place, variables};
