//! From a file to what it becomes.

use camino::Utf8Path;

use super::facts::Facts;
use super::report::FromMakefile;
use super::{convert, include, parse, text};
use crate::project::error::Result;

/// What a Makefile becomes in this project.
pub(crate) fn read(file: &Utf8Path, facts: &Facts<'_>) -> Result<FromMakefile> {
    Ok(from_text(file, &include::text(file)?, facts))
}

pub(super) fn from_text(file: &Utf8Path, text: &str, facts: &Facts<'_>) -> FromMakefile {
    let name = file.file_name().unwrap_or("Makefile");
    let files = include::Files::new(facts.root);
    let makefile = parse::parse(&files, name, text);
    let (converted, settings) = convert::convert(&makefile, facts);
    FromMakefile {
        file: file.to_owned(),
        targets: makefile.targets.len(),
        commands: converted.commands,
        tasks: converted.tasks,
        left: converted.left,
        settings,
    }
}

impl FromMakefile {
    /// What infra.toml has to say, without the tasks that it has already.
    pub(crate) fn text(&self, has_task: impl Fn(&str) -> bool) -> String {
        text::text(self, self.tasks.iter().filter(|made| !has_task(&made.name)))
    }
}
