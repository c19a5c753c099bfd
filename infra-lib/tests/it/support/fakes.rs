//! Programs on a `PATH` of their own.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::declared::path;

/// A folder of scripts that stand in for real programs and record how they were called. Put [`Fakes::path`] into a call's
/// `PATH`. They lie outside every project, since programs inside one are not taken.
#[derive(Debug)]
pub(crate) struct Fakes {
    dir: TempDir,
}

/// One call of a fake.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// The program and its arguments.
    pub(crate) argv: Vec<String>,
    /// Its environment.
    pub(crate) env: Vec<(String, String)>,
}

impl Fakes {
    /// None yet.
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("infra-fakes-").tempdir().unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::create_dir(dir.path().join("bin")).unwrap();
        std::fs::create_dir(dir.path().join("calls")).unwrap();
        Self { dir }
    }

    /// Adds a program that plays these lines of shell, after it has recorded the call. `$REAL` is the real program's path, or
    /// empty where there is none: `exec "$REAL" "$@"` passes a call on.
    pub(crate) fn program(self, name: &str, script: &str) -> Self {
        let real = which::which_in(name, Some(path()), "/").map(|path| path.display().to_string()).unwrap_or_default();
        let calls = self.dir.path().join("calls").display().to_string();
        // Probes run at once, so each call has a file of its own; the clock puts them in order.
        let text = format!(
            "#!/bin/sh\nREAL={real}\ncall={calls}/$(date +%s%N).$$\n\
             {{ printf '%s\\0' {name} \"$@\"; printf '\\0'; env -0; }} >\"$call.part\"; mv \"$call.part\" \"$call\"\n{script}\n",
            real = shlex::try_quote(&real).unwrap(),
        );
        let path = self.dir.path().join("bin").join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        self
    }

    /// Lets other users call them too.
    pub(crate) fn open_to_all(self) -> Self {
        std::fs::set_permissions(self.dir.path().join("calls"), PermissionsExt::from_mode(0o777)).unwrap();
        self
    }

    /// Adds a program that only records and passes on.
    pub(crate) fn recorder(self, name: &str) -> Self {
        self.program(name, "exec \"$REAL\" \"$@\"")
    }

    /// The fakes before the programs that the test may use.
    pub(crate) fn path(&self) -> OsString {
        std::env::join_paths([self.dir.path().join("bin"), path().into()]).unwrap()
    }

    /// The fakes and the programs that the test may use, but none of the machine's copies of `without`.
    pub(crate) fn path_without(&self, without: &[&str]) -> OsString {
        let tools = self.dir.path().join("tools");
        std::fs::create_dir_all(&tools).unwrap();
        for entry in std::fs::read_dir(path()).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if !without.iter().any(|program| name == *program) {
                let _ = std::os::unix::fs::symlink(entry.path(), tools.join(name));
            }
        }
        std::env::join_paths([self.dir.path().join("bin"), tools]).unwrap()
    }

    /// The calls so far, in order.
    pub(crate) fn calls(&self) -> Vec<Recorded> {
        let entries = std::fs::read_dir(self.dir.path().join("calls")).unwrap().flatten();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|kind| kind != "part"))
            .collect();
        files.sort();
        files.iter().map(|file| Recorded::parse(&std::fs::read(file).unwrap())).collect()
    }
}

impl Recorded {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        // An argument may be empty, a variable's name cannot: the environment begins after the last empty entry that is
        // followed by nothing but pairs.
        let entries: Vec<&str> = text.trim_end_matches('\0').split('\0').collect();
        let is_pair = |entry: &&str| entry.split_once('=').is_some_and(|(key, _)| !key.is_empty());
        let env_from = entries.len() - entries.iter().rev().take_while(|entry| is_pair(entry)).count();
        let argv_to = entries[..env_from].iter().rposition(|entry| entry.is_empty()).unwrap_or(env_from);
        let owned = |text: &str| text.to_owned();
        Self {
            argv: entries[..argv_to].iter().map(|entry| owned(entry)).collect(),
            env: entries[env_from..]
                .iter()
                .filter_map(|entry| entry.split_once('='))
                .map(|(key, value)| (owned(key), owned(value)))
                .collect(),
        }
    }

    /// Whether the arguments hold these words, one after the other.
    pub(crate) fn has(&self, words: &[&str]) -> bool {
        self.argv.windows(words.len()).any(|window| window == words)
    }

    /// The value of a variable that it was given.
    pub(crate) fn var(&self, key: &str) -> Option<&str> {
        self.env.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}
