//! Refusing to start a protected environment with well-known or readable secrets.

use std::collections::BTreeSet;

use crate::dotenv::{Finding, FindingCode, is_marker, is_placeholder, looks_secret, url_password};
use crate::exit::Exit;
use crate::project::Project;
use crate::project::env_files::{self, committed};
use crate::project::error::{Error, Result};
use crate::report::Severity;

/// Checks the env files and the values that the compose files give to the services.
pub(super) fn refuse_open(project: &Project, services: &BTreeSet<String>) -> Result<()> {
    if !project.environment().protected {
        return Ok(());
    }
    let findings = env_files::findings(project)?;
    refuse_readable(project, &findings)?;
    refuse_lacking(project, &findings)?;
    let of_files = findings.iter().filter(|finding| {
        matches!(finding.code, FindingCode::Placeholder | FindingCode::Weak) && finding.severity == Severity::Error
    });
    let mut open: Vec<String> = of_files.map(ToString::to_string).collect();
    let keys: BTreeSet<&str> = project.variables().variables().iter().map(|variable| variable.key.as_str()).collect();
    if project.has_services() {
        let model = project.model()?;
        for (name, service) in model.services.iter().filter(|(name, _)| services.contains(*name)) {
            let literal = service.environment.iter().filter_map(|(key, value)| Some((key, value.as_deref()?)));
            let known = literal.filter(|(key, value)| !keys.contains(key.as_str()) && is_known(key, value));
            open.extend(
                known.map(|(key, _)| format!("{key} of service `{name}` is a placeholder that everyone knows")),
            );
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
    .with_hint(
        "generate new ones: `cargo xtask env rotate KEY`; one that another party issued may be as short as \
             `[env.KEY] min-length` in infra.toml says",
    ))
}

/// Whether a compose file gives a service a well-known secret. Many keys are not secrets, such as a cache's.
fn is_known(key: &str, value: &str) -> bool {
    let is_password = looks_secret(key) && !key.to_ascii_uppercase().contains("KEY") && is_placeholder(value);
    is_password || is_marker(value) || url_password(value).is_some_and(|password| is_placeholder(&value[password]))
}

/// Returns an error for variables that have a rule in infra.toml and no value.
fn refuse_lacking(project: &Project, findings: &[Finding]) -> Result<()> {
    let rules = &project.config().env;
    let lacking = findings.iter().filter(|finding| {
        let is_ruled = finding.key.as_deref().is_some_and(|key| rules.contains_key(key));
        let is_absent = matches!(finding.code, FindingCode::Missing | FindingCode::Empty);
        is_ruled && is_absent && finding.severity == Severity::Error
    });
    let lacking: Vec<String> = lacking.map(ToString::to_string).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let name = &project.environment().name;
    Err(Error::new(
        Exit::Config,
        format!("{name} does not start without what infra.toml requires: {}", lacking.join("; ")),
    )
    .with_hint("`cargo xtask env fill` generates what it can; ask the issuers for the rest"))
}

/// Returns an error for env files that other users can read or that are committed to git.
fn refuse_readable(project: &Project, findings: &[Finding]) -> Result<()> {
    if let Some(finding) = findings.iter().find(|finding| finding.code == FindingCode::Readable) {
        return Err(Error::new(Exit::Config, finding.to_string()).with_hint(finding.fix.clone()));
    }
    match committed(project).first() {
        None => Ok(()),
        Some(file) => Err(Error::new(Exit::Config, format!("{file} is committed: its secrets are in git's history"))
            .with_hint(format!("`git rm --cached {file}`, then generate new secrets: `cargo xtask env rotate KEY`"))),
    }
}
