//! A summary of a file tree, in numbers.

use std::collections::{BTreeMap, HashSet};

/// The type of a tree member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Symlink,
    /// An additional name of an earlier file.
    HardLink,
    Fifo,
}

/// Number of members by kind, total bytes, and a digest of modes, owners and sizes that is independent of their
/// order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) files: u64,
    pub(crate) directories: u64,
    pub(crate) symlinks: u64,
    pub(crate) hard_links: u64,
    pub(crate) fifos: u64,
    pub(crate) bytes: u64,
    seal: u64,
}

/// The keys in a manifest's `objects`.
const KEYS: [&str; 6] = ["files", "directories", "symlinks", "hard links", "fifos", "bytes"];

impl Tally {
    /// Counts a member; `mode` excludes the file type bits.
    pub(crate) fn add(&mut self, kind: Kind, size: u64, mode: u32, owner: (u64, u64)) {
        let (count, mode) = match kind {
            Kind::File => (&mut self.files, mode),
            Kind::Directory => (&mut self.directories, mode),
            // The mode of a link has no meaning, and not all tools preserve it.
            Kind::Symlink => (&mut self.symlinks, 0),
            Kind::Fifo => (&mut self.fifos, mode),
            Kind::HardLink => {
                self.hard_links += 1;
                return;
            }
        };
        *count += 1;
        self.bytes = self.bytes.saturating_add(size);
        let mut digest = 0xcbf2_9ce4_8422_2325_u64;
        for word in [kind as u64, size, u64::from(mode), owner.0, owner.1] {
            for byte in word.to_le_bytes() {
                digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        self.seal = self.seal.wrapping_add(digest);
    }

    /// The total number of members.
    pub(crate) fn members(&self) -> u64 {
        self.files + self.directories + self.symlinks + self.hard_links + self.fifos
    }

    fn counts(&self) -> [u64; 6] {
        [self.files, self.directories, self.symlinks, self.hard_links, self.fifos, self.bytes]
    }

    /// The numbers for a manifest. Zero counts are omitted, except files and bytes.
    pub(crate) fn to_objects(&self) -> BTreeMap<String, u64> {
        let all = KEYS.into_iter().zip(self.counts());
        let told = all.filter(|(key, count)| *count > 0 || matches!(*key, "files" | "bytes"));
        told.map(|(key, count)| (key.to_owned(), count)).collect()
    }

    /// Whether a manifest contains the same numbers.
    pub(crate) fn is_stated_by(&self, objects: &BTreeMap<String, u64>) -> bool {
        self.to_objects() == *objects
    }
}

/// Parses the output of `find … -exec stat -c '%f %s %h %i %u %g'`. It contains no names, so none can be
/// misinterpreted.
#[derive(Debug, Default)]
pub(crate) struct StatLines {
    tally: Tally,
    /// Inodes of files with several names that were seen once.
    shared: HashSet<u64>,
    /// Number of sockets and devices, which cannot be archived.
    pub(crate) others: u64,
}

impl StatLines {
    /// Parses a line; `None` if it is invalid.
    pub(crate) fn line(&mut self, line: &str) -> Option<()> {
        let mut words = line.split(' ');
        let mode = u32::from_str_radix(words.next()?, 16).ok()?;
        let mut number = || words.next()?.parse::<u64>().ok();
        let (size, names, inode, user, group) = (number()?, number()?, number()?, number()?, number()?);
        let (kind, size) = match mode & 0o17_0000 {
            0o10_0000 if names > 1 && !self.shared.insert(inode) => (Kind::HardLink, 0),
            0o10_0000 => (Kind::File, size),
            0o04_0000 => (Kind::Directory, 0),
            0o12_0000 => (Kind::Symlink, 0),
            0o01_0000 => (Kind::Fifo, 0),
            _ => {
                self.others += 1;
                return Some(());
            }
        };
        self.tally.add(kind, size, mode & 0o7777, (user, group));
        Some(())
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_stat_are_counted_whatever_their_order() {
        let lines = [
            "81a4 5 1 7 0 0",
            "41ed 4096 2 8 70 70",
            "a1ff 3 1 9 0 0",
            "81a4 6 2 10 0 0",
            "81a4 6 2 10 0 0",
            "11a4 0 1 11 0 0",
        ];
        let count = |lines: &mut dyn Iterator<Item = &&str>| {
            let mut stat = StatLines::default();
            lines.for_each(|line| stat.line(line).unwrap());
            stat.tally().clone()
        };
        let tally = count(&mut lines.iter());
        assert_eq!(
            (tally.files, tally.directories, tally.symlinks, tally.hard_links, tally.fifos, tally.bytes),
            (2, 1, 1, 1, 1, 11)
        );
        assert_eq!(tally, count(&mut lines.iter().rev()));
        let mut other = StatLines::default();
        assert!(other.line("c1ff 0 1 12 0 0").is_some() && other.line("rubbish").is_none());
        assert_eq!(other.others, 1);
        assert_ne!(count(&mut ["81a4 5 1 7 0 0"].iter()), count(&mut ["81a4 5 1 7 0 1"].iter()), "another owner");
        assert!(tally.is_stated_by(&tally.to_objects()));
    }
}
