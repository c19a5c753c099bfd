//! Schemas created by the image's init scripts.

use camino::Utf8PathBuf;

use crate::postgres::{Database, Place, local};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::MigrationError;
use super::file::Migration;

/// The first migrations, if the init scripts contain exactly their SQL. Otherwise it is unknown what created the
/// tables.
pub(super) fn made_these<'a>(
    project: &Project,
    database: &Database,
    files: &'a [Migration],
) -> Result<Vec<&'a Migration>> {
    let mut init = String::new();
    for script in sql_files(project, database)? {
        init += &std::fs::read_to_string(&script).map_err(Error::file("read", script))?;
        init.push('\n');
    }
    let init = squeeze(&init);
    let mut text = String::new();
    for (count, file) in files.iter().enumerate() {
        text += &squeeze(file.up.statements());
        if text == init && !init.is_empty() {
            return Ok(files[..=count].iter().collect());
        }
        if text.len() > init.len() {
            break;
        }
    }
    Err(MigrationError::NoLedger.into())
}

/// Removes trailing white space and empty lines.
fn squeeze(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The SQL init scripts, in the order in which the image runs them.
pub(super) fn sql_files(project: &Project, database: &Database) -> Result<Vec<Utf8PathBuf>> {
    let mut scripts = match &database.place {
        Place::Service { service, .. } => mounted(project, service)?,
        Place::Local(_) => local::init_scripts(project)?,
        Place::Url { .. } => Vec::new(),
    };
    scripts.retain(|path| path.extension() == Some("sql"));
    Ok(scripts)
}

/// The files that the service mounts into the image's folder for init scripts.
fn mounted(project: &Project, service: &str) -> Result<Vec<Utf8PathBuf>> {
    let mounts = project.model()?.services.get(service).map(|service| service.volumes.clone()).unwrap_or_default();
    let mut scripts: Vec<Utf8PathBuf> = Vec::new();
    for mount in mounts.into_iter().filter(|mount| mount.target.starts_with("/docker-entrypoint-initdb.d")) {
        let source = Utf8PathBuf::from(mount.source.unwrap_or_default());
        match source.read_dir_utf8() {
            Ok(entries) => scripts.extend(entries.flatten().map(camino::Utf8DirEntry::into_path)),
            Err(_) => scripts.push(source),
        }
    }
    scripts.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    Ok(scripts)
}
