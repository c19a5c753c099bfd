//! What must not be committed.

use std::fs::OpenOptions;
use std::io::Write as _;

use camino::Utf8Path;

use crate::exec::{ExecError, Invocation};
use crate::project::error::{Error, Result};
use crate::project::{Project, environment_names, template_of};

/// Lines that `.gitignore` lacks: env files with secrets, our state, backups.
pub(super) fn missing(project: &Project) -> Vec<String> {
    let environments = environment_names::accepted(project.root(), project.config());
    let env_files = environments.iter().map(|name| format!(".env.{name}"));
    // Only those that are or will be there: `.env.test` may be committed on purpose elsewhere.
    let env_files = env_files
        .filter(|name| project.root().join(name).is_file() || template_of(&project.root().join(name)).is_file());
    let fixed = [".env", ".infra/", "backups/"].map(str::to_owned);
    fixed.into_iter().chain(env_files).filter(|path| !is_ignored(project, path)).collect()
}

/// Git's own answer, which knows the files above and the user's; without Git, whether the line is there.
fn is_ignored(project: &Project, path: &str) -> bool {
    let call = Invocation::new("git").args(["check-ignore", "--quiet", "--no-index", path]).dir(project.root());
    match project.runner().read(&call) {
        Ok(_) => true,
        Err(ExecError::Exited { code: 1, .. }) => false,
        Err(_) => {
            let text = std::fs::read_to_string(project.root().join(".gitignore")).unwrap_or_default();
            let bare = |line: &str| line.trim().trim_matches('/').to_owned();
            text.lines().any(|line| bare(line) == bare(path))
        }
    }
}

pub(super) fn append(path: &Utf8Path, lines: &[String]) -> Result<()> {
    let before = std::fs::read(path).unwrap_or_default();
    let separator = if before.is_empty() || before.ends_with(b"\n") { "" } else { "\n" };
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened
        .and_then(|mut file| file.write_all(format!("{separator}{}\n", lines.join("\n")).as_bytes()))
        .map_err(Error::file("write", path))
}
