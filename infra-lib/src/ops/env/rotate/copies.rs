//! The same secret in other variables and files, whose readers would be locked out.

use std::fmt;

use camino::Utf8PathBuf;

use crate::dotenv::{EnvFile, Quoting, is_placeholder};
use crate::fs::atomic;
use crate::project::error::Result;
use crate::project::{Project, env_files};
use crate::secret::Secret;

use super::follow;

/// Another variable, or a file of a compose secret, with the same value.
pub(super) enum Copy {
    Line {
        key: String,
        path: Utf8PathBuf,
    },
    File {
        name: String,
        path: Utf8PathBuf,
    },
    /// A URL in another env file, whose password it is.
    Url {
        key: String,
        path: Utf8PathBuf,
    },
}

impl fmt::Display for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Line { key: name, path } | Self::File { name, path } | Self::Url { key: name, path }) = self;
        write!(f, "{name} in {path}")
    }
}

/// Words in the names of a database's variables.
const OF_DATABASE: [&str; 6] = ["DB", "PG", "POSTGRES", "POSTGRESQL", "DATABASE", "PGPASSWORD"];

/// Every other holder of the value. Variables with the same placeholder are unrelated, unless all are the database's.
pub(super) fn find(project: &Project, key: &str, old: &Secret, is_database: bool) -> Result<Vec<Copy>> {
    let mut found = Vec::new();
    if old.expose().is_empty() {
        return Ok(found);
    }
    let is_shared = is_placeholder(old.expose());
    let is_same_secret = |name: &str| {
        let upper = name.to_ascii_uppercase();
        !is_shared || is_database && upper.split(['_', '-']).any(|word| OF_DATABASE.contains(&word))
    };
    let files = env_files::files(project)?.into_iter().chain(env_files::service_files(project)?);
    for file in files {
        let entries = file.entries().iter().filter(|entry| {
            // A reference to another variable follows that one.
            let is_literal = entry.quoting == Quoting::Single || !entry.template.expose().contains('$');
            is_literal && entry.template == *old && entry.key != key && is_same_secret(&entry.key)
        });
        found.extend(entries.map(|entry| Copy::Line { key: entry.key.clone(), path: file.path().to_owned() }));
    }
    found.extend(in_edited_key_and_urls(project, key, old)?);
    let secrets = project.has_services().then(|| project.model().ok()).flatten();
    for (name, secret) in secrets.into_iter().flat_map(|model| &model.secrets).filter(|(name, _)| *name != key) {
        let Some(path) = &secret.file else { continue };
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if text.trim_end_matches(['\r', '\n']) == old.expose() && is_same_secret(name) {
            found.push(Copy::File { name: name.clone(), path: path.clone() });
        }
    }
    Ok(found)
}

/// The same key, and URLs with it, in other files than the one that is edited.
fn in_edited_key_and_urls(project: &Project, key: &str, old: &Secret) -> Result<Vec<Copy>> {
    let own = env_files::files(project)?;
    let edited = own.iter().rev().find(|file| file.entry(key).is_some()).map(|file| file.path().to_owned());
    let services = env_files::service_files(project)?;
    let first = edited.or_else(|| Some(services.iter().find(|file| file.entry(key).is_some())?.path().to_owned()));
    let mut found = Vec::new();
    for file in own.iter().chain(&services).filter(|file| Some(file.path()) != first.as_deref()) {
        let path = file.path().to_owned();
        if file.entry(key).is_some_and(|entry| entry.template == *old) {
            found.push(Copy::Line { key: key.to_owned(), path: path.clone() });
        }
        let urls = follow(&mut file.clone(), key, old, old)?;
        found.extend(urls.into_iter().map(|key| Copy::Url { key, path: path.clone() }));
    }
    Ok(found)
}

/// Replaces the value in each of them. If one cannot be written, those before it get the old value again.
pub(super) fn write(project: &Project, copies: &[Copy], old: &Secret, new: &Secret) -> Result<()> {
    for (at, copy) in copies.iter().enumerate() {
        let what = format!("replace the value of {copy}");
        if let Err(error) = project.runner().apply(&what, || set(copy, old, new)) {
            for written in &copies[..at] {
                set(written, new, old)?;
            }
            return Err(error);
        }
    }
    Ok(())
}

fn set(copy: &Copy, old: &Secret, new: &Secret) -> Result<()> {
    match copy {
        Copy::Line { key, path } => {
            let mut file = EnvFile::read(path)?;
            file.set(key, new)?;
            Ok(file.save()?)
        }
        Copy::Url { path, .. } => {
            let mut file = EnvFile::read(path)?;
            follow(&mut file, "", old, new)?;
            Ok(file.save()?)
        }
        Copy::File { path, .. } => Ok(atomic::replace_alike(path, new.expose().as_bytes())?),
    }
}
