//! Appending lines to private files.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use camino::Utf8Path;
use rustix::fs::OFlags;

/// Appends to a file, created with mode 0600 if missing; a link is not followed. One write call, so that texts of
/// concurrent writers do not mix. It is on the disk once the returned file is synced.
pub(crate) fn append(path: &Utf8Path, text: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)?;
    file.write_all(text)?;
    Ok(file)
}
