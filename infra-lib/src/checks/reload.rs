//! Hot reload: whether the running program can see a changed source file.

use std::time::Duration;

use camino::Utf8Path;

use crate::compose::{Container, Engine, Service, Status};
use crate::exec::Invocation;
use crate::probe::{Check, Snapshot};

const KIND: &str = "reload";

/// The names and arguments of programs that watch their sources.
const WATCHERS: [&str; 25] = [
    "--watch",
    "--hot",
    "--reload",
    "nodemon",
    "vite",
    "webpack serve",
    "webpack-dev-server",
    "next dev",
    "next-server",
    "nuxt",
    "astro dev",
    "ng serve",
    "react-scripts start",
    "tsx watch",
    "ts-node-dev",
    "node-dev",
    "bun dev",
    "run dev",
    "watchfiles",
    "watchmedo",
    "cargo watch",
    "cargo-watch",
    "watchexec",
    "entr ",
    "spring-boot-devtools",
];
/// Below this limit, a frontend of ordinary size is not watched completely.
const FEW_WATCHES: u64 = 65_536;
const WATCHES: &str = "/proc/sys/fs/inotify/max_user_watches";

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    if snapshot.project.environment().protected {
        return Vec::new();
    }
    let mut checks = Vec::new();
    let mut watched = Vec::new();
    for (name, service) in snapshot.services.iter().filter(|(_, service)| service.build.is_some()) {
        let container = snapshot.containers_of(name).find(|container| container.status == Status::Running);
        let runs = container.map(|container| processes(snapshot, container)).unwrap_or_default();
        let found = judge(name, service, &runs);
        if found.is_none() && mounts_source(service) {
            watched.push(*name);
        }
        checks.extend(found);
    }
    if !watched.is_empty() {
        checks.extend(limits(&watched, &std::fs::read_to_string(WATCHES).unwrap_or_default()));
        if Engine::is_remote() {
            checks.push(
                Check::warn(
                    KIND,
                    watched.join(", "),
                    "hot reload cannot work: the engine is on another machine, with other files",
                )
                .with_hint("use `develop.watch` of Compose, or an engine on this machine"),
            );
        }
    }
    if checks.is_empty() && !watched.is_empty() {
        checks.push(Check::ok(KIND, watched.join(", "), "sources are mounted and watched"));
    }
    checks
}

/// The command lines of the container's processes; empty if unknown.
fn processes(snapshot: &Snapshot<'_>, container: &Container) -> Vec<String> {
    // The engine requires the process ids.
    let call =
        Invocation::new("docker").args(["top", &container.id, "-eo", "pid,args"]).deadline(Duration::from_secs(5));
    let output = snapshot.project.runner().read(&call).map(|output| output.text()).unwrap_or_default();
    let lines = output.lines().skip(1).filter_map(|line| line.trim().split_once(char::is_whitespace));
    lines
        .map(|(_, command)| command.trim().to_owned())
        .filter(|command| !command.starts_with("/sbin/docker-init"))
        .collect()
}

/// `runs`: the command lines in its container, if it runs.
fn judge(name: &str, service: &Service, runs: &[String]) -> Option<Check> {
    let declared = command(service);
    let watches = runs.iter().chain([&declared]).any(|line| WATCHERS.iter().any(|word| line.contains(word)));
    let for_development =
        service.build.as_ref().and_then(|build| build.target.as_deref()).is_some_and(|target| target.contains("dev"));
    match (mounts_source(service), watches) {
        (false, _) if watches || for_development => Some(
            Check::warn(KIND, name, "source not mounted: it is built for development, and changes of its code do not reach it")
                .with_hint("mount the source folder in the compose file (`volumes: [./src:/app/src]`), or use `develop.watch`"),
        ),
        // What runs is known: nothing of it watches.
        (true, false) if !runs.is_empty() && is_program(runs) => Some(
            Check::warn(KIND, name, format!("watch flag missing: its source is mounted, and `{}` does not watch it", runs[0].trim()))
                .with_hint("start it with its watch flag (`bun --watch`, `node --watch`, `uvicorn --reload`, `vite`), or through a `dev` script that does"),
        ),
        _ => None,
    }
}

