//! Where backups are written, and who may look at them.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};
use std::path::Path;

use super::*;

/// Mounts an empty file system; unmounted when dropped. `None` where one may not.
struct Mounted(PathBuf);

impl Mounted {
    fn tmpfs(at: &Path) -> Option<Self> {
        let mount =
            command("mount").args(["-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs"]).arg(at).output().unwrap();
        mount.status.success().then(|| Self(at.to_owned()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = command("umount").arg(&self.0).status();
    }
}

#[test]
fn a38_a_backup_disk_that_is_not_mounted_is_no_empty_folder() {
    let (Some(_postgres), Some(_mount)) = (postgres(), tool("mount")) else { return };
    let (project, _, _) = set_up();
    let disk = project.path("backups");
    let Some(mounted) = Mounted::tmpfs(&disk) else { return };
    let (_, file) = back_up(&project);
    drop(mounted);
    for words in [&["db-backup"][..], &["db-backup", "--list"], &["db-verify"], &["db-restore", "latest", "--yes"]] {
        let ended = project.xtask(words.iter().copied()).end();
        ended.code(78).says("marker file is missing").says("mount the disk that belongs there");
        assert_eq!(std::fs::read_dir(&disk).unwrap().count(), 0, "{words:?} wrote into the empty mount point");
    }
    // Another disk is another folder as well.
    let other = Mounted::tmpfs(&disk).unwrap();
    project.xtask(["db-backup"]).end().code(78);
    assert_eq!(std::fs::read_dir(&disk).unwrap().count(), 0);
    drop(other);
    std::fs::remove_dir(&disk).unwrap();
    project.xtask(["db-backup"]).end().code(78);
    assert!(!disk.exists() && !file.exists());
    // It is over when somebody says so.
    std::fs::remove_file(project.path(".infra/backup-folders.json")).unwrap();
    project.xtask(["db-backup"]).end().ok();
}

#[test]
fn a40_s16_s17_links_and_public_folders_are_refused_before_anything_is_written() {
    let Some(_postgres) = postgres() else { return };
    let (project, _, _) = set_up();
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::remove_dir(project.path("backups")).unwrap();
    symlink(elsewhere.path(), project.path("backups")).unwrap();
    project.xtask(["db-backup"]).end().code(77).says("is a link");
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    std::fs::remove_file(project.path("backups")).unwrap();
    std::fs::create_dir(project.path("backups")).unwrap();
    std::fs::set_permissions(project.path("backups"), PermissionsExt::from_mode(0o777)).unwrap();
    project.xtask(["db-backup"]).end().code(77).says("is writable by everyone");
    assert_eq!(files(&project), [""; 0]);
    std::fs::set_permissions(project.path("backups"), PermissionsExt::from_mode(0o1777)).unwrap();
    back_up(&project);
    let (_, file) = back_up(&project);
    // A link in the place of the file, even to the same bytes.
    std::fs::rename(&file, elsewhere.path().join("same")).unwrap();
    symlink(elsewhere.path().join("same"), &file).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    for words in [["db-verify", name], ["db-restore", name]] {
        let ended = project.xtask(words.into_iter().chain(["--yes"])).end();
        assert_eq!(ended.exit, 65, "{ended}");
    }
}

/// While `pg_dump` waits for a table, somebody puts a link in the place of what is being written.
#[test]
fn a40_s18_what_is_exchanged_during_a_dump_is_noticed_and_nobodys_file_is_touched() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(&name, "CREATE TABLE held AS SELECT 1 AS a;");
    let elsewhere = tempfile::tempdir().unwrap();
    let victim = elsewhere.path().join("victim");
    let backups = project.path("backups");
    back_up(&project);
    let before = files(&project);
    for (what, format) in [("folder", "custom"), ("file", "custom"), ("folder", "directory"), ("file", "directory")] {
        std::fs::write(&victim, "untouched").unwrap();
        let held = cluster.hold(&name, "held");
        let dump = project.xtask(["db-backup", "--format", format]).spawn();
        cluster.until_somebody_waits();
        let aside = elsewhere.path().join("aside");
        if what == "folder" {
            std::fs::rename(&backups, &aside).unwrap();
            symlink(elsewhere.path(), &backups).unwrap();
        } else {
            let part = std::fs::read_dir(&backups).unwrap().map(|entry| entry.unwrap().path());
            let part = part.into_iter().find(|path| path.to_str().unwrap().ends_with(".infra-part")).unwrap();
            std::fs::rename(&part, &aside).unwrap();
            symlink(&victim, &part).unwrap();
        }
        drop(held);
        let ended = dump.wait();
        ended.code(77).says("was replaced while it was written to");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "untouched", "{what}, {format}");
        if what == "folder" {
            std::fs::remove_file(&backups).unwrap();
            std::fs::rename(&aside, &backups).unwrap();
        }
        let _ = std::fs::remove_file(&aside).or_else(|_| std::fs::remove_dir_all(&aside));
        // Whatever is left is not listed, and the next run sweeps it.
        back_up(&project);
        let now = files(&project);
        assert!(!now.iter().any(|name| name.ends_with(".infra-part")), "{what}, {format}: {now:?}");
        for file in now.iter().filter(|name| !before.contains(name)) {
            std::fs::remove_file(backups.join(file)).unwrap();
        }
    }
    let beside: Vec<_> = std::fs::read_dir(elsewhere.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["victim"]);
}

