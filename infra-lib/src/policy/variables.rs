//! Undocumented variables.

use std::collections::BTreeSet;

use camino::Utf8Path;

use crate::dotenv::references::references;
use crate::project::template_of;

use super::context::{Context, Findings};
use super::finding::Rule;
use crate::report::Severity;

const UNDOCUMENTED: Rule = Rule {
    code: "variable-undocumented",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "the person who sets up the project cannot know that there is something to set",
    fix: "add it to the example env file, with a comment; a line `#NAME=` counts",
};

pub(super) const RULES: &[Rule] = &[UNDOCUMENTED];

/// Set by Compose itself, or by every shell.
const GIVEN: [&str; 5] = ["COMPOSE_PROJECT_NAME", "HOME", "USER", "PWD", "TMPDIR"];

pub(super) fn check(context: &Context<'_>, found: &mut Findings) {
    let mut documented = BTreeSet::new();
    let mut templates = Vec::new();
    for path in &context.project.environment().expected_env_files {
        let template = template_of(path);
        if template.is_file() && !templates.contains(&template) {
            documented.extend(names(&template));
            templates.push(template);
        }
    }
    let templates: Vec<String> = templates.iter().map(|path| context.display(path)).collect();
    let place = if templates.is_empty() { "any example file".to_owned() } else { templates.join(" or ") };
    let mut told = BTreeSet::new();
    let services = context.services();
    let is_on = |name: &str| services.contains_key(name);
    for (text, at) in context.sources.texts(&is_on) {
        for reference in references(text) {
            let name = reference.name;
            if !documented.contains(name) && !GIVEN.contains(&name) && told.insert(name.to_owned()) {
                found.add(&UNDOCUMENTED, None, at.clone(), format!("{name} is not in {place}"));
            }
        }
    }
}

/// The names in an example file, including those after a `#`.
fn names(template: &Utf8Path) -> Vec<String> {
    let text = std::fs::read_to_string(template).unwrap_or_default();
    let name = |line: &str| {
        let line = line.trim().trim_start_matches(['#', ' ']);
        let (name, _) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_name.then(|| name.to_owned())
    };
    text.lines().filter_map(name).collect()
}
