//! Runs the parsed command.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use crate::cancel::CancelToken;
use crate::consent::Given;
use crate::exit::Exit;
use crate::ops::{Doctor, Tasks};
use crate::project::builder::CommandLine;
use crate::project::error::{Error, Result};
use crate::project::operation::Operation as _;
use crate::project::{Project, ProjectBuilder};
use crate::report::{Plain, Progress};

use super::command::{Command, Kind};
use super::commands;
use super::completions::script;
use super::entry::Rendered;
use super::globals::Globals;
use super::prompt::Terminal;
use super::render::{self, Style};
use super::scheduled::refuse_unfit;
use super::{signals, tasks};

/// Moves the cursor to the top left corner and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// The global options, and how to run the library's commands with them.
#[derive(Debug, Clone)]
pub struct Context {
    globals: Globals,
}

impl Context {
    pub(super) fn new(globals: Globals) -> Self {
        Self { globals }
    }

    /// Runs one of the library's commands, shows its outcome or error, and returns the exit code.
    pub fn run(&self, command: Command) -> ExitCode {
        let name = command.name().to_owned();
        let exit = match self.try_run(&command) {
            Ok(rendered) => {
                render::outcome(&self.globals, &name, &rendered);
                rendered.exit
            }
            Err(error) => {
                let colored = self.globals.colored(std::io::stderr().is_terminal());
                let Globals { json, quiet, .. } = self.globals;
                let manner = Style { commands: self.globals.commands(), json, colored, quiet };
                render::error(&manner, Some(&name), &error);
                error.exit()
            }
        };
        exit.into()
    }

    /// The project with these options, for a host's own commands.
    pub fn project(&self) -> Result<Project> {
        self.builder().open()
    }

    fn try_run(&self, command: &Command) -> Result<Rendered> {
        if self.globals.json && command.is_interactive() {
            let name = command.name();
            return Err(Error::new(Exit::Usage, format!("`{name}` is interactive and cannot produce JSON"))
                .with_hint("omit --json"));
        }
        let (project, rendered) = match &command.kind {
            // A script is printed anywhere, also without a project.
            Kind::Completions => return Ok(script::script(&command.matches)),
            Kind::Operation(entry) => {
                let project = self.builder().anywhere(entry.anywhere).open()?;
                if [Tasks::NAME, Doctor::NAME].contains(&entry.name) {
                    tasks::tell_hidden(&project);
                }
                let rendered = entry.run(&project, &command.matches)?;
                (project, rendered)
            }
            Kind::Task(task) => {
                let project = self.project()?;
                let rendered = tasks::run(&project, task, &command.matches)?;
                (project, rendered)
            }
        };
        Ok(Rendered { withheld: project.runner().has_withheld(), ..rendered })
    }

    fn builder(&self) -> ProjectBuilder {
        let globals = &self.globals;
        keep_memory_private();
        let cancel = CancelToken::new();
        signals::install(&cancel);
        let given = Given { yes: globals.yes, confirm: globals.confirm.clone() };
        let (interactive, commands) = (globals.interactive(), globals.commands());
        let consent = Terminal { given, interactive, cancel: cancel.clone(), commands };
        let plain = Plain::stdio(globals.verbosity()).json(globals.json).cancel_when_unread(&cancel);
        let plain = if std::io::stdout().is_terminal() { plain.clear_with(CLEAR) } else { plain };
        let dir = globals.project_dir.clone().unwrap_or_else(|| ".".into());
        let mut builder = Project::builder(dir)
            .consent(consent)
            .cancel_token(cancel)
            .dry_run(globals.dry_run)
            .commands(globals.commands());
        builder =
            builder.keep_stdout(globals.json).command_line(CommandLine { check: refuse_unfit, names: commands::names });
        if let Some(environment) = &globals.env {
            builder = builder.environment(environment);
        }
        if globals.progress() { builder.observer(Progress::over(plain)) } else { builder.observer(plain) }
    }
}

/// Secrets pass through this process: its memory goes into no core dump, and other processes cannot read it.
fn keep_memory_private() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
