//! The env files of an environment and its services: templates, rules and findings.

use std::collections::BTreeMap;

use camino::Utf8Path;
use jiff::Timestamp;

use super::error::Result;
use super::{Project, is_template, template_of};
use crate::dotenv::rule::EnvRule;
use crate::dotenv::{self, EnvFile, Expectations, Finding, FindingCode};
use crate::exec::{self, Invocation};

/// The env files of the environment.
pub(crate) fn files(project: &Project) -> Result<Vec<EnvFile>> {
    Ok(project.environment().env_files.iter().map(EnvFile::read).collect::<Result<_, _>>()?)
}

/// The env files that services load through `env_file:`.
pub(crate) fn service_files(project: &Project) -> Result<Vec<EnvFile>> {
    let files = project.environment().service_env_files.iter().filter(|path| path.is_file());
    Ok(files.map(EnvFile::read).collect::<Result<_, _>>()?)
}

/// Whether a variable is only defined in env files or templates of these services, and in no env file of the
/// environment.
pub(crate) fn is_of_services(services: &[EnvFile], files: &[EnvFile], key: &str) -> Result<bool> {
    let has = |files: &[EnvFile]| -> Result<bool> {
        for file in files {
            if file.entry(key).is_some() || template(file.path())?.is_some_and(|it| it.entry(key).is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    Ok(has(services)? && !has(files)?)
}

/// An env file's template, if it has one.
pub(crate) fn template(env_file: &Utf8Path) -> Result<Option<EnvFile>> {
    let template = template_of(env_file);
    Ok(template.is_file().then(|| EnvFile::read(template)).transpose()?)
}

/// The rules that apply in this environment. A rule for a variable that only the templates of other environments list
/// is left out, since no file of this environment could have it.
pub(crate) fn rules_here(project: &Project, own: &[EnvFile]) -> Result<BTreeMap<String, EnvRule>> {
    let mut rules = project.config().env.clone();
    if own.is_empty() {
        return Ok(rules);
    }
    let names = project.root().read_dir_utf8().into_iter().flatten().flatten();
    let is_template = |name: &str| name.trim_start_matches('.').starts_with("env") && is_template(name);
    let all = names.filter(|entry| is_template(entry.file_name()));
    let all = all.map(|entry| EnvFile::read(entry.path())).collect::<Result<Vec<_>, _>>()?;
    let lists = |files: &[EnvFile], key: &str| files.iter().any(|file| file.entry(key).is_some());
    rules.retain(|key, _| lists(own, key) || !lists(&all, key));
    Ok(rules)
}

/// All findings about the env files of the environment.
pub(crate) fn findings(project: &Project) -> Result<Vec<Finding>> {
    let files = files(project)?;
    let templates = files.iter().filter_map(|file| template(file.path()).transpose()).collect::<Result<Vec<_>>>()?;
    let mut rules = rules_here(project, &templates)?;
    let services = service_files(project)?;
    let mut of_services = Vec::new();
    for key in project.config().env.keys() {
        if is_of_services(&services, &files, key)? {
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
        finding.path =
            finding.path.take().map(|path| path.strip_prefix(project.root()).map(Utf8Path::to_owned).unwrap_or(path));
    }
    Ok(findings)
}

/// The findings about an env file that a service loads itself.
fn of_service(
    files: &[EnvFile],
    own: &EnvFile,
    rules: &[(String, EnvRule)],
    expected: &Expectations<'_>,
) -> Result<Vec<Finding>> {
    let template = template(own.path())?;
    let lists = |file: &EnvFile, key: &str| file.entry(key).is_some();
    let is_its = |key: &str| lists(own, key) || template.as_ref().is_some_and(|template| lists(template, key));
    let rules = rules.iter().filter(|(key, _)| is_its(key)).cloned().collect();
    // A value that the template itself has is intended, such as a reference to a variable of the environment.
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

/// The env files of the environment that are committed to git, relative to the project. Empty without a git
/// repository.
pub(crate) fn committed(project: &Project) -> Vec<String> {
    let mut files = project.environment().all_env_files().peekable();
    if files.peek().is_none() {
        return Vec::new();
    }
    let list = Invocation::new("git").args(["-C", project.root().as_str(), "ls-files", "--"]).args(files);
    let text = project.runner().read(&list).map(|output| output.text()).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
