//! Opening a project with options.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::cancel::CancelToken;
use crate::consent::{Consent, Never};
use crate::project::error::Result;
use crate::report::command::CommandPrefix;
use crate::report::{Observer, Silent};

use super::source::Source;
use super::{Project, Record};

/// Options for opening a project. The defaults suit a program: silent, unattended, declining every confirmation.
///
/// ```no_run
/// use infra_lib::{Project, consent::Given};
/// let project = Project::builder(".").environment("staging").consent(Given { yes: true, confirm: None }).open()?;
/// # Ok::<(), infra_lib::Error>(())
/// ```
#[must_use]
pub struct ProjectBuilder {
    pub(super) dir: PathBuf,
    pub(super) environment: Option<String>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) consent: Arc<dyn Consent>,
    pub(super) commands: CommandPrefix,
    pub(super) cancel: CancelToken,
    pub(super) dry_run: bool,
    /// Overrides the record in `.infra/`.
    pub(super) record: Option<Record>,
    pub(super) keep_stdout: bool,
    pub(super) anywhere: bool,
    pub(super) withheld: Arc<AtomicBool>,
    pub(super) command_line: Option<CommandLine>,
    pub(super) source: Source,
}

/// What the project asks of the command line above it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommandLine {
    /// Checks that a command with its arguments can run unattended, before it is scheduled.
    pub(crate) check: fn(&Project, &[String]) -> Result<()>,
    /// The names of all commands, which no task can have.
    pub(crate) names: fn() -> Vec<&'static str>,
}

impl ProjectBuilder {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            environment: None,
            observer: Arc::new(Silent),
            consent: Arc::new(Never),
            commands: CommandPrefix::default(),
            cancel: CancelToken::new(),
            dry_run: false,
            record: None,
            keep_stdout: false,
            anywhere: false,
            withheld: Arc::default(),
            command_line: None,
            source: Source::default(),
        }
    }

    /// The options with which another project was opened.
    pub(super) fn like(project: &Project, record: Option<Record>) -> Self {
        Self {
            dir: project.root().as_std_path().to_owned(),
            environment: Some(project.environment().name.clone()),
            observer: project.observer.clone(),
            consent: project.consent.clone(),
            commands: project.commands.clone(),
            cancel: project.cancel().clone(),
            dry_run: project.runner().is_dry_run(),
            record,
            keep_stdout: project.runner().keeps_stdout(),
            anywhere: true,
            withheld: project.runner().withheld(),
            command_line: project.command_line,
            source: project.source.clone(),
        }
    }

    /// Sets the environment [default: as configured, else `development`].
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Sets the observer that receives events.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Sets who confirms destructive operations.
    pub fn consent(mut self, consent: impl Consent + 'static) -> Self {
        self.consent = Arc::new(consent);
        self
    }

    /// Sets how the program was called, for commands in warnings and hints [default: `cargo xtask COMMAND`].
    pub fn commands(mut self, prefix: CommandPrefix) -> Self {
        self.commands = prefix;
        self
    }

    /// Sets the token that cancels a running operation.
    pub fn cancel_token(mut self, cancel: CancelToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// Show changes without making them.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Keep stdout for the caller's own data. Tasks, which otherwise inherit the terminal, then print to stderr.
    #[cfg(feature = "cli")]
    pub(crate) fn keep_stdout(mut self, keep_stdout: bool) -> Self {
        self.keep_stdout = keep_stdout;
        self
    }

    /// Accept a folder that is not a project yet, as `init` needs. A compose file in the folder itself then takes
    /// precedence over an infra.toml in a parent folder.
    #[cfg(feature = "cli")]
    pub(crate) fn anywhere(mut self, anywhere: bool) -> Self {
        self.anywhere = anywhere;
        self
    }

    /// Sets the command line that schedules jobs and converts Makefiles. Without it, every command is accepted and none is
    /// known.
    #[cfg(feature = "cli")]
    pub(crate) fn command_line(mut self, command_line: CommandLine) -> Self {
        self.command_line = Some(command_line);
        self
    }

    /// Opens the project: reads its configuration and env files. Needs neither Docker nor PostgreSQL.
    pub fn open(self) -> Result<Project> {
        Project::open(self)
    }
}

impl std::fmt::Debug for ProjectBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectBuilder")
            .field("dir", &self.dir)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}
