//! Removing what a test project has left, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::engine::ask_docker;
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
        let Ok(text) = ask_docker(list.iter().copied().chain(["--filter", &label, "--format", format])) else { return };
        let found: Vec<(&str, &str)> =
            text.lines().filter_map(|line| line.split_once(' ')).filter(|(_, label)| ours(label)).collect();
        seen.extend(found.iter().map(|(_, label)| (*label).to_owned()));
        if !found.is_empty() {
            let _ = ask_docker(remove.iter().copied().chain(found.iter().map(|(id, _)| *id)));
        }
    }
    for name in seen {
        // What a release keeps, pulled images too.
        let held =
            ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter", &format!("reference=infra/{name}-*")];
        let held = ask_docker(held).unwrap_or_default();
        if !held.is_empty() {
            let _ = ask_docker(["image", "rm", "--no-prune"].into_iter().chain(held.lines()));
        }
        let filter = format!("label={LABEL}={name}");
        let ids = ask_docker(["image", "ls", "-q", "--filter", &filter]).unwrap_or_default();
        for id in ids.lines().collect::<BTreeSet<_>>() {
            let _ = ask_docker(["image", "rm", "-f", id]);
        }
    }
}

/// Removes the nameless volumes of containers that were removed during the test, which `start` has noted.
pub(super) fn nameless_volumes(project: &Path) {
    let noted = std::fs::read(project.join(".infra/nameless-volumes.json")).unwrap_or_default();
    let noted: BTreeMap<String, BTreeMap<String, String>> = serde_json::from_slice(&noted).unwrap_or_default();
    for volume in noted.values().flat_map(BTreeMap::keys) {
        let _ = ask_docker(["volume", "rm", volume]);
    }
}

/// Ends the PostgreSQL clusters that `setup` may have made for this folder, wherever they lie, and removes them.
pub(super) fn local_clusters(project: &Path) {
    let outside = std::fs::read_dir("/var/lib/infra").into_iter().flatten().flatten();
    let inside = std::fs::read_dir(project.join(".infra")).into_iter().flatten().flatten();
    for home in outside.chain(inside).map(|entry| entry.path()) {
        let identity = std::fs::read(home.join("cluster.json")).unwrap_or_default();
        let identity: serde_json::Value = serde_json::from_slice(&identity).unwrap_or_default();
        if identity["root"].as_str().map(Path::new) != Some(project) {
            continue;
        }
        for data in ["data", "data.new"] {
            end_server(&home.join(data));
        }
        let _ = std::fs::remove_dir_all(&home);
    }
}

fn end_server(data: &Path) {
    let lock = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let pid = lock.lines().next().and_then(|line| line.trim().parse().ok());
    // The file of a cluster that has crashed may name another process by now.
    if let Some(pid) = pid.filter(|pid| runs_in(*pid, data)) {
        signal(pid, Signal::QUIT);
        let end = Instant::now() + Duration::from_secs(5);
        while runs_in(pid, data) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn runs_in(pid: i32, dir: &Path) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == *dir)
}

/// A test may have made its folder unwritable, and the folder's removal must not fail for that.
pub(super) fn writable(dir: &Path) {
    let _ = std::fs::set_permissions(dir, PermissionsExt::from_mode(0o700));
}
