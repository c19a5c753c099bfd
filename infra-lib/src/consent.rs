//! Asking before destroying.
//!
//! An operation that destroys describes what it is about to do as a [`Destruction`] and asks the project's [`Consent`].
//! The library's default answer is no. Who may answer what is one table, [`Destruction::rule`].

use std::sync::Arc;

use serde::Serialize;

use crate::exit::Exit;

/// What will be destroyed, where, and how much of it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Destruction {
    /// The operation's name.
    pub operation: &'static str,
    /// The project's name: what is typed to confirm.
    pub project: String,
    /// The environment.
    pub environment: String,
    /// Whether that environment is protected.
    pub protected: bool,
    /// Whether some of it may be somebody else's.
    pub ambiguous: bool,
    /// Whether nothing is lost by it: then a yes is enough, also where the environment is protected.
    pub additive: bool,
    /// Each thing, with its size where one is known.
    pub items: Vec<String>,
    /// When the last verified backup was made, in words.
    pub last_backup: Option<String>,
}

/// What it takes to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A yes.
    Yes,
    /// The project's name, typed.
    TypedName,
}

impl Destruction {
    /// A protected environment and what may be another's want the typed name, others a yes. An environment variable is never enough.
    pub fn rule(&self) -> Rule {
        if self.ambiguous || (self.protected && !self.additive) { Rule::TypedName } else { Rule::Yes }
    }
}

/// What somebody said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Do it.
    Granted,
    /// No.
    Declined,
    /// There is nobody to ask.
    Nobody,
}

/// Somebody who can be asked.
pub trait Consent: Send + Sync {
    /// May this be done? The answer must satisfy [`Destruction::rule`].
    fn ask(&self, destruction: &Destruction) -> Answer;

    /// Whether a yes or a name was said in advance: what is only shown unless somebody wants it done, is to be done.
    fn is_given(&self) -> bool {
        false
    }
}

/// Says that there is nobody to ask: the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct Never;

impl Consent for Never {
    fn ask(&self, _: &Destruction) -> Answer {
        Answer::Nobody
    }
}

/// Answers given in advance, as `--yes` and `--confirm NAME` are.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Yes to ordinary questions; never enough where the environment is protected.
    pub yes: bool,
    /// The typed project name.
    pub confirm: Option<String>,
}

impl Consent for Given {
    fn ask(&self, destruction: &Destruction) -> Answer {
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

/// Nobody agreed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// Somebody said no.
    #[error("declined: nothing was changed")]
    Declined,
    /// A question would have to be asked and may not be.
    #[error("`{operation}` needs a yes, and there is no terminal to ask at; nothing was changed")]
    NobodyToAsk {
        /// The operation.
        operation: &'static str,
    },
    /// The environment is protected, or what is destroyed may be another's, and the project's name was not given.
    #[error(
        "`{operation}` in the environment {environment} needs the project's name, since it is protected or may share its name with another project; nothing was changed"
    )]
    Protected {
        /// The operation.
        operation: &'static str,
        /// The environment.
        environment: String,
        /// What would have to be typed.
        project: String,
    },
}

impl ConsentError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Declined => None,
            Self::NobodyToAsk { .. } => Some("add `--yes`".to_owned()),
            Self::Protected { project, .. } => Some(format!("add `--confirm {project}`")),
        }
    }

    /// 64 for a no or a question that may not be asked, 77 for the guard of a protected environment.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Declined | Self::NobodyToAsk { .. } => Exit::Usage,
            Self::Protected { .. } => Exit::Refused,
        }
    }
}

pub(crate) fn obtain(consent: &Arc<dyn Consent>, destruction: &Destruction) -> Result<(), ConsentError> {
    match consent.ask(destruction) {
        Answer::Granted => Ok(()),
        Answer::Declined => Err(ConsentError::Declined),
        Answer::Nobody => Err(match destruction.rule() {
            Rule::Yes => ConsentError::NobodyToAsk { operation: destruction.operation },
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

    fn ask(protected: bool, given: Given) -> Result<(), Exit> {
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
        assert_eq!(ask(false, Given::default()), Err(Exit::Usage));
        assert_eq!(ask(false, yes()), Ok(()));
        assert_eq!(ask(true, Given::default()), Err(Exit::Refused));
        assert_eq!(ask(true, yes()), Err(Exit::Refused), "--yes is never enough for a protected environment");
        assert_eq!(ask(true, named("shop")), Ok(()));
        assert_eq!(ask(true, named("other")), Err(Exit::Usage));
        assert_eq!(ask(false, named("shop")), Ok(()));
    }
}
