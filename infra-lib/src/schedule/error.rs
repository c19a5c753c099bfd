//! Why a job cannot be scheduled.

use crate::error::exec_exit;
use crate::exec::ExecError;
use crate::exit::Exit;

/// What is wrong with a job, or with the one who is to start it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// It is no time that a job could run at.
    #[error("`{text}` is no time for a job: {why}")]
    When {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A crontab has no way to say this.
    #[error("a crontab cannot hold {what}: {why}")]
    Unfit {
        /// The path or word.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The machine has no `crontab`.
    #[error("`crontab` is not installed")]
    NoCrontab,
    /// The system's administrator does not let this user have a crontab.
    #[error("this user may not have a crontab: {said}")]
    NotAllowed {
        /// What `crontab` said.
        said: String,
    },
    /// `crontab` failed; the old crontab is still there.
    #[error(transparent)]
    Crontab(#[from] ExecError),
    /// The marks around our lines are not as we write them.
    #[error("the crontab has `{mark}`, and the mark that belongs to it is missing")]
    Damaged {
        /// The lonely one.
        mark: String,
    },
    /// It is not there after it was written.
    #[error("the crontab was changed by somebody else at the same time")]
    Raced,
}

impl ScheduleError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::When { .. } => "write `daily 02:30`, `weekly sun 04:00`, `every 5m`, `hourly`, or cron's five fields",
            Self::Unfit { .. } => "take another name, or move the project to a plainer path",
            Self::NoCrontab => "Debian and Ubuntu have it in the package `cron`, Fedora in `cronie`",
            Self::NotAllowed { .. } => "see /etc/cron.allow and /etc/cron.deny",
            Self::Damaged { .. } => "`crontab -e`, and remove that line or add the other one; nothing was changed",
            Self::Raced => "try again",
            Self::Crontab(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }

    /// What it means as an exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::When { .. } | Self::Unfit { .. } => Exit::Usage,
            Self::NoCrontab => Exit::Unavailable,
            Self::NotAllowed { .. } => Exit::Refused,
            Self::Damaged { .. } => Exit::BadData,
            Self::Raced => Exit::Locked,
            Self::Crontab(error) => exec_exit(error),
        }
    }
}
