//! Removing what a test project has left, and nothing else.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::engine::try_docker;
use super::processes::signal;

const LABEL: &str = "com.docker.compose.project";

/// Removes the containers, networks, volumes and images of these compose projects and of their environments
/// (`<name>-production`). A test's name is its own, so its prefix is too.
pub(super) fn engine<'a>(names: impl Iterator<Item = &'a String>) {
    let names: Vec<&String> = names.collect();
    let ours = |label: &str| {
        names.iter().any(|name| label == *name || label.strip_prefix(*name).is_some_and(|rest| rest.starts_with('-')))
    };
    let label = format!("label={LABEL}");
    let format = format!("{{{{.ID}}}} {{{{.Label \"{LABEL}\"}}}}");
    let by_name = format!("{{{{.Name}}}} {{{{.Label \"{LABEL}\"}}}}");
    let lists: [(&[&str], &str, &[&str]); 3] = [
        (&["ps", "-a"], &format, &["rm", "-fv"]),
        (&["network", "ls"], &format, &["network", "rm"]),
        (&["volume", "ls"], &by_name, &["volume", "rm"]),
    ];
    let mut seen: BTreeSet<String> = names.iter().map(|name| (*name).clone()).collect();
    for (list, format, remove) in lists {
        // No engine, nothing to remove.
        let Ok(text) = try_docker(list.iter().copied().chain(["--filter", &label, "--format", format])) else { return };
        let found: Vec<(&str, &str)> =
            text.lines().filter_map(|line| line.split_once(' ')).filter(|(_, label)| ours(label)).collect();
        seen.extend(found.iter().map(|(_, label)| (*label).to_owned()));
        if !found.is_empty() {
            let _ = try_docker(remove.iter().copied().chain(found.iter().map(|(id, _)| *id)));
        }
    }
    for name in seen {
        let filter = format!("label={LABEL}={name}");
        let ids = try_docker(["image", "ls", "-q", "--filter", &filter]).unwrap_or_default();
        for id in ids.lines().collect::<BTreeSet<_>>() {
            let _ = try_docker(["image", "rm", "-f", id]);
        }
    }
}

/// Ends the PostgreSQL cluster that `setup` may have made for this folder, wherever it lies, and removes it.
pub(super) fn local_cluster(project: &Path) {
    let record = std::fs::read(project.join(".infra/setup.json")).unwrap_or_default();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap_or_default();
    let Some(dir) = record["local"]["dir"].as_str().map(PathBuf::from) else { return };
    let lock = std::fs::read_to_string(dir.join("postmaster.pid")).unwrap_or_default();
    let pid = lock.lines().next().and_then(|line| line.trim().parse().ok());
    // The file of a cluster that has crashed may name somebody else's process by now.
    if let Some(pid) = pid.filter(|pid| runs_in(*pid, &dir)) {
        signal(pid, Signal::QUIT);
        let end = Instant::now() + Duration::from_secs(5);
        while runs_in(pid, &dir) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    if dir.join("PG_VERSION").is_file() && !dir.starts_with(project) {
        let _ = std::fs::remove_dir_all(&dir);
    }
}

fn runs_in(pid: i32, dir: &Path) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == *dir)
}

/// A test may have made its folder unwritable, and the folder's removal must not fail for that.
pub(super) fn writable(dir: &Path) {
    let _ = std::fs::set_permissions(dir, PermissionsExt::from_mode(0o700));
}
