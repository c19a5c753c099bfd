//! SHA-256 of what is published.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};

use sha2::{Digest as _, Sha256};

use super::folder::Folder;
use super::manifest::FileDigest;
use crate::exec::CancelToken;

/// Read at a time.
const CHUNK: usize = 1 << 20;

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The size and digest of an open file, from its beginning; `on_bytes` hears how many were read.
pub(crate) fn of_file(
    mut file: &File,
    cancel: &CancelToken,
    mut on_bytes: impl FnMut(u64),
) -> io::Result<(u64, String)> {
    io::Seek::rewind(&mut file)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        if cancel.signal().is_some() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex(&hash.finalize()))),
            Ok(count) => {
                hash.update(&buffer[..count]);
                bytes += count as u64;
                on_bytes(bytes);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The files of an opened folder with their digests, sorted by name. It holds plain files only.
pub(crate) fn of_folder(folder: &Folder, cancel: &CancelToken) -> io::Result<Vec<FileDigest>> {
    let mut files = Vec::new();
    for name in folder.names()? {
        let (bytes, sha256) = of_file(&folder.open_file(&name)?, cancel, |_| {})?;
        files.push(FileDigest { file: name, bytes, sha256 });
    }
    Ok(files)
}

/// One digest of a folder's files: over the lines that `sha256sum` would print for them.
pub(crate) fn of_list(files: &[FileDigest]) -> (u64, String) {
    let lines = files.iter().fold(String::new(), |mut lines, file| {
        let _ = writeln!(lines, "{}  {}", file.sha256, file.file);
        lines
    });
    (files.iter().map(|file| file.bytes).sum(), hex(&Sha256::digest(lines.as_bytes())))
}
