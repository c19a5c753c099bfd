//! Archives that are damaged, and such as would do harm if they were unpacked.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::*;

fn put(builder: &mut Builder<Vec<u8>>, name: &[u8], kind: EntryType, link: &[u8], content: &[u8]) {
    let mut header = Header::new_gnu();
    let place = &mut header.as_old_mut().name;
    place[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content.len() as u64);
    if !link.is_empty() {
        header.set_link_name_literal(link).unwrap();
    }
    header.set_cksum();
    builder.append(&header, content).unwrap();
}

fn packed(tar: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(tar).unwrap();
    packer.finish().unwrap()
}

type Entry = (&'static [u8], EntryType, &'static [u8], &'static [u8]);

#[test]
fn b12_s21_an_archive_that_leads_out_of_the_volume_is_refused_before_anything_is_touched() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    within(&project, "echo one >file");
    project.xtask(["volume-backup", "media"]).end().ok();
    let path = archive(&project);
    let file = EntryType::Regular;
    let corpus: &[(&str, &[Entry])] = &[
        ("up", &[(b"../x", file, b"", b"x")]),
        ("up from below", &[(b"a", EntryType::Directory, b"", b""), (b"a/../../x", file, b"", b"x")]),
        ("absolute", &[(b"/etc/x", file, b"", b"x")]),
        ("through a link", &[(b"a", EntryType::Symlink, b"/etc", b""), (b"a/x", file, b"", b"x")]),
        ("in the place of a link", &[(b"a", EntryType::Symlink, b"/etc/passwd", b""), (b"a", file, b"", b"x")]),
        ("a hard link out", &[(b"a", EntryType::Link, b"/etc/passwd", b"")]),
        ("a hard link up", &[(b"a", EntryType::Link, b"../../etc/passwd", b"")]),
        (
            "a hard link to a link",
            &[(b"a", EntryType::Symlink, b"/etc/passwd", b""), (b"b", EntryType::Link, b"a", b"")],
        ),
        ("a device", &[(b"a", EntryType::Block, b"", b"")]),
        ("a character device", &[(b"a", EntryType::Char, b"", b"")]),
        ("twice", &[(b"a", file, b"", b"x"), (b"./a", file, b"", b"y")]),
        ("a folder nobody made", &[(b"a/b", file, b"", b"x")]),
        ("below a file", &[(b"a", file, b"", b"x"), (b"a/b", file, b"", b"x")]),
        ("ours", &[(b".infra-restore-0123456789abcdef.away", EntryType::Directory, b"", b"")]),
        ("a folder with content", &[(b"a", EntryType::Directory, b"", b"x")]),
        ("sparse", &[(b"a", EntryType::GNUSparse, b"", b"")]),
        ("an unknown kind", &[(b"a", EntryType::new(b'Z'), b"", b"x")]),
        ("no name", &[(b"", file, b"", b"x")]),
    ];
    let refuse = |name: &str, bytes: &[u8], objects: Value| {
        std::fs::write(&path, bytes).unwrap();
        let sum = sha256(bytes);
        forge(&path, |manifest| {
            manifest["bytes"] = bytes.len().into();
            manifest["sha256"] = sum.into();
            manifest["objects"] = objects;
        });
        let ended = project.xtask(["volume-restore", "media", "latest", "--yes"]).end();
        assert_eq!(ended.exit, 65, "{name}: {ended}");
        ended.never_says("stopping");
        assert_eq!(
            (within(&project, "cat file; ls -A"), project.state("web")),
            ("one\nfile".to_owned(), "running".to_owned()),
            "{name}"
        );
    };
    let many =
        || serde_json::json!({"files": 9, "directories": 9, "symlinks": 9, "hard links": 9, "fifos": 9, "bytes": 1000});
    for (name, entries) in corpus {
        let mut builder = Builder::new(Vec::new());
        entries.iter().for_each(|(name, kind, link, content)| put(&mut builder, name, *kind, link, content));
        refuse(name, &packed(&builder.into_inner().unwrap()), many());
    }

    // S22: more than is stated is not read on, however well it is compressed.
    let zeros = vec![0; 64 << 20];
    let mut builder = Builder::new(Vec::new());
    put(&mut builder, b"bomb", file, b"", &zeros);
    refuse("a bomb", &packed(&builder.into_inner().unwrap()), many());
    let mut long = Builder::new(Vec::new());
    put(&mut long, b"././@LongLink", EntryType::GNULongName, b"", &zeros);
    refuse("a bomb of a name", &packed(&long.into_inner().unwrap()), many());

    let mut builder = Builder::new(Vec::new());
    put(&mut builder, b"a", file, b"", b"x");
    let good = builder.into_inner().unwrap();
    let one = || serde_json::json!({"files": 1, "bytes": 1});
    refuse("another number of files", &packed(&good), many());
    refuse("something behind it", &packed(&[good.as_slice(), b"more"].concat()), one());
    refuse("something behind its compression", &[packed(&good), b"more".to_vec()].concat(), one());
    refuse("cut", &packed(&good[..1024 + 100]), one());
    let whole = packed(&good);
    refuse("cut when it was compressed", &whole[..whole.len() - 4], one());
}

