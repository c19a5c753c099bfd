//! Why a job cannot be scheduled.

use crate::exec::ExecError;
use crate::exit::Exit;
use crate::failure::Failure;

/// The text is not a valid schedule.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a schedule: {why}")]
pub struct InvalidWhen {
    pub(super) text: String,
    pub(super) why: String,
}

impl Failure for InvalidWhen {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some("use `hourly`, `daily 02:30`, `weekly sun 04:00`, `every 5m`, or cron's five fields".to_owned())
    }
}

/// What is wrong with a job or its scheduler.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ScheduleError {
    /// A crontab cannot express this path or word.
    #[error("a crontab cannot hold {what}: {why}")]
    Unfit {
        /// The path or word that does not fit.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The `crontab` program is not installed.
    #[error("`crontab` is not installed")]
    NoCrontab,
    /// The system administrator does not allow this user a crontab.
    #[error("this user cannot have a crontab: {said}")]
    NotAllowed {
        /// The message of `crontab`.
        said: String,
    },
    /// `crontab` failed; the old crontab is unchanged.
    #[error(transparent)]
    Crontab(#[from] ExecError),
    /// The markers around our block were edited.
    #[error("the crontab has `{mark}`, but its counterpart is missing")]
    Damaged {
        /// The marker without its counterpart.
        mark: String,
    },
    /// Another process overwrote the crontab after it was written.
    #[error("the crontab was changed by another process at the same time")]
    Raced,
}

impl Failure for ScheduleError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unfit { .. } => Exit::Usage,
            Self::NoCrontab => Exit::Unavailable,
            Self::NotAllowed { .. } => Exit::Refused,
            Self::Damaged { .. } => Exit::BadData,
            Self::Raced => Exit::TempFail,
            Self::Crontab(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unfit { .. } => "choose another name, or move the project to a plainer path",
            Self::NoCrontab => "Debian and Ubuntu have it in the package `cron`, Fedora in `cronie`",
            Self::NotAllowed { .. } => "see /etc/cron.allow and /etc/cron.deny",
            Self::Damaged { .. } => "`crontab -e`, and remove that line or add the other one; nothing was changed",
            Self::Raced => "try again",
            Self::Crontab(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }
}
