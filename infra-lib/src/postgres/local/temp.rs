//! A temporary PostgreSQL server for tests.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::dotenv::Generator;
use crate::exec::Runner;
use crate::exit::Exit;
use crate::postgres::{Database, Place, PostgresError, Tls, url};
use crate::project::error::{Error, Result};
use crate::project::{LocalRecord, Project};
use crate::secret::Secret;

use super::binaries::{Installation, Requirement};
use super::build::{Durability, unattended};
use super::cluster::{Cluster, Stop, remove_dir};
use super::owner::Owner;
use super::{init, place};

/// A temporary PostgreSQL server for a test. Dropping it removes its processes, files and port.
///
/// It needs PostgreSQL's programs on this machine, but no container, configuration or privileges; as root, the server
/// runs as an unprivileged user. Tests can run any number in parallel. It does not sync to disk, so it is fast, but
/// does not survive a crash. The next start removes what a killed test left behind.
///
/// A `static` is never dropped: such a server runs until the next start removes it.
///
/// ```no_run
/// use infra_lib::postgres::TempDatabase;
///
/// let database = TempDatabase::start()?;
/// database.query("CREATE TABLE users (name text)")?;
/// let url = database.url(); // for the client that the test is about: `connect(url.expose())`
/// # Ok::<(), infra_lib::Error>(())
/// ```
#[derive(Debug)]
pub struct TempDatabase {
    runner: Runner,
    home: Utf8PathBuf,
    programs: Installation,
    owner: Owner,
    database: Database,
    port: u16,
    // Locked while this process lives. A folder whose lock is free belongs to a dead test.
    _lock: File,
}

const PREFIX: &str = "infra-postgres-";
const LOCK: &str = "lock";
/// A younger folder without a lock file may still be in creation.
const YOUNG: Duration = Duration::from_secs(60);

const SETTINGS: [&str; 7] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "shared_buffers=32MB",
    // Inside the folder, so that nothing is left in /dev/shm if we are killed.
    "dynamic_shared_memory_type=mmap",
];

impl TempDatabase {
    /// Creates and starts a server and waits until it accepts connections, which takes one to two seconds.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) on a machine without PostgreSQL; the server's message if
    /// it does not start.
    pub fn start() -> Result<Self> {
        let runner = unattended();
        let owner = Owner::for_new()?;
        let programs = Installation::for_new(&runner, &Requirement::default(), &owner)?;
        let base = base(&owner)?;
        sweep(&runner, &base, &programs);
        let home = make(&base, &owner)?;
        let lock = lock(&home)?;
        let password = secret()?;
        runner.redactor().learn(&password);
        let place = Place::Local(LocalRecord { dir: home.clone(), port: 0 });
        let (name, user) = ("postgres".to_owned(), "postgres".to_owned());
        let database = Database { name, user, password: Some(password.clone()), place };
        // From here on, a failure removes everything.
        let mut temp = Self { runner, home, programs, owner, database, port: 0, _lock: lock };
        let cluster = temp.cluster();
        cluster.init(&temp.database.user, &password, Durability::Temporary)?;
        temp.port = cluster.start(None, &SETTINGS)?;
        Ok(temp)
    }

    /// The server as a database for operations. Its password is masked in all output of `project`.
    pub(crate) fn as_database(&self, project: &Project) -> Database {
        if let Some(password) = &self.database.password {
            project.runner().redactor().learn(password);
        }
        let tls = Tls::of_mode("disable");
        let place = Place::Url { host: self.host().to_owned(), port: self.port, tls, client: None };
        Database { place, ..self.database.clone() }
    }

    /// The connection URL: `postgres://user:password@127.0.0.1:port/database`.
    pub fn url(&self) -> Secret {
        url::write(&self.database.user, self.database.password.as_ref(), self.port, &self.database.name)
    }

