//! This machine without some of its programs, to test what the suite does on one that never had them.

use std::error::Error;
use std::os::unix::fs::symlink;
use std::path::Path;

use xshell::{Cmd, Shell, cmd};

/// Where Debian keeps PostgreSQL's servers; they are found there without `PATH`.
const SERVERS: &str = "/usr/lib/postgresql";

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lacking {
    Engine,
    Postgres,
    Both,
}

impl Lacking {
    pub(crate) const ALL: [Self; 3] = [Self::Engine, Self::Postgres, Self::Both];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Engine => "without Docker",
            Self::Postgres => "without PostgreSQL",
            Self::Both => "without Docker and PostgreSQL",
        }
    }

    /// Whether a program of this name is missing.
    fn lacks(self, program: &str) -> bool {
        let servers = ["postgres", "psql", "initdb", "createdb", "createuser", "dropdb", "dropuser", "vacuumdb"];
        let docker = program.starts_with("docker");
        let postgres = program.starts_with("pg_") || servers.contains(&program);
        match self {
            Self::Engine => docker,
            Self::Postgres => postgres,
            Self::Both => docker || postgres,
        }
    }

    /// A command on the lacking machine: its `PATH` is one folder, with links to all other programs.
    ///
    /// # Errors
    ///
    /// Fails where PostgreSQL's servers cannot be hidden, which takes root.
    pub(crate) fn command<'a>(self, shell: &'a Shell, words: &[&str]) -> Result<Cmd<'a>, Box<dyn Error>> {
        let folder = shell.current_dir().join("target/lacking").join(format!("{self:?}").to_lowercase());
        shell.remove_path(&folder)?;
        shell.create_dir(&folder)?;
        for dir in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
            for entry in std::fs::read_dir(&dir).into_iter().flatten().flatten() {
                let name = entry.file_name();
                if !self.lacks(&name.to_string_lossy()) {
                    // The first of a name is the one that runs.
                    let _ = symlink(entry.path(), folder.join(name));
                }
            }
        }
        let command = if self != Self::Engine && Path::new(SERVERS).is_dir() {
            let hide = format!("mount -t tmpfs tmpfs {SERVERS} && exec \"$@\"");
            if cmd!(shell, "unshare --mount true").quiet().ignore_stderr().run().is_err() {
                return Err(format!("{SERVERS} cannot be hidden from the tests: run this as root").into());
            }
            cmd!(shell, "unshare --mount --propagation slave sh -c {hide} sh {words...}")
        } else {
            let (program, words) = words.split_first().ok_or("no command")?;
            cmd!(shell, "{program} {words...}")
        };
        Ok(command.env("PATH", folder).env_remove("INFRA_TEST_REQUIRE"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lacking_machine_has_everything_else() {
        let shell = Shell::new().unwrap();
        let holder = shell.create_temp_dir().unwrap();
        shell.change_dir(holder.path());
        let found = |lacking: Lacking, program: &str| {
            let words = ["sh", "-c", "command -v \"$0\"", program];
            lacking.command(&shell, &words).unwrap().quiet().ignore_status().read().unwrap()
        };
        assert!(found(Lacking::Engine, "ls").ends_with("target/lacking/engine/ls"));
        for program in ["docker", "docker-compose"] {
            assert_eq!(found(Lacking::Engine, program), "");
        }
        assert!(Lacking::Both.lacks("docker") && Lacking::Both.lacks("pg_dump") && Lacking::Postgres.lacks("psql"));
        assert!(!Lacking::Postgres.lacks("docker") && !Lacking::Engine.lacks("psql"));
    }
}
