//! The manifest: the file that describes a backup. A backup exists once its manifest does.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::BackupError;
use super::name::BEFORE_RESTORE;
use super::numbers::out_of_range;
use super::property::Property;
use super::table_rows::{TableRows, merge};
use crate::config::DumpFormat;
use crate::hex;
use crate::project::Project;
use crate::project::error::Result;

/// The version of the manifest format. Readers ignore keys that they do not know.
pub(crate) const SCHEMA: u32 = 1;

/// A backup's manifest, `<backup>.json`. It is published last, by rename: a backup without a manifest is incomplete.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub(crate) struct BackupManifest {
    /// The version of the manifest format: 1.
    pub(crate) schema: u32,
    /// Unique id, made of project, database, UTC time and a random part.
    pub(crate) id: String,
    /// Creation order of the backups in the catalogue, independent of the clock.
    pub(crate) sequence: u64,
    /// The name of the compose project.
    pub(crate) project: String,
    /// The environment that was backed up.
    pub(crate) environment: String,
    /// The label given by the user. Retention keeps labelled backups until they are removed by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    /// The id of the backup set, shared by backups that were made together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) set: Option<String>,
    /// When the backup started, in UTC.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub(crate) created: Timestamp,
    /// How long it took in milliseconds, including verification.
    pub(crate) duration_ms: u64,
    /// The backup's file or folder, in the same folder as the manifest.
    pub(crate) file: String,
    /// The archive format of the backup.
    pub(crate) format: Format,
    /// The total size in bytes.
    pub(crate) bytes: u64,
    /// SHA-256 of the file. For a folder: SHA-256 of the sorted lines `<sha256>  <name>` of its files.
    pub(crate) sha256: String,
    /// The files of a folder backup; empty otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<FileDigest>,
    /// The compression method, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compression: Option<String>,
    /// The recipients that it was encrypted to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) encrypted_to: Vec<String>,
    /// The version of the database server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<String>,
    /// The version of the client tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    /// Facts about the database; only in a database backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) database: Option<DatabaseFacts>,
    /// The volume's name; only in a volume backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) volume: Option<String>,
    /// Each table with its row count, counted while decoding.
    #[serde(default)]
    pub(crate) tables: Vec<TableRows>,
    /// The number of objects by kind.
    #[serde(default)]
    pub(crate) objects: BTreeMap<String, u64>,
    /// The separate file with roles and grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) globals: Option<FileDigest>,
    /// The state of the schema migrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) migration: Option<MigrationState>,
    /// The git checkout that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) git: Option<GitState>,
    /// Warnings from the tools that made it.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    /// Reasons to review the backup before using it, such as half of the tables missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) suspect: Vec<String>,
    /// How it was verified: the latest verification of each kind.
    #[serde(default)]
    pub(crate) verified: Vec<Proof>,
    /// `full`, or `none` if the file system cannot guarantee that the backup survives a crash.
    pub(crate) durability: String,
    /// The version of this library that made it.
    pub(crate) tool: String,
}

/// The archive format of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// One compressed archive, readable by `pg_restore`.
    Custom,
    /// A folder that parallel jobs write and read; for large databases.
    Directory,
    /// Compressed SQL text, readable by people.
    Sql,
    /// A tar archive of a volume's files.
    Tar,
    /// A tar archive made by `pg_dump`. It can be read and restored, but is never written.
    DumpTar,
}

impl From<DumpFormat> for Format {
    fn from(format: DumpFormat) -> Self {
        match format {
            DumpFormat::Custom => Self::Custom,
            DumpFormat::Directory => Self::Directory,
            DumpFormat::Sql => Self::Sql,
        }
    }
}

impl Format {
    /// The file name extension of this format.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Custom => "dump",
            Self::Directory => "dir",
            Self::Sql => "sql.gz",
            Self::Tar => "tar.gz",
            Self::DumpTar => "tar",
        }
    }
}

