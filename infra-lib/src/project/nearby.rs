//! Compose files in places where Compose does not look: another folder, another name.

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::identity;
use crate::compose::sources::Sources;
use crate::dotenv::Resolved;
use crate::exit::Exit;
use crate::project::error::Error;

use super::environment_name::EnvironmentName;

/// Folders that commonly contain the folder with the compose file.
const CONTAINERS: [&str; 10] = [
    "docker",
    ".docker",
    "deploy",
    "deployment",
    "devops",
    "infra",
    "infrastructure",
    "ops",
    "compose",
    ".devcontainer",
];

/// Folders whose compose files are not the project's.
const OTHERS: [&str; 15] = [
    "node_modules",
    "vendor",
    "third_party",
    "target",
    "dist",
    "build",
    "venv",
    "backups",
    "docs",
    "example",
    "examples",
    "test",
    "tests",
    "testdata",
    "fixtures",
];

/// Larger files are not read: a compose file is written by people.
const LARGEST: u64 = 256 * 1024;

/// The compose files that were found for a folder.
#[derive(Debug)]
pub(crate) struct Nearby {
    /// The folder that they were found below: the given one, or one above it in the same repository.
    pub(crate) folder: Utf8PathBuf,
    /// The paths relative to that folder, sorted.
    pub(crate) files: Vec<Utf8PathBuf>,
}

impl Nearby {
    /// Searches a folder and those above it, up to the root of the repository.
    pub(crate) fn search(start: &Utf8Path) -> Option<Self> {
        let repository = start.ancestors().find(|dir| dir.join(".git").exists()).unwrap_or(start);
        let mut folders = start.ancestors().take_while(|dir| dir.starts_with(repository));
        folders.find_map(Self::below)
    }

    /// Searches one folder: files of other names in it, and compose files in the folders below.
    pub(crate) fn below(folder: &Utf8Path) -> Option<Self> {
        let mut files = named_otherwise(folder);
        for dir in folders(folder) {
            let name = dir.file_name().unwrap_or_default();
            let inner = if CONTAINERS.contains(&name) { folders(&dir) } else { Vec::new() };
            let own = of_folder(&dir);
            // The folder's own file comes before those of folders in it.
            files.extend(if own.is_empty() { inner.iter().flat_map(|dir| of_folder(dir)).collect() } else { own });
        }
        let relative = |path: Utf8PathBuf| path.strip_prefix(folder).map(Utf8Path::to_owned).unwrap_or(path);
        let mut files: Vec<_> = files.into_iter().map(relative).collect();
        files.sort();
        (!files.is_empty()).then(|| Self { folder: folder.to_owned(), files })
    }

    /// The file for the default environment: the only one, or the only one that is not named after another environment.
    pub(crate) fn choice(&self) -> Option<&Utf8PathBuf> {
        let mut usable = self.files.iter().filter(|file| !is_of_other_environment(file));
        usable.next().filter(|_| usable.next().is_none())
    }

    /// The error for a folder without a project of its own.
    pub(crate) fn error(&self, start: &Utf8Path, has_config: bool) -> Error {
        let list = self.files.iter().map(|file| format!("`{file}`")).collect::<Vec<_>>().join(", ");
        let message = match &self.files[..] {
            [_] => format!("`docker compose` finds no project in {start}, but there is a compose file: {list}"),
            _ => format!("`docker compose` finds no project in {start}, but there are compose files: {list}"),
        };
        let (before, below) = if self.folder == start {
            (String::new(), "infra.toml".to_owned())
        } else {
            (format!("in {}: ", self.folder), format!("{}/infra.toml", self.folder))
        };
        let hint = match self.choice() {
            Some(file) if has_config => format!("{before}write `[compose]` with `files = [\"{file}\"]` in {below}"),
            Some(_) => format!("run `cargo xtask init`, which writes it to {below}"),
            None => format!("choose one: write `[compose]` with `files = [\"{}\"]`, say, in {below}", self.files[0]),
        };
        let first = self.choice().or(self.files.first());
        let usual = first.filter(|file| is_usual(&self.folder.join(file))).and_then(|file| file.parent());
        let with_dir = usual.filter(|dir| !dir.as_str().is_empty()).map(|dir| {
            let dir = if self.folder == start { dir.to_owned() } else { self.folder.join(dir) };
            format!(", or use `-C {dir}`")
        });
        Error::new(Exit::Config, message).with_hint(hint + &with_dir.unwrap_or_default())
    }
}

/// Whether Compose itself would find the file in its folder.
fn is_usual(file: &Utf8Path) -> bool {
    file.parent().is_some_and(identity::has_project)
}

/// The compose file that Compose finds in a folder, or else those under other names.
fn of_folder(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let settings = identity::settings(&[folder]).unwrap_or_default();
    match identity::files(folder, &settings).into_iter().next().filter(|file| file.is_file()) {
        Some(file) => vec![file],
        None => named_otherwise(folder),
    }
}

/// The files in a folder that are complete compose files, recognised by content.
fn named_otherwise(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let files = entries.map(camino::Utf8DirEntry::into_path);
    files.filter(|path| matches!(path.extension(), Some("yml" | "yaml")) && is_compose(path)).collect()
}

fn is_compose(path: &Utf8Path) -> bool {
    if !path.metadata().is_ok_and(|file| file.is_file() && file.len() <= LARGEST) {
        return false;
    }
    let folder = path.parent().unwrap_or("".into());
    let sources = Sources::read(folder, folder, &[path.to_owned()], &Resolved::default());
    sources.error().is_none() && !sources.services().is_empty() && sources.is_complete()
}

/// The folders in a folder that can contain the project's compose file.
fn folders(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let is_candidate = |name: &str| CONTAINERS.contains(&name) || !name.starts_with('.') && !OTHERS.contains(&name);
    let mut found: Vec<_> = entries
        .filter(|entry| is_candidate(entry.file_name()) && entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(camino::Utf8DirEntry::into_path)
        .collect();
    found.sort();
    found
}

/// `production.yml` and `docker-compose.prod.yml` are not for development; `local.yml` is.
fn is_of_other_environment(file: &Utf8Path) -> bool {
    let stem = file.file_stem().unwrap_or_default();
    let words = stem.split(['.', '-', '_']);
    let names: Vec<_> = words.map(EnvironmentName::from_text).collect();
    names.iter().any(|name| name.is_usual() && !name.is("development"))
}
