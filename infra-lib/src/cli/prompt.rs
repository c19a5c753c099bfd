//! Asking at the terminal.

use std::io::{ErrorKind, Write as _};

use dialoguer::{Confirm, Input};
use signal_hook::consts::SIGINT;

use crate::cancel::CancelToken;
use crate::consent::{Answer, Consent, Destruction, Given, Rule};
use crate::report::command::CommandPrefix;
use crate::report::plain::printable;

/// Answers from the flags if they decide, else asks at the terminal.
pub(super) struct Terminal {
    pub(super) given: Given,
    pub(super) interactive: bool,
    pub(super) cancel: CancelToken,
    /// What the commands in questions begin with.
    pub(super) commands: CommandPrefix,
}

impl Terminal {
    /// The answer. A Ctrl-C at a question cancels the operation; it is not a no.
    fn answered<T>(&self, answer: dialoguer::Result<T>) -> Option<T> {
        if let Err(dialoguer::Error::IO(error)) = &answer
            && error.kind() == ErrorKind::Interrupted
        {
            self.cancel.cancel(SIGINT);
        }
        answer.ok()
    }
}

impl Consent for Terminal {
    fn confirm(&self, destruction: &Destruction) -> Answer {
        let given = self.given.confirm(destruction);
        if given != Answer::Nobody || !self.interactive {
            return given;
        }
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "{} in {} ({}):", destruction.operation, destruction.project, destruction.environment);
        for item in &destruction.items {
            let _ = writeln!(stderr, "  {}", printable(&self.commands.expand(item)));
        }
        if let Some(backup) = &destruction.last_backup {
            let _ = writeln!(stderr, "  last backup: {backup}");
        }
        drop(stderr);
        let granted = match destruction.rule() {
            Rule::Yes => {
                self.answered(Confirm::new().with_prompt("Continue?").default(false).interact()).unwrap_or(false)
            }
            Rule::TypedName => {
                let prompt = format!("Type `{}` to continue", destruction.project);
                let typed = Input::<String>::new().with_prompt(prompt).allow_empty(true).interact_text();
                self.answered(typed).is_some_and(|typed| typed == destruction.project)
            }
        };
        if granted { Answer::Granted } else { Answer::Declined }
    }

    fn is_given(&self) -> bool {
        self.given.is_given()
    }
}
