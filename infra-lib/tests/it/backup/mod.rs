//! Backups that are made while something goes wrong. However a run ends, nothing of it is listed or left, and the next one
//! makes a backup as if nothing had been.
//!
//! `INFRA_TEST_SCALE` multiplies how many places are injected into, `INFRA_TEST_SEED` chooses others.

mod disk;
mod engine;
mod killed;
mod publish;
mod server;
mod signals;
mod together;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::*;

const MANIFEST: &str = "[project]\nname = \"@name@\"\n[compose]\nservices = \"none\"\n";
const DIR: &str = "backups";

/// A project with a local database: a table of 1,000 rows, one of `more` kilobytes that do not compress well.
fn local(more: u32) -> TestProject {
    let project = TestProject::new().file("infra.toml", MANIFEST);
    project.xtask(["setup", "--yes"]).end().ok();
    sql(&project, &tables(more));
    project
}

/// The same in a container.
fn container() -> TestProject {
    let project = TestProject::new().compose(&format!("services:{DATABASE}"));
    project.xtask(["start"]).end().ok();
    sql(&project, &tables(10));
    project
}

/// The statements that make these tables.
fn tables(more: u32) -> String {
    format!(
        "CREATE TABLE plain AS SELECT i, md5(i::text) FROM generate_series(1, 1000) i; \
         CREATE TABLE random AS SELECT i, (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 50) WHERE i > 0) AS m \
         FROM generate_series(1, {more}) i"
    )
}

/// What the project's own database answers.
#[track_caller]
fn sql(project: &TestProject, text: &str) -> String {
    let ended = project.xtask(["db-shell", "-c", text, "--", "-At"]).end();
    ended.ok();
    ended.stdout.trim().to_owned()
}

/// What was listed before something goes wrong.
struct Before<'p> {
    project: &'p TestProject,
    listed: BTreeSet<String>,
}

/// How soon after its end nothing of a run is left.
const GONE: Duration = Duration::from_secs(5);

impl<'p> Before<'p> {
    /// What is listed now, in a folder that was used before.
    #[track_caller]
    fn of(project: &'p TestProject) -> Self {
        project.xtask(["db-backup"]).end().ok();
        Self { project, listed: listed(project) }
    }

    /// Nothing new is listed, nothing of the run that failed is left anywhere, and the next one is as good as any.
    #[track_caller]
    fn holds(self, ended: &Ended) {
        assert!(ended.exit != 0, "it should have failed: {ended}");
        self.unchanged(ended);
        self.tidy(ended);
        self.recovers();
    }

    #[track_caller]
    fn unchanged(&self, ended: &Ended) {
        assert_eq!(listed(self.project), self.listed, "what is listed after {ended}");
    }

    /// Nothing is in the folder that is not in the catalogue, and nothing works on.
    #[track_caller]
    fn tidy(&self, ended: &Ended) {
        wait_until("nothing of the run is left", GONE, || match leftovers(self.project, ended) {
            left if left.is_empty() => Ok(()),
            left => Err(format!("{left:?} after {ended}")),
        });
    }

    /// The next plain run makes one backup more, and sweeps.
    #[track_caller]
    fn recovers(self) {
        let next = self.project.xtask(["db-backup"]).end();
        next.ok();
        let now = listed(self.project);
        assert!(now.is_superset(&self.listed) && now.len() == self.listed.len() + 1, "{now:?} after {:?}", self.listed);
        self.tidy(&next);
    }
}

/// The backups, by the names of their files.
#[track_caller]
fn listed(project: &TestProject) -> BTreeSet<String> {
    let list = project.xtask(["db-backup", "--list", "--json"]).end();
    list.ok();
    let backups = list.outcome()["backups"].as_array().unwrap().clone();
    backups.iter().map(|backup| backup["file"].as_str().unwrap().to_owned()).collect()
}

/// What a run has left that it should not have: files, containers, sessions, processes.
fn leftovers(project: &TestProject, ended: &Ended) -> Vec<String> {
    let mut left = strays(project);
    let session = session(project);
    if project.path("compose.yml").exists() {
        let label = format!("label=infra.session={session}");
        left.extend(docker(["ps", "-a", "--filter", &label]).lines().skip(1).map(str::to_owned));
    }
    let query = format!("SELECT pid, state, query FROM pg_stat_activity WHERE application_name = '{session}'");
    left.extend(sql(project, &query).lines().map(str::to_owned));
    left.extend(survivors(&ended.mark));
    left
}

/// By what the server and the engine know what works for the folder.
fn session(project: &TestProject) -> String {
    let marker: serde_json::Value = serde_json::from_str(&project.read("backups/.infra-backups.json")).unwrap();
    format!("infra-backup-{}", marker["id"].as_str().unwrap())
}

/// What lies in the folder and belongs to no backup.
fn strays(project: &TestProject) -> Vec<String> {
    let mut known = BTreeSet::from([".infra-backups.json", "backup.lock", "latest"].map(str::to_owned));
    for file in listed(project) {
        let stem = file.rsplit_once('.').map_or(&*file, |(stem, _)| stem).to_owned();
        known.extend([file, format!("{stem}.json"), format!("{stem}.globals.sql")]);
    }
    let entries = std::fs::read_dir(project.path(DIR)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !known.contains(name)).collect()
}

/// Keeps everybody else from reading a table, until it is dropped.
#[track_caller]
fn hold(project: &TestProject, table: &str) -> Running {
    let mut session = project.xtask(["db-shell"]).spawn();
    session.type_in(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE;\n\\echo held {table}\n"));
    session.until(&format!("held {table}"));
    session
}

/// Waits until a dump waits for a lock.
#[track_caller]
fn until_somebody_waits(project: &TestProject) {
    wait_until("somebody waits for a lock", Duration::from_secs(20), || {
        match sql(project, "SELECT count(*) FROM pg_locks WHERE NOT granted").as_str() {
            "0" => Err("nobody waits".to_owned()),
            _ => Ok(()),
        }
    });
}
