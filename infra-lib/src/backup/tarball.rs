//! Archives of files: read member by member to their end, and written anew.
//!
//! Whoever unpacks an archive does what is in it. So nothing is unpacked that was not read whole before, and of what is
//! read nothing passes that we would not have written: each member below a folder that came before it, each name once,
//! no way out, no devices.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::io::{self, Read};
use std::path::{Component, Path};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType, Header};

use super::manifest::BackupManifest;
use super::tally::{Kind, Tally};

/// A member, as its archive describes it.
pub(crate) struct Member {
    /// Relative, of plain names only; empty: the folder that everything is in.
    pub(crate) path: Vec<u8>,
    pub(crate) kind: Kind,
    /// Where a link points to.
    pub(crate) target: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) owner: (u64, u64),
    /// In seconds since 1970.
    pub(crate) mtime: u64,
    /// What else is kept of it: a finer time, extended attributes.
    pub(crate) extras: Vec<(String, Vec<u8>)>,
}

/// How much an archive may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Members.
    pub(crate) members: u64,
    /// Bytes of their files.
    pub(crate) bytes: u64,
}

/// The longest path, in bytes.
const LONGEST: usize = 4096;
/// What a member takes beside its content, at most: headers, a long name, extended attributes.
const OVERHEAD: u64 = 192 * 1024;
/// What we keep of a member beside the usual.
const EXTRAS: [&str; 2] = ["mtime", "SCHILY.xattr."];

impl Bounds {
    /// What a manifest says that its archive holds; without one, which is so when it was made just now, anything.
    pub(crate) fn stated(manifest: Option<&BackupManifest>) -> Self {
        let Some(objects) = manifest.map(|manifest| &manifest.objects) else {
            return Self { members: u64::MAX, bytes: u64::MAX };
        };
        let bytes = objects.get("bytes").copied().unwrap_or(0);
        Self {
            members: objects.values().fold(0, |sum: u64, count| sum.saturating_add(*count)).saturating_sub(bytes),
            bytes,
        }
    }

    fn stream(self) -> u64 {
        self.members.saturating_add(2).saturating_mul(OVERHEAD).saturating_add(self.bytes)
    }
}

/// Reads all of a compressed archive, and hands over each member with its content. What is wrong with it is an error of the
/// kind [`io::ErrorKind::InvalidData`].
pub(crate) fn read(
    file: impl Read,
    bounds: Bounds,
    mut on_member: impl FnMut(&Member, &mut dyn Read) -> io::Result<()>,
) -> io::Result<Tally> {
    let stream = Bounded { inner: MultiGzDecoder::new(file), left: bounds.stream() };
    let mut archive = Archive::new(stream);
    let mut tally = Tally::default();
    let mut seen = Seen::default();
    for entry in archive.entries().map_err(invalid)? {
        let mut entry = entry.map_err(invalid)?;
        let member = describe(&mut entry)?;
        seen.check(&member)?;
        if !member.path.is_empty() {
            tally.add(member.kind, member.size, member.mode, member.owner);
        }
        if tally.members() > bounds.members || tally.bytes > bounds.bytes {
            return Err(bad("it holds more than its manifest says"));
        }
        on_member(&member, &mut entry)?;
        // Whatever of it nobody wanted must be there all the same.
        if io::copy(&mut entry, &mut io::sink()).map_err(invalid)? > 0 && member.kind != Kind::File {
            return Err(bad("something stands where no content belongs"));
        }
    }
    let mut rest = archive.into_inner();
    let mut buffer = [0; 4096];
    loop {
        match rest.read(&mut buffer).map_err(invalid)? {
            0 => return Ok(tally),
            count if buffer[..count].iter().all(|&byte| byte == 0) => {}
            _ => return Err(bad("something stands after its end")),
        }
    }
}

fn describe(entry: &mut tar::Entry<'_, impl Read>) -> io::Result<Member> {
    let kind = match entry.header().entry_type() {
        EntryType::Regular => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::Symlink => Kind::Symlink,
        EntryType::Link => Kind::HardLink,
        EntryType::Fifo => Kind::Fifo,
        other => return Err(bad(format!("it has a member of the type `{}`", other.as_byte().escape_ascii()))),
    };
    let path = plain(&entry.path_bytes())?;
    let link = entry.link_name_bytes().map(|name| name.into_owned());
    let target = match kind {
        Kind::HardLink => plain(&link.unwrap_or_default())?,
        Kind::Symlink => link
            .filter(|to| !to.is_empty() && to.len() <= LONGEST && !to.contains(&0))
            .ok_or_else(|| bad("a link leads nowhere"))?,
        _ => Vec::new(),
    };
    let mut extras = Vec::new();
    for extra in entry.pax_extensions().map_err(invalid)?.into_iter().flatten() {
        let extra = extra.map_err(invalid)?;
        let key = extra.key().map_err(|_| bad("an attribute has an unreadable name"))?;
        if key.starts_with("GNU.sparse") {
            return Err(bad("it has a sparse member"));
        }
        if EXTRAS.iter().any(|known| key.starts_with(known)) {
            extras.push((key.to_owned(), extra.value_bytes().to_owned()));
        }
    }
    let size = if kind == Kind::File { entry.size() } else { 0 };
    let header = entry.header();
    let number = |read: io::Result<u64>| read.map_err(invalid);
    Ok(Member {
        path,
        kind,
        target,
        size,
        mode: header.mode().map_err(invalid)? & 0o7777,
        owner: (number(header.uid())?, number(header.gid())?),
        // Before 1970 there were no files; a time that cannot be read is no reason to lose one.
        mtime: header.mtime().unwrap_or(0),
        extras,
    })
}

