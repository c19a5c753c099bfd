//! A project's local cluster, behind the back of the commands under test.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::guards::declared_postgres;
use super::pace::wait_until;
use super::processes::command;
use super::project::TestProject;

/// How the cluster of a project that was set up is reached by its superuser.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    bin: PathBuf,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Cluster {
    /// That of the default environment.
    #[track_caller]
    pub(crate) fn of(project: &TestProject) -> Self {
        let record: serde_json::Value = serde_json::from_str(&project.read(".infra/setup.json")).unwrap();
        let local = &record["local"]["development"];
        let home = project.path(local["dir"].as_str().expect("a recorded cluster"));
        let password = std::fs::read_to_string(home.join("password")).unwrap();
        Self {
            bin: declared_postgres(),
            port: local["port"].as_u64().unwrap().try_into().unwrap(),
            user: project.name().replace('-', "_"),
            password,
        }
    }

    /// One of PostgreSQL's programs, logged in to a database.
    pub(crate) fn tool(&self, tool: &str, database: &str) -> Command {
        let mut call = command(self.bin.join(tool));
        call.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string()).env("PGUSER", &self.user);
        call.env("PGPASSWORD", &self.password).env("PGDATABASE", database);
        call
    }

    /// Runs SQL, each statement by itself; what it answers, without alignment. An error fails the test.
    #[track_caller]
    pub(crate) fn ask(&self, database: &str, sql: &str) -> String {
        let mut psql = self.psql(database);
        psql.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
        let output = psql.wait_with_output().unwrap();
        assert!(output.status.success(), "{database:?}: {sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn psql(&self, database: &str) -> Child {
        let mut psql = self.tool("psql", database);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
        psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Locks a table so that no other session can read it, until the guard is dropped.
    #[track_caller]
    pub(crate) fn hold(&self, database: &str, table: &str) -> Held {
        let mut psql = self.psql(database);
        let script = format!("BEGIN;\nLOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n");
        psql.stdin.as_mut().unwrap().write_all(script.as_bytes()).unwrap();
        let sql = format!(
            "SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND mode = 'AccessExclusiveLock' AND granted"
        );
        wait_until("the lock is held", Duration::from_secs(10), || match self.ask(database, &sql).as_str() {
            "1" => Ok(()),
            other => Err(other.to_owned()),
        });
        Held(psql)
    }

    /// Waits until a session waits for a lock.
    #[track_caller]
    pub(crate) fn until_somebody_waits(&self) {
        let sql = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        wait_until("somebody waits for the lock", Duration::from_secs(30), || {
            match self.ask("postgres", sql).as_str() {
                "0" => Err("nobody waits".to_owned()),
                _ => Ok(()),
            }
        });
    }
}

/// A session that holds a lock; dropped, it lets go.
#[derive(Debug)]
pub(crate) struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
