//! Reads archives made by other tools, which have no manifest.

use jiff::Timestamp;

use crate::postgres::Toolbox;
use crate::project::Project;
use crate::project::error::Result;

use super::dump_header::Remarks;
use super::facts::Facts;
use super::folder::Folder;
use super::manifest::{BackupManifest, DatabaseFacts, Format, SCHEMA};
use super::verify::{Archive, Content, Digest};
use super::{BackupError, kind};

/// Disables conversion: the content may be invalid in any other encoding.
const NO_ENCODING: &str = "SQL_ASCII";

/// Decodes the complete archive and describes it in a new manifest.
pub(crate) fn read(project: &Project, folder: &Folder, name: &str) -> Result<BackupManifest> {
    let archive = Archive { folder, name, format: kind::detect(folder, name)? };
    project.step(format_args!("reading {name}"));
    let toolbox = Toolbox::new(project, &project.database()?, folder.path(), "infra-verify".to_owned())?;
    let Content { decoded, contents } = archive.decode_all(project, &toolbox).map_err(|error| archive.damage(error))?;
    let Digest { bytes, sha256, files } = archive.digest(project)?;
    let remarks = decoded.remarks;
    refuse_commands(name, archive.format, &remarks)?;
    let mut warnings = Vec::new();
    if decoded.tables.is_empty() && archive.format == Format::Sql {
        warnings
            .push(format!("{name} has no COPY, so its number of rows is unknown and missing rows cannot be detected"));
    }
    let database = DatabaseFacts {
        name: contents.database.unwrap_or_default(),
        extensions: remarks.extensions.into_iter().collect(),
        large_objects: decoded.large_objects,
        roles: remarks.roles.into_iter().collect(),
        tablespaces: remarks.tablespaces.into_iter().collect(),
        ..locale(project, remarks.encoding.as_deref())
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
        server: contents.server.or(remarks.server),
        client: contents.client.or(remarks.client),
        database: Some(database),
        volume: None,
        tables: decoded.tables,
        objects: contents.objects,
        globals: None,
        migration: None,
        git: None,
        warnings,
        suspect: Vec::new(),
        verified: Vec::new(),
        durability: String::new(),
        tool: String::new(),
    })
}

/// psql would reject the meta-commands partway; refuse them before anything is created.
pub(super) fn refuse_commands(name: &str, format: Format, remarks: &Remarks) -> Result<()> {
    let Some(command) = remarks.command.as_ref().filter(|_| format == Format::Sql) else { return Ok(()) };
    let what = format!("contains the psql command `{command}`, and such commands reach beyond the database");
    let remedy = "inspect it; `pg_dump` without `--create` writes no such commands".to_owned();
    Err(BackupError::Unreadable { file: name.to_owned(), what, remedy }.into())
}

/// The locale of the live database, since an archive does not record its own.
fn locale(project: &Project, encoding: Option<&str>) -> DatabaseFacts {
    let live = project.database().and_then(|live| Facts::query(project, &live)).map(|facts| facts.database);
    let live = live.unwrap_or_default();
    if encoding == Some(NO_ENCODING) && live.encoding != NO_ENCODING {
        let (encoding, c) = (NO_ENCODING.to_owned(), "C".to_owned());
        return DatabaseFacts {
            encoding,
            collate: c.clone(),
            ctype: c,
            locale_provider: "libc".to_owned(),
            ..Default::default()
        };
    }
    let DatabaseFacts { encoding, collate, ctype, locale_provider, locale, .. } = live;
    DatabaseFacts { encoding, collate, ctype, locale_provider, locale, ..Default::default() }
}
