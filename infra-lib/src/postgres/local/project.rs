//! The project's own local cluster after its creation.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde::Serialize;

use crate::exit::Exit;
use crate::postgres::{Database, Place, url};
use crate::project::error::{Error, Result};
use crate::project::{DatabaseAxis, LocalRecord, Project, Record};

use super::binaries::Installation;
use super::cluster::{Cluster, Stop, remove_dir};
use super::login::Login;
use super::make::kept_password;
use super::owner::Owner;
use super::pid_file::PidFile;
use super::place::Identity;
use super::{log, place};

/// The local cluster of an environment and its state.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub(crate) struct LocalStatus {
    /// The folder that contains all files of the cluster.
    pub(crate) dir: Utf8PathBuf,
    /// The path of the server's log.
    pub(crate) log: Utf8PathBuf,
    /// The major version of PostgreSQL.
    pub(crate) version: u32,
    /// The port on the loopback address.
    pub(crate) port: u16,
    /// The server's process id, if it runs.
    pub(crate) pid: Option<i32>,
    /// When the server started, if it runs.
    pub(crate) since: Option<Timestamp>,
    /// Whether it accepts connections.
    pub(crate) ready: bool,
}

impl Project {
    /// The record that `setup` made of this environment's local cluster.
    pub(crate) fn local_record(&self) -> Option<&LocalRecord> {
        self.record()?.local.get(&self.environment().name)
    }

    fn recorded(&self) -> Result<&LocalRecord> {
        self.local_record().ok_or_else(|| {
            Error::new(Exit::Unavailable, "the local database has not been created yet")
                .with_hint("`cargo xtask setup` creates it")
        })
    }

    fn local_home(&self, record: &LocalRecord) -> Utf8PathBuf {
        self.root().join(&record.dir)
    }

