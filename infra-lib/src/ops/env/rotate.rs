//! `env rotate`

mod copies;

use std::fmt;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::dotenv::{self, EnvFile, FillError, Generator, Origin, looks_secret, url_password};
use crate::exec::{self, percent_encode};
use crate::exit::Exit;
use crate::fs::atomic;
use crate::postgres::{Database, PostgresError, Way};
use crate::project::error::{Error, Result};
use crate::project::{Project, env_files};
use crate::secret::Secret;

/// The result of `env rotate`: what was replaced, and where.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct EnvRotated {
    /// The variable or secret.
    pub key: String,
    /// The file that holds it.
    pub file: Utf8PathBuf,
    /// Keys of the same file whose URL has it as its password, and got it too.
    pub followed: Vec<String>,
    /// Where else the same secret was replaced: the variable and its file.
    pub copies: Vec<String>,
    /// The role whose password was changed with it.
    pub role: Option<String>,
    /// Whether running services still have the old value.
    pub restart: bool,
    #[serde(skip)]
    pub(super) in_a_line: bool,
}

/// The location of a secret's value.
enum Holder {
    /// A line of an env file.
    Line(EnvFile),
    /// A file of its own, as Compose's secrets have.
    File(Utf8PathBuf),
}

pub(super) fn run(project: &Project, key: &str) -> Result<EnvRotated> {
    let (holder, old) = find(project, key)?;
    let generator: Generator = project.config().env.get(key).and_then(|rule| rule.generate).unwrap_or_default();
    let new = generator.generate().map_err(FillError::from)?;
    project.runner().redactor().learn(&new);
    let database = database_with(project, &old)?;
    let copies = copies::find(project, key, &old, database.is_some())?;

    let mut items = vec![format!("the value of {key}")];
    items.extend(copies.iter().map(ToString::to_string));
    items.extend(database.iter().map(|database| format!("the password of the role {}", database.user)));
    project.consent(&project.destruction("env", items))?;

    // The server first: if the file cannot be written afterwards, the old password is put back.
    if let Some(database) = &database {
        let way = way_in(project, database)?;
        database.set_password(project, &new, way)?;
    }
    let in_a_line = matches!(holder, Holder::Line(_));
    let written = write(project, key, holder, &old, &new);
    let both = written.and_then(|written| copies::write(project, &copies, &old, &new).map(|()| written));
    let (path, followed) = match both {
        Ok(written) => written,
        Err(error) => return Err(put_back(project, database.as_ref(), &old, &new, error)),
    };
    project.remember_secrets(&[key.to_owned()])?;
    let rotated = EnvRotated {
        key: key.to_owned(),
        file: path,
        followed,
        copies: copies.iter().map(ToString::to_string).collect(),
        role: database.map(|database| database.user),
        restart: project.has_services(),
        in_a_line,
    };
    warn_of_copies(project, &old);
    Ok(rotated)
}

/// The project's database, if that is its password. If that is unknown, nothing is rotated: a role whose
/// password was not changed would lock out all services.
fn database_with(project: &Project, old: &Secret) -> Result<Option<Database>> {
    match project.database() {
        Ok(database) => Ok(Some(database).filter(|database| database.password.as_ref() == Some(old))),
        Err(error) if matches!(error.downcast_ref(), Some(PostgresError::NotFound)) => Ok(None),
        Err(error) if matches!(error.downcast_ref(), Some(PostgresError::Ambiguous { .. })) => {
            let model = project.model()?;
            let password = |service: &crate::compose::Service| service.environment.get("POSTGRES_PASSWORD").cloned();
            let is_one = model.services.values().any(|it| password(it).flatten().as_deref() == Some(old.expose()));
            if is_one { Err(error) } else { Ok(None) }
        }
        Err(error) => Err(error),
    }
}

/// How the server lets us in. One whose volume was initialised with another password than the env file has does not, and
/// that is what rotation can repair: the image trusts logins from inside the container.
fn way_in(project: &Project, database: &Database) -> Result<Way> {
    match database.login(project) {
        Ok(_) => Ok(Way::Network),
        Err(error) if matches!(error.downcast_ref(), Some(PostgresError::Login { .. })) => {
            database.login_inside(project).map_err(|_| error)?;
            project.note("the server's password differs from the env file's; it is changed from inside the container");
            Ok(Way::Inside)
        }
        Err(error) => Err(error),
    }
}

/// Says which services get the old value from somewhere else.
fn warn_of_copies(project: &Project, old: &Secret) {
    if old.expose().len() < 6 || project.runner().is_dry_run() || !project.has_services() {
        return;
    }
    let Ok(project) = project.reopen(project.record().cloned()) else { return };
    let Ok(model) = project.model() else { return };
    for (name, service) in &model.services {
        for (key, value) in &service.environment {
            if value.as_deref().is_some_and(|value| value.contains(old.expose())) {
                project.warn(format_args!("service `{name}` still gets the old value in {key}, from another file"));
            }
        }
    }
}

