//! A schema that the image's init scripts made.

use camino::Utf8PathBuf;

use crate::error::{Error, Result};
use crate::postgres::{Database, Place, local};
use crate::project::Project;

use super::MigrationError;
use super::file::Migration;

/// The first migrations, if the init scripts say the very same as they do; otherwise nobody can know what made the tables.
pub(super) fn made_by_init_scripts<'a>(
    project: &Project,
    database: &Database,
    files: &'a [Migration],
) -> Result<Vec<&'a Migration>> {
    let init = init_sql(project, database)?;
    (1..=files.len())
        .map(|count| files[..count].iter().collect::<Vec<_>>())
        .find(|first| same(&init, first.iter().map(|file| file.statements())))
        .filter(|_| !init.is_empty())
        .ok_or_else(|| MigrationError::NoLedger.into())
}

/// Whether two pieces of SQL are the same, the white space between files apart.
fn same<'a>(init: &str, files: impl Iterator<Item = &'a str>) -> bool {
    let squeeze =
        |text: &str| text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    squeeze(init) == squeeze(&files.collect::<Vec<_>>().join("\n"))
}

/// The SQL of the init scripts, in the order in which the image runs them.
fn init_sql(project: &Project, database: &Database) -> Result<String> {
    let scripts = match &database.place {
        Place::Service { service, .. } => mounted(project, service)?,
        Place::Local(_) => local::init_scripts(project)?,
        Place::Url { .. } => Vec::new(),
    };
    let mut text = String::new();
    for script in scripts.iter().filter(|path| path.extension() == Some("sql")) {
        text += &std::fs::read_to_string(script).map_err(Error::file("read", script.clone()))?;
        text.push('\n');
    }
    Ok(text)
}

/// What the service mounts where the image looks for init scripts.
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
