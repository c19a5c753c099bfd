//! Migrations and seeds as `setup` applies them, on a local cluster.

use crate::support::*;

const MANIFEST: &str = r#"
[project]
name = "@name@"
[compose]
services = "none"
[migrations]
dir = "migrations"
seeds = { dir = "seeds" }
"#;

fn project() -> TestProject {
    TestProject::new()
        .file("infra.toml", MANIFEST)
        .file("migrations/1_tables.up.sql", "CREATE TABLE shop (name text);\n")
        .file("migrations/1_tables.down.sql", "DROP TABLE shop;\n")
        .file("seeds/1_shops.sql", "INSERT INTO shop VALUES ('corner') ON CONFLICT DO NOTHING;\n")
}

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

#[test]
fn d01_an_error_in_the_middle_leaves_nothing_of_its_file() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    project.write("migrations/2_half.sql", "CREATE TABLE half (id int);\nSELECT 1/0;\n");
    let error = setup(&project);
    error.code(1);
    let message = error.error()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("2_half.sql") && message.contains("division by zero"), "{message}");
    assert_eq!(ask(&project, "SELECT to_regclass('half') IS NULL AND to_regclass('shop') IS NOT NULL"), "t");

    project.write("migrations/2_half.sql", "CREATE TABLE half (id int);\n");
    assert!(changes(&project).contains(&"applied the migrations 2".to_owned()));
}

#[test]
fn d04_d05_d06_edited_missing_and_late_files_are_refused_before_any_change() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    project.write("migrations/3_last.sql", "CREATE TABLE last ();\n");
    setup(&project).code(0);

    project.write("migrations/2_late.sql", "CREATE TABLE late ();\n");
    setup(&project).code(65);
    std::fs::remove_file(project.path("migrations/2_late.sql")).unwrap();

    project.write("migrations/3_last.sql", "CREATE TABLE last ();\r\n");
    let edited = setup(&project);
    edited.code(65);
    assert!(edited.error()["message"].as_str().unwrap().contains("only its line ends"));

    std::fs::remove_file(project.path("migrations/3_last.sql")).unwrap();
    setup(&project).code(65);
    assert_eq!(ask(&project, "SELECT to_regclass('late') IS NULL"), "t");
}

#[test]
fn d07_d10_bad_names_and_embedded_commits_are_refused_before_anything_runs() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    project.write("migrations/2_ends.sql", "CREATE TABLE a ();\n-- not here: COMMIT\nCOMMIT;\n");
    let refused = setup(&project);
    refused.code(78);
    assert!(refused.error()["message"].as_str().unwrap().contains("2_ends.sql:3: `COMMIT`"));
    std::fs::remove_file(project.path("migrations/2_ends.sql")).unwrap();
    project.write("migrations/no-version.sql", "SELECT 1;\n");
    setup(&project).code(78);
    assert_eq!(ask(&project, "SELECT to_regclass('shop') IS NULL"), "t");
}

#[test]
fn d08_what_needs_no_transaction_says_so() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    project.write("migrations/2_index.sql", "CREATE INDEX CONCURRENTLY shop_name ON shop (name);\n");
    setup(&project).code(1);
    project.write("migrations/2_index.sql", "-- no-transaction\nCREATE INDEX CONCURRENTLY shop_name ON shop (name);\n");
    assert!(changes(&project).contains(&"applied the migrations 2".to_owned()));
    assert_eq!(ask(&project, "SELECT success FROM _sqlx_migrations WHERE version = 2"), "t");
}

#[test]
fn d14_d16_tables_of_unknown_making_are_left_alone() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    let manifest = project.read("infra.toml").replace("[migrations]", "[database]\ninit = [\"init\"]\n[migrations]");
    project.write("infra.toml", &manifest);
    project.write("init/1.sql", "CREATE TABLE other (id int);\n");
    setup(&project).code(0).says("nothing says which migrations made them");
    assert_eq!(ask(&project, "SELECT to_regclass('_sqlx_migrations') IS NULL AND to_regclass('shop') IS NULL"), "t");
}

#[test]
fn d17_meta_commands_and_variables_are_inert() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    let trap = project.path("trap");
    project.write("migrations/2_trap.sql", &format!("SELECT 1;\n\\! touch {}\n", trap.display()));
    setup(&project).code(1);
    assert!(!trap.exists(), "a meta-command of a migration was run");
    project.write("migrations/2_trap.sql", "INSERT INTO shop VALUES (':tx $1 \\! :''tx''');\n");
    setup(&project).code(0);
    assert_eq!(ask(&project, "SELECT name FROM shop WHERE name LIKE '%tx%'"), r":tx $1 \! :'tx'");
}