/// The command of the compose file as text; empty if the image's own is used.
fn command(service: &Service) -> String {
    let part = |key: &str| match service.rest.get(key) {
        Some(serde_json::Value::Array(words)) => {
            words.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(" ")
        }
        Some(serde_json::Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    format!("{} {}", part("entrypoint"), part("command"))
}

/// Whether this is a program that reads sources, and not a server of static files or a database, for which a mounted
/// folder is configuration.
fn is_program(runs: &[String]) -> bool {
    ["bun", "node", "deno", "python", "uvicorn", "gunicorn", "ruby", "rails", "php", "java", "tsx"].iter().any(
        |program| {
            runs.iter().any(|line| {
                line.split_whitespace()
                    .take(2)
                    .any(|word| Utf8Path::new(word).file_name().is_some_and(|name| name.starts_with(program)))
            })
        },
    )
}

/// Whether a part of its build context is mounted while it runs.
fn mounts_source(service: &Service) -> bool {
    let develops = service.rest.get("develop").is_some_and(|develop| !develop.is_null());
    let context = service.build.as_ref().and_then(|build| build.context.as_deref()).map(Utf8Path::new);
    let inside = |source: &str| context.is_some_and(|context| Utf8Path::new(source).starts_with(context));
    develops || service.volumes.iter().any(|mount| mount.kind == "bind" && mount.source.as_deref().is_some_and(inside))
}

fn limits(watched: &[&str], most: &str) -> Option<Check> {
    let most: u64 = most.trim().parse().ok()?;
    (most < FEW_WATCHES).then(|| {
        Check::warn(
            KIND,
            watched.join(", "),
            format!("this system watches {most} files at most, all programs together"),
        )
        .with_hint(
            "`sudo sysctl fs.inotify.max_user_watches=524288`; to keep it, put that into a file of /etc/sysctl.d/",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Model;

    fn service(more: &str) -> Service {
        let json = format!(
            r#"{{"name":"x","services":{{"web":{{"build":{{"context":"/srv/web","target":"development"}}{more}}}}}}}"#
        );
        Model::parse(json.as_bytes()).unwrap().services.remove("web").unwrap()
    }

    const MOUNTED: &str = r#","volumes":[{"type":"bind","source":"/srv/web/src","target":"/app/src"}]"#;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn hot_reload_not_working_watch_flag_missing() {
        let found =
            judge("web", &service(MOUNTED), &lines(&["/sbin/tini -- bun run src/index.ts", "bun run src/index.ts"]))
                .unwrap();
        assert!(found.detail.starts_with("watch flag missing") && found.hint.unwrap().contains("--watch"));
        assert_eq!(judge("web", &service(MOUNTED), &lines(&["bun --watch src/index.ts"])), None);
        assert_eq!(
            judge("web", &service(MOUNTED), &lines(&["npm run dev", "node /app/node_modules/.bin/vite --host"])),
            None
        );
        assert_eq!(judge("web", &service(MOUNTED), &lines(&["nginx: master process"])), None, "no program of sources");
        assert_eq!(judge("web", &service(MOUNTED), &[]), None, "not running: not known");
    }

    #[test]
    fn hot_reload_not_working_source_not_mounted() {
        let elsewhere = r#","volumes":[{"type":"bind","source":"/srv/conf","target":"/conf"}]"#;
        assert!(judge("web", &service(elsewhere), &[]).unwrap().detail.starts_with("source not mounted"));
        assert_eq!(judge("web", &service(r#","develop":{"watch":[]}"#), &[]), None);
    }

    #[test]
    fn hot_reload_not_working_inotify_limit() {
        assert!(limits(&["web"], "8192\n").unwrap().hint.unwrap().contains("fs.inotify.max_user_watches=524288"));
        assert_eq!(limits(&["web"], "524288\n"), None);
        assert_eq!(limits(&["web"], ""), None);
    }
}
