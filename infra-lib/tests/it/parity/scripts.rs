//! The scripts that take a database away, on one that nobody needs.

use super::old::{cut, files, lay, run};
use crate::support::*;

const STACK: &str = "
services:
  postgres:
    image: @image@
    environment: {POSTGRES_PASSWORD: fixture-password, POSTGRES_USER: pagodirecto, POSTGRES_DB: pagodirecto_crm}
    healthcheck:
      test: [CMD, pg_isready, -q, -h, 127.0.0.1]
      start_period: 60s
      start_interval: 200ms
";

fn sql(project: &TestProject, database: &str, query: &str) -> String {
    let id = project.container("postgres");
    docker(["exec", &id, "psql", "-X", "-U", "pagodirecto", "-d", database, "-tAc", query])
}

/// Enough that half an archive is half of the rows.
const ROWS: &str = "create table orders as select g as id, md5(g::text) as code from generate_series(1, 20000) g; \
    create table parties as select g as id from generate_series(1, 10) g";

#[test]
fn backups_and_restores_of_old_and_ours() {
    let (Some(_engine), Some(_bash)) = (engine(), tool("bash")) else { return };
    let project = TestProject::new().file("docker-compose.yml", STACK);
    lay("pagodirecto", &project);
    lay("thrifting-buddy", &project);
    project.xtask(["start"]).end().ok();
    sql(&project, "pagodirecto_crm", ROWS);
    part("names", || names(&project));
    part("a dump that fails", || failed_dump(&project));
    part("a restore", || restored(&project));
    part("SQL for pg_restore", || sql_for_pg_restore(&project));
    part("options", || options(&project));
}

fn old(project: &TestProject, words: &[&str], input: &str) -> super::old::Done {
    run(project, words, &[], input)
}

/// B07: a name that leads out of the folder.
fn names(project: &TestProject) {
    old(project, &["./backup-db.sh", "first"], "").code(0).says("Integrity check passed");
    project.xtask(["db-backup", "--name", "first"]).end().ok();
    old(project, &["./backup-db.sh", "../outside"], "").code(0);
    assert!(project.path("outside.sql.gz").is_file(), "beside the folder of the backups");
    project.xtask(["db-backup", "--name", "../outside"]).end().code(64);
}

/// A31: the service is gone, the archive is empty, and it is whole.
fn failed_dump(project: &TestProject) {
    let id = project.container("postgres");
    docker(["stop", &id]);
    let before = files(project, "backups", ".dump").len();
    old(project, &["./backup-db.sh", "empty"], "").code(0).says("Integrity check passed").says("Backup complete");
    assert_eq!(super::old::unpacked(project, "backups/empty.sql.gz"), "");
    project.xtask(["db-backup"]).end().code(69);
    assert_eq!(files(project, "backups", ".dump").len(), before);
    docker(["start", &id]);
    project.xtask(["health", "--wait=60"]).end().ok();
}

/// C01, C19: the old one drops the database first; what the file holds is found out afterwards, by nobody.
fn restored(project: &TestProject) {
    let count = || sql(project, "pagodirecto_crm", "select count(*) from orders");
    cut(project, "backups/first.sql.gz", "backups/half.sql.gz");
    let ours = project.xtask(["db-restore", "backups/half.sql.gz", "--unverified", "--yes"]).end();
    ours.code(65);
    assert_eq!(count(), "20000", "nothing was touched");

    old(project, &["./restore-db.sh", "half"], "yes\n").code(0).says("Restore complete!");
    let left = sql(
        project,
        "pagodirecto_crm",
        "select count(*) from pg_class where relname in ('orders', 'parties') and reltuples >= -1",
    );
    let rows = if left == "0" { "0".to_owned() } else { count_of_all(project) };
    assert_ne!(rows, "20010", "half of the file is not all of the rows");

    old(project, &["./restore-db.sh", "first"], "yes\n").code(0).says("Restore complete!");
    assert_eq!(count(), "20000");
    sql(project, "pagodirecto_crm", "delete from orders");
    project.xtask(["db-restore", "first", "--yes"]).end().ok();
    assert_eq!(count(), "20000");
}

fn count_of_all(project: &TestProject) -> String {
    let query = "select coalesce(sum((xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %I', relname), false, true, '')))[1]::text::int), 0) \
        from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace";
    sql(project, "pagodirecto_crm", query)
}

/// "Restored", and nothing is.
fn sql_for_pg_restore(project: &TestProject) {
    let text = super::old::unpacked(project, "backups/first.sql.gz");
    std::fs::write(project.path("backup.sql"), text).unwrap();
    old(project, &["./restore.sh", "backup.sql"], "")
        .code(0)
        .says("Restored backup.sql")
        .says("input file appears to be a text format dump");
    sql(project, "pagodirecto_crm", "delete from orders");
    project.xtask(["db-restore", "backup.sql", "--unverified", "--yes"]).end().ok();
    assert_eq!(sql(project, "pagodirecto_crm", "select count(*) from orders"), "20000");
}

/// An option that nobody knows is ignored, and no is 0.
fn options(project: &TestProject) {
    old(project, &["./clean.sh", "--forse"], "").code(0).says("Cancelled");
    project.xtask(["clean", "--forse"]).end().code(64);
    project.xtask(["clean"]).end().code(64);
    assert_eq!(project.state("postgres"), "running");
    old(project, &["./clean.sh", "--all", "--force"], "").code(0).says("left out: docker compose down --rmi all");
    assert_eq!(project.state("postgres"), "gone");
}
