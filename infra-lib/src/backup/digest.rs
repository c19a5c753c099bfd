//! SHA-256 digests of backup files.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};

use sha2::{Digest as _, Sha256};

use super::folder::Folder;
use super::manifest::FileDigest;
use crate::cancel::CancelToken;
use crate::hex;

/// Number of bytes to read at a time.
const CHUNK: usize = 1 << 20;

/// The size and digest of an open file, read from its beginning. `on_bytes` is called with the number of bytes read.
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
            Ok(0) => return Ok((bytes, hex::encode(&hash.finalize()))),
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

/// The files of an open folder with their digests, sorted by name. It must contain regular files only.
pub(crate) fn of_folder(folder: &Folder, cancel: &CancelToken) -> io::Result<Vec<FileDigest>> {
    let mut files = Vec::new();
    for name in folder.names()? {
        let (bytes, sha256) = of_file(&folder.open_file(&name)?, cancel, |_| {})?;
        files.push(FileDigest { file: name, bytes, sha256 });
    }
    Ok(files)
}

/// The total size, and one digest for all files: SHA-256 of the lines that `sha256sum` would print.
pub(crate) fn of_list(files: &[FileDigest]) -> (u64, String) {
    let lines = files.iter().fold(String::new(), |mut lines, file| {
        let _ = writeln!(lines, "{}  {}", file.sha256, file.file);
        lines
    });
    (files.iter().map(|file| file.bytes).sum(), hex::sha256(lines))
}
