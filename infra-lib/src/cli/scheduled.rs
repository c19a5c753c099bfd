//! Whether a command can run while nobody is there.

use clap::{Args as _, FromArgMatches as _};

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::project::Project;
use crate::suggest::nearest;

use super::commands;
use super::globals::Globals;
use super::task::TaskEntry;

/// Refuses what is no command of ours or task of the project, what wants a terminal, and arguments that are not understood:
/// today and not at night.
pub(crate) fn refuse_unfit(project: &Project, words: &[String]) -> Result<()> {
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
        Err(error) if !error.use_stderr() => return refuse("that is help"),
        Err(error) => {
            let text = error.to_string();
            return refuse(text.lines().next().unwrap_or_default().trim_start_matches("error: "));
        }
    };
    if let Some(contradiction) = globals.contradiction() {
        return refuse(&format!("{contradiction}, and every job has --quiet"));
    }
    if globals.env.as_ref() != Some(environment) || globals.project_dir.as_deref() != Some(project.root().as_std_path())
    {
        return refuse("folder and environment stand before `schedule`");
    }
    if globals.dry_run { refuse("a dry run does nothing") } else { Ok(()) }
}

fn command(project: &Project, name: &str) -> Result<clap::Command> {
    if let Some(entry) = commands::find(name) {
        return if entry.interactive {
            Err(Error::new(Exit::Usage, format!("`{name}` cannot be scheduled: it hands the terminal over"))
                .with_hint("a task in infra.toml can run a command in a service"))
        } else {
            Ok(entry.command())
        };
    }
    let tasks = &project.manifest().tasks;
    if let Some(task) = tasks.get(name) {
        return Ok(TaskEntry::new(name, task.clone()).command());
    }
    let entries = commands::all();
    let fit = entries.iter().filter(|entry| !entry.interactive).map(|entry| entry.name);
    let hint = match nearest(name, fit.chain(tasks.keys().map(String::as_str))) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "the command comes first, then its options; `cargo xtask help` lists the commands".to_owned(),
    };
    Err(Error::new(Exit::Usage, format!("`{name}` cannot be scheduled: there is no such command or task"))
        .with_hint(hint))
}
