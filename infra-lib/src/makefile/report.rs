//! What was made of a Makefile, for whoever wants to know.

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::manifest::Task;
use crate::report::table;

/// What a Makefile became.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct FromMakefile {
    /// The Makefile.
    pub file: Utf8PathBuf,
    /// How many targets it and what it includes have.
    pub targets: usize,
    /// Targets that are commands from now on.
    pub commands: Vec<NowCommand>,
    /// Tasks that were made of the others.
    pub tasks: Vec<MadeTask>,
    /// What has no counterpart.
    pub left: Vec<LeftOut>,
}

/// A target that a command stands for.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct NowCommand {
    #[serde(skip)]
    pub(super) place: usize,
    /// The file with its rule.
    pub file: String,
    /// The rule's line, from 1.
    pub line: usize,
    /// The target.
    pub target: String,
    /// What is typed behind `cargo xtask`.
    pub command: String,
    /// Lines of the recipe that the command does not stand for.
    pub dropped: Vec<String>,
    /// What else is different.
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
    /// The target.
    pub target: String,
    /// The task's name.
    pub name: String,
    /// The task.
    pub task: Task,
    /// What somebody should know before running it.
    pub notes: Vec<String>,
}

/// Something that was not converted.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What stands there.
    pub what: String,
    /// Why it has no counterpart.
    pub why: String,
}

impl fmt::Display for FromMakefile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, targets, commands, tasks, left } = self;
        let gone = left.iter().filter(|left| left.what.starts_with("target ")).count();
        let (commanded, made) = (commands.len(), targets - commands.len() - gone.min(targets - commands.len()));
        write!(f, "{file}: {targets} targets; {commanded} are commands, {made} are tasks, {gone} are not converted")?;
        if !commands.is_empty() {
            let rows = commands.iter().map(|now| {
                let dropped = now.dropped.iter().map(|line| format!("not taken over: {line}"));
                let notes: Vec<String> = dropped.chain(now.notes.iter().cloned()).collect();
                [now.target.clone(), format!("cargo xtask {}", now.command), notes.join("; ")]
            });
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
