//! Reads and writes tar archives of files.
//!
//! An archive controls what its reader unpacks. So it is read completely before anything is unpacked, and only
//! members that this module would write itself are accepted: each in a folder that came earlier in the archive, each
//! name once, no path that leads outside, no devices.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher as _;
use std::io::{self, Read};
use std::path::{Component, Path};

use flate2::read::MultiGzDecoder;
use tar::{EntryType, Header};

use super::manifest::BackupManifest;
use super::summary::{Kind, Tally};

/// A member of an archive.
pub(crate) struct Member {
    /// A relative path of plain names; empty for the root folder.
    pub(crate) path: Vec<u8>,
    pub(crate) kind: Kind,
    /// The target of a link.
    pub(crate) target: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) owner: (u64, u64),
    /// The modification time in seconds since 1970.
    pub(crate) mtime: u64,
    /// Additional attributes: a finer time, extended attributes.
    pub(crate) extras: Vec<(String, Vec<u8>)>,
}

/// Upper limits for an archive's content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Maximum number of members.
    pub(crate) members: u64,
    /// Maximum total size of the files in bytes.
    pub(crate) bytes: u64,
}

/// The size of a tar block in bytes.
const BLOCK: usize = 512;
/// Maximum size of the headers that describe a member: names, attributes.
const PREFACE: u64 = 1 << 17;
/// The longest path, in bytes.
const LONGEST: usize = 4096;
/// Maximum size of a member in addition to its content: headers, a long name, extended attributes.
const OVERHEAD: u64 = 4 * PREFACE;
/// The additional attributes that are kept, as keys or prefixes.
const EXTRAS: [&str; 2] = ["mtime", "SCHILY.xattr."];

impl Bounds {
    /// The limits from the manifest; without one (for a new archive), no limits.
    pub(crate) fn from_manifest(manifest: Option<&BackupManifest>) -> Self {
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

/// Reads a compressed archive to its end and passes on each member with its content. A defect in the archive is an
/// error of the kind [`io::ErrorKind::InvalidData`].
pub(crate) fn read(
    file: impl Read,
    bounds: Bounds,
    mut on_member: impl FnMut(&Member, &mut dyn Read) -> io::Result<()>,
) -> io::Result<Tally> {
    let mut stream = Bounded { inner: MultiGzDecoder::new(file), left: bounds.stream() };
    let mut tally = Tally::default();
    let mut seen = Seen::default();
    while let Some(member) = next(&mut stream)? {
        seen.check(&member)?;
        if member.size > bounds.bytes.saturating_sub(tally.bytes) {
            return Err(bad("it contains more than its manifest says"));
        }
        if !member.path.is_empty() {
            tally.add(member.kind, member.size, member.mode, member.owner);
        }
        if tally.members() > bounds.members {
            return Err(bad("it contains more than its manifest says"));
        }
        let mut content = stream.by_ref().take(member.size);
        on_member(&member, &mut content)?;
        // Content that the caller did not read must exist nevertheless.
        let left = content.limit();
        if io::copy(&mut content, &mut io::sink()).map_err(invalid)? != left {
            return Err(bad("it is cut off within a file"));
        }
        padding(&mut stream, member.size)?;
    }
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).map_err(invalid)? {
            0 => return Ok(tally),
            count if buffer[..count].iter().all(|&byte| byte == 0) => {}
            _ => return Err(bad("there is data after its end")),
        }
    }
}

/// The headers that precede a member and describe it.
#[derive(Default)]
struct Preface {
    records: BTreeMap<String, Vec<u8>>,
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
}

/// The next member; `None` at the empty block that ends an archive.
fn next(stream: &mut impl Read) -> io::Result<Option<Member>> {
    let mut preface = Preface::default();
    loop {
        let block = exactly(stream, BLOCK)?;
        if block.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        let header = Header::from_byte_slice(&block);
        let is_known = header.as_ustar().is_some() || header.as_gnu().is_some();
        if !is_known || header.cksum().map_err(invalid)? != sum(&block) {
            return Err(bad("a header is damaged"));
        }
        let size = header.entry_size().map_err(invalid)?;
        let kind = header.entry_type();
        if !(kind.is_pax_local_extensions() || kind.is_gnu_longname() || kind.is_gnu_longlink()) {
            return describe(header, preface).map(Some);
        }
        if size > PREFACE {
            return Err(bad("the header of a member is too long"));
        }
        let text = exactly(stream, usize::try_from(size).unwrap_or(usize::MAX))?;
        padding(stream, size)?;
        let name = || text.split(|&byte| byte == 0).next().unwrap_or_default().to_owned();
        if kind.is_gnu_longname() {
            preface.path = Some(name());
        } else if kind.is_gnu_longlink() {
            preface.target = Some(name());
        } else {
            records(&text, &mut preface.records).ok_or_else(|| bad("the header of a member is unreadable"))?;
        }
    }
}

