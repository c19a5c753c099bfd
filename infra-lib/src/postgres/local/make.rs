//! Creating the project's own local cluster.

use camino::Utf8Path;

use crate::dotenv::Generator;
use crate::exit::Exit;
use crate::failure::Failure as _;
use crate::fs::atomic;
use crate::lock::{Lock, Mode};
use crate::postgres::{Database, Place, PostgresError};
use crate::project::error::{Error, Result};
use crate::project::{LocalRecord, Project};
use crate::secret::Secret;

use super::binaries::{Installation, Requirement};
use super::build::{Draft, Durability};
use super::cluster::{Cluster, Stop};
use super::login::Login;
use super::owner::Owner;
use super::place::Identity;
use super::{init, place, port};

/// The folder in which a cluster is created. The last step renames it to [`Cluster::DATA`].
const DRAFT: &str = "data.new";

/// Creates this environment's local cluster if it is missing, with the project's database, and runs the init scripts.
/// Existing parts are kept, and the server is left running or stopped as before. Only `setup` calls this.
pub(crate) fn ensure(project: &Project, record: Option<&LocalRecord>) -> Result<LocalRecord> {
    let _lock = project.lock(Lock::Stack, Mode::Exclusive, "setup")?;
    let local = project.config().database.local.as_ref();
    let wanted = Requirement::from_config(local.and_then(|local| local.version.as_deref()))?;
    if let Some(record) = record {
        match place::claim(project, &project.root().join(&record.dir)) {
            Ok(identity) => return admitted(&identity, &wanted).map(|()| record.clone()),
            Err(error) if matches!(error.exit(), Exit::Unavailable | Exit::Refused) => {
                project.warn(format_args!("{error}; this checkout gets a new, empty one"));
            }
            Err(error) => return Err(error),
        }
    }
    let owner = Owner::for_new()?;
    let dir = place::choose(project, &owner)?;
    let home = project.root().join(&dir);
    let port = if home.join(Cluster::DATA).is_dir() {
        admitted(&place::claim(project, &home)?, &wanted)?;
        project.note(format_args!("found this checkout's local database in {home}"));
        port::free(None)
    } else {
        build(project, &home, owner, &wanted)?
    };
    Ok(LocalRecord { dir, port })
}

fn admitted(found: &Identity, wanted: &Requirement) -> Result<()> {
    if wanted.admits(found.major) {
        return Ok(());
    }
    let message =
        format!("the local database was created by PostgreSQL {}, but infra.toml requires one {wanted}", found.major);
    Err(Error::new(Exit::Config, message)
        .with_hint("`cargo xtask db-backup`, then `cargo xtask clean --volumes`, `cargo xtask setup` and `cargo xtask db-restore latest`"))
}

fn build(project: &Project, home: &Utf8Path, owner: Owner, wanted: &Requirement) -> Result<u16> {
    let runner = project.runner();
    let programs = Installation::for_new(runner, wanted, &owner)?;
    let scripts = init::scripts(project)?;
    runner.apply(format_args!("create {home}"), || place::make(home, &owner))?;
    let cluster = Cluster { runner, home: home.to_owned(), data: DRAFT, programs, owner };
    let draft = Draft(&cluster);
    cluster.client("psql")?;
    cluster.discard()?;
    let Login { name, user, password } = Login::for_project(project)?;
    let password = match password.or_else(|| kept_password(home)) {
        Some(password) => password,
        None => new_password(project, home)?,
    };
    runner.redactor().learn(&password);
    let place = Place::Local(LocalRecord { dir: home.to_owned(), port: 0 });
    let database = Database { name, user, password: Some(password.clone()), place };
    database.check_names()?;
    let identity = Identity::for_project(project, cluster.programs.major);
    runner.apply(format_args!("record in {home} whose database it is"), || identity.write(home))?;

    project.step(format_args!("creating a local database with PostgreSQL {}", cluster.programs.major));
    cluster.init(&database.user, &password, Durability::Kept)?;
    let port = cluster.start(stated_port(project), &[])?;
    create_database(&cluster, &database, port)?;
    for script in scripts {
        init::run(project, &cluster, &database, port, &script)?;
    }
    if !cluster.stop(Stop::Fast)? && !runner.is_dry_run() {
        // The server may run without being visible to us, so its folder must not be renamed.
        let message = "its server was not found among the processes of this machine".to_owned();
        return Err(PostgresError::Cluster { doing: "did not stop", message }.into());
    }
    cluster.finish()?;
    drop(draft);
    Ok(port)
}

/// Creates the database. The name is passed as a value; the server quotes it.
fn create_database(cluster: &Cluster<'_>, database: &Database, port: u16) -> Result<()> {
    let sql = "SELECT format('CREATE DATABASE %I', :'name')\n\
               WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec\n";
    let postgres = Database { name: "postgres".to_owned(), ..database.clone() };
    let call = init::psql(cluster, &postgres, port)?;
    cluster.runner.change(&call.args(["-v", &format!("name={}", database.name), "-f", "-"]).stdin(sql))?;
    Ok(())
}

/// The local port that the env files state for the database.
fn stated_port(project: &Project) -> Option<u16> {
    ["DB_PORT", "POSTGRES_PORT"].iter().find_map(|key| project.variables().value(key)?.parse().ok())
}

/// The file in the cluster's folder with a generated password, readable by its owner only.
const PASSWORD_FILE: &str = "password";

/// The password generated for a cluster, if the project's files contain none.
pub(super) fn kept_password(home: &Utf8Path) -> Option<Secret> {
    let text = std::fs::read_to_string(home.join(PASSWORD_FILE)).ok()?;
    Some(Secret::new(text.trim_end())).filter(|password| !password.is_empty())
}

fn new_password(project: &Project, home: &Utf8Path) -> Result<Secret> {
    let password = Generator::default().generate().map_err(|error| {
        Error::new(Exit::Failed, format!("no password could be generated: {error}"))
            .with_hint(error.hint().unwrap_or_default())
    })?;
    let path = home.join(PASSWORD_FILE);
    project.runner().apply(format_args!("write a new password to {path}"), || {
        atomic::replace(&path, password.expose().as_bytes())
    })?;
    Ok(password)
}