    /// The recorded cluster. Returns an error if it belongs to another checkout.
    fn cluster(&self, record: &LocalRecord) -> Result<Cluster<'_>> {
        let home = self.local_home(record);
        let identity = place::claim(self, &home)?;
        let owner = Owner::from_data(&home.join(Cluster::DATA))?;
        let programs = Installation::of_major(self.runner(), identity.major)?;
        Ok(Cluster { runner: self.runner(), home, data: Cluster::DATA, programs, owner })
    }

    pub(in crate::postgres) fn local_database(&self) -> Result<Database> {
        let record = self.recorded()?;
        let home = self.local_home(record);
        // If its port was taken, the server listens on another one than recorded.
        let port = match PidFile::read(self.runner(), &home.join(Cluster::DATA)) {
            PidFile::Running(server) => server.port,
            _ => record.port,
        };
        self.local_database_at(&home, port)
    }

    fn local_database_at(&self, home: &Utf8Path, port: u16) -> Result<Database> {
        let Login { name, user, password } = Login::for_project(self)?;
        let password = password.or_else(|| kept_password(home));
        Ok(Database { name, user, password, place: Place::Local(LocalRecord { dir: home.to_owned(), port }) })
    }

    /// Starts the recorded cluster if it is not running, and logs in. Returns an error without a record, since an
    /// empty database must never replace one that cannot be reached.
    pub(crate) fn start_local_database(&self) -> Result<()> {
        let record = self.recorded()?;
        if self.runner().is_dry_run() && self.saved_record().is_none() {
            // In a dry run, `setup` only showed what it would create.
            self.runner().apply("start the local database", || -> Result<()> { Ok(()) })?;
            return Ok(());
        }
        let cluster = self.cluster(record)?;
        if cluster.server().is_none() {
            self.step("starting the local database");
        }
        let port = cluster.start(Some(record.port), &[])?;
        if self.runner().is_dry_run() {
            return Ok(());
        }
        if port != record.port {
            self.note(format_args!("the local database listens on port {port}: {} was taken", record.port));
            self.remember_port(port)?;
        }
        let database = self.local_database_at(&cluster.home, port)?;
        if let Some(password) = &database.password {
            self.runner().redactor().learn(password);
        }
        database.login(self).map(drop)
    }

    /// The record in `.infra/`, which may be older than the one this project was opened with.
    fn saved_record(&self) -> Option<LocalRecord> {
        self.state().read::<Record>(Record::FILE)?.local.remove(&self.environment().name)
    }

    fn remember_port(&self, port: u16) -> Result<()> {
        self.change_record(|local, environment| {
            if let Some(local) = local.get_mut(environment) {
                local.port = port;
            }
        })
    }

    /// Changes the local clusters in the record, and nothing else.
    fn change_record(&self, change: impl FnOnce(&mut BTreeMap<String, LocalRecord>, &str)) -> Result<()> {
        let Some(mut record) = self.state().read::<Record>(Record::FILE) else { return Ok(()) };
        change(&mut record.local, &self.environment().name);
        Ok(self.state().write(Record::FILE, &record)?)
    }

    /// Stops the cluster, if there is one, and returns whether it was running.
    pub(crate) fn stop_local_database(&self) -> Result<bool> {
        let Some(record) = self.local_record() else { return Ok(false) };
        if matches!(
            PidFile::read(self.runner(), &self.local_home(record).join(Cluster::DATA)),
            PidFile::Absent | PidFile::Dead | PidFile::Bogus
        ) {
            return Ok(false);
        }
        let cluster = self.cluster(record)?;
        self.step("stopping the local database");
        let ran = cluster.stop(Stop::Fast)?;
        if ran && !self.runner().is_dry_run() {
            if cluster.is_shut_down() {
                self.note("the local database shut down cleanly");
            } else {
                self.warn("the local database did not shut down cleanly; it will recover when it starts");
            }
        }
        Ok(ran)
    }

    /// The state of the recorded cluster; `None` without a record or its folder.
    pub(crate) fn local_status(&self) -> Option<LocalStatus> {
        let record = self.local_record().filter(|_| self.database_axis() == DatabaseAxis::Local)?;
        let dir = self.local_home(record);
        let version = Identity::read(&dir)?.major;
        let server = match PidFile::read(self.runner(), &dir.join(Cluster::DATA)) {
            PidFile::Running(server) => Some(server),
            _ => None,
        };
        Some(LocalStatus {
            log: dir.join(log::FILE),
            dir,
            version,
            port: server.as_ref().map_or(record.port, |server| server.port),
            pid: server.as_ref().map(|server| server.pid),
            since: server.as_ref().and_then(|server| server.since),
            ready: server.is_some_and(|server| server.ready),
        })
    }

    /// The last lines of the server's log, or all of them, with secrets masked.
    pub(crate) fn local_log_tail(&self, count: Option<usize>) -> Vec<String> {
        let Some(status) = self.local_status() else { return Vec::new() };
        log::tail(&status.log, count).iter().map(|line| self.runner().redactor().clean(line)).collect()
    }

    /// The URL of the local database, without the password.
    pub(crate) fn local_database_url(&self) -> Option<String> {
        self.local_record().filter(|_| self.database_axis() == DatabaseAxis::Local)?;
        let Database { name, user, place: Place::Local(LocalRecord { port, .. }), .. } = self.local_database().ok()?
        else {
            return None;
        };
        Some(url::write(&user, None, port, &name).expose().to_owned())
    }

    /// The folder of the local database and its size in bytes.
    pub(crate) fn local_database_size(&self) -> Option<(Utf8PathBuf, u64)> {
        let home = self.local_home(self.local_record()?);
        Identity::read(&home)?;
        let bytes = size(&home);
        Some((home, bytes))
    }

    /// Removes the cluster with all its data, and its record. The caller must have obtained consent.
    pub(crate) fn remove_local_database(&self) -> Result<()> {
        let Some(record) = self.local_record() else { return Ok(()) };
        let home = self.local_home(record);
        if home.join(Cluster::DATA).is_dir() {
            self.cluster(record)?.stop(Stop::Immediate)?;
        }
        // Only remove clusters of this project, whatever the record says.
        if Identity::read(&home).is_some_and(|identity| identity.root == self.root()) {
            self.runner().apply(format_args!("remove {home}"), || remove_dir(&home))?;
        }
        self.runner().apply("forget the local database", || {
            self.change_record(|local, environment| {
                local.remove(environment);
            })
        })?;
        Ok(())
    }
}

impl Database {
    /// The path of a client tool on this machine: of the cluster's own version, or else the newest.
    pub(in crate::postgres) fn host_tool(&self, project: &Project, tool: &str) -> Result<String> {
        let runner = project.runner();
        let major = match &self.place {
            Place::Local(record) => Identity::read(&project.root().join(&record.dir)).map(|identity| identity.major),
            _ => None,
        };
        Ok(Installation::with_client(runner, tool, major)?.program(tool))
    }
}

fn size(path: &Utf8Path) -> u64 {
    let entries = path.read_dir_utf8().into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.path().symlink_metadata() {
            Ok(stat) if stat.is_dir() => size(entry.path()),
            Ok(stat) => stat.len(),
            Err(_) => 0,
        })
        .sum()
}
