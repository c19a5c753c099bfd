//! The report of a conversion.

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::config::{Config, Task};
use crate::report::table;

/// What a Makefile became.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct FromMakefile {
    /// The path of the Makefile that was read.
    pub file: Utf8PathBuf,
    /// How many targets it and what it includes have.
    pub targets: usize,
    /// Targets that are commands from now on.
    pub commands: Vec<NowCommand>,
    /// Tasks that were made of the others.
    pub tasks: Vec<MadeTask>,
    /// What is not converted.
    pub left: Vec<LeftOut>,
    /// What infra.toml says about Compose and migrations from now on.
    #[serde(skip)]
    pub(crate) settings: Config,
}

/// A target that a command replaces.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct NowCommand {
    #[serde(skip)]
    pub(super) place: usize,
    /// The file with its rule.
    pub file: String,
    /// The rule's line, from 1.
    pub line: usize,
    /// The Makefile target that the command replaces.
    pub target: String,
    /// What is typed behind `cargo xtask`.
    pub command: String,
    /// What is different about it.
    pub notes: Vec<String>,
}

/// A task that was made of a target, or of a part of one.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct MadeTask {
    #[serde(skip)]
    pub(super) place: usize,
    /// The file with the target's rule.
    pub file: String,
    /// The rule's line, from 1.
    pub line: usize,
    /// The Makefile target that the task comes from.
    pub target: String,
    /// The task's name in `[tasks]` of infra.toml.
    pub name: String,
    /// The task's definition, as it goes into infra.toml.
    pub task: Task,
    /// What to read before running it.
    pub notes: Vec<String>,
}

/// Something that was not converted.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// The Makefile's name, or the path of an included file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// The target or the statement.
    pub what: String,
    /// Why it is not converted.
    pub why: String,
}

impl fmt::Display for FromMakefile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, targets, commands, tasks, left, .. } = self;
        let gone = left.iter().filter(|left| left.what.starts_with("target ")).count();
        let (commanded, made) = (commands.len(), targets - commands.len() - gone.min(targets - commands.len()));
        write!(f, "{file}: {targets} targets; {commanded} are commands, {made} are tasks, {gone} are not converted")?;
        if !commands.is_empty() {
            let rows = commands
                .iter()
                .map(|now| [now.target.clone(), format!("cargo xtask {}", now.command), now.notes.join("; ")]);
            write!(f, "\n\n{}", table(["TARGET", "COMMAND", "NOTE"], rows))?;
        }
        if !tasks.is_empty() {
            let rows = tasks.iter().map(|made| [made.name.clone(), made.task.place_or_needs(), made.notes.join("; ")]);
            write!(f, "\n\n{}", table(["TASK", "WHERE", "READ FIRST"], rows))?;
        }
        if !left.is_empty() {
            let rows =
                left.iter().map(|left| [format!("{}:{}", left.file, left.line), left.what.clone(), left.why.clone()]);
            write!(f, "\n\n{}", table(["PLACE", "NOT CONVERTED", "WHY"], rows))?;
        }
        Ok(())
    }
}

impl Task {
    /// Where it runs, or what it is a name for.
    fn place_or_needs(&self) -> String {
        if self.run.is_empty() { format!("runs {}", self.needs.join(", ")) } else { self.place() }
    }
}
