//! Room for the images, and on the project's own file system.

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::Engine;
use crate::exec::Invocation;
use crate::probe::Check;

use super::Scene;
use super::engine::size;

pub(super) const KIND: &str = "disk";

/// What an image that is not here yet is taken to weigh: what a runtime with an application on top usually does.
const UNKNOWN_IMAGE: u64 = 500_000_000;
/// Building and pulling keep layers packed and unpacked, and the old image beside the new one.
const FACTOR: u64 = 3;
/// Below this, databases stop writing and builds fail whatever the images weigh.
const FULL: u64 = 200_000_000;
const NEARLY_FULL: u64 = 1_000_000_000;
const FEW_FILES: u64 = 10_000;

const CURE: &str = "`cargo xtask df` shows what this project occupies and `cargo xtask clean --build-cache` frees its build cache; \
                    look for large logs and old backups too";

pub(super) fn look(scene: &Scene<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if let (Some(engine), true) = (scene.engine, scene.project.has_services()) {
        checks.push(images(scene, engine));
    }
    let folder = scene.project.root();
    match room(folder) {
        Some(left) => checks.push(judge("project", folder, &left, 0, false)),
        None => checks.push(Check::skip(KIND, "project", "the file system does not say how full it is")),
    }
    checks
}

fn images(scene: &Scene<'_>, engine: &Engine) -> Check {
    let folder = Utf8PathBuf::from(&engine.root_dir);
    let here = if Engine::is_remote() { None } else { room(&folder) };
    let Some(left) = here else {
        return Check::skip(KIND, "engine", "the engine's disk cannot be seen from here");
    };
    let mut names: Vec<&str> = scene.active().values().filter_map(|service| service.image.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    let unnamed = scene.active().values().filter(|service| service.image.is_none()).count() as u64;
    let (mut total, mut absent) = (unnamed * UNKNOWN_IMAGE, unnamed > 0);
    for name in names {
        let call = Invocation::new("docker").args(["image", "inspect", "--format", "{{.Size}}", name]);
        let known = scene.project.runner().read(&call).ok().and_then(|output| output.text().parse::<u64>().ok());
        absent |= known.is_none();
        total += known.unwrap_or(UNKNOWN_IMAGE);
    }
    judge("engine", &folder, &left, total, absent)
}

/// What a file system has left, for somebody who is not root.
struct Room {
    bytes: u64,
    files: Option<u64>,
}

fn room(path: &Utf8Path) -> Option<Room> {
    let stat = path.ancestors().find_map(|path| rustix::fs::statvfs(path.as_std_path()).ok())?;
    // File systems without a fixed number of inodes report none at all.
    let files = (stat.f_files > 0).then_some(stat.f_favail);
    Some(Room { bytes: stat.f_bavail.saturating_mul(stat.f_frsize), files })
}

/// `images`: what they weigh together; `absent`: whether some are still to come.
fn judge(target: &str, path: &Utf8Path, room: &Room, images: u64, absent: bool) -> Check {
    let free = size(room.bytes);
    if room.files.is_some_and(|files| files < FEW_FILES) {
        let detail = format!("{path} has {free} left but no room for more files (inodes)");
        return Check::fail(KIND, target, detail)
            .with_hint("remove many small files: old builds, caches, sessions; `df -i` shows the file systems");
    }
    if room.bytes < FULL || absent && room.bytes < (FACTOR - 1) * images {
        let detail = match images {
            0 => format!("{path} has only {free} left"),
            _ => format!(
                "{path} has only {free} left; the images weigh {} and building them takes up to {FACTOR} times that",
                size(images)
            ),
        };
        return Check::fail(KIND, target, detail).with_hint(CURE);
    }
    if room.bytes < NEARLY_FULL.max(FACTOR * images) {
        let rebuild = match images {
            0 => String::new(),
            _ => format!("; a rebuild of all images takes up to {}", size(FACTOR * images)),
        };
        let detail = format!("{path} has {free} left{rebuild}");
        return Check::warn(KIND, target, detail).with_hint(CURE);
    }
    Check::ok(KIND, target, format!("{free} left at {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;

    #[test]
    fn out_of_disk_space() {
        let path = Utf8Path::new("/var/lib/docker");
        let status = |bytes, images, absent| judge("engine", path, &Room { bytes, files: None }, images, absent).status;
        assert_eq!(status(20_000_000_000, 4_000_000_000, true), Verdict::Ok);
        assert_eq!(status(10_000_000_000, 4_000_000_000, true), Verdict::Warn);
        assert_eq!(status(7_000_000_000, 4_000_000_000, true), Verdict::Fail);
        assert_eq!(status(7_000_000_000, 4_000_000_000, false), Verdict::Warn, "everything is already here");
        assert_eq!(status(900_000_000, 0, false), Verdict::Warn);
        let full = judge("engine", path, &Room { bytes: 10_000, files: None }, 0, false);
        assert!(full.status == Verdict::Fail && full.hint.is_some_and(|hint| !hint.contains("prune")));
        let many = judge("engine", path, &Room { bytes: 1 << 40, files: Some(12) }, 0, false);
        assert!(many.detail.contains("inodes"), "{}", many.detail);
    }

    #[test]
    fn a_file_system_says_what_it_has_left() {
        assert!(room(Utf8Path::new("/no/such/folder")).is_some_and(|room| room.bytes > 0));
    }
}
