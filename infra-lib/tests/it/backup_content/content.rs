//! What a database may hold.

use super::*;

#[test]
fn a27_a_thousand_large_objects_are_counted_and_survive_a_drill_and_a_restore() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    let objects = "SELECT count(lo_from_bytea(n, convert_to(repeat('object ' || n || E'\\n', n), 'UTF8'))) FROM generate_series(1, 1000) n;";
    assert_eq!(cluster.ask(&name, objects), "1000");
    let hash = "SELECT md5(string_agg(md5(lo_get(oid)), '' ORDER BY oid)) FROM pg_largeobject_metadata;";
    let before = cluster.ask(&name, hash);
    for format in ["custom", "directory", "sql"] {
        let made = project.xtask(["db-backup", "--format", format, "--verify", "drill", "--json"]).end();
        let made = made.ok().outcome();
        let manifest = manifest(std::path::Path::new(made["path"].as_str().unwrap()));
        assert_eq!(manifest["database"]["large_objects"], 1000, "{format}");
        assert!(made["drill_ms"].as_u64().is_some(), "{made}");
    }
    cluster.ask(&name, "SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata WHERE oid > 10;");
    project.xtask(["db-restore", "latest", "--yes"]).end().ok();
    assert_eq!(cluster.ask(&name, hash), before);
}

/// Its text has more than the 1 GiB that the server gives a value.
#[test]
fn a26_a_value_that_no_dump_can_hold_is_named() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(
        &name,
        "CREATE TABLE \"big files\" (data bytea); CREATE TABLE small AS SELECT 1 AS a;
        INSERT INTO \"big files\" SELECT convert_to(repeat('x', 600 * 1000 * 1000), 'UTF8');",
    );
    let failed = project.xtask(["db-backup", "--json"]).end();
    let error = failed.code(1).error();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("public.\"big files\"") && message.contains("dump formats cannot hold"), "{message}");
    assert!(error["hint"].as_str().unwrap().contains("512 MiB of bytea"), "{error}");
    assert_eq!(files(&project), [""; 0]);
}

#[test]
fn a_database_with_nothing_in_it_is_a_backup_and_survives_a_drill() {
    let Some(_postgres) = postgres() else { return };
    let (project, _, _) = set_up();
    for format in ["custom", "directory", "sql"] {
        let made = project.xtask(["db-backup", "--format", format, "--verify", "drill", "--json"]).end();
        assert_eq!(made.ok().outcome()["tables"], 0, "{format}");
    }
}
