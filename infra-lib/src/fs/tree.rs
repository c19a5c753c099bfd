//! Disk usage of a folder.

use std::os::unix::fs::MetadataExt as _;

use camino::Utf8Path;

/// The disk space that a file or folder occupies, in bytes. Links are not followed; unreadable entries count as 0.
pub(crate) fn occupied(path: &Utf8Path) -> u64 {
    let Ok(stat) = path.symlink_metadata() else { return 0 };
    let own = stat.blocks() * 512;
    if !stat.is_dir() {
        return own;
    }
    let entries = path.read_dir_utf8().into_iter().flatten().flatten();
    own + entries.map(|entry| occupied(entry.path())).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_counts_with_what_is_in_it_and_without_what_it_points_to() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        std::fs::create_dir(dir.join("sub")).unwrap();
        let empty = occupied(dir);
        std::fs::write(dir.join("sub/file"), vec![1; 100_000]).unwrap();
        std::os::unix::fs::symlink("/usr", dir.join("sub/link")).unwrap();
        let full = occupied(dir) - empty;
        assert!((100_000..120_000).contains(&full), "{full}");
        assert_eq!(occupied(&dir.join("missing")), 0);
    }
}
