//! Archives that others have made: what they hold is read from themselves.

use std::io::Read as _;

use jiff::Timestamp;

use crate::error::{Error, Result};
use crate::postgres::Toolbox;
use crate::project::Project;

use super::BackupError;
use super::folder::Folder;
use super::manifest::{BackupManifest, DatabaseFacts, Format, SCHEMA};
use super::verify::{Archive, Content, Digest};

/// What the first bytes of `pg_dump`'s archives are. (`src/bin/pg_dump/pg_backup_archiver.c`)
const MAGIC: &[u8] = b"PGDMP";

/// How a file or folder is written, judged by its content.
fn format(folder: &Folder, name: &str) -> Result<Format> {
    let failed = |error: std::io::Error| Error::file("read", folder.path().join(name))(error);
    if folder.kind(name) == Some(rustix::fs::FileType::Directory) {
        return Ok(Format::Directory);
    }
    let mut start = Vec::new();
    folder.open_file(name).map_err(failed)?.take(MAGIC.len() as u64).read_to_end(&mut start).map_err(failed)?;
    Ok(if start == MAGIC { Format::Custom } else { Format::Sql })
}

/// Decodes all of an archive, and writes down what is in it as a manifest would say it.
pub(crate) fn read(project: &Project, folder: &Folder, name: &str) -> Result<BackupManifest> {
    let archive = Archive { folder, name, format: format(folder, name)? };
    project.step(format_args!("reading {name}"));
    let toolbox = Toolbox::new(project, &project.database()?, folder.path(), "infra-verify".to_owned())?;
    let Content { decoded, contents } = archive.decode(project, &toolbox).map_err(|error| match error {
        Error::Backup(BackupError::Undecodable { reason }) => {
            BackupError::Damaged { file: name.to_owned(), what: reason }.into()
        }
        error => error,
    })?;
    let Digest { bytes, sha256, files } = archive.digest(project)?;
    let database = DatabaseFacts {
        name: contents.database.unwrap_or_default(),
        extensions: contents.extensions,
        large_objects: decoded.large_objects,
        ..Default::default()
    };
    Ok(BackupManifest {
        schema: SCHEMA,
        id: name.to_owned(),
        sequence: 0,
        project: String::new(),
        environment: String::new(),
        label: None,
        set: None,
        created: Timestamp::now(),
        duration_ms: 0,
        file: name.to_owned(),
        format: archive.format,
        bytes,
        sha256,
        files,
        compression: contents.compression,
        encrypted_to: Vec::new(),
        server: contents.server,
        client: contents.client,
        database: Some(database),
        volume: None,
        tables: decoded.tables,
        objects: contents.objects,
        globals: None,
        migration: None,
        git: None,
        warnings: Vec::new(),
        suspect: Vec::new(),
        verified: Vec::new(),
        durability: String::new(),
        tool: String::new(),
    })
}