/// Only ours fail: this is a file system that knows no sync, and everything else of it works.
#[test]
fn a41_a_file_system_without_sync_is_told_once_and_noted() {
    let (Some(_postgres), Some(_strace)) = (postgres(), tool("strace")) else { return };
    let (project, _, _) = set_up();
    // The folder's marker is written once, and not when a backup is.
    back_up(&project);
    let log = tempfile::NamedTempFile::new().unwrap();
    for format in ["custom", "directory", "sql"] {
        let call = project.xtask(["db-backup", "--format", format, "--json"]);
        let ended = call.strace("inject=fsync,fdatasync:error=EOPNOTSUPP", log.path()).end();
        let made = ended.ok().outcome();
        assert_eq!(ended.stderr.matches("does not promise").count(), 1, "{ended}");
        assert_eq!(manifest(Path::new(made["path"].as_str().unwrap()))["durability"], "none", "{format}");
    }
    let (_, file) = back_up(&project);
    assert_eq!(manifest(&file)["durability"], "full");
}

#[test]
fn s06_s07_s36_files_are_private_from_their_birth_and_none_is_elsewhere() {
    let (Some(_postgres), Some(_strace)) = (postgres(), tool("strace")) else { return };
    for umask in ["000", "077"] {
        let (project, cluster, name) = set_up();
        cluster.ask(&name, "CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n; SELECT lo_from_bytea(1, 'x');");
        let log = tempfile::NamedTempFile::new().unwrap();
        for format in ["custom", "directory", "sql"] {
            let call = project.xtask(["db-backup", "--format", format]);
            let call = call.strace("trace=openat,open,creat,mkdir,mkdirat,chmod,fchmod,fchmodat,mknodat", log.path());
            call.umask(umask).end().ok();
            for line in std::fs::read_to_string(log.path()).unwrap().lines().filter(|line| !line.contains("= -1 E")) {
                assert!(!line.contains("chmod"), "{format}: {line}");
                let inside = line.contains(project.dir().to_str().unwrap());
                assert!(inside || !line.contains("\"/tmp/") && !line.contains("\"/var/tmp/"), "{format}: {line}");
                let written = inside && line.contains("O_CREAT") && line.contains("/backups/");
                assert!(
                    !written || line.contains("0600") || line.contains(".dir.infra-part") || !line.contains("O_EXCL"),
                    "{format}: {line}"
                );
            }
        }
        let folder = project.path("backups");
        assert_eq!(folder.metadata().unwrap().mode() & 0o7777, 0o700);
        let mut inside = vec![folder];
        let mut seen = 0;
        while let Some(path) = inside.pop() {
            let stat = path.symlink_metadata().unwrap();
            let expected = if stat.is_dir() { 0o700 } else { 0o600 };
            assert!(
                stat.is_symlink() || stat.mode() & 0o7777 == expected,
                "umask {umask}: {} has {:o}",
                path.display(),
                stat.mode()
            );
            if stat.is_dir() {
                inside.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
            seen += 1;
        }
        assert!(seen >= 14, "{seen}");
    }
}
