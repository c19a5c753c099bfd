//! What went wrong in the database is known in whatever language the server speaks.

use crate::support::*;

const GERMAN: &str = "de_DE.UTF-8";

/// A project with a local cluster that speaks German; `None` where this machine has no such locale.
fn german() -> Option<(TestProject, Cluster)> {
    let _postgres = postgres()?;
    let project = TestProject::new().file("infra.toml", "[project]\nname = \"@name@\"\n");
    project.xtask(["setup", "--yes"]).end().ok();
    let cluster = Cluster::of(&project);
    let set = format!("SET lc_messages = '{GERMAN}'; SELECT 1/0;");
    let output = cluster.tool("psql", "postgres").args(["-X", "-c", &set]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !said.contains("FEHLER") {
        return None;
    }
    cluster.ask("postgres", &format!("ALTER SYSTEM SET lc_messages = '{GERMAN}';"));
    cluster.ask("postgres", "SELECT pg_reload_conf();");
    let german = || {
        let output = cluster.tool("psql", "no_such_one").args(["-X", "-c", "SELECT 1"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if said.contains("existiert nicht") { Ok(()) } else { Err(said) }
    };
    wait_until("it speaks German", std::time::Duration::from_secs(20), german);
    Some((project, cluster))
}

fn point_at(project: &TestProject, database: &str) {
    project.write("infra.toml", &format!("[project]\nname = \"@name@\"\n[database]\n{database}\n"));
}

#[test]
fn d27_a_missing_database_and_a_missing_role_are_known_in_german() {
    let Some((project, cluster)) = german() else { return };
    let own = cluster.user.clone();
    point_at(&project, &format!("name = \"no_such_one\"\nuser = \"{own}\""));
    project.xtask(["db-backup"]).end().code(66);
    point_at(&project, &format!("name = \"{own}\"\nuser = \"no_such_role\""));
    project.xtask(["db-backup"]).end().code(77);
}

#[test]
fn d27_errors_in_statements_are_read_by_their_sqlstate() {
    let Some((project, cluster)) = german() else { return };
    project.write("migrations/1_bad.sql", "CREATE TABLE a (id int);\nSELECT no_such_column;\n");
    let failed = project.xtask(["db-migrate", "--json"]).end();
    failed.code(1).says("42703").says("no_such_column");
    // A restore that meets a session which it may end, and its comparison, work as in English.
    cluster.ask(&cluster.user, "CREATE TABLE goods (id int); INSERT INTO goods VALUES (1);");
    project.write("migrations/1_bad.sql", "SELECT 1;\n");
    project.xtask(["db-backup"]).end().ok();
    project.xtask(["db-restore", "latest", "--yes"]).end().ok();
}
