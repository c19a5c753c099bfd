//! What every system does alike: set up twice, stopped and started.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::stack::{Stack, tell};

impl Stack {
    /// Which containers and images run, but for the job that looks after the certificate, which may look again.
    pub(crate) fn lasting(&self, environment: &str) -> Vec<String> {
        let mut all = self.identity(environment);
        all.retain(|line| !line.starts_with("certs "));
        all
    }

    /// Not a file, not a container.
    #[track_caller]
    pub(crate) fn second_setup_changes_nothing(&self, environment: &str) {
        let before = (files(self.project.dir()), self.lasting(environment));
        let ended = self.project.xtask(["-e", environment, "setup", "--yes", "--json"]).end();
        assert_eq!(ended.ok().outcome()["changes"], json!([]), "{ended}");
        ended.never_says("building");
        took("a second setup", ended.took);
        let after = (files(self.project.dir()), self.lasting(environment));
        assert_eq!(after.0.keys().collect::<Vec<_>>(), before.0.keys().collect::<Vec<_>>());
        let changed: Vec<_> = before.0.iter().filter(|(name, text)| after.0[*name] != **text).map(|it| it.0).collect();
        assert_eq!(changed, [""; 0], "files that changed");
        assert_eq!(after.1, before.1);
    }

    /// In development: stopped, it is reported as unhealthy; started, it has the same images and is ready in time.
    #[track_caller]
    pub(crate) fn stops_and_starts(&self) {
        let images = || {
            let containers = self.containers("development");
            containers.iter().map(|container| container["Image"].to_string()).collect::<Vec<_>>()
        };
        let before = images();
        self.run(["stop"]).end().ok().shows("stopped");
        assert!(self.containers("development").iter().all(|container| container["State"]["Status"] == "exited"));
        self.run(["health"]).end().code(2);
        let ended = self.run(["start"]).end();
        ended.ok().shows("ready after").never_says("building");
        took("start after stop", ended.took);
        assert_eq!(images(), before, "nothing was built");
    }
}

/// Watchers take two changes of a file within a twentieth of a second for one; this is long enough for both to count.
pub(crate) fn let_watchers_settle() {
    std::thread::sleep(Duration::from_millis(300));
}

/// Times are reported and not asserted: they depend on what else the machine does. `cargo xtask bench` measures them.
fn took(what: &str, time: Duration) {
    tell(&format!("{what} took {:.1} s", time.as_secs_f32()));
}

/// Everything in the checkout but what each command adds a line to, and the program.
pub(crate) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(dir).unwrap().display().to_string();
            if path.is_dir() {
                folders.extend((name != "program").then_some(path));
            } else if name != ".infra/journal.jsonl" && path.extension().is_none_or(|kind| kind != "lock") {
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}
