//! `env rotate`

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::Secret;
use crate::dotenv::{EnvFile, FillError, Generator};
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::fs::atomic;
use crate::postgres::Database;
use crate::project::Project;

/// What was rotated.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct EnvRotated {
    /// The variable or secret.
    pub key: String,
    /// The file that holds it.
    pub file: Utf8PathBuf,
    /// The role whose password was changed with it.
    pub role: Option<String>,
    /// Whether running services still have the old value.
    pub restart: bool,
}

/// Where a secret's value stands.
enum Holder {
    /// A line of an env file.
    Line(EnvFile),
    /// A file of its own, as Compose's secrets have.
    File(Utf8PathBuf),
}

pub(super) fn run(project: &Project, key: &str) -> Result<EnvRotated> {
    let (holder, old) = find(project, key)?;
    let generator: Generator = project.manifest().env.get(key).and_then(|rule| rule.generate).unwrap_or_default();
    let new = generator.generate().map_err(FillError::from)?;
    project.runner().redactor().learn(&new);
    let database = project.database().ok().filter(|database| database.password.as_ref() == Some(&old));

    let mut items = vec![format!("the value of {key}")];
    items.extend(database.iter().map(|database| format!("the password of the role {}", database.user)));
    project.consent(&project.destruction("env", items))?;

    // The server first: if the file cannot be written afterwards, the old password is put back.
    if let Some(database) = &database {
        database.login(project)?;
        database.set_password(project, &new)?;
    }
    let path = match write(project, key, holder, &new) {
        Ok(path) => path,
        Err(error) => return Err(put_back(project, database.as_ref(), &old, &new, error)),
    };
    project.remember_secrets(&[key.to_owned()])?;
    Ok(EnvRotated {
        key: key.to_owned(),
        file: path,
        role: database.map(|database| database.user),
        restart: project.has_services(),
    })
}

fn find(project: &Project, key: &str) -> Result<(Holder, Secret)> {
    let files = super::files(project)?;
    if let Some(file) = files.into_iter().rev().find(|file| file.entry(key).is_some()) {
        let value = project.variables().get(key).map(|variable| variable.value.clone());
        return Ok((Holder::Line(file), value.unwrap_or_else(|| Secret::new(""))));
    }
    let secret = project
        .has_services()
        .then(|| project.model().ok())
        .flatten()
        .and_then(|model| model.secrets.get(key)?.file.clone());
    match secret {
        Some(path) => {
            let text = std::fs::read_to_string(&path).map_err(Error::file("read", path.clone()))?;
            Ok((Holder::File(path), Secret::new(text.trim_end_matches(['\r', '\n']))))
        }
        None => Err(Error::new(
            Exit::NotFound,
            format!("neither an env file of this environment nor a compose secret has `{key}`"),
        )
        .with_hint("`cargo xtask env explain` lists them")),
    }
}

fn write(project: &Project, key: &str, holder: Holder, new: &Secret) -> Result<Utf8PathBuf> {
    match holder {
        Holder::Line(mut file) => {
            file.set(key, new)?;
            project.runner().apply(format_args!("replace the value of {key} in {}", file.path()), || file.save())?;
            Ok(file.path().to_owned())
        }
        Holder::File(path) => {
            project.runner().apply(format_args!("replace the content of {path}"), || {
                atomic::replace(&path, new.expose().as_bytes())
            })?;
            Ok(path)
        }
    }
}

/// The file was not written: the role gets its old password again. If that fails too, somebody must be told.
fn put_back(project: &Project, database: Option<&Database>, old: &Secret, new: &Secret, error: Error) -> Error {
    let Some(database) = database else { return error };
    let rotated = Database { password: Some(new.clone()), ..database.clone() };
    match rotated.set_password(project, old) {
        Ok(()) => error,
        Err(second) => Error::new(
            Exit::Partial,
            format!("the role {} has a new password that could not be written to the env file ({error}), nor be taken back ({second})", database.user),
        )
        .with_hint(format!("as a superuser: ALTER ROLE … PASSWORD …, with the password that the env file has for {}", database.user)),
    }
}

impl fmt::Display for EnvRotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has a fresh value in {}", self.key, self.file)?;
        if let Some(role) = &self.role {
            write!(f, "; the role {role} has it as its password")?;
        }
        if self.restart {
            f.write_str("; services that run still have the old one until they are started again")?;
        }
        Ok(())
    }
}
