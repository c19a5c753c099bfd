//! A command as a value.

use std::ffi::OsString;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::environment::Inherit;
use crate::Secret;

/// What a child reads.
#[derive(Debug, Clone, Default)]
pub enum Stdin {
    /// Nothing. The caller's own input is never inherited by accident.
    #[default]
    Null,
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// An open file or pipe, from where it stands; only one run can read it.
    File(Arc<File>),
}

/// A value of a child's environment: shown in an echoed command, or masked.
#[derive(Debug, Clone)]
pub(super) enum EnvValue {
    Plain(OsString),
    Secret(Secret),
}

/// Which program to run, with what, and within which bounds. A pure value: building one runs nothing.
///
/// ```
/// use infra_lib::exec::Invocation;
/// let command = Invocation::new("docker").args(["compose", "ps"]).env("TAG", "a b");
/// assert_eq!(command.to_string(), "TAG='a b' docker compose ps");
/// ```
#[derive(Debug, Clone)]
pub struct Invocation {
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
}

impl Invocation {
    /// A call of `program`, a name to be looked up on `PATH` or an absolute path. It inherits the caller's environment
    /// without the variables that redirect Compose, PostgreSQL and the dynamic linker.
    pub fn new(program: impl Into<String>) -> Self {
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
        }
    }

    /// Inherit nothing but what a program needs to start.
    #[must_use]
    pub fn minimal_env(mut self) -> Self {
        self.inherit = Inherit::Minimal;
        self
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable that may be shown.
    #[must_use]
    pub fn env(mut self, key: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.env.push((key.into(), EnvValue::Plain(value.into())));
        self
    }

    /// Sets a variable that is masked wherever the command is shown.
    #[must_use]
    pub fn secret_env(mut self, key: impl Into<String>, value: &Secret) -> Self {
        self.env.push((key.into(), EnvValue::Secret(value.clone())));
        self
    }

    /// Lets another program start this one, which it finds after these words.
    #[must_use]
    pub(crate) fn inside<S: Into<OsString>>(mut self, program: &str, words: impl IntoIterator<Item = S>) -> Self {
        let inner = OsString::from(std::mem::replace(&mut self.program, program.to_owned()));
        self.args.splice(0..0, words.into_iter().map(Into::into).chain([inner]));
        self
    }

    /// Runs in this folder.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<Utf8PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// Feeds these bytes to the child.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Stdin::Bytes(bytes.into());
        self
    }

    /// Feeds what is left of this file or pipe to the child.
    #[must_use]
    pub fn stdin_file(mut self, file: File) -> Self {
        self.stdin = Stdin::File(Arc::new(file));
        self
    }

    /// Takes what is written into this named pipe for the child's stdout, as well as its stdout itself: what passes
    /// through an engine's own stream does so at a third of the speed.
    #[must_use]
    pub(crate) fn inlet(mut self, fifo: impl Into<Utf8PathBuf>) -> Self {
        self.inlet = Some(fifo.into());
        self
    }

    /// Stops the child after this time.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Stops the child after this time, unless it already has a shorter one.
    #[must_use]
    pub(crate) fn deadline_at_most(mut self, deadline: Duration) -> Self {
        self.deadline = Some(self.deadline.map_or(deadline, |own| own.min(deadline)));
        self
    }

    /// Stops the child when it has printed nothing for this time.
    #[must_use]
    pub fn stall(mut self, stall: Duration) -> Self {
        self.stall = Some(stall);
        self
    }

    /// Runs as this user and group. Only root may ask for another than itself.
    #[must_use]
    pub fn run_as(mut self, uid: u32, gid: u32) -> Self {
        self.run_as = Some((uid, gid));
        self
    }

    /// The same through another program that runs its arguments, such as `sudo`.
    #[must_use]
    pub fn through(mut self, program: impl Into<String>) -> Self {
        let inner = std::mem::replace(&mut self.program, program.into());
        self.args.insert(0, inner.into());
        self
    }

    /// Passes each line that the child prints to the observer, under this name.
    #[must_use]
    pub fn relay(mut self, source: impl Into<String>) -> Self {
        self.relay = Some(source.into());
        self
    }
}

/// The command as a shell would read it, secrets masked: what `-v` echoes and `--dry-run` prints.
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

fn quote(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| format!("{word:?}"), std::borrow::Cow::into_owned)
}
