//! Whether a command can run unattended.

use clap::{Args as _, FromArgMatches as _};

use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::suggest::did_you_mean;

use super::commands;
use super::globals::Globals;
use super::task::TaskEntry;

/// Refuses unknown commands and tasks, commands that need a terminal, and invalid arguments:
/// today and not at night.
pub(super) fn refuse_unfit(project: &Project, words: &[String]) -> Result<()> {
    let name = words.first().map_or("", String::as_str);
    let command = command(project, name)?;
    let refuse = |why: &str| {
        let line = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default();
        Err(Error::new(Exit::Usage, format!("`{line}` cannot be scheduled: {why}")))
    };
    let environment = &project.environment().name;
    let before = ["xtask", "-C", project.root().as_str(), "-e", environment, "-q"];
    let root = Globals::augment_args(clap::Command::new("xtask")).subcommand(command);
    let parsed = root.try_get_matches_from(before.into_iter().chain(words.iter().map(String::as_str)));
    let globals = match parsed.and_then(|matches| Globals::from_arg_matches(&matches)) {
        Ok(globals) => globals,
        Err(error) if !error.use_stderr() => return refuse("it only prints help"),
        Err(error) => {
            let text = error.to_string();
            return refuse(text.lines().next().unwrap_or_default().trim_start_matches("error: "));
        }
    };
    if let Some(contradiction) = globals.contradiction() {
        return refuse(&format!("{contradiction}, and every job runs with --quiet"));
    }
    if globals.env.as_ref() != Some(environment) || globals.project_dir.as_deref() != Some(project.root().as_std_path())
    {
        return refuse("the project folder and the environment go before `schedule`");
    }
    if globals.dry_run { refuse("a dry run changes nothing") } else { Ok(()) }
}

fn command(project: &Project, name: &str) -> Result<clap::Command> {
    if let Some(entry) = commands::find(name) {
        return if entry.interactive {
            Err(Error::new(Exit::Usage, format!("`{name}` cannot be scheduled: it is interactive"))
                .with_hint("define a task in infra.toml that runs a command in a service"))
        } else {
            Ok(entry.command())
        };
    }
    let tasks = &project.config().tasks;
    if let Some(task) = tasks.get(name) {
        return Ok(TaskEntry::new(name, task.clone()).command());
    }
    let entries = commands::all();
    let fit = entries.iter().filter(|entry| !entry.interactive).map(|entry| entry.name);
    let hint = did_you_mean(name, fit.chain(tasks.keys().map(String::as_str)))
        .unwrap_or_else(|| "put the command first, then its options; `cargo xtask help` lists the commands".to_owned());
    Err(Error::new(Exit::Usage, format!("`{name}` cannot be scheduled: unknown command or task")).with_hint(hint))
}
