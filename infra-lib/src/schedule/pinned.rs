//! The copy of the program that jobs run, so that a working tree that does not build stops no backup.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

use crate::exec::{ExecError, Invocation, Runner};
use crate::fs::atomic;
use crate::fs::error::FileError;
use crate::state::{StateDir, StateError, private_dir};

/// The path of the copy.
pub(crate) fn path(state: &StateDir) -> Utf8PathBuf {
    state.path().join("bin/xtask")
}

/// The state of the copy compared to a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copy {
    Missing,
    Same,
    Older,
    Newer,
}

/// The path of the running program. If its file was replaced since it started, the kernel still provides the
/// original.
pub(crate) fn running() -> PathBuf {
    let own = Path::new("/proc/self/exe");
    if own.exists() { own.to_owned() } else { std::env::current_exe().unwrap_or_default() }
}

/// Compares the copy with the program.
pub(crate) fn compare(state: &StateDir, program: &Path) -> Result<Copy, StateError> {
    let copy = path(state);
    if !copy.is_file() {
        return Ok(Copy::Missing);
    }
    if std::fs::read(&copy).map_err(FileError::on("read", &copy))? == read(program)? {
        return Ok(Copy::Same);
    }
    let written = |path: &Path| path.metadata().and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    Ok(if written(copy.as_std_path()) < written(program) { Copy::Older } else { Copy::Newer })
}

/// Updates the copy. A running job keeps using the old one.
pub(crate) fn pin(state: &StateDir, program: &Path) -> Result<(), StateError> {
    let bytes = read(program)?;
    let copy = path(state);
    let dir = state.ensure()?.join("bin");
    private_dir(&dir).map_err(FileError::on("create", &dir))?;
    Ok(atomic::replace_program(&copy, &bytes)?)
}

fn read(program: &Path) -> Result<Vec<u8>, StateError> {
    let name = Utf8Path::from_path(program).unwrap_or(Utf8Path::new("the program"));
    Ok(std::fs::read(program).map_err(FileError::on("read", name))?)
}

/// Runs the copy once to check that it works: the file system may forbid execution, or a library may be missing.
pub(crate) fn prove(runner: &Runner, state: &StateDir) -> Result<String, ExecError> {
    let call = Invocation::new(path(state)).arg("--version").deadline(Duration::from_secs(20));
    Ok(runner.read(&call)?.text())
}
