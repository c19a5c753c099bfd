//! A Makefile as it is written: its targets with their recipes, its variables, and what only make can read.

use std::collections::BTreeMap;

use super::variables::Variable;

/// A line of a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecipeLine {
    pub(super) file: String,
    pub(super) number: usize,
    pub(super) text: String,
}

/// A target with all that is said about it.
#[derive(Debug, Clone, Default)]
pub(super) struct Target {
    pub(super) name: String,
    /// The file and line of its first occurrence.
    pub(super) file: String,
    pub(super) number: usize,
    /// What comes first, as written.
    pub(super) needs: Vec<String>,
    pub(super) recipe: Vec<RecipeLine>,
    /// The line of the rule that the recipe belongs to.
    pub(super) recipe_of: usize,
    pub(super) describe: Option<String>,
    pub(super) own: BTreeMap<String, Variable>,
    /// Why it cannot be anything but make's.
    pub(super) obstacle: Option<String>,
}

/// Something that has no counterpart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Odd {
    pub(super) file: String,
    pub(super) number: usize,
    pub(super) what: String,
    pub(super) why: String,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Makefile {
    /// In the order of the file.
    pub(super) targets: Vec<Target>,
    index: BTreeMap<String, usize>,
    pub(super) variables: BTreeMap<String, Variable>,
    pub(super) phony: std::collections::BTreeSet<String>,
    /// Whether a recipe is one script.
    pub(super) one_shell: bool,
    pub(super) odd: Vec<Odd>,
    /// Variables that its commands have in their environment.
    pub(super) exported: std::collections::BTreeSet<String>,
    /// Env files that it includes.
    pub(super) env_files: Vec<String>,
}

impl Makefile {
    pub(super) fn find(&self, name: &str) -> Option<&Target> {
        self.index.get(name).map(|at| &self.targets[*at])
    }

    /// The place of a target, made where it is new.
    pub(super) fn place(&mut self, name: &str, file: &str, number: usize) -> usize {
        if let Some(at) = self.index.get(name) {
            return *at;
        }
        let at = self.targets.len();
        self.index.insert(name.to_owned(), at);
        self.targets.push(Target { name: name.to_owned(), file: file.to_owned(), number, ..Target::default() });
        at
    }
}
