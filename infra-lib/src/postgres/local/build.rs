//! Creating a cluster.
//!
//! A cluster is created in a temporary folder next to the final one, including the last init script, and then
//! renamed. So a cluster with its final name is complete, even after an interruption; an incomplete one is deleted
//! and created again.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::cancel::CancelToken;
use crate::exec::{ExecError, Invocation, Runner};
use crate::exit::Exit;
use crate::postgres::error::CANNOT_MAKE;
use crate::project::error::{Error, Result};
use crate::report::Silent;
use crate::secret::Secret;

use super::cluster::{Cluster, Stop, remove_dir};
use super::pid_file;

/// `initdb` takes one second, but much longer on a slow disk because of syncing.
const DEADLINE: Duration = Duration::from_secs(300);

/// How durable a cluster must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// A cluster that is kept.
    Kept,
    /// A cluster that is deleted after a test.
    Temporary,
}

impl Cluster<'_> {
    /// Creates an empty cluster with UTF-8, checksums, password authentication for all users, and `user` as its
    /// superuser.
    pub(super) fn init(&self, user: &str, password: &Secret, durability: Durability) -> Result<()> {
        if password.expose().contains(['\n', '\r', '\0']) || password.is_empty() {
            return Err(Error::new(Exit::Config, "the database's password is empty or has a line break in it")
                .with_hint("`cargo xtask env rotate` generates another one"));
        }
        // `initdb` cannot quote these, and neither can it in the image.
        if user.contains(['"', '\'', '$', '\\', '\n', '\r', '\0']) {
            return Err(Error::new(Exit::Config, format!("a local database cannot be created for the user `{user}`"))
                .with_hint("choose a name without quotes, `$`, backslash and line breaks"));
        }
        let data = self.data();
        self.runner.apply(format_args!("create {data}"), || {
            remove_dir(&data)?;
            DirBuilder::new().mode(0o700).create(&data).map_err(Error::file("create", &data))?;
            self.owner.give(&data)
        })?;
        let password_file = PasswordFile(self.home.join("pwfile"));
        if !self.runner.is_dry_run() {
            password_file.write(self, password)?;
        }
        let mut call = self
            .call("initdb")
            .args(["-D", self.data, "--encoding=UTF8", "--auth-host=scram-sha-256", "--auth-local=scram-sha-256"])
            .args([format!("--locale={}", locale(self.runner)), format!("--username={user}")])
            .args(["--pwfile", "pwfile"])
            .relay("initdb")
            .deadline(DEADLINE);
        call = match durability {
            Durability::Kept => call.arg("--data-checksums"),
            // Small WAL segments, since the first one is written in full.
            Durability::Temporary => call.args(["--no-sync", "--wal-segsize=1"]),
        };
        self.runner.change(&call).map_err(|error| match error {
            ExecError::Exited { .. } => self.failed(CANNOT_MAKE, "", &error),
            error => error.into(),
        })?;
        self.runner.apply(format_args!("set the time zone to UTC in {data}/postgresql.conf"), || {
            let path = data.join("postgresql.conf");
            let mut file = OpenOptions::new().append(true).open(&path).map_err(Error::file("write", &path))?;
            // Like the image: stored data must not depend on a machine's time zone.
            file.write_all(b"\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n").map_err(Error::file("write", &path))
        })?;
        Ok(())
    }

    /// Stops processes that an interrupted run left in an unfinished folder, and removes the folder.
    pub(super) fn discard(&self) -> Result<()> {
        if !self.data().exists() {
            return Ok(());
        }
        let data = self.data();
        if !self.runner.is_dry_run() {
            pid_file::end_makers(self.runner, &self.home, &self.owner);
        }
        self.stop(Stop::Immediate)?;
        self.runner.apply(format_args!("remove {data}, which was never finished"), || remove_dir(&data))?;
        Ok(())
    }

    /// Renames the finished folder to its final name.
    pub(super) fn finish(&self) -> Result<()> {
        let (data, target) = (self.data(), self.home.join(Self::DATA));
        self.runner.apply(format_args!("rename {data} to {target}"), || {
            let renamed = std::fs::rename(&data, &target);
            let synced = renamed.and_then(|()| std::fs::File::open(&self.home)?.sync_all());
            synced.map_err(Error::file("rename", &data))
        })?;
        Ok(())
    }
}

/// A cluster in creation. Unless it is finished, dropping this removes its files and processes.
pub(super) struct Draft<'a>(pub(super) &'a Cluster<'a>);

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if self.0.runner.is_dry_run() || self.0.home.join(Cluster::DATA).exists() {
            return;
        }
        // Even after Ctrl-C, when the caller's runner starts nothing any more.
        let runner = unattended();
        let Cluster { home, data, programs, owner, .. } = self.0;
        let cluster =
            Cluster { runner: &runner, home: home.clone(), data, programs: programs.clone(), owner: owner.clone() };
        // The next run removes what cannot be removed now.
        if cluster.discard().is_ok() && holds_only(home, &LEFTOVERS) {
            let _ = remove_dir(home);
        }
    }
}

/// The files created in a cluster's folder before its data.
const LEFTOVERS: [&str; 4] = ["cluster.json", "password", "pwfile", "server.log"];

/// Whether the folder contains nothing else, such as old data that a user kept there.
fn holds_only(folder: &Utf8Path, names: &[&str]) -> bool {
    folder
        .read_dir_utf8()
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|entry| names.contains(&entry.file_name()))))
}

/// A runner that cannot be cancelled.
pub(super) fn unattended() -> Runner {
    Runner::new(None, Arc::new(Silent), CancelToken::new(), false)
}

/// A file with the superuser's password for `initdb`. Dropping this removes it.
struct PasswordFile(Utf8PathBuf);

impl PasswordFile {
    fn write(&self, cluster: &Cluster<'_>, password: &Secret) -> Result<()> {
        let _ = std::fs::remove_file(&self.0);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.0);
        let written = file.and_then(|mut file| writeln!(file, "{}", password.expose()));
        written.map_err(Error::file("write", &self.0))?;
        cluster.owner.give(&self.0)
    }
}

impl Drop for PasswordFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The C locale with UTF-8, under the name that this system uses.
fn locale(runner: &Runner) -> &'static str {
    let list = runner.read(&Invocation::new("locale").minimal_env().arg("-a")).map(|output| output.text());
    let has = |name: &str| list.as_ref().is_ok_and(|list| list.lines().any(|line| line.eq_ignore_ascii_case(name)));
    if has("C.UTF-8") || has("C.utf8") { "C.UTF-8" } else { "C" }
}
