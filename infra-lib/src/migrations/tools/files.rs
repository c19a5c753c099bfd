//! The migration files of other tools, with the tools' naming rules.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use camino::{Utf8Path, Utf8PathBuf};

use crate::exit::Exit;
use crate::hex;
use crate::migrations::file;
use crate::migrations::version::Version;
use crate::project::error::{Error, Result};

/// A migration of another tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    /// The migration's key in the ledger.
    pub(crate) key: String,
    pub(crate) description: String,
    pub(crate) path: Utf8PathBuf,
    /// The checksum that the ledger should contain, if the tool records one.
    pub(crate) checksum: Option<String>,
    /// The keys of its direct predecessors.
    pub(crate) after: Vec<String>,
}

impl File {
    pub(super) fn new(key: &str, description: &str, path: Utf8PathBuf) -> Self {
        let description = description.trim_start_matches(['_', '-']).replace('_', " ");
        Self { key: key.to_owned(), description, path, checksum: None, after: Vec::new() }
    }
}

pub(super) fn read(path: &Utf8Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::file("read", path))
}

/// Makes each file follow the one before it. A duplicate key is an error, as in the tool itself.
pub(super) fn chain(mut files: Vec<File>) -> Result<Vec<File>> {
    for index in 1..files.len() {
        let (before, file) = (files[index - 1].clone(), &mut files[index]);
        if before.key == file.key {
            let text = format!("{} and {} have the same version", before.path, file.path);
            return Err(Error::new(Exit::Config, text));
        }
        file.after = vec![before.key];
    }
    Ok(files)
}

/// Splits a name into its leading digits and the rest.
pub(super) fn digits(name: &str) -> (&str, &str) {
    name.split_at(name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len())
}

/// Files whose names begin with digits and end with `end`, as digits, rest and path.
fn numbered(dir: &Utf8Path, end: &str) -> Result<Vec<(String, String, Utf8PathBuf)>> {
    let mut found = Vec::new();
    for path in file::files(dir)? {
        let Some(name) = path.file_name().and_then(|name| name.strip_suffix(end)) else { continue };
        let (number, rest) = digits(name);
        if !number.is_empty() {
            let (number, rest) = (number.to_owned(), rest.to_owned());
            found.push((number, rest, path));
        }
    }
    Ok(found)
}

pub(super) fn dbmate(dir: &Utf8Path) -> Result<Vec<File>> {
    let files = numbered(dir, ".sql")?.into_iter();
    chain(files.map(|(number, rest, path)| File::new(&number, &rest, path)).collect())
}

pub(super) fn golang(dir: &Utf8Path) -> Result<Vec<File>> {
    let mut files: Vec<(u64, File)> = Vec::new();
    for (number, rest, path) in numbered(dir, ".up.sql")? {
        let Some(number) = number.parse().ok().filter(|_| rest.starts_with('_')) else { continue };
        files.push((number, File::new(&number.to_string(), &rest, path)));
    }
    files.sort_by_key(|(number, _)| *number);
    chain(files.into_iter().map(|(_, file)| file).collect())
}

pub(super) fn supabase(dir: &Utf8Path) -> Result<Vec<File>> {
    let files = numbered(dir, ".sql")?.into_iter().filter(|(_, rest, _)| rest.starts_with('_'));
    chain(files.map(|(number, rest, path)| File::new(&number, &rest, path)).collect())
}

/// Prefix, version and description of `V1.1__Description.sql`.
pub(super) fn versioned(path: &Utf8Path) -> Option<(char, Version, String)> {
    let stem = path.file_name()?.strip_suffix(".sql")?;
    let prefix = stem.chars().next().filter(char::is_ascii_uppercase)?;
    let (version, description) = stem[1..].split_once("__")?;
    Some((prefix, Version::dotted(&version.replace('_', "."))?, description.to_owned()))
}

