//! Detects the type of a file or folder by its content, since file names are unreliable.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;

use crate::project::error::{Error, Result};

use super::BackupError;
use super::folder::Folder;
use super::manifest::Format;

/// Number of bytes to read: a tar's magic is in the first block.
const START: u64 = 512;

/// The `pg_dump` format. For other files, an error that says what the file is and what to do with it.
pub(super) fn detect(folder: &Folder, name: &str) -> Result<Format> {
    let failed = |error: std::io::Error| Error::file("read", folder.path().join(name))(error);
    let other = |what: &str, remedy: &str| {
        let remedy = remedy.replace("FILE", name);
        Err(BackupError::Unreadable { file: name.to_owned(), what: what.to_owned(), remedy }.into())
    };
    if folder.kind(name) == Some(rustix::fs::FileType::Directory) {
        let inside = folder.folder(name).map_err(failed)?;
        if inside.has("toc.dat") {
            return Ok(Format::Directory);
        }
        return other("is not a folder of pg_dump: it has no toc.dat", "name the file or folder that pg_dump wrote");
    }
    let read = |reader: &mut dyn std::io::Read| {
        let mut start = Vec::new();
        reader.take(START).read_to_end(&mut start).map(|_| start)
    };
    let start = read(&mut folder.open_file(name).map_err(failed)?).map_err(failed)?;
    if start.starts_with(&[0x1f, 0x8b]) {
        let file = folder.open_file(name).map_err(failed)?;
        let damaged = |error: std::io::Error| BackupError::Damaged { file: name.to_owned(), what: error.to_string() };
        let inner = read(&mut MultiGzDecoder::new(file)).map_err(damaged)?;
        return match classify(&inner) {
            Look::Archive(Format::Sql) => Ok(Format::Sql),
            Look::Archive(Format::DumpTar) => {
                other("is a compressed tar", "unpack it, and use what is in it: `tar xzf FILE`")
            }
            Look::Archive(_) => {
                other("is an archive of pg_dump that was compressed again", "unpack it first: `gunzip FILE`")
            }
            Look::Other(what, remedy) => other(what, remedy),
        };
    }
    match classify(&start) {
        Look::Archive(format) => Ok(format),
        Look::Other(what, remedy) => other(what, remedy),
    }
}

enum Look {
    Archive(Format),
    /// A description of the file, and what to do with it.
    Other(&'static str, &'static str),
}

/// Magic bytes of other programs' files, with a description and what to do with them.
const OTHERS: [(&[u8], &str, &str); 13] = [
    (&[0x28, 0xb5, 0x2f, 0xfd], "is compressed with zstd", "unpack it first: `zstd -d FILE`"),
    (&[0x04, 0x22, 0x4d, 0x18], "is compressed with lz4", "unpack it first: `lz4 -d FILE`"),
    (b"\xfd7zXZ\0", "is compressed with xz", "unpack it first: `xz -d FILE`"),
    (b"BZh", "is compressed with bzip2", "unpack it first: `bunzip2 FILE`"),
    (b"PK\x03\x04", "is a zip", "unpack it first: `unzip FILE`"),
    (b"age-encryption.org/", "is encrypted with age", "decrypt it first: `age -d -i KEY FILE`"),
    (b"Salted__", "is encrypted with openssl", "decrypt it first: `openssl enc -d …`"),
    (b"-----BEGIN PGP MESSAGE", "is encrypted with gpg", "decrypt it first: `gpg -d FILE`"),
    (
        &[0xff, 0xfe],
        "is UTF-16, as PowerShell's `>` writes it",
        "write the dump with `pg_dump --file`, since what `>` made may be beyond repair",
    ),
    (b"SQLite format 3\0", "is a SQLite database", "only dumps of PostgreSQL can be restored"),
    (b"-- MySQL dump", "is a MySQL dump", "only dumps of PostgreSQL can be restored"),
    (b"-- MariaDB dump", "is a MariaDB dump", "only dumps of PostgreSQL can be restored"),
    (b"/*!", "is a MySQL or MariaDB dump", "only dumps of PostgreSQL can be restored"),
];
/// The offset and the bytes of a tar's magic. (POSIX.1-1988, `ustar`.)
const USTAR: (usize, &[u8]) = (257, b"ustar");
const WHOLE_SERVER: &[u8] = b"-- PostgreSQL database cluster dump";

fn classify(start: &[u8]) -> Look {
    // The magic of `pg_dump`'s archives. (`src/bin/pg_dump/pg_backup_archiver.c`)
    if start.starts_with(b"PGDMP") {
        return Look::Archive(Format::Custom);
    }
    if start.get(USTAR.0..).is_some_and(|rest| rest.starts_with(USTAR.1)) {
        return Look::Archive(Format::DumpTar);
    }
    if let Some((_, what, remedy)) = OTHERS.iter().find(|(magic, ..)| start.starts_with(magic)) {
        return Look::Other(what, remedy);
    }
    if start.is_empty() {
        return Look::Other("is empty", "use another backup, and find out what created this one");
    }
    if start.contains(&0) {
        return Look::Other("is neither SQL nor an archive of pg_dump", "name the file that pg_dump wrote");
    }
    if memchr::memmem::find(start, WHOLE_SERVER).is_some() {
        return Look::Other(
            "is a dump of a whole server, as pg_dumpall writes it",
            "`psql -f FILE postgres` restores it into a fresh server; to restore one database, dump it with pg_dump",
        );
    }
    Look::Archive(Format::Sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_stands_in_its_first_bytes() {
        let mut tar = vec![b'x'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (start, format) in
            [(&b"PGDMP\x01"[..], Format::Custom), (&tar, Format::DumpTar), (b"--\n-- Post", Format::Sql)]
        {
            assert!(matches!(classify(start), Look::Archive(found) if found == format), "{format:?}");
        }
        for start in [&b""[..], b"a\0b", b"\x28\xb5\x2f\xfd\x04", b"--\n-- PostgreSQL database cluster dump\n"] {
            assert!(matches!(classify(start), Look::Other(..)), "{start:?}");
        }
    }
}
