//! What belongs to others and must survive.

use super::cleanup;
use super::engine::{IMAGE, ask_docker, docker};
use super::project::random_hex;

/// Things on the engine that are none of the tested project's, and how they looked when they were made.
///
/// Other tests use the same engine at the same time; so only these are compared, not the whole inventory.
#[derive(Debug, Default)]
pub(crate) struct Bystanders {
    things: Vec<Thing>,
    projects: Vec<String>,
}

#[derive(Debug)]
struct Thing {
    kind: &'static str,
    name: String,
    looked: String,
}

/// What must not change about each kind: its identity, its labels, and whether it runs.
const ASPECTS: [(&str, &str); 4] = [
    ("container", "{{.Id}} {{.State.Status}} {{.State.StartedAt}} {{json .Config.Labels}}"),
    ("volume", "{{.Name}} {{.CreatedAt}} {{json .Labels}}"),
    ("network", "{{.Id}} {{json .Labels}}"),
    ("image", "{{.Id}}"),
];

impl Bystanders {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A running container, with these labels (`key=value`).
    pub(crate) fn container(&mut self, labels: &[&str]) -> String {
        let name = Self::name();
        let labels: Vec<String> = labels.iter().map(|label| format!("--label={label}")).collect();
        let args =
            ["run", "-d", "--init", "--pull", "never", "--network", "none", "--name", &name, "--entrypoint", "sleep"];
        docker(args.into_iter().chain(labels.iter().map(String::as_str)).chain([IMAGE, "infinity"]));
        self.watch("container", name)
    }

    /// A volume, with these labels.
    pub(crate) fn volume(&mut self, labels: &[&str]) -> String {
        self.made("volume", labels)
    }

    /// A network, with these labels.
    pub(crate) fn network(&mut self, labels: &[&str]) -> String {
        self.made("network", labels)
    }

    /// Another name for the tests' image.
    pub(crate) fn image(&mut self) -> String {
        let name = format!("{}:by", Self::name());
        docker(["image", "tag", IMAGE, &name]);
        self.watch("image", name)
    }

    /// Watches something that the test has made otherwise; it is removed in the end as well.
    pub(crate) fn watch(&mut self, kind: &'static str, name: impl Into<String>) -> String {
        let name = name.into();
        self.things.push(Thing { kind, name: name.clone(), looked: look(kind, &name) });
        name
    }

    /// Stops watching it, and leaves its removal to the next watcher.
    pub(crate) fn forget(&mut self, name: &str) {
        self.things.retain(|thing| thing.name != name);
    }

    /// Fails the test if anything changed.
    #[track_caller]
    pub(crate) fn unchanged(&self) {
        for Thing { kind, name, looked } in &self.things {
            assert_eq!(look(kind, name), *looked, "the {kind} {name} was touched");
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.things.len()
    }

    fn made(&mut self, kind: &'static str, labels: &[&str]) -> String {
        let name = Self::name();
        let labels: Vec<String> = labels.iter().map(|label| format!("--label={label}")).collect();
        docker([kind, "create"].into_iter().chain(labels.iter().map(String::as_str)).chain([name.as_str()]));
        self.watch(kind, name)
    }

    fn name() -> String {
        format!("it-by-{}", random_hex())
    }

    /// Also removes this compose project in the end.
    pub(crate) fn project(&mut self, name: &str) {
        self.projects.push(name.to_owned());
    }
}

fn look(kind: &str, name: &str) -> String {
    let format = ASPECTS.iter().find(|(known, _)| *known == kind).expect("a kind that is known").1;
    ask_docker([kind, "inspect", "--format", format, name]).unwrap_or_else(|error| format!("gone: {error}"))
}

impl Drop for Bystanders {
    fn drop(&mut self) {
        for kind in ["container", "network", "volume", "image"] {
            for thing in self.things.iter().filter(|thing| thing.kind == kind) {
                let force: &[&str] = if kind == "container" { &["-fv"] } else { &[] };
                let _ = ask_docker([kind, "rm"].iter().chain(force).chain([&thing.name.as_str()]));
            }
        }
        cleanup::engine(self.projects.iter());
    }
}
