//! Opening a project with options.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::consent::{Consent, Never};
use crate::error::Result;
use crate::exec::CancelToken;
use crate::report::{Observer, Silent};

use super::{Project, Record};

/// How a project is opened. The defaults suit a program: silent, unattended, answering no to every question.
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
    pub(super) cancel: CancelToken,
    pub(super) dry_run: bool,
    /// Stands in for what `.infra/` says.
    pub(super) record: Option<Record>,
    pub(super) keep_stdout: bool,
    pub(super) anywhere: bool,
    pub(super) withheld: Arc<AtomicBool>,
}

impl ProjectBuilder {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            environment: None,
            observer: Arc::new(Silent),
            consent: Arc::new(Never),
            cancel: CancelToken::new(),
            dry_run: false,
            record: None,
            keep_stdout: false,
            anywhere: false,
            withheld: Arc::default(),
        }
    }

    /// As another project was opened.
    pub(super) fn like(project: &Project, record: Option<Record>) -> Self {
        Self {
            dir: project.root().as_std_path().to_owned(),
            environment: Some(project.environment().name.clone()),
            observer: project.observer.clone(),
            consent: project.consent.clone(),
            cancel: project.cancel().clone(),
            dry_run: project.runner().is_dry_run(),
            record,
            keep_stdout: project.runner().keeps_stdout(),
            anywhere: true,
            withheld: project.runner().withheld(),
        }
    }

    /// The environment; default: what the manifest says, else `development`.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Who hears what happens.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Who is asked before something is destroyed.
    pub fn consent(mut self, consent: impl Consent + 'static) -> Self {
        self.consent = Arc::new(consent);
        self
    }

    /// What stops a running operation.
    pub fn cancel_token(mut self, cancel: CancelToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// Show what would change, and change nothing.
    pub fn dry_run(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }

    /// Keep stdout for the caller's own data: tasks, which otherwise have the caller's terminal, print to stderr.
    pub fn keep_stdout(mut self, keep_stdout: bool) -> Self {
        self.keep_stdout = keep_stdout;
        self
    }

    /// Take a folder that is no project yet for one: it is what `init` works on. A compose file in the folder itself
    /// then counts more than an infra.toml above it.
    pub fn anywhere(mut self, anywhere: bool) -> Self {
        self.anywhere = anywhere;
        self
    }

    /// Opens the project: reads its manifest and env files. Neither Docker nor PostgreSQL is needed for that.
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
