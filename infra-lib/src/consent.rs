//! Asking for confirmation before something is destroyed.
//!
//! A destructive operation describes what it is about to do as a [`Destruction`] and asks the project's [`Consent`].
//! By default, the library does not give consent. [`Destruction::rule`] defines which answer is required.

use crate::failure::{ErrorKind, Failure};
use std::sync::Arc;

use serde::Serialize;

use crate::exit::Exit;

/// What an operation is about to destroy, and in which environment.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Destruction {
    /// The operation's name, such as `clean`.
    pub operation: &'static str,
    /// The project's name, which must be typed to confirm.
    pub project: String,
    /// The environment that is affected.
    pub environment: String,
    /// Whether the environment is protected.
    pub protected: bool,
    /// Whether some of the items may belong to another project.
    pub ambiguous: bool,
    /// Whether nothing is lost. Then a yes is enough, even in a protected environment.
    pub additive: bool,
    /// What will be destroyed, one entry per item, with sizes where known.
    pub items: Vec<String>,
    /// When the last verified backup was made, as text.
    pub last_backup: Option<String>,
}

/// Which confirmation is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A yes is enough.
    Yes,
    /// The project's name must be typed.
    TypedName,
}

impl Destruction {
    /// The confirmation that is required: the typed name in a protected environment or for items that may belong to
    /// another project, a yes otherwise. An environment variable is never enough.
    pub fn rule(&self) -> Rule {
        if self.ambiguous || (self.protected && !self.additive) { Rule::TypedName } else { Rule::Yes }
    }
}

/// The answer to a confirmation request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The user gave consent.
    Granted,
    /// The user said no.
    Declined,
    /// No one can be asked.
    Nobody,
}

/// Answers confirmation requests, for example by prompting the user.
pub trait Consent: Send + Sync {
    /// Asks whether this may be done. The answer must satisfy [`Destruction::rule`].
    fn confirm(&self, destruction: &Destruction) -> Answer;

    /// Whether consent was given in advance. Commands that only list by default then also delete.
    fn is_given(&self) -> bool {
        false
    }
}

/// Answers that no one can be asked: the default.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Never;

impl Consent for Never {
    fn confirm(&self, _: &Destruction) -> Answer {
        Answer::Nobody
    }
}

/// Answers given in advance with `--yes` and `--confirm NAME`.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Yes to ordinary questions. Never enough in a protected environment.
    pub yes: bool,
    /// The project name given with `--confirm`.
    pub confirm: Option<String>,
}

impl Consent for Given {
    fn confirm(&self, destruction: &Destruction) -> Answer {
        let named = self.confirm.as_deref().map(|name| name == destruction.project);
        match (destruction.rule(), named) {
            (_, Some(true)) => Answer::Granted,
            (_, Some(false)) => Answer::Declined,
            (Rule::Yes, None) if self.yes => Answer::Granted,
            (_, None) => Answer::Nobody,
        }
    }

    fn is_given(&self) -> bool {
        self.yes || self.confirm.is_some()
    }
}

/// Why an operation did not get its confirmation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ConsentError {
    /// The user said no.
    #[error("declined: nothing was changed")]
    Declined,
    /// Confirmation is needed, but no one can be asked.
    #[error("`{operation}` needs confirmation, but no terminal is available; nothing was changed: {items}")]
    NobodyToAsk {
        /// The name of the operation.
        operation: &'static str,
        /// What would be destroyed.
        items: String,
    },
    /// The environment is protected, or items may belong to another project, and the project's name was not given.
    #[error(
        "`{operation}` in the environment {environment} needs the project's name: it is protected or may share its name with another project; nothing was changed"
    )]
    Protected {
        /// The name of the operation.
        operation: &'static str,
        /// The name of the environment.
        environment: String,
        /// The project name that must be typed.
        project: String,
    },
}

impl Failure for ConsentError {
    fn exit(&self) -> Exit {
        match self {
            Self::Declined | Self::NobodyToAsk { .. } => Exit::Usage,
            Self::Protected { .. } => Exit::Refused,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Declined | Self::NobodyToAsk { .. } => ErrorKind::NotConfirmed,
            Self::Protected { .. } => ErrorKind::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Declined => None,
            Self::NobodyToAsk { .. } => Some("add `--yes`".to_owned()),
            Self::Protected { project, .. } => Some(format!("add `--confirm {project}`")),
        }
    }
}

pub(crate) fn obtain(consent: &Arc<dyn Consent>, destruction: &Destruction) -> Result<(), ConsentError> {
    match consent.confirm(destruction) {
        Answer::Granted => Ok(()),
        Answer::Declined => Err(ConsentError::Declined),
        Answer::Nobody => Err(match destruction.rule() {
            Rule::Yes => {
                ConsentError::NobodyToAsk { operation: destruction.operation, items: destruction.items.join(", ") }
            }
            Rule::TypedName => ConsentError::Protected {
                operation: destruction.operation,
                environment: destruction.environment.clone(),
                project: destruction.project.clone(),
            },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(protected: bool, given: Given) -> Result<(), Exit> {
        let destruction = Destruction {
            operation: "clean",
            project: "shop".into(),
            environment: "production".into(),
            protected,
            ambiguous: false,
            additive: false,
            items: vec![],
            last_backup: None,
        };
        let consent: Arc<dyn Consent> = Arc::new(given);
        obtain(&consent, &destruction).map_err(|error| error.exit())
    }

    #[test]
    fn g05_g06_the_matrix_without_a_terminal() {
        let yes = || Given { yes: true, confirm: None };
        let named = |name: &str| Given { yes: false, confirm: Some(name.into()) };
        assert_eq!(decide(false, Given::default()), Err(Exit::Usage));
        assert_eq!(decide(false, yes()), Ok(()));
        assert_eq!(decide(true, Given::default()), Err(Exit::Refused));
        assert_eq!(decide(true, yes()), Err(Exit::Refused), "--yes is never enough for a protected environment");
        assert_eq!(decide(true, named("shop")), Ok(()));
        assert_eq!(decide(true, named("other")), Err(Exit::Usage));
        assert_eq!(decide(false, named("shop")), Ok(()));
    }
}
