//! Makefiles of other people: read, never run, and turned into what `infra.toml` can say.
//!
//! Lines become statements, statements rules and variables; a target is then a command of ours, by its name or by what its
//! recipe does, or a task, or it is left out with the reason. Neither make nor a recipe is started for that.

mod compose;
mod convert;
mod decide;
mod include;
mod known;
mod lines;
mod migrating;
mod parse;
mod pieces;
mod recipe;
mod report;
mod risk;
mod rules;
mod statement;
#[cfg(test)]
mod tests;
mod text;
mod variables;

use camino::Utf8Path;

use crate::error::Result;

pub use report::{FromMakefile, LeftOut, MadeTask, NowCommand};

/// What a Makefile becomes in the project in `root`.
pub(crate) fn read(root: &Utf8Path, file: &Utf8Path) -> Result<FromMakefile> {
    Ok(of_text(root, file, &include::text(file)?))
}

fn of_text(root: &Utf8Path, file: &Utf8Path, text: &str) -> FromMakefile {
    let name = file.file_name().unwrap_or("Makefile");
    let files = include::Files::new(root);
    let makefile = parse::parse(&files, name, text);
    let converted = convert::convert(&makefile, root);
    FromMakefile {
        file: file.to_owned(),
        targets: makefile.targets.len(),
        commands: converted.commands,
        tasks: converted.tasks,
        left: converted.left,
    }
}

impl FromMakefile {
    /// The tasks as text of infra.toml, without those of which `is_there` says that they are stated already.
    pub(crate) fn text(&self, is_there: impl Fn(&str) -> bool) -> String {
        text::text(self, self.tasks.iter().filter(|made| !is_there(&made.name)))
    }
}