/// The path without `.` and a slash at its end; an error unless it leads to something below.
fn plain(path: &[u8]) -> io::Result<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt as _;
    let as_path = Path::new(std::ffi::OsStr::from_bytes(path));
    let shown = || path.escape_ascii().to_string();
    if path.is_empty() || path.len() > LONGEST || path.contains(&0) {
        return Err(bad(format!("a member has the name `{:.100}`", shown())));
    }
    let mut names = Vec::new();
    for component in as_path.components() {
        match component {
            Component::Normal(name) => names.push(name.as_bytes()),
            Component::CurDir => {}
            _ => return Err(bad(format!("the member `{:.100}` leads out of it", shown()))),
        }
    }
    Ok(names.join(&b'/'))
}

/// What has come by so far, by the digest of its path: a million names would take too much room.
#[derive(Default)]
struct Seen {
    kinds: HashMap<u64, Kind>,
    hasher: RandomState,
}

impl Seen {
    fn check(&mut self, member: &Member) -> io::Result<()> {
        let shown = || member.path.escape_ascii().to_string();
        if member.path.is_empty() {
            return if member.kind == Kind::Directory { Ok(()) } else { Err(bad("its root is no folder")) };
        }
        let parent = member.path.iter().rposition(|&byte| byte == b'/').map(|at| &member.path[..at]);
        if parent.is_some_and(|parent| self.kind(parent) != Some(Kind::Directory)) {
            return Err(bad(format!("the member `{:.100}` is in no folder of it", shown())));
        }
        if member.kind == Kind::HardLink && self.kind(&member.target) != Some(Kind::File) {
            return Err(bad(format!("the link `{:.100}` is to no file of it", shown())));
        }
        match self.kinds.insert(self.hasher.hash_one(&member.path), member.kind) {
            None => Ok(()),
            Some(_) => Err(bad(format!("it has two members `{:.100}`", shown()))),
        }
    }

    fn kind(&self, path: &[u8]) -> Option<Kind> {
        self.kinds.get(&self.hasher.hash_one(path)).copied()
    }
}

/// Writes a member as we write all of them: by numbers instead of owners' names, and nothing that some reader might read
/// in another way than we do.
pub(crate) fn append(
    builder: &mut tar::Builder<impl io::Write>,
    member: &Member,
    content: &mut dyn Read,
) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    if !member.extras.is_empty() {
        builder.append_pax_extensions(member.extras.iter().map(|(key, value)| (key.as_str(), value.as_slice())))?;
    }
    let mut header = Header::new_gnu();
    header.set_entry_type(match member.kind {
        Kind::File => EntryType::Regular,
        Kind::Directory => EntryType::Directory,
        Kind::Symlink => EntryType::Symlink,
        Kind::HardLink => EntryType::Link,
        Kind::Fifo => EntryType::Fifo,
    });
    header.set_size(member.size);
    header.set_mode(member.mode);
    header.set_uid(member.owner.0);
    header.set_gid(member.owner.1);
    header.set_mtime(member.mtime);
    if !member.target.is_empty() && header.set_link_name_literal(&member.target).is_err() {
        let mut long = Header::new_gnu();
        long.set_entry_type(EntryType::GNULongLink);
        long.set_size(member.target.len() as u64 + 1);
        long.set_path("././@LongLink")?;
        long.set_cksum();
        builder.append(&long, member.target.chain(&[0][..]))?;
    }
    builder.append_data(&mut header, Path::new(std::ffi::OsStr::from_bytes(&member.path)), content)
}

/// Ends a stream that is longer than it may be.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| bad("it holds more than its manifest says"))?;
        Ok(count)
    }
}

/// What the archive is to blame for.
pub(crate) fn bad(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// A disk that fails is told from an archive that cannot be read.
fn invalid(error: io::Error) -> io::Error {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::Other | Kind::InvalidInput | Kind::UnexpectedEof if error.raw_os_error().is_none() => {
            bad(error.to_string())
        }
        _ => error,
    }
}
