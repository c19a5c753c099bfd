//! A command as a value.

use std::ffi::OsString;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::environment::Inherit;
use crate::secret::Secret;

/// The standard input of a child.
#[derive(Debug, Clone, Default)]
pub(crate) enum Stdin {
    /// Empty. The caller's stdin is never inherited by accident.
    #[default]
    Null,
    /// These bytes, then end of file.
    Bytes(Vec<u8>),
    /// An open file or pipe from its current position. Only one run can read it.
    File(Arc<File>),
}

/// A variable for a child: shown in an echoed command, or masked.
#[derive(Debug, Clone)]
pub(super) enum EnvValue {
    Plain(OsString),
    Secret(Secret),
}

/// A program with its arguments, environment and limits. This is a plain value; creating one runs nothing.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(super) program: String,
    pub(super) args: Vec<OsString>,
    pub(super) env: Vec<(String, EnvValue)>,
    pub(super) inherit: Inherit,
    pub(super) dir: Option<Utf8PathBuf>,
    pub(super) stdin: Stdin,
    pub(super) deadline: Option<Duration>,
    pub(super) stall: Option<Duration>,
    pub(super) run_as: Option<(u32, u32)>,
    pub(super) relay: Option<String>,
    pub(super) inlet: Option<Utf8PathBuf>,
    pub(super) unechoed: bool,
}

impl Invocation {
    /// Calls `program`, either a name to look up on `PATH` or an absolute path. It inherits the caller's environment,
    /// except for variables that redirect Compose, PostgreSQL and the dynamic linker.
    pub(crate) fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            inherit: Inherit::Caller,
            dir: None,
            stdin: Stdin::Null,
            deadline: None,
            stall: None,
            run_as: None,
            relay: None,
            inlet: None,
            unechoed: false,
        }
    }

    /// Inherits only the variables that a program needs to start.
    #[must_use]
    pub(crate) fn minimal_env(mut self) -> Self {
        self.inherit = Inherit::Minimal;
        self
    }

    /// Adds one argument to the command.
    #[must_use]
    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds several arguments to the command.
    #[must_use]
    pub(crate) fn args<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable that may be shown.
    #[must_use]
    pub(crate) fn env(mut self, key: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), EnvValue::Plain(value.into())));
        self
    }

    /// Sets an environment variable that is masked wherever the command is shown.
    #[must_use]
    pub(crate) fn secret_env(mut self, key: impl Into<String>, value: &Secret) -> Self {
        self.env.push((key.into(), EnvValue::Secret(value.clone())));
        self
    }

    /// Runs this command through another program, which receives it after these arguments.
    #[must_use]
    pub(crate) fn inside<S: Into<OsString>>(mut self, program: &str, words: impl IntoIterator<Item = S>) -> Self {
        let inner = OsString::from(std::mem::replace(&mut self.program, program.to_owned()));
        self.args.splice(0..0, words.into_iter().map(Into::into).chain([inner]));
        self
    }

    /// Runs the command in this folder.
    #[must_use]
    pub(crate) fn dir(mut self, dir: impl Into<Utf8PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Passes these bytes to the child's stdin.
    #[must_use]
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Stdin::Bytes(bytes.into());
        self
    }

    /// Passes the rest of this file or pipe to the child's stdin.
    #[must_use]
    pub(crate) fn stdin_file(mut self, file: File) -> Self {
        self.stdin = Stdin::File(Arc::new(file));
        self
    }

    /// Treats data written to this named pipe as part of the child's stdout. The engine's own stream has only a third
    /// of the speed.
    #[must_use]
    pub(crate) fn inlet(mut self, fifo: impl Into<Utf8PathBuf>) -> Self {
        self.inlet = Some(fifo.into());
        self
    }

    /// Stops the child after this time.
    #[must_use]
    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Stops the child after this time, unless it already has a shorter deadline.
    #[must_use]
    pub(crate) fn deadline_at_most(mut self, deadline: Duration) -> Self {
        self.deadline = Some(self.deadline.map_or(deadline, |own| own.min(deadline)));
        self
    }

    /// Stops the child when it has printed nothing for this time.
    #[must_use]
    pub(crate) fn stall(mut self, stall: Duration) -> Self {
        self.stall = Some(stall);
        self
    }

    /// Does not echo the command: it repeats one that was echoed.
    #[must_use]
    pub(crate) fn unechoed(mut self) -> Self {
        self.unechoed = true;
        self
    }

    /// Runs the child as this user and group. Only root may switch to another user.
    #[must_use]
    pub(crate) fn run_as(mut self, uid: u32, gid: u32) -> Self {
        self.run_as = Some((uid, gid));
        self
    }

    /// Runs the child through another program that runs its arguments, such as `sudo`.
    #[must_use]
    pub(crate) fn through(mut self, program: impl Into<String>) -> Self {
        let inner = std::mem::replace(&mut self.program, program.into());
        self.args.insert(0, inner.into());
        self
    }

    /// Passes each line that the child prints to the observer, under this name.
    #[must_use]
    pub(crate) fn relay(mut self, source: impl Into<String>) -> Self {
        self.relay = Some(source.into());
        self
    }
}

/// The command in shell syntax, secrets masked, as `-v` echoes and `--dry-run` prints it.
impl std::fmt::Display for Invocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (key, value) in &self.env {
            match value {
                EnvValue::Plain(value) => write!(f, "{key}={} ", quote(&value.to_string_lossy()))?,
                EnvValue::Secret(_) => write!(f, "{key}={} ", crate::secret::MASK)?,
            }
        }
        f.write_str(&quote(&self.program))?;
        for arg in &self.args {
            write!(f, " {}", quote(&arg.to_string_lossy()))?;
        }
        Ok(())
    }
}

/// Quotes a word for a shell.
pub(crate) fn quote(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| format!("{word:?}"), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_a_shell_reads_it() {
        let command = Invocation::new("docker").args(["compose", "ps"]).env("TAG", "a b");
        assert_eq!(command.to_string(), "TAG='a b' docker compose ps");
    }
}
