//! The old way, run beside ours.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::readme::markdown::root;
use crate::support::*;

/// How something old ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) exit: i32,
    /// Stdout and stderr.
    pub(super) text: String,
}

/// Lays a system's old files over a project.
pub(super) fn lay(system: &str, project: &TestProject) {
    copy(&root().join("scripts-legacy").join(system), project.dir());
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// Runs something old in a project, against the project's own containers, with this on its stdin.
pub(super) fn run(project: &TestProject, words: &[&str], env: &[(&str, &str)], input: &str) -> Done {
    let mut old = command(words[0]);
    old.args(&words[1..]).current_dir(project.dir()).env("COMPOSE_PROJECT_NAME", project.name());
    // Whoever runs the tests may be make, or have said otherwise.
    for name in ["MAKEFLAGS", "MAKELEVEL", "LEGACY_REALLY_PRUNE", "COMPOSE_FILE", "COMPOSE_PROFILES"] {
        old.env_remove(name);
    }
    old.envs(env.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = old.spawn().unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    // A program that reads nothing closes the pipe, which is its right.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Done { exit: output.status.code().unwrap_or(-1), text }
}

impl Done {
    #[track_caller]
    pub(super) fn code(&self, code: i32) -> &Self {
        assert_eq!(self.exit, code, "{self:?}");
        self
    }

    #[track_caller]
    pub(super) fn says(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "{text:?} is not in {self:?}");
        self
    }

    #[track_caller]
    pub(super) fn lacks(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "{text:?} is in {self:?}");
        self
    }
}

/// The files in a folder of the project with this ending, newest last.
pub(super) fn files(project: &TestProject, folder: &str, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(project.path(folder)).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(ending)).collect();
    names.sort();
    names
}

/// What an archive of gzip holds, as far as it goes.
pub(super) fn unpacked(project: &TestProject, path: &str) -> String {
    let output = command("gzip").args(["-dc"]).arg(project.path(path)).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The first half of a file, beside it.
pub(super) fn cut(project: &TestProject, path: &str, to: &str) {
    let whole = std::fs::read(project.path(path)).unwrap();
    std::fs::write(project.path(to), &whole[..whole.len() / 2]).unwrap();
}
