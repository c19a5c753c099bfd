//! The copy of the program that the jobs run: a working tree that does not build stops no backup.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Error, Result};
use crate::exec::{ExecError, Invocation, Runner};
use crate::fs::atomic;
use crate::state::{StateDir, private_dir};

/// Where the copy is.
pub(crate) fn path(state: &StateDir) -> Utf8PathBuf {
    state.path().join("bin/xtask")
}

/// How the copy compares to a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copy {
    Missing,
    Same,
    Older,
    Newer,
}

/// The running program. Its file may have been replaced since it was started; the kernel still has it.
pub(crate) fn running() -> PathBuf {
    let own = Path::new("/proc/self/exe");
    if own.exists() { own.to_owned() } else { std::env::current_exe().unwrap_or_default() }
}

/// Compares the copy with the program.
pub(crate) fn compare(state: &StateDir, program: &Path) -> Result<Copy> {
    let copy = path(state);
    if !copy.is_file() {
        return Ok(Copy::Missing);
    }
    if std::fs::read(&copy).map_err(Error::file("read", &copy))? == read(program)? {
        return Ok(Copy::Same);
    }
    let written = |path: &Path| path.metadata().and_then(|about| about.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    Ok(if written(copy.as_std_path()) < written(program) { Copy::Older } else { Copy::Newer })
}

/// Makes the copy. A job that runs goes on with the old one.
pub(crate) fn pin(state: &StateDir, program: &Path) -> Result<()> {
    let bytes = read(program)?;
    let copy = path(state);
    let dir = state.ensure()?.join("bin");
    private_dir(&dir).map_err(Error::file("create", &dir))?;
    Ok(atomic::replace_program(&copy, &bytes)?)
}

fn read(program: &Path) -> Result<Vec<u8>> {
    let name = Utf8Path::from_path(program).unwrap_or(Utf8Path::new("the program"));
    std::fs::read(program).map_err(Error::file("read", name))
}

/// Runs the copy once: a file system may forbid it, a library may be gone.
pub(crate) fn prove(runner: &Runner, state: &StateDir) -> std::result::Result<String, ExecError> {
    let call = Invocation::new(path(state)).arg("--version").deadline(Duration::from_secs(20));
    Ok(runner.read(&call)?.text())
}
