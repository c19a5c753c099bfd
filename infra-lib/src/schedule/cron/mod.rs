//! Cron: a block of lines in the user's crontab, between markers that name its owner.

pub(crate) mod block;
pub(crate) mod crontab;
pub(crate) mod daemon;
mod line;

pub(crate) use line::{Place, variables};
