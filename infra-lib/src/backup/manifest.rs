//! What is known about a backup: the file beside it whose appearance makes it one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::BackupError;
use super::digest::hex;
use crate::error::Result;
use crate::manifest::DumpFormat;
use crate::nonce;
use crate::project::Project;

/// The version of this format that is written; its readers ignore keys that they do not know.
pub const SCHEMA: u32 = 1;

/// A backup's manifest, `<backup>.json`. It is published last, by rename: without it there is no backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct BackupManifest {
    /// 1.
    pub schema: u32,
    /// Project, database, UTC time and chance: unique even within a second.
    pub id: String,
    /// The order in which the catalogue's backups were made, whatever the clock says.
    pub sequence: u64,
    /// The compose project.
    pub project: String,
    /// The environment.
    pub environment: String,
    /// The name that it was given; one with a name is kept until it is removed by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Backups that were made together bear the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// When it began.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub created: Timestamp,
    /// How long it took, verification included.
    pub duration_ms: u64,
    /// The file or folder beside the manifest.
    pub file: String,
    /// How it is written.
    pub format: Format,
    /// Its size.
    pub bytes: u64,
    /// Of the file; of a folder, over the sorted lines `<sha256>  <name>` of its files.
    pub sha256: String,
    /// A folder's files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileDigest>,
    /// By what it was compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<String>,
    /// For whom it was encrypted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encrypted_to: Vec<String>,
    /// The server's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The client's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The database, in a database's backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseFacts>,
    /// The volume, in a volume's backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// Each table with its rows, as decoded.
    #[serde(default)]
    pub tables: Vec<TableRows>,
    /// How many objects of each kind there are.
    #[serde(default)]
    pub objects: BTreeMap<String, u64>,
    /// Roles and grants, in a file beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub globals: Option<FileDigest>,
    /// How far the schema's migrations were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<MigrationState>,
    /// The checkout that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<GitState>,
    /// What its tools warned of.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Why it is not to be trusted without a look, such as half of the tables missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspect: Vec<String>,
    /// How it was proven, the last time of each kind.
    #[serde(default)]
    pub verified: Vec<Proof>,
    /// `full`, or `none` where the file system cannot promise that it survives a crash.
    pub durability: String,
    /// The version of this library.
    pub tool: String,
}

/// How a backup is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// One compressed archive, which `pg_restore` reads.
    Custom,
    /// A folder, written and read by several jobs at once: for big databases.
    Directory,
    /// Compressed SQL, for people.
    Sql,
    /// A tar archive of a volume's files.
    Tar,
    /// A tar archive of `pg_dump`'s: others make them, and they are only read.
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
    /// What its files' names end in.
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
pub struct FileDigest {
    /// Its name, relative to where the manifest or the folder is.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// A table and the rows that were decoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TableRows {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
}

/// The database that was dumped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct DatabaseFacts {
    /// Its name.
    pub name: String,
    /// Its size on the server, in bytes.
    pub size: u64,
    /// Its encoding.
    pub encoding: String,
    /// `LC_COLLATE`.
    pub collate: String,
    /// `LC_CTYPE`.
    pub ctype: String,
    /// `libc`, `icu` or `builtin`.
    pub locale_provider: String,
    /// The ICU or builtin locale.
    pub locale: Option<String>,
    /// Its owner.
    pub owner: String,
    /// Which cluster it is in.
    pub system_identifier: String,
    /// Its large objects.
    pub large_objects: u64,
    /// The roles that own something in it or have rights on something.
    pub roles: Vec<String>,
    /// Its extensions.
    pub extensions: Vec<String>,
    /// Its tablespaces, other than the default ones.
    pub tablespaces: Vec<String>,
    /// Grants, settings, comment and connection limit, as SQL in which `:"db"` stands for its name.
    pub properties: Vec<String>,
}

/// How far the schema's migrations were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MigrationState {
    /// By whose table.
    pub format: String,
    /// The last version.
    pub version: String,
}

/// The checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GitState {
    /// The commit.
    pub commit: String,
    /// Whether there were changes on top of it.
    pub dirty: bool,
}

/// How a backup was proven to be whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Proof {
    /// How.
    pub kind: ProofKind,
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
    /// How long it took: of a drill, how long a restore takes.
    pub took_ms: u64,
}