fn find(project: &Project, key: &str) -> Result<(Holder, Secret)> {
    let files = env_files::files(project)?;
    let has = |file: &EnvFile| file.entry(key).is_some();
    // One of the environment's own goes first, if it has the key too.
    let of_service =
        if files.iter().any(has) { None } else { env_files::service_files(project)?.into_iter().find(has) };
    if let Some(file) = of_service {
        let variables = dotenv::beside(&files, &file, exec::inherited)?;
        let value = variables.into_iter().find(|it| it.key == key).map_or_else(|| Secret::new(""), |it| it.value);
        refuse_other_than_secret(project, key, &value)?;
        return Ok((Holder::Line(file), value));
    }
    if let Some(file) = files.into_iter().rev().find(|file| file.entry(key).is_some()) {
        let variable = project.variables().get(key);
        if variable.is_some_and(|variable| variable.origin == Origin::Shell) {
            return Err(Error::new(Exit::Config, format!("the shell sets {key}, which overrides {}", file.path()))
                .with_hint(format!("run `unset {key}` first")));
        }
        let value = variable.map_or_else(|| Secret::new(""), |variable| variable.value.clone());
        refuse_other_than_secret(project, key, &value)?;
        return Ok((Holder::Line(file), value));
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
            format!("`{key}` is neither in an env file of this environment nor a compose secret"),
        )
        .with_hint("`cargo xtask env explain` lists them")),
    }
}

/// A port or a URL that became a random text would only break what uses it.
fn refuse_other_than_secret(project: &Project, key: &str, value: &Secret) -> Result<()> {
    if url_password(value.expose()).is_some() {
        let message = format!("{key} is a URL with a password in it");
        return Err(Error::new(Exit::Usage, message).with_hint(
            "rotate the variable that holds only the password; URLs with it in the same file are updated too",
        ));
    }
    let rule = project.config().env.get(key);
    if looks_secret(key) || rule.is_some_and(|rule| rule.generate.is_some()) {
        return Ok(());
    }
    Err(Error::new(Exit::Usage, format!("{key} does not have the name of a secret"))
        .with_hint(format!("if it is a secret, write `[env.{key}]` with `generate = \"token:32\"` in infra.toml")))
}

fn write(
    project: &Project,
    key: &str,
    holder: Holder,
    old: &Secret,
    new: &Secret,
) -> Result<(Utf8PathBuf, Vec<String>)> {
    match holder {
        Holder::Line(mut file) => {
            file.set(key, new)?;
            let followed = follow(&mut file, key, old, new)?;
            project.runner().apply(format_args!("replace the value of {key} in {}", file.path()), || file.save())?;
            Ok((file.path().to_owned(), followed))
        }
        Holder::File(path) => {
            project.runner().apply(format_args!("replace the content of {path}"), || {
                atomic::replace_alike(&path, new.expose().as_bytes())
            })?;
            Ok((path, Vec::new()))
        }
    }
}

/// URLs of the file whose password is the old value get the new one; nothing else of them changes.
fn follow(file: &mut EnvFile, key: &str, old: &Secret, new: &Secret) -> Result<Vec<String>> {
    let mut followed = Vec::new();
    if old.expose().is_empty() {
        return Ok(followed);
    }
    let (plain, encoded) = (old.expose(), percent_encode(old.expose()));
    let keys: Vec<String> = file.entries().iter().map(|entry| entry.key.clone()).filter(|other| other != key).collect();
    for key in keys {
        let Some(range) = file.entry(&key).map(|entry| entry.value_range.clone()) else { continue };
        let Some(inside) = url_password(&file.text()[range.clone()]) else { continue };
        let at = range.start + inside.start..range.start + inside.end;
        if file.text()[at.clone()] == *plain || file.text()[at.clone()] == *encoded {
            let text = [&file.text()[..at.start], &percent_encode(new.expose()), &file.text()[at.end..]].concat();
            *file = EnvFile::parse(file.path(), text.as_bytes())?;
            followed.push(key);
        }
    }
    Ok(followed)
}

/// The file was not written: the role gets its old password again. If that fails too, it is reported.
fn put_back(project: &Project, database: Option<&Database>, old: &Secret, new: &Secret, error: Error) -> Error {
    let Some(database) = database else { return error };
    let rotated = Database { password: Some(new.clone()), ..database.clone() };
    let back = way_in(project, &rotated).and_then(|way| rotated.set_password(project, old, way));
    match back {
        Ok(()) => error,
        Err(second) => Error::new(
            Exit::Partial,
            format!("the role {} has a new password that could not be written to the env file ({error}), nor reset ({second})", database.user),
        )
        .with_hint(format!("as a superuser: ALTER ROLE … PASSWORD …, with the password that the env file has for {}", database.user)),
    }
}

impl fmt::Display for EnvRotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has a new value in {}", self.key, self.file)?;
        if !self.followed.is_empty() {
            write!(f, ", and so have the URLs in {}", self.followed.join(", "))?;
        }
        if !self.copies.is_empty() {
            write!(f, ", and so have {}", self.copies.join(", "))?;
        }
        if let Some(role) = &self.role {
            write!(f, "; it is also the new password of the role {role}")?;
        }
        if self.restart {
            let how = if self.in_a_line { "start" } else { "restart" };
            write!(f, "; running services keep the old one until `cargo xtask {how}`")?;
        }
        Ok(())
    }
}
