//! The record of the unfinished files of a run. If the run is killed, the next one removes what it names, and nothing
//! else.

use std::fs::File;
use std::io::{self, Read as _, Write as _};

use serde::{Deserialize, Serialize};

use super::draft::PART;
use super::folder::{Folder, sync_file};
use crate::hex;

const PREFIX: &str = ".infra-run-";
/// Number of random digits in its name, and in that of a pipe.
const DIGITS: usize = 16;
/// Maximum number of bytes that are read.
const LIMIT: u64 = 1 << 16;

/// A record, removed when this is dropped. It stays locked as long as its run lives.
#[derive(Debug)]
pub(super) struct Record<'a> {
    folder: &'a Folder,
    name: String,
    _file: File,
}

#[derive(Serialize, Deserialize)]
struct Content {
    unfinished: Vec<String>,
}

impl<'a> Record<'a> {
    /// Writes the record before any of these files is created.
    pub(super) fn write(folder: &'a Folder, unfinished: Vec<String>) -> io::Result<Self> {
        let name = format!("{PREFIX}{}.json", hex::random_digits(DIGITS).map_err(io::Error::other)?);
        let mut file = folder.create(&name)?;
        // Where locks are not supported, the folder's lock keeps runs apart.
        let _ = file.try_lock();
        let record = Self { folder, name, _file: file.try_clone()? };
        file.write_all(&serde_json::to_vec(&Content { unfinished })?)?;
        sync_file(&file)?;
        Ok(record)
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let _ = self.folder.remove(&self.name);
    }
}

/// The records of killed runs, each with the unfinished files that it names.
pub(super) fn dead(folder: &Folder) -> io::Result<Vec<(String, Vec<String>)>> {
    let names = folder.names()?.into_iter().filter(|name| is_random(name, PREFIX, ".json"));
    Ok(names.filter_map(|name| Some((read(folder, &name)?, name))).map(|(parts, name)| (name, parts)).collect())
}

/// `None` if its run lives.
fn read(folder: &Folder, name: &str) -> Option<Vec<String>> {
    let file = folder.open_file(name).ok()?;
    file.try_lock().ok()?;
    let mut text = Vec::new();
    file.take(LIMIT).read_to_end(&mut text).ok()?;
    // A run that was killed while it wrote this has created nothing yet.
    let parts = serde_json::from_slice::<Content>(&text).map(|content| content.unfinished).unwrap_or_default();
    let is_plain = |part: &String| part.starts_with('.') && part.ends_with(PART) && !part.contains('/');
    Some(parts.into_iter().filter(is_plain).collect())
}

/// Whether it has the name of one of our pipes.
pub(super) fn is_pipe(name: &str) -> bool {
    is_random(name, ".", ".pipe")
}

fn is_random(name: &str, prefix: &str, suffix: &str) -> bool {
    let digits = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix));
    digits.is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
