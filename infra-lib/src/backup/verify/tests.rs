//! Verification of damaged and exchanged backups.

use std::io::Write as _;

use camino::Utf8Path;

use super::*;

/// An empty project with a backup folder.
fn place() -> (tempfile::TempDir, Project, Folder) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("infra.toml"), "[project]\nname = \"shop\"\n").unwrap();
    let project = Project::builder(dir.path()).open().unwrap();
    let folder = Folder::make(&Utf8Path::from_path(dir.path()).unwrap().join("backups")).unwrap();
    (dir, project, folder)
}

/// Arbitrary bytes: only the digest matters.
fn content(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(next).collect()
}

fn write(path: &Utf8Path, bytes: &[u8]) {
    let mut file = File::create(path).unwrap();
    file.write_all(bytes).unwrap();
}

/// Tries every truncation and every bit flip of a file; returns how many there were and how many went undetected.
fn sweep(path: &Utf8Path, is_refused: impl Fn() -> bool) -> (usize, usize) {
    let whole = std::fs::read(path).unwrap();
    let (mut tried, mut accepted) = (0, 0);
    let mut attempt = |bytes: &[u8]| {
        write(path, bytes);
        tried += 1;
        accepted += usize::from(!is_refused());
    };
    for end in 0..whole.len() {
        attempt(&whole[..end]);
    }
    let mut flipped = whole.clone();
    for bit in 0..whole.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        attempt(&flipped);
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
    write(path, &whole);
    assert!(!is_refused(), "whole again");
    (tried, accepted)
}

#[test]
fn a32_c02_c03_no_cut_and_no_bit_of_an_archive_goes_unnoticed() {
    let (_dir, project, folder) = place();
    let path = folder.path().join("x.dump");
    write(&path, &content(1500));
    let archive = Archive { folder: &folder, name: "x.dump", format: Format::Custom };
    let Digest { bytes, sha256, .. } = archive.digest(&project).unwrap();
    let manifest = BackupManifest { bytes, sha256, ..BackupManifest::example() };
    let is_refused = || {
        archive
            .check_digest(&project, &manifest)
            .is_err_and(|error| matches!(error.downcast_ref(), Some(BackupError::Damaged { .. })))
    };
    assert_eq!(sweep(&path, is_refused), (1500 * 9, 0));
}

#[test]
fn a32_c02_c03_no_cut_and_no_bit_of_a_folder_goes_unnoticed() {
    let (_dir, project, folder) = place();
    folder.create_folder("x.dir").unwrap();
    let inside = folder.path().join("x.dir");
    write(&inside.join("toc.dat"), &content(300));
    write(&inside.join("1.dat.gz"), &content(200));
    let archive = Archive { folder: &folder, name: "x.dir", format: Format::Directory };
    let Digest { bytes, sha256, files } = archive.digest(&project).unwrap();
    let manifest = BackupManifest { bytes, sha256, files, format: Format::Directory, ..BackupManifest::example() };
    let is_refused = || {
        archive
            .check_digest(&project, &manifest)
            .is_err_and(|error| matches!(error.downcast_ref(), Some(BackupError::Damaged { .. })))
    };
    assert_eq!(sweep(&inside.join("toc.dat"), is_refused), (300 * 9, 0));
    assert_eq!(sweep(&inside.join("1.dat.gz"), is_refused), (200 * 9, 0));
    // Two files with swapped names, and an additional one.
    std::fs::rename(inside.join("toc.dat"), inside.join("x")).unwrap();
    std::fs::rename(inside.join("1.dat.gz"), inside.join("toc.dat")).unwrap();
    std::fs::rename(inside.join("x"), inside.join("1.dat.gz")).unwrap();
    assert!(is_refused());
}

#[test]
fn a33_no_cut_and_no_bit_of_a_manifest_goes_unnoticed() {
    let (_dir, _, folder) = place();
    let path = folder.path().join("x.json");
    let mut text = BackupManifest::example().to_text().unwrap();
    // Without the last line end the content is the same.
    assert_eq!(text.pop(), Some(b'\n'));
    write(&path, &text);
    let is_refused = || BackupManifest::parse("x.json", &std::fs::read(&path).unwrap()).is_err();
    assert_eq!(sweep(&path, is_refused), (text.len() * 9, 0));
}
