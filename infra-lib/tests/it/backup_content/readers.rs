//! Roles that may not read everything, and the one that needs to do no more than that.

use super::*;
use crate::readme::markdown;

/// A table, a view, a large object, a subscription that nobody may see, and a role without rights.
const SCHEMA: &str = "CREATE TABLE notes AS SELECT n, 'note ' || n AS text FROM generate_series(1, 10) n;
    CREATE TABLE secrets AS SELECT 1 AS a; CREATE SCHEMA other; CREATE TABLE other.deep AS SELECT 2 AS b;
    SELECT lo_from_bytea(4711, 'large');
    CREATE SUBSCRIPTION news CONNECTION 'dbname=nowhere' PUBLICATION p WITH (connect = false);";

/// What the document tells to run, with the names of this test.
fn least_role() -> String {
    let blocks = markdown::document("docs/backups.md").blocks();
    let sql = blocks.iter().find(|block| block.language == "sql").expect("a block of SQL");
    sql.text.replace("backup", "reader").replace("a long one", PASSWORD)
}

fn with_reader() -> (TestProject, Cluster, String) {
    let (project, cluster, name) = set_up();
    cluster.ask(&name, SCHEMA);
    cluster.ask(&name, &format!("CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}';"));
    log_in_as(&project, &name, "reader");
    (project, cluster, name)
}

#[test]
fn a23_s35_the_least_role_backs_everything_up_and_warnings_are_counted() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = with_reader();
    let grants = least_role();
    assert!(grants.contains("GRANT pg_read_all_data TO reader;"), "{grants}");
    cluster.ask(&name, &format!("DROP ROLE reader; {grants} GRANT SELECT ON LARGE OBJECT 4711 TO reader;"));
    let plain = project.xtask(["db-backup"]).end();
    plain.ok().shows("warning: pg_dump: warning: subscriptions not dumped").shows("3 tables, 12 rows");
    let (made, file) = back_up(&project);
    assert_eq!((made["rows"].as_u64(), made["tables"].as_u64()), (Some(12), Some(3)));
    let manifest = manifest(&file);
    assert_eq!(manifest["warnings"], made["warnings"]);
    let warnings: Vec<&str> = made["warnings"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert!(warnings.len() == 1 && warnings[0].contains("subscriptions not dumped"), "{warnings:?}");
    assert_eq!(manifest["database"]["large_objects"], 1);
    assert_eq!(manifest["objects"]["table"], 3, "{manifest}");
    // Roles too: whoever may log in sees them, without their passwords.
    let globals = std::fs::read_to_string(file.with_file_name(manifest["globals"]["file"].as_str().unwrap())).unwrap();
    assert!(globals.contains("CREATE ROLE reader;") && !globals.contains("SCRAM-SHA"), "{globals}");
    project.xtask(["db-verify"]).end().ok();
    // It can write nothing.
    let mut psql = cluster.tool("psql", &name);
    let psql = psql.env("PGUSER", "reader").env("PGPASSWORD", PASSWORD);
    let written = psql.args(["-c", "INSERT INTO notes VALUES (11, 'x')"]).output().unwrap();
    assert!(String::from_utf8_lossy(&written.stderr).contains("permission denied"));
}

#[test]
fn a24_a25_what_hides_rows_or_tables_is_refused_by_name_and_nothing_is_published() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = with_reader();
    cluster.ask(
        &name,
        "GRANT USAGE ON SCHEMA other TO reader; GRANT SELECT ON notes, other.deep TO reader;
        GRANT SELECT ON LARGE OBJECT 4711 TO reader;",
    );
    let refused = project.xtask(["db-backup", "--json"]).end();
    let error = refused.code(77).error();
    assert!(error["message"].as_str().unwrap().contains("permission denied for table secrets"), "{refused}");
    assert!(error["hint"].as_str().unwrap().contains("pg_read_all_data"), "{refused}");
    assert_eq!(files(&project), [""; 0]);

    cluster.ask(
        &name,
        "GRANT SELECT ON secrets TO reader; ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY few ON notes USING (n <= 2);",
    );
    let refused = project.xtask(["db-backup"]).end();
    refused.code(77).says("row-level security").says("\"notes\"").says("BYPASSRLS");
    assert_eq!(files(&project), [""; 0]);
    for format in ["directory", "sql"] {
        let refused = project.xtask(["db-backup", "--format", format]).end();
        refused.code(77).says("row-level security").says("\"notes\"");
        assert_eq!(files(&project), [""; 0], "{format}");
    }
    cluster.ask(&name, "ALTER ROLE reader BYPASSRLS;");
    let (made, _) = back_up(&project);
    assert_eq!(made["rows"], 12);
    refused.never_says(PASSWORD);
}
