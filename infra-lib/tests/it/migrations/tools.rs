//! Other tools' files and ledgers, each as that tool makes them.

use super::*;

/// A project with a local database and these files, nothing of which is migrated yet.
fn project(files: &[(&str, &str)]) -> TestProject {
    let manifest = "[project]\nname = \"@name@\"\n[compose]\nservices = \"none\"\n[migrations]\nbackup-first = false\n";
    let project = TestProject::new().file("infra.toml", manifest);
    setup(&project).code(0);
    for (path, text) in files {
        project.write(path, text);
    }
    project
}

fn states(project: &TestProject) -> Vec<String> {
    let status = project.xtask(["db-migrate", "status", "--json"]).end().outcome();
    let one = |it: &serde_json::Value| format!("{} {}", it["version"].as_str().unwrap(), it["state"].as_str().unwrap());
    let all: Vec<String> = status["migrations"].as_array().unwrap().iter().map(one).collect();
    [vec![status["tool"].as_str().unwrap().to_owned()], all].concat()
}

#[test]
fn dbmate() {
    let Some(_postgres) = postgres() else { return };
    let project = project(&[
        (
            "db/migrations/20240101000000_a.sql",
            "-- migrate:up\nCREATE TABLE a (id int);\n\n-- migrate:down\nDROP TABLE a;\n",
        ),
        (
            "db/migrations/20240102000000_i.sql",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY i ON a (id);\n-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY i;\n",
        ),
    ]);
    migrate(&project, "up --steps 1").ok().shows("applied 20240101000000\n");
    assert_eq!(states(&project), ["dbmate", "20240101000000 applied", "20240102000000 pending"]);
    migrate(&project, "").ok();
    assert_eq!(
        ask(&project, "SELECT string_agg(version, ',' ORDER BY version) FROM schema_migrations"),
        "20240101000000,20240102000000"
    );
    migrate(&project, "down --yes").ok().shows("reverted 20240102000000\n");
    migrate(&project, "down --yes").ok();
    assert_eq!(ask(&project, "SELECT count(*) || coalesce(to_regclass('a')::text, '-') FROM schema_migrations"), "0-");
    migrate(&project, "check").ok();
    project.write("db/migrations/20240103000000_bad.sql", "-- migrate:up\n\nSELECT 1/0;\n");
    migrate(&project, "").code(1).says("20240103000000_bad.sql:3: division by zero");
    migrate(&project, "new more").ok();
    project.write("db/migrations/20240104000000_odd.sql", "SELECT 1;\n");
    migrate(&project, "").code(78).says("migrate:up");
}

#[test]
fn golang_migrate() {
    let Some(_postgres) = postgres() else { return };
    let project = project(&[
        ("migrations/000001_a.up.sql", "BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\n"),
        ("migrations/000001_a.down.sql", "DROP TABLE a;\n"),
        ("migrations/000002_i.up.sql", "CREATE INDEX CONCURRENTLY i ON a (id);\n"),
        ("migrations/000002_i.down.sql", "DROP INDEX i;\n"),
    ]);
    // By its files it could be sqlx's as well; the ledger decides, as that tool has made it.
    ask(&project, "CREATE TABLE schema_migrations (version bigint not null primary key, dirty boolean not null)");
    assert_eq!(states(&project), ["golang-migrate", "1 pending", "2 pending"]);
    migrate(&project, "").ok().shows("applied 1, 2\n");
    assert_eq!(ask(&project, "SELECT string_agg(version || ':' || dirty, ' ') FROM schema_migrations"), "2:false");
    migrate(&project, "down --yes").ok().shows("reverted 2\n");
    assert_eq!(ask(&project, "SELECT string_agg(version || ':' || dirty, ' ') FROM schema_migrations"), "1:false");
    assert_eq!(states(&project), ["golang-migrate", "1 applied", "2 pending"]);
    ask(&project, "UPDATE schema_migrations SET version = 2, dirty = true");
    migrate(&project, "").code(3).says("version 2 failed half way");
    migrate(&project, "repair").ok().shows("pending again: 2\n");
    migrate(&project, "").ok().shows("applied 2\n");
    migrate(&project, "down --to 0 --yes").ok();
    assert_eq!(ask(&project, "SELECT count(*) FROM schema_migrations"), "0");
}

