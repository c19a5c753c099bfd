//! Disk space for the images, where the engine stores them.

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::Engine;
use crate::config::ByteSize;
use crate::probe::{Check, Snapshot};

pub(super) const KIND: &str = "disk";

/// The assumed size of an image that is not here yet: that of a usual runtime with an application.
const UNKNOWN_IMAGE: u64 = 500_000_000;
/// Building and pulling keep layers packed and unpacked, and the old image next to the new one.
const FACTOR: u64 = 3;

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let Ok(engine) = snapshot.engine() else { return Vec::new() };
    if snapshot.services.is_empty() {
        return Vec::new();
    }
    let folder = Utf8PathBuf::from(&engine.root_dir);
    let Some(free) = (if Engine::is_remote() { None } else { room(&folder) }) else {
        return vec![Check::skip(KIND, "images", "the engine's disk cannot be seen from here")];
    };
    let (compose, runner) = (snapshot.project.compose(), snapshot.project.runner());
    let mut names: Vec<String> =
        snapshot.services.iter().map(|(name, service)| compose.image_name(name, service)).collect();
    names.sort_unstable();
    names.dedup();
    let (mut total, mut absent) = (0, Vec::new());
    for name in names {
        let known = compose.image(runner, &name).ok().flatten();
        total += known.as_ref().map_or(UNKNOWN_IMAGE, |image| image.bytes);
        if known.is_none() {
            absent.push(name);
        }
    }
    vec![judge(&folder, free, total, &absent)]
}

/// The free space of a file system, for users other than root.
fn room(path: &Utf8Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path.as_std_path()).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// `images`: their total size; `absent`: those that are not here yet.
fn judge(path: &Utf8Path, free: u64, images: u64, absent: &[String]) -> Check {
    let cure = "`cargo xtask df` shows what uses the space, `cargo xtask clean` frees some of it; look for large logs and old backups too";
    let [left, weight, most] = [free, images, FACTOR * images].map(ByteSize::new);
    if !absent.is_empty() && free < (FACTOR - 1) * images {
        let detail =
            format!("{path} has {left} left; the images weigh about {weight}, and getting them takes up to {most}");
        Check::fail(KIND, "images", detail).with_hint(cure)
    } else if free < FACTOR * images {
        let detail = format!("{path} has {left} left; a rebuild of all images takes up to {most}");
        Check::warn(KIND, "images", detail).with_hint(cure)
    } else if absent.is_empty() {
        Check::ok(KIND, "images", format!("they weigh {weight} together; {left} left at {path}"))
    } else {
        let list = absent.join(", ");
        Check::ok(KIND, "images", format!("{left} left at {path}; not here yet, built or pulled at the start: {list}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;

    #[test]
    fn out_of_disk_space_two_to_three_times_the_images() {
        let path = Utf8Path::new("/var/lib/docker");
        let status = |free, absent: &[String]| judge(path, free, 4_000_000_000, absent).status;
        let some = ["web".to_owned()];
        assert_eq!(status(20_000_000_000, &some), Verdict::Ok);
        assert_eq!(status(10_000_000_000, &some), Verdict::Warn);
        assert_eq!(status(7_000_000_000, &some), Verdict::Fail);
        assert_eq!(status(7_000_000_000, &[]), Verdict::Warn, "everything is already here");
        assert!(!judge(path, 1, 4_000_000_000, &some).hint.unwrap().contains("prune"));
    }
}