/// How a backup can be proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ProofKind {
    /// All of it was read and decoded.
    Decode,
    /// It was restored into a throw-away database, and compared.
    Drill,
}

pub(super) const CHECKSUM: &str = "checksum";
/// How the reason begins that a look at its files has found.
const DAMAGED: &str = "damaged: ";

impl BackupManifest {
    /// That of a file of this environment, of which nothing else is known yet.
    pub(crate) fn begin(project: &Project, file: String, format: Format, created: Timestamp) -> Result<Self> {
        let stem = file.strip_suffix(format.extension()).unwrap_or(&file).trim_end_matches('.');
        Ok(Self {
            schema: SCHEMA,
            id: format!("{stem}-{}", nonce::hex_digits(8)?),
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

    /// The text of its file: with a checksum of its own, so that an edited one is noticed.
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

    /// Reads its file's text; `name` is for messages.
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
        let manifest: Self = serde_json::from_value(value).map_err(|error| unreadable(error.to_string()))?;
        let plain = |file: &str| !file.is_empty() && !file.contains('/') && !file.starts_with('.');
        let beside = [Some(&manifest.file), manifest.globals.as_ref().map(|globals| &globals.file)];
        if let Some(file) = beside.into_iter().flatten().find(|file| !plain(file)) {
            return Err(unreadable(format!("`{file}` is no file beside it")));
        }
        Ok(manifest)
    }

    /// The last proof of this kind.
    pub fn proof(&self, kind: ProofKind) -> Option<&Proof> {
        self.verified.iter().find(|proof| proof.kind == kind)
    }

    /// Notes a proof in place of an older one of its kind.
    pub(crate) fn prove(&mut self, proof: Proof) {
        self.verified.retain(|known| known.kind != proof.kind);
        self.verified.push(proof);
    }

    /// Notes that it is no longer what it was, or that it is again, on another disk perhaps.
    pub(crate) fn note_damage(&mut self, damage: Option<&BackupError>) {
        self.suspect.retain(|why| !why.starts_with(DAMAGED));
        self.suspect.extend(damage.map(|damage| format!("{DAMAGED}{damage}")));
    }

    /// Whether it was proven to be whole and nothing about it is suspect.
    pub fn is_good(&self) -> bool {
        !self.verified.is_empty() && self.suspect.is_empty()
    }

    /// Its rows, in all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

fn checksum(value: &Value) -> serde_json::Result<String> {
    use sha2::Digest as _;
    Ok(hex(&sha2::Sha256::digest(serde_json::to_vec(value)?)))
}

#[cfg(test)]
impl BackupManifest {
    /// One of a database, of which nothing was proven yet.
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
mod tests {
    use super::*;

    #[test]
    fn a33_an_edited_manifest_is_refused_and_unknown_keys_are_not() {
        let text = BackupManifest::example().to_text().unwrap();
        assert_eq!(BackupManifest::parse("x.json", &text).unwrap().sequence, 7);
        let edited = String::from_utf8(text).unwrap().replace("\"bytes\": 3", "\"bytes\": 4");
        let error = BackupManifest::parse("x.json", edited.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("changed after it was written"), "{error}");

        let mut later: Value = serde_json::from_slice(&BackupManifest::example().to_text().unwrap()).unwrap();
        let keys = later.as_object_mut().unwrap();
        keys.shift_remove(CHECKSUM);
        keys.insert("moon".into(), "full".into());
        let sum = checksum(&later).unwrap();
        later.as_object_mut().unwrap().insert(CHECKSUM.into(), sum.into());
        assert_eq!(BackupManifest::parse("x.json", later.to_string().as_bytes()).unwrap().sequence, 7);

        later["schema"] = 2.into();
        let error = BackupManifest::parse("x.json", later.to_string().as_bytes()).unwrap_err();
        assert!(matches!(error, BackupError::Schema { schema: 2, .. }), "{error}");
    }

    #[test]
    fn b12_a_manifest_names_no_file_elsewhere() {
        for file in ["../x", "/etc/passwd", "", ".hidden", "a/b"] {
            let mut manifest = BackupManifest::example();
            file.clone_into(&mut manifest.file);
            assert!(BackupManifest::parse("x.json", &manifest.to_text().unwrap()).is_err(), "{file}");
        }
    }
}
