//! Disks: free space and inodes where the project and the engine write.

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::Engine;
use crate::config::ByteSize;

use super::{Check, Probe, Snapshot};

pub(super) const KIND: &str = "disk";

struct Disk;

/// The free space on one file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Room {
    total: u64,
    free: u64,
    inodes: u64,
    free_inodes: u64,
}

const GIB: u64 = 1 << 30;

pub(super) fn plan(_: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    vec![Box::new(Disk)]
}

impl Probe for Disk {
    fn target(&self) -> String {
        "disk".to_owned()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let mut file_systems: Vec<(u64, Vec<&str>, Room)> = Vec::new();
        let mut checks = Vec::new();
        for (name, path) in places(snapshot) {
            match room(&path) {
                Ok((id, room)) => match file_systems.iter_mut().find(|(known, _, _)| *known == id) {
                    Some((_, names, _)) => names.push(name),
                    None => file_systems.push((id, vec![name], room)),
                },
                Err(error) => checks.push(Check::skip(KIND, name, format!("{path}: {error}"))),
            }
        }
        checks.extend(file_systems.into_iter().map(|(_, names, room)| judge(&names.join(", "), room)));
        checks
    }
}

/// The folders that are written to, if they are on this machine.
fn places(snapshot: &Snapshot<'_>) -> Vec<(&'static str, Utf8PathBuf)> {
    let project = snapshot.project;
    let mut places = vec![("project", project.root().to_owned())];
    let mut add = |name, path: Utf8PathBuf| {
        if path.is_dir() {
            places.push((name, path));
        }
    };
    if snapshot.containers.is_some()
        && !Engine::is_remote()
        && let Ok(engine) = snapshot.engine()
    {
        add("engine", engine.root_dir.clone().into());
    }
    if let Some(local) = project.local_record() {
        add("database", project.root().join(&local.dir));
    }
    add("backups", project.root().join(project.config().backup.dir.as_deref().unwrap_or(Utf8Path::new("backups"))));
    places
}

/// A file system's device number, and its free space that is not reserved for root.
fn room(path: &Utf8Path) -> std::io::Result<(u64, Room)> {
    use std::os::unix::fs::MetadataExt as _;
    let id = std::fs::metadata(path)?.dev();
    let stat = rustix::fs::statvfs(path.as_std_path())?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    let room = Room {
        total: bytes(stat.f_blocks),
        free: bytes(stat.f_bavail),
        inodes: stat.f_files,
        free_inodes: stat.f_favail,
    };
    Ok((id, room))
}

fn judge(target: &str, room: Room) -> Check {
    let Room { total, free, inodes, free_inodes } = room;
    let percent = |part: u64, whole: u64| if whole == 0 { 100 } else { u128::from(part) * 100 / u128::from(whole) };
    let share = percent(free, total);
    let detail = format!("{} of {} free ({share} %)", ByteSize::new(free), ByteSize::new(total));
    // Some file systems create inodes as needed, and report none.
    let free_inodes = if inodes == 0 { 100 } else { percent(free_inodes, inodes) };
    let hint = "`cargo xtask df` shows what this project uses, `cargo xtask clean` frees some of it";
    // A small share of a huge disk is still a lot of space.
    if free < GIB / 4 || (share < 2 && free < 20 * GIB) {
        Check::fail(KIND, target, detail).with_hint(hint)
    } else if free < 2 * GIB || (share < 10 && free < 100 * GIB) {
        Check::warn(KIND, target, detail).with_hint(hint)
    } else if free_inodes < 2 {
        Check::fail(KIND, target, format!("{detail}, but hardly an inode"))
            .with_hint("many small files fill it; remove some")
    } else if free_inodes < 10 {
        Check::warn(KIND, target, format!("{detail}, but {free_inodes} % of its inodes"))
            .with_hint("many small files fill it")
    } else {
        Check::ok(KIND, target, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::in_empty_project;

    #[test]
    fn room_is_judged_by_share_and_size() {
        let judge = |free: u64, total: u64| {
            judge("x", Room { total: total << 20, free: free << 20, inodes: 0, free_inodes: 0 }).status
        };
        assert_eq!(judge(50 << 10, 100 << 10), Verdict::Ok);
        assert_eq!(judge(9 << 10, 100 << 10), Verdict::Warn);
        assert_eq!(judge(1 << 10, 5 << 10), Verdict::Warn, "less than 2 GiB");
        assert_eq!(judge(1 << 10, 100 << 10), Verdict::Fail);
        assert_eq!(judge(200, 1000), Verdict::Fail, "less than 256 MiB");
        assert_eq!(judge(150 << 10, 4000 << 10), Verdict::Ok, "a small share of a huge disk");
        let inodes =
            |free| super::judge("x", Room { total: 100 * GIB, free: 50 * GIB, inodes: 100, free_inodes: free });
        assert_eq!(
            (inodes(1).status, inodes(5).status, inodes(50).status),
            (Verdict::Fail, Verdict::Warn, Verdict::Ok)
        );
    }

    #[test]
    fn the_projects_file_system_is_looked_at() {
        in_empty_project(|snapshot| {
            let checks = Disk.check(snapshot);
            assert!(checks[0].target.starts_with("project") && checks[0].detail.contains(" free ("), "{checks:?}");
        });
    }
}
