//! Deploys of a project with a database: its schema, its backups, its gap.

use super::bed::{commit, git};
use crate::support::*;

/// A server and a service that depends on it.
fn project() -> Option<TestProject> {
    if !stack_can_run(&[IMAGE]) || tool("git").is_none() {
        return None;
    }
    let project = TestProject::new()
        .compose(&format!(
            "services:{DATABASE}\n  web: {{{SLEEPS}, depends_on: {{db: {{condition: service_healthy}}}}}}\n"
        ))
        .file("infra.toml", "[deploy]\nwatch = \"1s\"\n[environments.production]\nprotected = true\n")
        .file("migrations/1_first.up.sql", "create table a (x int, y int);\n")
        .file("migrations/1_first.down.sql", "drop table a;\n");
    git(&project, &["init", "-q"]);
    commit(&project);
    Some(project)
}

#[test]
fn h07_h34_h35_the_schema_and_the_code_stay_compatible() {
    let Some(project) = project() else { return };
    project.xtask(["deploy"]).limit(BUILD).end().ok();
    let ledger = |project: &TestProject| project.xtask(["db-migrate", "status", "--json"]).end().outcome();
    assert_eq!(ledger(&project)["migrations"][0]["state"], "applied");
    let server = project.container("db");

    // A compatible one: the database is not touched, and the way back is code only.
    project.write("migrations/2_more.up.sql", "alter table a add column z int;\n");
    project.write("migrations/2_more.down.sql", "alter table a drop column z;\n");
    commit(&project);
    project.xtask(["deploy"]).limit(BUILD).end().ok();
    assert_eq!(
        (ledger(&project)["migrations"][1]["state"].clone(), project.container("db")),
        ("applied".into(), server.clone())
    );
    project.xtask(["rollback"]).end().ok();
    assert_eq!(project.container("db"), server);
    let newest = project.xtask(["releases", "--json"]).end().ok().outcome()["releases"][1]["id"].clone();
    project.xtask(["deploy", newest.as_str().unwrap()]).end().ok();

    // One that breaks the code before it: the way back is refused, with the commands in order.
    project.write("migrations/3_drop.up.sql", "alter table a drop column y;\n");
    project.write("migrations/3_drop.down.sql", "alter table a add column y int;\n");
    commit(&project);
    project.xtask(["deploy"]).limit(BUILD).end().ok().says("3_drop.up.sql:1: drops a column");
    project.xtask(["rollback"]).end().code(77).says("3_drop.up.sql:1").says("db-migrate down --to 2").says("rollback");
    project.xtask(["db-migrate", "down", "--to", "2", "--yes"]).end().ok();
    project.xtask(["rollback"]).end().ok();
    assert_eq!(project.container("db"), server);
}

#[test]
fn h38_another_major_version_of_the_server_is_refused() {
    let Some(project) = project() else { return };
    if images(&["postgres:15-alpine"]).is_none() {
        return;
    }
    project.xtask(["deploy"]).limit(BUILD).end().ok();
    let containers = project.containers("");
    project.write("compose.yml", &project.read("compose.yml").replacen(IMAGE, "postgres:15-alpine", 1));
    commit(&project);
    project.xtask(["deploy"]).limit(BUILD).end().code(77).says("runs PostgreSQL 16").says("has 15").says("db-backup");
    assert_eq!(project.containers(""), containers);
}