/// A file with its size and digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct FileDigest {
    /// The file's name, relative to the manifest or the folder.
    pub(crate) file: String,
    /// The file's size in bytes.
    pub(crate) bytes: u64,
    /// The file's SHA-256, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// Facts about the database that was dumped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct DatabaseFacts {
    /// The name of the database.
    pub(crate) name: String,
    /// The database's size on the server, in bytes.
    pub(crate) size: u64,
    /// The database's encoding, such as `UTF8`.
    pub(crate) encoding: String,
    /// The locale `LC_COLLATE` of the database.
    pub(crate) collate: String,
    /// The locale `LC_CTYPE` of the database.
    pub(crate) ctype: String,
    /// The locale provider: `libc`, `icu` or `builtin`.
    pub(crate) locale_provider: String,
    /// The ICU or builtin locale.
    pub(crate) locale: Option<String>,
    /// The role that owns the database.
    pub(crate) owner: String,
    /// The system identifier of the database cluster.
    pub(crate) system_identifier: String,
    /// The number of large objects.
    pub(crate) large_objects: u64,
    /// Roles that own objects in the database or have privileges on them.
    pub(crate) roles: Vec<String>,
    /// The extensions installed in the database.
    pub(crate) extensions: Vec<String>,
    /// The tablespaces in use, except the default ones.
    pub(crate) tablespaces: Vec<String>,
    /// Owner, grants, settings, comment and connection limit.
    pub(crate) attributes: Vec<Property>,
    /// The attributes as SQL statements, as version 0.1 wrote them. They are read, but no longer written.
    #[serde(skip_serializing)]
    pub(crate) properties: Vec<String>,
}

impl DatabaseFacts {
    /// Converts the SQL statements of an old manifest into values. `Err` contains a statement of unknown form.
    fn read_properties(&mut self) -> Result<(), String> {
        for sql in std::mem::take(&mut self.properties) {
            self.attributes.push(Property::from_statement(&sql).ok_or_else(|| sql.escape_debug().to_string())?);
        }
        Ok(())
    }
}

/// The state of the schema migrations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct MigrationState {
    /// The migration tool whose table was read.
    pub(crate) format: String,
    /// The version that was applied last.
    pub(crate) version: String,
}

/// The git checkout of the project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct GitState {
    /// The hash of the commit.
    pub(crate) commit: String,
    /// Whether the checkout had uncommitted changes.
    pub(crate) dirty: bool,
}

/// A verification of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Proof {
    /// How the backup was verified.
    pub(crate) kind: ProofKind,
    /// When the backup was verified.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub(crate) at: Timestamp,
    /// How long it took in milliseconds. For a restore drill, this is how long a restore takes.
    pub(crate) took_ms: u64,
}

/// The ways to verify a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ProofKind {
    /// The complete archive was read and decoded.
    Decode,
    /// It was restored into a scratch database and compared.
    Drill,
}

pub(super) const CHECKSUM: &str = "checksum";
/// Prefix of the suspicion that verifying the files found.
const DAMAGED: &str = "damaged: ";

