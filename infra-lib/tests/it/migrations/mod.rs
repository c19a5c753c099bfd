//! Migrations and seeds, on a local cluster unless a test says otherwise.

mod commands;
mod faults;
mod interop;
mod kills;
mod locks;
mod places;
mod seeds;
mod tools;

use crate::support::*;

const MANIFEST: &str = r#"
[project]
name = "@name@"
[compose]
services = "none"
[migrations]
dir = "migrations"
backup-first = false
seeds = { dir = "seeds" }
"#;

fn project() -> TestProject {
    TestProject::new()
        .file("infra.toml", MANIFEST)
        .file("migrations/1_tables.up.sql", "CREATE TABLE shop (name text);\n")
        .file("migrations/1_tables.down.sql", "DROP TABLE shop;\n")
        .file("seeds/1_shops.sql", "INSERT INTO shop VALUES ('corner') ON CONFLICT DO NOTHING;\n")
}

/// One that is set up, with the first migration applied.
fn migrated() -> TestProject {
    let project = project();
    setup(&project).code(0);
    project
}

/// `db-migrate` with these words.
fn migrate(project: &TestProject, words: &str) -> Ended {
    project.xtask(["db-migrate"].into_iter().chain(words.split_whitespace())).end()
}

/// Every row of the ledger: `version:success`.
const ROWS: &str =
    "SELECT coalesce(string_agg(version || ':' || success, ' ' ORDER BY version), '') FROM _sqlx_migrations";

fn setup(project: &TestProject) -> Ended {
    project.xtask(["setup", "--yes", "--json"]).end()
}

fn changes(project: &TestProject) -> Vec<String> {
    let outcome = setup(project).outcome();
    outcome["changes"].as_array().unwrap().iter().map(|change| change.as_str().unwrap().to_owned()).collect()
}

fn ask(project: &TestProject, sql: &str) -> String {
    let ended = project.xtask(["db-shell", "-c", sql, "--", "-At"]).end();
    ended.ok();
    ended.stdout.trim().to_owned()
}

#[test]
fn each_migration_and_seed_happens_once() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    let first = changes(&project);
    assert!(
        first.contains(&"applied the migrations 1".to_owned()) && first.contains(&"seeded 1_shops.sql".to_owned()),
        "{first:?}"
    );
    assert_eq!(changes(&project), [""; 0], "a second setup changes nothing");

    project.write("migrations/2_more.sql", "ALTER TABLE shop ADD open boolean;\n");
    project.write("seeds/1_shops.sql", "INSERT INTO shop VALUES ('mill');\n");
    assert_eq!(changes(&project), ["applied the migrations 2", "seeded 1_shops.sql"]);
    assert_eq!(ask(&project, "SELECT string_agg(name, ',' ORDER BY name) FROM shop"), "corner,mill");
    let rows = "SELECT string_agg(version || ':' || description || ':' || success, ' ' ORDER BY version) FROM _sqlx_migrations";
    assert_eq!(ask(&project, rows), "1:tables:true 2:more:true");
    // The checksum is the one that sqlx computes.
    let sha384 = "SELECT encode(checksum, 'hex') = encode(sha384('ALTER TABLE shop ADD open boolean;\n'), 'hex') FROM _sqlx_migrations WHERE version = 2";
    assert_eq!(ask(&project, &sha384.replace("'ALTER", "E'ALTER").replace('\n', "\\n")), "t");
}