#[test]
fn d40_errors_of_a_volume_have_hints_of_their_own_and_print_no_script() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    within(&project, "echo one >file");
    project.xtask(["volume-backup", "media"]).end().ok();
    let path = archive(&project);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let refused = project.xtask(["volume-restore", "media", "latest", "--yes"]).end();
    refused.code(65).says("volume-backup --list").never_says("db-");
    // What the script needs is not in the image: here it is cut off on its way.
    let fakes = Fakes::new().program(
        "docker",
        "case \"$*\" in *infra-volume-lock*) exec \"$REAL\" \"$@\";; *'tar find stat'*) echo 'sh: tar: broken' >&2; exit 1;; esac
         exec \"$REAL\" \"$@\"",
    );
    let failed = project.xtask(["volume-backup", "media"]).env("PATH", fakes.path()).end();
    assert_ne!(failed.exit, 0);
    failed.says("sh: tar: broken").never_says("exec >").never_says("case").never_says("db-");
}

#[test]
fn d36_sizes_of_an_archive_that_overflow_are_refused() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    within(&project, "echo one >file");
    project.xtask(["volume-backup", "media"]).end().ok();
    let path = archive(&project);
    let large = |key: &str, number: u64| {
        let mut builder = Builder::new(Vec::new());
        put(&mut builder, b"a", EntryType::Regular, b"", b"x");
        builder.append_pax_extensions([(key, number.to_string().as_bytes())]).unwrap();
        put(&mut builder, b"b", EntryType::Regular, b"", b"x");
        packed(&builder.into_inner().unwrap())
    };
    for number in [u64::MAX, u64::MAX - 1, u64::MAX / 2, u64::MAX - 511] {
        for objects in
            [serde_json::json!({"files": 2, "bytes": 2}), serde_json::json!({"files": 2, "bytes": 1_u64 << 53})]
        {
            let bytes = large("size", number);
            std::fs::write(&path, &bytes).unwrap();
            forge(&path, |manifest| {
                manifest["bytes"] = bytes.len().into();
                manifest["sha256"] = sha256(&bytes).into();
                manifest["objects"] = objects;
            });
            for words in [&["volume-restore", "media", "latest", "--yes"][..], &["volume-backup", "--list"]] {
                let ended = project.xtask(words).end();
                assert_ne!(ended.exit, 101, "{ended}");
                assert!(words[0] != "volume-restore" || ended.exit == 65, "{ended}");
            }
        }
    }
    assert_eq!(within(&project, "cat file; ls -A"), "one\nfile");
}

#[test]
fn c02_c03_every_kind_of_damage_is_noticed() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    within(&project, "echo one >file; dd if=/dev/urandom of=r bs=1000 count=3 2>/dev/null");
    project.xtask(["volume-backup", "media"]).end().ok();
    let path = archive(&project);
    let good = std::fs::read(&path).unwrap();
    let refused = |what: String| {
        let ended = project.xtask(["volume-restore", "media", "latest", "--yes"]).end();
        assert_eq!(ended.exit, 65, "{what}: {ended}");
        assert_eq!(within(&project, "cat file"), "one");
    };
    let step = good.len() / 6;
    for at in (0..good.len()).step_by(step) {
        std::fs::write(&path, &good[..at]).unwrap();
        refused(format!("cut at {at}"));
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        std::fs::write(&path, bad).unwrap();
        refused(format!("a bit of byte {at}"));
    }
    std::fs::remove_file(&path).unwrap();
    refused("no archive".to_owned());
    project.xtask(["volume-backup", "--list"]).end().code(2).shows("its file is missing");
    std::fs::write(&path, good).unwrap();
    let manifest = path.to_str().unwrap().replace(".tar.gz", ".json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"bytes\": 30", "\"bytes\": 31")).unwrap();
    project.xtask(["volume-restore", "media", path.file_name().unwrap().to_str().unwrap(), "--yes"]).end().code(65);
}