#[test]
fn flyway() {
    let Some(_postgres) = postgres() else { return };
    let project = project(&[
        ("db/migration/V1__First_one.sql", "CREATE TABLE a (id int);\r\n"),
        ("db/migration/V1.1__Index.sql", "CREATE INDEX CONCURRENTLY i ON a (id);\n"),
        ("db/migration/U1.1__Index.sql", "DROP INDEX i;\n"),
        ("db/migration/R__views.sql", "CREATE OR REPLACE VIEW v AS SELECT * FROM a;\n"),
    ]);
    migrate(&project, "").ok().says("R__views.sql is left to flyway").shows("applied 1, 1.1\n");
    // Flyway's own way: CRC-32 of the lines without their ends, as a signed number.
    let row = "SELECT concat_ws('|', installed_rank, version, description, type, script, checksum, success) FROM flyway_schema_history ORDER BY 1 LIMIT 1";
    assert_eq!(
        ask(&project, row),
        format!("1|1|First one|SQL|V1__First_one.sql|{}|t", crc32("CREATE TABLE a (id int);"))
    );
    project.write("db/migration/V1__First_one.sql", "CREATE TABLE a (id int);\n");
    migrate(&project, "status").ok();
    migrate(&project, "down --yes").ok().shows("reverted 1.1\n");
    assert_eq!(states(&project), ["flyway", "1 applied", "1.1 pending"]);
    migrate(&project, "").ok().shows("applied 1.1\n");
    project.write("db/migration/V1__First_one.sql", "CREATE TABLE a (id bigint);\n");
    migrate(&project, "").code(65);
    // A baseline stands for everything before it.
    ask(&project, "DELETE FROM flyway_schema_history");
    ask(
        &project,
        "INSERT INTO flyway_schema_history VALUES (1, '1.1', 'x', 'BASELINE', 'x', NULL, 'x', now(), 0, true)",
    );
    assert_eq!(states(&project), ["flyway", "1 applied", "1.1 applied"]);
}

fn crc32(text: &str) -> i32 {
    let crc = !text.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    });
    crc.cast_signed()
}

#[test]
fn what_other_tools_have_applied_is_read_and_left_to_them() {
    let Some(_postgres) = postgres() else { return };
    let project = project(&[
        ("prisma/migrations/20240101000000_init/migration.sql", "SELECT 1;\n"),
        ("prisma/migrations/20240102000000_more/migration.sql", "SELECT 2;\n"),
        ("prisma/migrations/20240103000000_last/migration.sql", "SELECT 3;\n"),
    ]);
    ask(
        &project,
        "CREATE TABLE _prisma_migrations (id varchar(36) primary key, checksum varchar(64), finished_at timestamptz, migration_name varchar(255), \
         logs text, rolled_back_at timestamptz, started_at timestamptz default now(), applied_steps_count int default 0)",
    );
    ask(
        &project,
        "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name) VALUES \
         ('a', encode(sha256(E'SELECT 1;\\n'), 'hex'), now(), '20240101000000_init'), ('b', 'x', now(), '20240102000000_more')",
    );
    assert_eq!(
        states(&project),
        ["prisma", "20240101000000_init applied", "20240102000000_more edited", "20240103000000_last pending"]
    );
    migrate(&project, "").code(77).says("prisma's, which has to apply them itself");
    std::fs::remove_dir_all(project.path("prisma")).unwrap();
    ask(&project, "DROP TABLE _prisma_migrations");

    project.write("migrations/2024-01-01-000000_a/up.sql", "SELECT 1;\n");
    project.write("migrations/2024-01-02-000000_b/up.sql", "SELECT 1;\n");
    ask(
        &project,
        "CREATE TABLE __diesel_schema_migrations (version varchar(50) primary key, run_on timestamp default current_timestamp)",
    );
    ask(&project, "INSERT INTO __diesel_schema_migrations (version) VALUES ('20240101000000')");
    assert_eq!(states(&project), ["diesel", "20240101000000 applied", "20240102000000 pending"]);
    std::fs::remove_dir_all(project.path("migrations")).unwrap();
    ask(&project, "DROP TABLE __diesel_schema_migrations");

    project.write("supabase/migrations/20240101000000_a.sql", "SELECT 1;\n");
    project.write("supabase/migrations/20240102000000_b.sql", "SELECT 1;\n");
    ask(
        &project,
        "CREATE SCHEMA supabase_migrations CREATE TABLE schema_migrations (version text primary key, statements text[], name text)",
    );
    ask(&project, "INSERT INTO supabase_migrations.schema_migrations VALUES ('20240101000000')");
    assert_eq!(states(&project), ["supabase", "20240101000000 applied", "20240102000000 pending"]);
}

#[test]
fn the_projects_own_tool_is_found_in_its_service() {
    let Some(_engine) = engine() else { return };
    // `npm` here is a program that only notes how it was called.
    let image = "FROM @image@\nRUN printf '#!/bin/sh\\necho npm $@ >> /tmp/called; [ \"$2\" != migrate:status ]' > /usr/local/bin/npm && chmod 755 /usr/local/bin/npm\n";
    let project = TestProject::new()
        .compose(&format!(
            "services:{DATABASE}  backend:\n    build: backend\n    entrypoint: [sleep, infinity]\n    init: true\n"
        ))
        .file("backend/Dockerfile", image)
        .file(
            "backend/package.json",
            r#"{"scripts": {"migrate": "x", "migrate:rollback": "x", "migrate:status": "x"}}"#,
        )
        .file("infra.toml", "[migrations]\nbackup-first = false\n");
    project.xtask(["start"]).end().ok();
    migrate(&project, "").ok().shows("`npm run migrate` has done it");
    migrate(&project, "down").code(64);
    migrate(&project, "down --yes").ok().shows("`npm run migrate:rollback` has done it");
    migrate(&project, "status").code(2);
    let called = docker(["exec", &project.container("backend"), "cat", "/tmp/called"]);
    assert_eq!(
        called.lines().collect::<Vec<_>>(),
        ["npm run migrate", "npm run migrate:rollback", "npm run migrate:status"]
    );
}