/// Parses `<length> <key>=<value>\n`. The length includes all of the record, so a value may contain anything.
fn records(mut text: &[u8], into: &mut BTreeMap<String, Vec<u8>>) -> Option<()> {
    while !text.is_empty() {
        let space = text.iter().position(|&byte| byte == b' ')?;
        let length: usize = std::str::from_utf8(&text[..space]).ok()?.parse().ok()?;
        let record = text.get(space + 1..length)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|&byte| byte == b'=')?;
        into.insert(String::from_utf8(record[..equals].to_owned()).ok()?, record[equals + 1..].to_owned());
        text = &text[length..];
    }
    Some(())
}

fn describe(header: &Header, mut preface: Preface) -> io::Result<Member> {
    let kind = match header.entry_type() {
        EntryType::Regular => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::Symlink => Kind::Symlink,
        EntryType::Link => Kind::HardLink,
        EntryType::Fifo => Kind::Fifo,
        other => return Err(bad(format!("it has a member of the type `{}`", other.as_byte().escape_ascii()))),
    };
    if preface.records.keys().any(|key| key.starts_with("GNU.sparse")) {
        return Err(bad("it has a sparse member"));
    }
    let mut stated = |key: &str| preface.records.remove(key);
    let path = stated("path").or(preface.path).unwrap_or_else(|| header.path_bytes().into_owned());
    let target = stated("linkpath").or(preface.target);
    let target = target.or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned)).unwrap_or_default();
    let mut number = |key: &str, own: io::Result<u64>| match stated(key) {
        Some(text) => {
            let number = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
            number.ok_or_else(|| bad(format!("a member's {key} is not a number")))
        }
        None => own.map_err(invalid),
    };
    let size = number("size", header.entry_size())?;
    let owner = (number("uid", header.uid())?, number("gid", header.gid())?);
    let target = match kind {
        Kind::HardLink => plain(&target)?,
        Kind::Symlink if target.is_empty() || target.len() > LONGEST || target.contains(&0) => {
            return Err(bad("a link leads nowhere"));
        }
        Kind::Symlink => target,
        _ => Vec::new(),
    };
    if size > 0 && kind != Kind::File {
        return Err(bad("there is content where none belongs"));
    }
    preface.records.retain(|key, _| EXTRAS.iter().any(|known| key.starts_with(known)));
    Ok(Member {
        path: plain(&path)?,
        kind,
        target,
        size,
        mode: header.mode().map_err(invalid)? & 0o7777,
        owner,
        // Negative times are not supported, and an unreadable time does not justify losing a file.
        mtime: header.mtime().unwrap_or(0),
        extras: preface.records.into_iter().collect(),
    })
}

fn exactly(stream: &mut impl Read, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).map_err(invalid)?;
    Ok(bytes)
}

/// Skips the padding to the next full block.
fn padding(stream: &mut impl Read, size: u64) -> io::Result<()> {
    let block = BLOCK as u64;
    let fill = usize::try_from((block - size % block) % block).unwrap_or(0);
    exactly(stream, fill).map(drop)
}

/// The sum of a header's bytes, with its checksum field counted as spaces.
fn sum(block: &[u8]) -> u32 {
    let count = |(at, byte): (usize, &u8)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) };
    block.iter().enumerate().map(count).sum()
}

/// The path without `.` and trailing slashes. An error if it leads outside.
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
            _ => return Err(bad(format!("the member `{:.100}` is outside of it", shown()))),
        }
    }
    Ok(names.join(&b'/'))
}

/// The paths seen so far, as digests: a million names would take too much memory.
#[derive(Default)]
struct Seen {
    kinds: HashMap<u64, Kind>,
    hasher: RandomState,
}

impl Seen {
    fn check(&mut self, member: &Member) -> io::Result<()> {
        let shown = || member.path.escape_ascii().to_string();
        if member.path.is_empty() {
            return if member.kind == Kind::Directory { Ok(()) } else { Err(bad("its root is not a folder")) };
        }
        let parent = member.path.iter().rposition(|&byte| byte == b'/').map(|at| &member.path[..at]);
        if parent.is_some_and(|parent| self.kind(parent) != Some(Kind::Directory)) {
            return Err(bad(format!("the member `{:.100}` is not in any folder of it", shown())));
        }
        if member.kind == Kind::HardLink && self.kind(&member.target) != Some(Kind::File) {
            return Err(bad(format!("the link `{:.100}` does not lead to a file of it", shown())));
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

/// Writes a member with numeric owners only, in a form that all readers interpret in the same way.
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

/// Fails if a stream exceeds its limit.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left =
            self.left.checked_sub(count as u64).ok_or_else(|| bad("it contains more than its manifest says"))?;
        Ok(count)
    }
}

/// The error for a defect in the archive.
pub(crate) fn bad(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Separates disk errors from defects in the archive.
fn invalid(error: io::Error) -> io::Error {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::UnexpectedEof => bad("it is cut off"),
        Kind::Other | Kind::InvalidInput if error.raw_os_error().is_none() => bad(error.to_string()),
        _ => error,
    }
}
