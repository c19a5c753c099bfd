//! Env files, by the rows of the fault table: made, checked, explained, guarded in production, rotated. What the parser
//! makes of their text is in `dotenv/`.

mod export;
mod files;
mod production;
mod rotate;
mod services;
mod setup;

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::support::*;

/// A service that needs a variable, and does nothing.
const WEB: &str = "services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true, \
    environment: {SECRET: '${JWT_SECRET-}'}}}\n";

/// A project with that service and these env files.
fn project(files: &[(&str, &str)]) -> TestProject {
    files.iter().fold(TestProject::new().compose(WEB), |project, (path, text)| project.file(path, text))
}

/// A file's permissions.
fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().mode() & 0o7777
}

/// The value of a key, as it is written.
#[track_caller]
fn value(project: &TestProject, file: &str, key: &str) -> String {
    let text = project.read(file);
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("{file} has no {key}")).to_owned()
}

/// Whether it reads the same for everybody and cannot be guessed.
fn is_fresh_secret(value: &str) -> bool {
    value.len() >= 32 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Half-written files of ours.
fn drafts(project: &TestProject) -> Vec<String> {
    let names = std::fs::read_dir(project.dir()).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.contains("draft")).collect()
}
