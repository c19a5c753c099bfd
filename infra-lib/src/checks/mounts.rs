//! What services mount from this machine: whether it exists, has the right type, and is accessible.

use std::os::unix::fs::MetadataExt as _;

use camino::Utf8Path;

use crate::compose::{Container, Engine, Mount, Service};
use crate::exec::{ExecError, Invocation};
use crate::probe::{Check, Snapshot};

const KIND: &str = "mount";

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    if !Engine::is_remote() {
        for (name, service) in &snapshot.services {
            let binds = service.volumes.iter().filter(|mount| mount.kind == "bind");
            checks.extend(binds.filter_map(|mount| judge(name, service, mount)));
        }
    }
    checks.extend(writable(snapshot));
    if checks.is_empty() && snapshot.services.values().any(|service| !service.volumes.is_empty()) {
        checks.push(Check::ok(KIND, "all", "what the services mount exists and is accessible"));
    }
    checks
}

fn judge(name: &str, service: &Service, mount: &Mount) -> Option<Check> {
    let source = Utf8Path::new(mount.source.as_deref()?);
    let target = Utf8Path::new(&mount.target);
    let as_file = is_file_name(source) && is_file_name(target);
    let Ok(found) = std::fs::metadata(source) else {
        let detail = format!("{source} is missing, and the engine makes an empty folder of that name, owned by root");
        return Some(if as_file {
            Check::fail(KIND, name, detail).with_hint(format!("put the file there, or take the mount of {target} out"))
        } else {
            Check::warn(KIND, name, detail).with_hint("`cargo xtask setup` makes the folders that are missing")
        });
    };
    if found.is_dir() && as_file {
        let detail = format!("{source} is a folder, and {target} should be a file");
        return Some(Check::fail(KIND, name, detail).with_hint(format!(
            "it was missing at an earlier start: `rmdir {source}`, put the file there, and start again"
        )));
    }
    let user: u32 = service.user.as_deref()?.split(':').next()?.parse().ok()?;
    let may_write = user == 0
        || found.uid() == user
        || found.mode() & 0o002 != 0
        || group(service).is_some_and(|group| found.gid() == group && found.mode() & 0o020 != 0);
    if mount.read_only || may_write || found.is_file() {
        return None;
    }
    let detail =
        format!("permissions: it runs as user {user} and may not write {source}, which belongs to {}", found.uid());
    Some(
        Check::warn(KIND, name, detail)
            .with_hint(format!("`sudo chown {user} {source}`, or mount it read-only (`:ro`)")),
    )
}

/// `1000:1000` is user and group.
fn group(service: &Service) -> Option<u32> {
    service.user.as_deref()?.split_once(':')?.1.parse().ok()
}

/// A name with an extension; names such as `conf.d` are usually folders.
fn is_file_name(path: &Utf8Path) -> bool {
    path.extension().is_some_and(|extension| extension != "d") && path.file_stem().is_some()
}

/// Whether each running container can write to its writable mounts.
fn writable(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let asked: Vec<(&Container, &Mount)> = snapshot
        .running()
        .flat_map(|(service, container)| {
            let mounts = service.volumes.iter().filter(|mount| !mount.read_only && mount.kind == "volume");
            mounts.map(move |mount| (container, mount))
        })
        .collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            asked.iter().map(|(container, mount)| scope.spawn(move || refused(snapshot, container, mount))).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok().flatten()).collect()
    })
}

fn refused(snapshot: &Snapshot<'_>, container: &Container, mount: &Mount) -> Option<Check> {
    let call = Invocation::new("docker")
        .args(["exec", &container.id, "test", "-w", &mount.target])
        .deadline(std::time::Duration::from_secs(5));
    // Any other exit code means that the image has no `test`, so the result is unknown.
    let Err(ExecError::Exited { code: 1, .. }) = snapshot.project.runner().read(&call) else { return None };
    let volume = mount.source.as_deref().unwrap_or("the volume");
    let detail = format!("permissions: it may not write {} ({volume})", mount.target);
    let hint = format!(
        "a new volume takes over owner and mode of that folder in the image: make it there with the right owner before the first start, or \
         `docker exec -u 0 {} chown -R USER {}`",
        container.name, mount.target
    );
    Some(Check::fail(KIND, &container.service, detail).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;

    fn mount(source: &Utf8Path, target: &str) -> Mount {
        let json = format!(r#"{{"type":"bind","source":"{source}","target":"{target}"}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn what_is_missing_becomes_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let status = |source: &str, target: &str| {
            judge("web", &Service::default(), &mount(&dir.join(source), target)).map(|check| check.status)
        };
        assert_eq!(status("nginx.conf", "/etc/nginx/nginx.conf"), Some(Verdict::Fail));
        assert_eq!(status("conf.d", "/etc/nginx/conf.d"), Some(Verdict::Warn));
        std::fs::create_dir(dir.join("nginx.conf")).unwrap();
        assert_eq!(status("nginx.conf", "/etc/nginx/nginx.conf"), Some(Verdict::Fail));
        assert_eq!(status(".", "/app"), None);
    }

    #[test]
    fn permission_of_a_mounted_folder() {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path()).unwrap();
        let mine = std::fs::metadata(path).unwrap().uid();
        let of = |user: u32| {
            let service: Service = serde_json::from_str(&format!(r#"{{"user":"{user}"}}"#)).unwrap();
            judge("api", &service, &mount(path, "/data"))
        };
        assert!(of(mine + 4321).unwrap().detail.contains("may not write"));
        assert_eq!(of(mine), None);
    }
}