impl BackupManifest {
    /// A new manifest for a file of this environment, with all other facts unset.
    pub(crate) fn begin(project: &Project, file: String, format: Format, created: Timestamp) -> Result<Self> {
        let stem = file.strip_suffix(format.extension()).unwrap_or(&file).trim_end_matches('.');
        Ok(Self {
            schema: SCHEMA,
            id: format!("{stem}-{}", hex::random_digits(8)?),
            sequence: 0,
            project: project.name().to_owned(),
            environment: project.environment().name.clone(),
            label: None,
            set: None,
            created,
            duration_ms: 0,
            file,
            format,
            bytes: 0,
            sha256: String::new(),
            files: Vec::new(),
            compression: None,
            encrypted_to: Vec::new(),
            server: None,
            client: None,
            database: None,
            volume: None,
            tables: Vec::new(),
            objects: BTreeMap::new(),
            globals: None,
            migration: None,
            git: None,
            warnings: Vec::new(),
            suspect: Vec::new(),
            verified: Vec::new(),
            durability: String::new(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    /// The text of the manifest file. It includes a checksum, so that edits are detected.
    pub(crate) fn to_text(&self) -> serde_json::Result<Vec<u8>> {
        let mut value = serde_json::to_value(self)?;
        let checksum = checksum(&value)?;
        if let Value::Object(keys) = &mut value {
            keys.insert(CHECKSUM.to_owned(), checksum.into());
        }
        let mut text = serde_json::to_vec_pretty(&value)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Parses the text of a manifest file. `name` is used in error messages.
    pub(crate) fn parse(name: &str, text: &[u8]) -> Result<Self, BackupError> {
        let unreadable = |reason: String| BackupError::Manifest { file: name.to_owned(), reason };
        let mut value: Value = serde_json::from_slice(text).map_err(|error| unreadable(error.to_string()))?;
        let stated = value.as_object_mut().and_then(|keys| keys.shift_remove(CHECKSUM));
        match value.get("schema").and_then(Value::as_u64) {
            Some(schema) if schema == u64::from(SCHEMA) => {}
            Some(schema) => return Err(BackupError::Schema { file: name.to_owned(), schema }),
            None => return Err(unreadable("it has no `schema`".to_owned())),
        }
        let actual = checksum(&value).map_err(|error| unreadable(error.to_string()))?;
        if stated.as_ref().and_then(Value::as_str) != Some(&*actual) {
            return Err(unreadable("it was changed after it was written".to_owned()));
        }
        if let Some(number) = out_of_range(&value) {
            return Err(unreadable(format!("the number {number} is out of range")));
        }
        let mut manifest: Self = serde_json::from_value(value).map_err(|error| unreadable(error.to_string()))?;
        manifest.tables = merge(manifest.tables);
        if let Some(facts) = &mut manifest.database {
            facts.read_properties().map_err(|sql| unreadable(format!("`{sql}` is not a property of a database")))?;
        }
        let plain = |file: &str| !file.is_empty() && !file.contains('/') && !file.starts_with('.');
        let beside = [Some(&manifest.file), manifest.globals.as_ref().map(|globals| &globals.file)];
        if let Some(file) = beside.into_iter().flatten().find(|file| !plain(file)) {
            return Err(unreadable(format!("`{file}` is not a file next to it")));
        }
        Ok(manifest)
    }

    /// The latest verification of this kind, if any.
    pub(crate) fn proof(&self, kind: ProofKind) -> Option<&Proof> {
        self.verified.iter().find(|proof| proof.kind == kind)
    }

    /// Records a verification and replaces an older one of the same kind.
    pub(crate) fn prove(&mut self, proof: Proof) {
        self.verified.retain(|known| known.kind != proof.kind);
        self.verified.push(proof);
    }

    /// Records damage, or clears it when the files match again.
    pub(crate) fn note_damage(&mut self, damage: Option<&BackupError>) {
        self.suspect.retain(|why| !why.starts_with(DAMAGED));
        self.suspect.extend(damage.map(|damage| format!("{DAMAGED}{damage}")));
    }

    /// Whether the backup is verified and not suspect.
    pub(crate) fn is_good(&self) -> bool {
        !self.verified.is_empty() && self.suspect.is_empty()
    }

    /// Whether a restore made it of what it replaced. Such a backup is never `latest`: a restore that is tried again
    /// would take what the first attempt was to replace.
    pub(crate) fn is_safety_copy(&self) -> bool {
        self.label.as_deref() == Some(BEFORE_RESTORE)
    }

    /// The number of rows in all tables.
    pub(crate) fn rows(&self) -> u64 {
        self.tables.iter().fold(0, |sum, table| sum.saturating_add(table.rows))
    }
}

fn checksum(value: &Value) -> serde_json::Result<String> {
    Ok(hex::sha256(serde_json::to_vec(value)?))
}

#[cfg(test)]
impl BackupManifest {
    /// A database backup without any verification.
    pub(crate) fn example() -> Self {
        let value = serde_json::json!({
            "schema": 1, "id": "shop-db-20261120T023005Z-00ff", "sequence": 7, "project": "shop",
            "environment": "development", "created": "2026-11-20T02:30:05Z", "duration_ms": 5, "file": "x.dump",
            "format": "custom", "bytes": 3, "sha256": "00", "durability": "full", "tool": "0.1.0",
            "database": {"name": "db"},
        });
        serde_json::from_value(value).unwrap()
    }
}

#[cfg(test)]
mod tests;