/// Versioned files of a folder (and of its subfolders if `deep`), sorted by version.
fn by_version(dir: &Utf8Path, prefixes: &[char], deep: bool) -> Result<Vec<(Version, String, Utf8PathBuf)>> {
    let mut found = Vec::new();
    for path in file::files(dir)? {
        if deep && path.is_dir() {
            found.extend(by_version(&path, prefixes, deep)?);
        } else if let Some((prefix, version, description)) = versioned(&path)
            && prefixes.contains(&prefix)
        {
            found.push((version, description, path));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Flyway: the checksum covers the lines without line endings, as a signed number.
pub(super) fn flyway(dir: &Utf8Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for (version, description, path) in by_version(dir, &['V'], true)? {
        let text = read(&path)?.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
        let mut checksum = crc32fast::Hasher::new();
        text.lines().for_each(|line| checksum.update(line.as_bytes()));
        let checksum = Some(checksum.finalize().cast_signed().to_string());
        files.push(File { checksum, ..File::new(&version.canonical(), &description, path) });
    }
    chain(files)
}

/// Refinery: the checksum is Rust's own hash of name, version and text.
pub(super) fn refinery(dir: &Utf8Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for (version, description, path) in by_version(dir, &['V', 'U'], false)? {
        let mut hasher = DefaultHasher::new();
        description.hash(&mut hasher);
        match i32::try_from(version.first()) {
            Ok(number) => number.hash(&mut hasher),
            Err(_) => version.first().hash(&mut hasher),
        }
        read(&path)?.hash(&mut hasher);
        let checksum = Some(hasher.finish().to_string());
        files.push(File { checksum, ..File::new(&version.first().to_string(), &description, path) });
    }
    chain(files)
}

/// The subfolders that contain the file `inner`, with their names.
fn folders(dir: &Utf8Path, inner: &str) -> Result<Vec<(String, Utf8PathBuf)>> {
    let folders = file::files(dir)?.into_iter().filter_map(|folder| {
        let path = folder.join(inner);
        Some((folder.file_name()?.to_owned(), path)).filter(|(_, path)| path.is_file())
    });
    Ok(folders.collect())
}

pub(super) fn prisma(dir: &Utf8Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for (name, path) in folders(dir, "migration.sql")? {
        let checksum = Some(hex::sha256(read(&path)?));
        files.push(File { checksum, ..File::new(&name, digits(&name).1, path) });
    }
    chain(files)
}

/// Diesel: the version is the name up to the first `_`, without dashes.
pub(super) fn diesel(dir: &Utf8Path) -> Result<Vec<File>> {
    let files = folders(dir, "up.sql")?.into_iter().map(|(name, path)| {
        let (version, rest) = name.split_once('_').unwrap_or((&name, ""));
        File::new(&version.replace('-', ""), rest, path)
    });
    chain(files.collect())
}

/// Whether it is a script that JavaScript tools run.
pub(super) fn is_script(path: &Utf8Path) -> bool {
    path.extension().is_some_and(|end| ["js", "ts", "cjs", "mjs", "cts", "mts", "sql"].contains(&end))
        && !path.as_str().ends_with(".d.ts")
        && path.file_name().is_some_and(|name| !digits(name).0.is_empty())
}

fn scripts(dir: &Utf8Path, key: fn(&Utf8Path) -> Option<&str>) -> Result<Vec<File>> {
    let files = file::files(dir)?.into_iter().filter(|path| is_script(path)).filter_map(|path| {
        let description = digits(path.file_stem()?).1.to_owned();
        Some(File::new(key(&path)?, &description, path.clone()))
    });
    chain(files.collect())
}

/// Files identified by their names without extension.
pub(super) fn stems(dir: &Utf8Path) -> Result<Vec<File>> {
    scripts(dir, Utf8Path::file_stem)
}

/// Files identified by their names.
pub(super) fn names(dir: &Utf8Path) -> Result<Vec<File>> {
    scripts(dir, Utf8Path::file_name)
}
