//! Env files from their templates.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::dotenv::rule::{EnvRule, FillFrom};
use crate::dotenv::{EnvFile, FillError, Generator, fill, is_own_secret};
use crate::project::error::{Error, Result};
use crate::project::{Project, template_of};
use crate::secret::Secret;

/// Makes each env file whose template is there and which is not: mode 0600, with fresh secrets. One that exists is
/// never touched.
pub(super) fn make(project: &Project) -> Result<Vec<String>> {
    let mut changes = Vec::new();
    for target in targets(project) {
        let template = EnvFile::read(template_of(&target))?;
        changes.extend(make_one(project, &template, &target)?);
    }
    let own = &project.environment().own_env_file;
    if changes.is_empty() && !own.exists() && project.config().env.values().any(|rule| rule.generate.is_some()) {
        let template = EnvFile::parse(template_of(own), b"")?;
        changes.extend(make_one(project, &template, own)?);
    }
    Ok(changes)
}

/// The env files that are missing and have a template: those that the environment reads, and those that services keep in
/// folders of their own.
fn targets(project: &Project) -> Vec<Utf8PathBuf> {
    let root = project.root();
    let environment = project.environment();
    let stated = project.config().environments.get(&environment.name).map(|settings| &settings.env_files);
    let mut targets = match stated.filter(|files| !files.is_empty()) {
        Some(files) => files.iter().map(|file| root.join(file)).collect(),
        None => vec![root.join(".env"), environment.own_env_file.clone()],
    };
    targets.extend(environment.service_env_files.iter().cloned());
    // A folder whose env file the compose files name needs no guess.
    let is_known = |folder: &Utf8Path| environment.service_env_files.iter().any(|file| file.parent() == Some(folder));
    targets.extend(folders(root).filter(|folder| !is_known(folder)).map(|folder| folder.join(".env")));
    targets.retain(|target| !target.exists() && template_of(target).is_file());
    targets.sort();
    targets.dedup();
    targets
}

/// The folders directly below the root that may be a service's.
fn folders(root: &Utf8Path) -> impl Iterator<Item = Utf8PathBuf> {
    let entries = root.read_dir_utf8().into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && !entry.file_name().starts_with('.'))
        .map(camino::Utf8DirEntry::into_path)
}

fn make_one(project: &Project, template: &EnvFile, target: &Utf8Path) -> Result<Option<String>> {
    let rules = &project.config().env;
    let generators = generators(rules, template);
    let mut filled = fill(template, target, &generators)?;
    if template.text().is_empty() {
        for (key, generator) in &generators {
            let secret = generator.generate().map_err(FillError::from)?;
            let comment = rules.get(key).and_then(|rule| rule.describe.as_deref());
            filled.file.append(key, &secret, comment)?;
            filled.generated.push(key.clone());
        }
    }
    let owner = std::fs::metadata(project.root()).map_err(Error::file("read", project.root()))?;
    for (key, rule) in rules.iter().filter(|(key, _)| template.entry(key).is_some()) {
        let number = match rule.fill {
            Some(FillFrom::OwnerUid) => owner.uid(),
            Some(FillFrom::OwnerGid) => owner.gid(),
            None => continue,
        };
        filled.file.set(key, &Secret::new(number.to_string()))?;
    }
    let name = target.strip_prefix(project.root()).unwrap_or(target);
    let what = match &filled.generated[..] {
        [] => format!("write {name} (mode 0600) from its template"),
        keys => format!("write {name} (mode 0600) from its template, with new secrets: {}", keys.join(", ")),
    };
    match project.runner().apply(&what, || filled.file.save_new()) {
        // Another setup was faster; its file is as good as ours.
        Err(error) if error.already_exists() => Ok(None),
        other => {
            other?;
            project.remember_secrets(&filled.generated)?;
            Ok(Some(super::made(project, what)))
        }
    }
}

/// What is generated: what the manifest says; where it says nothing, what looks like a secret of our own.
fn generators(rules: &BTreeMap<String, EnvRule>, template: &EnvFile) -> BTreeMap<String, Generator> {
    let stated: BTreeMap<_, _> = rules.iter().filter_map(|(key, rule)| Some((key.clone(), rule.generate?))).collect();
    if !stated.is_empty() {
        return stated;
    }
    let guessed = template.entries().iter().filter(|entry| is_own_secret(&entry.key));
    guessed.map(|entry| (entry.key.clone(), Generator::default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secrets_of_our_own_are_guessed() {
        let template = EnvFile::parse("x", b"DB_PASSWORD=\nS3_SECRET_KEY=\nJWT_SECRET=change_me\nPORT=80\n").unwrap();
        assert_eq!(
            generators(&BTreeMap::new(), &template).into_keys().collect::<Vec<_>>(),
            ["DB_PASSWORD", "JWT_SECRET"]
        );
    }
}
