//! `env check`

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::dotenv::{self, EnvFile, Expectations, Finding, FindingCode, Severity};
use crate::error::Result;
use crate::exec;
use crate::manifest::EnvRule;
use crate::project::Project;

/// What the check found.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct EnvCheck {
    /// Each finding, in the order of the files' lines.
    pub findings: Vec<Finding>,
}

impl EnvCheck {
    /// Whether any finding is more than a warning.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

pub(super) fn run(project: &Project) -> Result<EnvCheck> {
    project.require_env_file()?;
    Ok(EnvCheck { findings: findings(project)? })
}

/// Everything that is to be said about the env files of the environment.
pub(crate) fn findings(project: &Project) -> Result<Vec<Finding>> {
    let files = super::files(project)?;
    let templates =
        files.iter().filter_map(|file| super::template(file.path()).transpose()).collect::<Result<Vec<_>>>()?;
    let mut rules = super::rules::here(project, &templates)?;
    let services = super::service_files(project)?;
    let mut of_services = Vec::new();
    for key in project.manifest().env.keys() {
        if super::is_of_services(&services, &files, key)? {
            of_services.extend(rules.remove_entry(key));
        }
    }
    let expected = Expectations {
        templates: &templates,
        rules: &rules,
        rotated: &project.secret_ages(),
        now: Timestamp::now(),
        protected: project.environment().protected,
    };
    let mut findings = dotenv::check(&files, exec::inherited, &expected);
    for own in &services {
        findings.extend(of_service(&files, own, &of_services, &expected)?);
    }
    for finding in &mut findings {
        finding.path = finding
            .path
            .take()
            .map(|path| path.strip_prefix(project.root()).map(camino::Utf8Path::to_owned).unwrap_or(path));
    }
    Ok(findings)
}

/// What is to be said about an env file that a service reads by itself.
fn of_service(
    files: &[EnvFile],
    own: &EnvFile,
    rules: &[(String, EnvRule)],
    expected: &Expectations<'_>,
) -> Result<Vec<Finding>> {
    let template = super::template(own.path())?;
    let lists = |file: &EnvFile, key: &str| file.entry(key).is_some();
    let is_its = |key: &str| lists(own, key) || template.as_ref().is_some_and(|template| lists(template, key));
    let rules = rules.iter().filter(|(key, _)| is_its(key)).cloned().collect();
    // What the template itself writes so is meant so, such as a reference to a variable of the environment.
    let is_meant = |key: &str| {
        let written = |file: &EnvFile| file.entry(key).map(|entry| entry.template.clone());
        template.as_ref().is_some_and(|template| written(template) == written(own))
    };
    let all = [files, std::slice::from_ref(own)].concat();
    let templates: Vec<EnvFile> = template.iter().cloned().collect();
    let expected = Expectations { templates: &templates, rules: &rules, ..*expected };
    let mut findings = dotenv::check(&all, dotenv::outside(own, exec::inherited), &expected);
    findings.retain(|finding| match (&finding.path, finding.code, &finding.key) {
        (None, FindingCode::Missing, _) => true,
        (Some(path), FindingCode::Ambiguous, Some(key)) => path == own.path() && !is_meant(key),
        (path, ..) => path.as_deref() == Some(own.path()),
    });
    for finding in findings.iter_mut().filter(|finding| finding.code == FindingCode::Missing) {
        finding.path = Some(own.path().to_owned());
    }
    Ok(findings)
}

impl fmt::Display for EnvCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return f.write_str("the env files are in order");
        }
        let lines: Vec<_> = self
            .findings
            .iter()
            .map(|finding| {
                let severity = match finding.severity {
                    Severity::Error => "error",
                    Severity::Warning => "warning",
                };
                format!("{severity}: {finding}\n  {}", finding.fix)
            })
            .collect();
        f.write_str(&lines.join("\n"))
    }
}
