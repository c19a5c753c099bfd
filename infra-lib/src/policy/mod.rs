//! What a project's compose files, Dockerfiles and env files must be: rules, one family per file.
//!
//! A family has its rules as constants, and a function that looks at a `Context` and says where they
//! are broken. A new rule is a constant in its family's `RULES` and a row in `docs/policy.md`; a new family one line in
//! `FAMILIES`.

mod allow;
mod build_context;
mod context;
mod dockerfile;
mod env_files;
mod finding;
mod hardening;
mod images;
mod mounts;
mod networks;
mod ports;
mod references;
mod resolved;
mod running;
mod sarif;
mod scan;
mod scanner;
mod secrets;
mod sources;
mod users;
mod variables;
mod yaml;

use crate::error::Result;
use crate::project::Project;

use context::{Context, Findings};

pub use finding::{PolicyFinding, Rule, Severity};
pub(crate) use ports::DATABASE_CODE;
pub(crate) use sarif::sarif;

/// The rules of each family, in the order of the documents.
const FAMILIES: [&[Rule]; 13] = [
    secrets::RULES,
    env_files::RULES,
    images::RULES,
    ports::RULES,
    mounts::RULES,
    users::RULES,
    hardening::RULES,
    running::RULES,
    networks::RULES,
    variables::RULES,
    build_context::RULES,
    scan::RULES,
    allow::RULES,
];

/// Every rule.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// What was judged, and what was found.
pub(crate) struct Judgement {
    pub(crate) production: bool,
    pub(crate) findings: Vec<PolicyFinding>,
    /// What was not looked at, and why.
    pub(crate) remarks: Vec<String>,
}

/// Judges the project in its environment; the images themselves only where that is asked.
pub(crate) fn judge(project: &Project, images: bool) -> Result<Judgement> {
    let context = Context::of(project)?;
    let mut found = Findings::new(context.production);
    secrets::look(&context, &mut found)?;
    env_files::look(&context, &mut found);
    images::look(&context, &mut found);
    ports::look(&context, &mut found);
    mounts::look(&context, &mut found);
    users::look(&context, &mut found);
    hardening::look(&context, &mut found);
    running::look(&context, &mut found);
    networks::look(&context, &mut found);
    variables::look(&context, &mut found);
    build_context::look(&context, &mut found);
    let mut remarks = Vec::new();
    if context.from_templates {
        remarks.push("there are no env files yet: their templates were judged, and no values".to_owned());
    }
    if images {
        remarks.extend(scan::look(&context, &mut found)?);
    }
    allow::apply(project, images, &mut found)?;
    let mut findings = found.list;
    findings.sort_by(|a, b| {
        let key = |it: &PolicyFinding| (it.file.clone(), it.line, it.code, it.service.clone());
        key(a).cmp(&key(b))
    });
    Ok(Judgement { production: context.production, findings, remarks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_never_lighter_in_production() {
        let mut codes: Vec<_> = rules().map(|rule| rule.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), rules().count());
        for rule in rules() {
            assert!(rule.production >= rule.development && rule.production.is_some(), "{}", rule.code);
            assert!(rule.code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.code);
        }
    }
}
