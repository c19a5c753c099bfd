//! A throw-away project.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tempfile::TempDir;

use super::call::Call;
use super::cleanup;
use super::declared;
use super::engine::{IMAGE, docker};
use super::ports::free_port;

/// A folder with a project in it; gone, with all that it has on the engine, when dropped.
#[derive(Debug)]
pub(crate) struct TestProject {
    name: String,
    /// Other compose project names that may be removed.
    also: Vec<String>,
    dir: PathBuf,
    env: Vec<(OsString, OsString)>,
    ports: Mutex<Vec<(String, u16)>>,
    /// What the test had declared when it made the project, for calls from threads that it starts.
    declared: BTreeSet<String>,
    // Last, so that the folder is still there while the engine is cleaned.
    holder: Option<TempDir>,
}

/// Sixteen bytes of chance would be too long for a container's name; four are enough for one machine.
pub(crate) fn random_hex() -> String {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).unwrap();
    format!("{:08x}", u32::from_ne_bytes(bytes))
}

impl TestProject {
    /// An empty project, in a folder of its own name.
    pub(crate) fn new() -> Self {
        let name = format!("it-{}", random_hex());
        Self::create(&name, &name)
    }

    /// An empty project in a folder of this name, below one that no other test uses. Compose makes the project's name from
    /// the folder's; so let it hold `@name@`, and state in `name` what Compose will make of it, again with `@name@`.
    pub(crate) fn in_folder(folder: &str, name: &str) -> Self {
        let unique = format!("it-{}", random_hex());
        Self::create(&folder.replace("@name@", &unique), &name.replace("@name@", &unique))
    }

    /// A copy of this folder, as a fresh checkout would have it: without what `setup` and package managers make.
    pub(crate) fn copy_of(source: &Path) -> Self {
        let project = Self::new();
        copy_tree(source, &project.dir);
        project
    }

    fn create(folder: &str, name: &str) -> Self {
        let holder = tempfile::Builder::new().prefix("infra-it-").tempdir().unwrap();
        let dir = holder.path().canonicalize().unwrap().join(folder);
        std::fs::create_dir_all(&dir).unwrap();
        Self {
            name: name.to_owned(),
            also: Vec::new(),
            dir,
            env: Vec::new(),
            ports: Mutex::default(),
            declared: declared::current(),
            holder: Some(holder),
        }
    }

    /// Allows every user to enter the folder and its parent.
    pub(crate) fn open_to_all(self) -> Self {
        for dir in [self.dir.parent().unwrap(), &self.dir] {
            std::fs::set_permissions(dir, PermissionsExt::from_mode(0o755)).unwrap();
        }
        self
    }

    /// Removes this compose project too, in the end; needed only for a name that neither is ours nor begins with ours and `-`.
    pub(crate) fn owns(mut self, name: &str) -> Self {
        self.also.push(self.fill(name));
        self
    }

    /// Writes a file, making folders as needed.
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.write(path, text);
        self
    }

    /// Writes `compose.yml`.
    pub(crate) fn compose(self, text: &str) -> Self {
        self.file("compose.yml", text)
    }

    /// Sets a variable for all calls.
    pub(crate) fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), value.into()));
        self
    }

    /// Writes a file now.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let is_env_file = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".env"));
        std::fs::write(&path, self.fill(text)).unwrap();
        if is_env_file {
            // As `setup` makes it; a protected environment does not start with one that others may read.
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        }
    }

    /// A file's text.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.path(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Compose's name of it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its folder.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A path below its folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.dir.join(path)
    }

    /// The port for this key, the same each time.
    pub(crate) fn port(&self, key: &str) -> u16 {
        let mut ports = self.ports.lock().unwrap();
        if let Some((_, port)) = ports.iter().find(|(known, _)| known == key) {
            return *port;
        }
        let port = free_port();
        ports.push((key.to_owned(), port));
        port
    }

    /// A call of the binary in this project.
    pub(crate) fn xtask<I: IntoIterator<Item = S>, S: Into<OsString>>(&self, args: I) -> Call {
        let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let mut replacements = vec![pair(self.dir.to_str().unwrap(), "[dir]"), pair(&self.name, "[name]")];
        let ports = self.ports.lock().unwrap();
        replacements.extend(ports.iter().map(|(key, port)| (port.to_string(), format!("[port:{key}]"))));
        let declared = &self.declared | &declared::current();
        let call = Call::new(&self.dir, args.into_iter().map(Into::into).collect(), replacements, &declared);
        self.env.iter().fold(call, |call, (key, value)| call.env(key, value))
    }

    /// The ids of this project's containers, of one service or (`""`) of all, running or not.
    pub(crate) fn containers(&self, service: &str) -> Vec<String> {
        let project = format!("label=com.docker.compose.project={}", self.name);
        let service = match service {
            "" => "label=com.docker.compose.service".to_owned(),
            name => format!("label=com.docker.compose.service={name}"),
        };
        let ids = docker(["ps", "-aq", "--no-trunc", "--filter", &project, "--filter", &service]);
        ids.lines().map(str::to_owned).collect()
    }

    /// The one container of a service.
    #[track_caller]
    pub(crate) fn container(&self, service: &str) -> String {
        let ids = self.containers(service);
        assert_eq!(ids.len(), 1, "containers of {service} in {}", self.name);
        ids.into_iter().next().unwrap()
    }

    /// The state of a service's one container: `running`, `exited`, `created`…; `gone` where there is none.
    pub(crate) fn state(&self, service: &str) -> String {
        match &self.containers(service)[..] {
            [] => "gone".to_owned(),
            [id] => docker(["inspect", "--format", "{{.State.Status}}", id]),
            several => format!("{} containers", several.len()),
        }
    }

    fn fill(&self, text: &str) -> String {
        let dir = self.dir.to_str().unwrap();
        let text = text.replace("@name@", &self.name).replace("@dir@", dir).replace("@image@", IMAGE);
        let mut parts = text.split("@port:");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            let (key, rest) = part.split_once('@').expect("@port:KEY@ ends with an @");
            text + &self.port(key).to_string() + rest
        })
    }
}

/// What a repository ignores.
const IGNORED: [&str; 7] = [".infra", ".venv", "__pycache__", "backups", "coverage", "dist", "node_modules"];

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())).flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let is_env_file = name.to_string_lossy().starts_with(".env") && !name.to_string_lossy().ends_with(".example");
        if is_env_file || IGNORED.iter().any(|ignored| name == *ignored) {
            continue;
        }
        if path.is_dir() {
            copy_tree(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

impl Drop for TestProject {
    fn drop(&mut self) {
        if std::env::var_os("INFRA_TEST_KEEP").is_some() {
            self.holder.take().map(TempDir::keep);
            return;
        }
        cleanup::local_clusters(&self.dir);
        // What had no Compose made nothing on the engine.
        if self.declared.union(&declared::current()).any(|name| name == declared::ENGINE) {
            cleanup::engine(self.also.iter().chain([&self.name]));
            cleanup::nameless_volumes(&self.dir);
        }
        cleanup::writable(&self.dir);
    }
}
