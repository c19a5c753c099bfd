//! A protected environment does not start with secrets that everybody knows, or that everybody may read.

use std::collections::BTreeSet;

use crate::dotenv::{FindingCode, Severity, is_marker, is_placeholder, looks_secret, url_password};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::ops::env;
use crate::project::Project;

/// Looks at the env files and at what the compose files themselves give the services.
pub(super) fn refuse_open(project: &Project, services: &BTreeSet<String>) -> Result<()> {
    if !project.environment().protected {
        return Ok(());
    }
    refuse_readable(project)?;
    refuse_lacking(project)?;
    let of_files = env::findings(project)?.into_iter().filter(|finding| {
        matches!(finding.code, FindingCode::Placeholder | FindingCode::Weak) && finding.severity == Severity::Error
    });
    let mut open: Vec<String> = of_files.map(|finding| finding.to_string()).collect();
    let keys: BTreeSet<&str> = project.variables().variables().iter().map(|variable| variable.key.as_str()).collect();
    if project.has_services() {
        let model = project.model()?;
        for (name, service) in model.services.iter().filter(|(name, _)| services.contains(*name)) {
            let literal = service.environment.iter().filter_map(|(key, value)| Some((key, value.as_deref()?)));
            let known = literal.filter(|(key, value)| !keys.contains(key.as_str()) && is_known(key, value));
            open.extend(known.map(|(key, _)| format!("{key} of service `{name}` is a placeholder that everybody has")));
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    let name = &project.environment().name;
    Err(Error::new(
        Exit::Refused,
        format!("{name} does not start with secrets that can be guessed: {}", open.join("; ")),
    )
    .with_hint(format!(
        "draw fresh ones: `cargo xtask -e {name} env rotate KEY`; one that another party gave out may be as short as \
             `[env.KEY] min-length` in infra.toml says"
    )))
}

/// Whether a value that a compose file gives a service is one that everybody has. Many a key is no secret, such as a
/// cache's.
fn is_known(key: &str, value: &str) -> bool {
    let is_password = looks_secret(key) && !key.to_ascii_uppercase().contains("KEY") && is_placeholder(value);
    is_password || is_marker(value) || url_password(value).is_some_and(|password| is_placeholder(&value[password]))
}

/// Variables that infra.toml has rules for and that have no value.
fn refuse_lacking(project: &Project) -> Result<()> {
    let rules = &project.manifest().env;
    let lacking = env::findings(project)?.into_iter().filter(|finding| {
        let is_ruled = finding.key.as_deref().is_some_and(|key| rules.contains_key(key));
        let is_absent = matches!(finding.code, FindingCode::Missing | FindingCode::Empty);
        is_ruled && is_absent && finding.severity == Severity::Error
    });
    let lacking: Vec<String> = lacking.map(|finding| finding.to_string()).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let name = &project.environment().name;
    Err(Error::new(
        Exit::Config,
        format!("{name} does not start without what infra.toml requires: {}", lacking.join("; ")),
    )
    .with_hint(format!(
        "`cargo xtask -e {name} env fill` draws what can be drawn; the rest is for whoever gave it out to say"
    )))
}

/// Env files that others may read, or that git hands to everybody who has the repository.
fn refuse_readable(project: &Project) -> Result<()> {
    let readable = env::findings(project)?.into_iter().find(|finding| finding.code == FindingCode::Readable);
    if let Some(finding) = readable {
        return Err(Error::new(Exit::Config, finding.to_string()).with_hint(finding.fix));
    }
    match env::committed(project).first() {
        None => Ok(()),
        Some(file) => Err(Error::new(Exit::Config, format!("{file} is committed: its secrets are in git's history"))
            .with_hint(format!("`git rm --cached {file}`, then draw fresh secrets: `cargo xtask env rotate KEY`"))),
    }
}
