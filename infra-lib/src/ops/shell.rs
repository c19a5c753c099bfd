//! `shell` and `exec`

use std::fmt;

use serde::Serialize;

use crate::exec::{Invocation, at_terminal};
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};

/// Open a shell in a running service.
///
/// Uses bash if the image has it, else sh. The shell's exit code is passed on.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Shell {
    /// Name of the service.
    pub service: String,
}

/// Run a command in a running service.
///
/// It reads stdin, and its exit code is passed on.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Exec {
    /// Name of the service.
    pub service: String,
    /// Command and arguments, after `--`.
    #[cfg_attr(feature = "cli", arg(required = true, trailing_var_arg = true, value_name = "CMD"))]
    pub command: Vec<String>,
}

/// How the child ended.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ExecReport {
    /// The service that it ran in.
    pub service: String,
    /// Its exit code; 128 and the signal's number if a signal ended it.
    pub exit_code: u8,
}

/// Images without bash are common; asking first would double the time until the prompt.
const BEST_SHELL: &str = "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi";

impl Operation for Shell {
    const NAME: &'static str = "shell";
    const GROUP: Group = Group::Lifecycle;
    const JOURNAL: bool = false;
    const INTERACTIVE: bool = true;
    type Outcome = ExecReport;

    fn run(&self, project: &Project) -> Result<ExecReport> {
        run(project, &self.service, &["sh", "-c", BEST_SHELL])
    }
}

impl Operation for Exec {
    const NAME: &'static str = "exec";
    const GROUP: Group = Group::Lifecycle;
    const JOURNAL: bool = false;
    const INTERACTIVE: bool = true;
    type Outcome = ExecReport;

    fn run(&self, project: &Project) -> Result<ExecReport> {
        run(project, &self.service, &self.command.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

fn run(project: &Project, service: &str, command: &[&str]) -> Result<ExecReport> {
    let container = project.running(service)?;
    let call = Invocation::new("docker").args(["exec", if at_terminal() { "-it" } else { "-i" }]);
    let code = project.runner().interactive(&call.arg(container.id).args(command))?;
    Ok(ExecReport { service: service.to_owned(), exit_code: u8::try_from(code).unwrap_or(1) })
}

impl Outcome for ExecReport {
    fn exit(&self) -> Exit {
        match self.exit_code {
            0 => Exit::Ok,
            code => Exit::Child(code),
        }
    }
}

impl fmt::Display for ExecReport {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The child has spoken for itself.
        Ok(())
    }
}