    /// The host, which is always the loopback address.
    pub fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// The port on the loopback address.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.database.name
    }

    /// The role, which is a superuser.
    pub fn user(&self) -> &str {
        &self.database.user
    }

    /// The role's password, generated for this server.
    pub fn password(&self) -> Secret {
        self.database.password.clone().unwrap_or_else(|| Secret::new(""))
    }

    /// Runs one or more SQL statements and returns the rows as lines, with fields separated by tabs. Stops at the
    /// first error.
    pub fn query(&self, sql: &str) -> Result<String> {
        let call = init::psql(&self.cluster(), &self.database, self.port)?;
        let call = call.args(["-A", "-t", "-F", "\t", "-f", "-"]).stdin(sql);
        Ok(self.runner.read(&call).map(|output| output.text()).map_err(PostgresError::from_exec)?)
    }

    fn cluster(&self) -> Cluster<'_> {
        Cluster {
            runner: &self.runner,
            home: self.home.clone(),
            data: Cluster::DATA,
            programs: self.programs.clone(),
            owner: self.owner.clone(),
        }
    }
}

impl Drop for TempDatabase {
    fn drop(&mut self) {
        remove(&self.cluster());
    }
}

/// Stops the server and removes its folder. The next start removes anything that is left.
fn remove(cluster: &Cluster<'_>) {
    if cluster.stop(Stop::Immediate).is_ok() {
        let _ = remove_dir(&cluster.home);
    }
}

fn secret() -> Result<Secret> {
    Generator::default()
        .generate()
        .map_err(|error| Error::new(Exit::Failed, format!("no password could be generated: {error}")))
}

/// The system's folder for temporary files, or another one if the server's user cannot access it.
fn base(owner: &Owner) -> Result<Utf8PathBuf> {
    let own = Utf8PathBuf::from_path_buf(std::env::temp_dir()).ok();
    let folders = own.into_iter().chain(["/tmp".into(), "/var/tmp".into()]);
    folders.filter_map(|folder| folder.canonicalize_utf8().ok()).find(|folder| owner.may_enter(folder)).ok_or_else(
        || {
            Error::new(Exit::CannotCreate, "found no folder for temporary files that PostgreSQL's user can enter")
                .with_hint("set TMPDIR to one of mode 0711 or 0755")
        },
    )
}

fn make(base: &Utf8Path, owner: &Owner) -> Result<Utf8PathBuf> {
    let name = secret()?.expose()[..12].replace('-', "_");
    let home = base.join(format!("{PREFIX}{name}"));
    place::make_one(&home, owner)?;
    Ok(home)
}

/// Creates the lock file. It gets its name only once it is locked; otherwise another start could lock it and treat us
/// as dead.
fn lock(home: &Utf8Path) -> Result<File> {
    let (path, draft) = (home.join(LOCK), home.join("lock.new"));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
    let file = file.and_then(|file| file.lock().map(|()| file));
    let file = file.and_then(|file| std::fs::rename(&draft, &path).map(|()| file));
    file.map_err(Error::file("create", &path))
}

/// Removes what killed tests left behind.
fn sweep(runner: &Runner, base: &Utf8Path, programs: &Installation) {
    for entry in base.read_dir_utf8().into_iter().flatten().flatten() {
        let home = entry.path();
        let ours = home
            .symlink_metadata()
            .ok()
            .filter(|stat| stat.is_dir() && stat.uid() == rustix::process::geteuid().as_raw());
        let Some(stat) = ours.filter(|_| entry.file_name().starts_with(PREFIX)) else { continue };
        // Held during the removal, so that a parallel start does not remove the same folder.
        let lock = OpenOptions::new().write(true).open(home.join(LOCK));
        let dead = lock.as_ref().map_or_else(|_| is_old(&stat), |lock| lock.try_lock().is_ok());
        if !dead {
            continue;
        }
        let owner = Owner::from_data(&home.join(Cluster::DATA));
        let Ok(owner) = owner.or_else(|_| Owner::for_new()) else { continue };
        let cluster = Cluster { runner, home: home.to_owned(), data: Cluster::DATA, programs: programs.clone(), owner };
        remove(&cluster);
    }
}

fn is_old(stat: &Metadata) -> bool {
    stat.modified().ok().and_then(|time| time.elapsed().ok()).is_some_and(|age| age > YOUNG)
}
