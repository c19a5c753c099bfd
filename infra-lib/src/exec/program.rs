//! Finding programs, with a cache.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::ExecError;

/// Programs by name, resolved to absolute paths.
///
/// Relative entries of `PATH` and entries inside the project are skipped: a checkout must not be able to provide its
/// own `docker` (`PATH=.:…` is more common than it should be).
#[derive(Debug)]
pub(super) struct Programs {
    path: OsString,
    found: Mutex<BTreeMap<String, PathBuf>>,
}

impl Programs {
    pub(super) fn new(project: Option<&Path>) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let safe = std::env::split_paths(&path)
            .filter(|dir| dir.is_absolute() && project.is_none_or(|project| !dir.starts_with(project)));
        // A path that cannot be joined contains a separator, so nothing could be looked up in it anyway.
        let path = std::env::join_paths(safe).unwrap_or_default();
        Self { path, found: Mutex::new(BTreeMap::new()) }
    }

    pub(super) fn find(&self, name: &str) -> Result<PathBuf, ExecError> {
        let mut found = self.found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(path) = found.get(name) {
            return Ok(path.clone());
        }
        let path = which::which_in(name, Some(&self.path), "/").map_err(|_| ExecError::NotFound {
            program: name.to_owned(),
            path: self.path.to_string_lossy().into_owned(),
        })?;
        found.insert(name.to_owned(), path.clone());
        Ok(path)
    }

    /// The `PATH` that children inherit, so that the same rule applies to programs they start.
    pub(super) fn path(&self) -> &OsString {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s32_a_program_of_the_project_is_not_taken() {
        let programs = Programs::new(Some(Path::new("/usr/bin")));
        assert!(!std::env::split_paths(programs.path()).any(|dir| dir.starts_with("/usr/bin")));
        assert!(matches!(programs.find("no-such-program"), Err(ExecError::NotFound { .. })));
    }
}
