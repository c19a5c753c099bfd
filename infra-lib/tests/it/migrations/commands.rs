//! What each subcommand does when all is well.

use super::*;

#[test]
fn up_down_and_status_go_together() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_more.up.sql", "ALTER TABLE shop ADD open boolean;\n");
    project.write("migrations/2_more.down.sql", "ALTER TABLE shop DROP open;\n");
    project.write("migrations/3_mills.up.sql", "CREATE TABLE mill (id int);\nCREATE INDEX ON mill (id);\n");
    project.write("migrations/3_mills.down.sql", "DROP TABLE mill;\n");

    let status = project.xtask(["db-migrate", "status", "--json"]).end();
    let outcome = status.code(2).outcome();
    assert_eq!((&outcome["applied"], &outcome["pending"], &outcome["drifted"]), (&1.into(), &2.into(), &0.into()));
    assert_eq!((&outcome["tool"], &outcome["migrations"][1]["state"]), (&"sqlx".into(), &"pending".into()));
    assert_eq!(outcome["migrations"][1]["file"], "migrations/2_more.up.sql");

    migrate(&project, "up --steps 1").ok().shows("applied 2\n");
    migrate(&project, "up --to 9").code(66).says("unknown migration version 9");
    migrate(&project, "").ok().shows("applied 3\n");
    migrate(&project, "up").ok().shows("nothing to do");
    migrate(&project, "status").ok().shows("3 applied, 0 pending\n");
    assert_eq!(ask(&project, ROWS), "1:true 2:true 3:true");

    migrate(&project, "down").code(64).says("--yes");
    migrate(&project, "down --yes").ok().shows("reverted 3\n");
    assert_eq!(ask(&project, "SELECT to_regclass('mill') IS NULL"), "t");
    migrate(&project, "up").ok().shows("applied 3\n");
    migrate(&project, "down --to 1 --yes").ok().shows("reverted 3, 2\n");
    migrate(&project, "down --to 7 --yes").code(66);
    migrate(&project, "down --to 0 --yes").ok().shows("reverted 1\n");
    assert_eq!(ask(&project, &ROWS.replace("_sqlx", "public._sqlx")), "");
    migrate(&project, "down --yes").ok().shows("nothing to do");
    migrate(&project, "up").ok().shows("applied 1, 2, 3\n");

    project.write("migrations/4_one_way.sql", "CREATE TABLE way ();\n");
    migrate(&project, "up").ok();
    migrate(&project, "down --yes").code(66).says("cannot be reverted");
}

#[test]
fn new_files_follow_those_that_are_there() {
    let project = TestProject::new().file("infra.toml", "[project]\nname = '@name@'\n[migrations]\ndir = 'db/m'\n");
    let new = |name: &str| project.xtask(["db-migrate", "new", name, "--json"]).end().ok().outcome()["written"].clone();
    let first = new("Add the users");
    let up = first[0].as_str().unwrap();
    assert!(up.starts_with("db/m/20") && up.ends_with("_add_the_users.up.sql"), "{first}");
    assert!(first[1].as_str().unwrap().ends_with("_add_the_users.down.sql"));
    let second = new("more");
    assert!(second[0].as_str().unwrap() > up, "{second} comes after {first}");
    std::fs::remove_dir_all(project.path("db")).unwrap();
    project.write("db/m/0041_x.sql", "SELECT 1;\n");
    assert_eq!(new("y"), serde_json::json!(["db/m/0042_y.sql"]));
    project.xtask(["db-migrate", "new", "../x"]).end().ok().shows("wrote db/m/0043_x.sql\n");
    project.xtask(["db-migrate", "new", "--", "-/-"]).end().code(64);
}

#[test]
fn baseline_notes_and_applies_nothing() {
    let Some(_postgres) = postgres() else { return };
    let manifest = MANIFEST.replace("[migrations]", "[database]\ninit = [\"init\"]\n[migrations]");
    let project =
        project().file("infra.toml", &manifest).file("init/1.sql", "CREATE TABLE shop (name text);\n-- by hand\n");
    project.write("migrations/2_more.sql", "ALTER TABLE shop ADD open boolean;\n");
    setup(&project).code(0).says("nothing says which migrations made them");
    migrate(&project, "up").code(77).says("db-migrate baseline");
    migrate(&project, "status").code(2).shows("no ledger");
    migrate(&project, "baseline").code(64);
    migrate(&project, "baseline 9").code(66);
    migrate(&project, "baseline 1").ok().shows("marked as applied: 1\n");
    migrate(&project, "up").ok().shows("applied 2\n");
    assert_eq!(ask(&project, ROWS), "1:true 2:true");
}

#[test]
fn a_schema_of_the_init_scripts_is_noted() {
    let Some(_postgres) = postgres() else { return };
    let manifest = MANIFEST.replace("[migrations]", "[database]\ninit = [\"init\"]\n[migrations]");
    let project = project().file("infra.toml", &manifest).file("init/1.sql", "\nCREATE TABLE shop (name text);  \n");
    project.write("migrations/2_more.sql", "ALTER TABLE shop ADD open boolean;\n");
    let changes = changes(&project);
    assert!(changes.contains(&"marked as applied by the init scripts: 1".to_owned()), "{changes:?}");
    assert!(changes.contains(&"applied the migrations 2".to_owned()), "{changes:?}");
    migrate(&project, "status").ok();
}

#[test]
fn d19_status_and_a_dry_run_write_nothing() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    setup(&project).code(0);
    migrate(&project, "down --yes").ok();
    ask(&project, "DROP TABLE _sqlx_migrations");
    let before = ask(
        &project,
        "SELECT count(*) || ':' || sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_class, pg_stat_user_tables",
    );
    migrate(&project, "status").code(2);
    migrate(&project, "up --dry-run").ok().shows("migrations/1_tables.up.sql\nCREATE TABLE shop (name text);\n");
    assert_eq!(
        ask(
            &project,
            "SELECT count(*) || ':' || sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_class, pg_stat_user_tables"
        ),
        before
    );
    migrate(&project, "up").ok();
    migrate(&project, "down --dry-run").ok().shows("migrations/1_tables.down.sql\nDROP TABLE shop;\n");
    assert_eq!(ask(&project, ROWS), "1:true");
    // Reading works where nobody may write.
    ask(
        &project,
        &format!(
            "ALTER DATABASE \"{}\" SET default_transaction_read_only = on",
            ask(&project, "SELECT current_database()")
        ),
    );
    migrate(&project, "status").ok();
}

#[test]
fn the_projects_own_tool_is_asked_where_it_is_stated() {
    let manifest = "[project]\nname = '@name@'\n[compose]\nservices = 'none'\n[migrations]\nbackup-first = false\nup = ['sh', '-c', 'echo up >> done']\n";
    let project = TestProject::new().file("infra.toml", manifest);
    migrate(&project, "").ok().shows("done by `");
    assert_eq!(project.read("done"), "up\n");
    migrate(&project, "up --dry-run").ok();
    assert_eq!(project.read("done"), "up\n");
    migrate(&project, "down --yes").code(78).says("`[migrations] down` in infra.toml is not set");
}

#[test]
fn a_backup_comes_first_where_there_is_something_to_lose() {
    let Some(_postgres) = postgres() else { return };
    let project = TestProject::new().file("infra.toml", &MANIFEST.replace("backup-first = false\n", ""));
    project.write("migrations/1_tables.sql", "CREATE TABLE shop (name text);\n");
    project.write("seeds/1.sql", "INSERT INTO shop VALUES ('corner');\n");
    setup(&project).code(0);
    let backups =
        || project.xtask(["db-backup", "--list", "--json"]).end().outcome()["backups"].as_array().unwrap().len();
    assert_eq!(backups(), 0, "an empty database has nothing to lose");
    project.write("migrations/2_more.up.sql", "DELETE FROM shop;\n");
    project.write("migrations/2_more.down.sql", "SELECT 1;\n");
    let up = project.xtask(["db-migrate", "--json"]).end();
    let backup = up.ok().outcome()["backup"].as_str().unwrap().to_owned();
    assert!(project.path(&backup).is_file() && backups() == 1, "{backup}");
    migrate(&project, "up").ok().shows("nothing to do");
    assert_eq!(backups(), 1);
    migrate(&project, "down --yes").ok().shows("backed up first, to backups/");
    project.xtask(["db-reset", "--yes"]).end().ok().shows("backup of the previous database: backups/");
    assert_eq!(backups(), 3);

    // Told otherwise, there is none; but a protected database is not changed without.
    let manifest = project.read("infra.toml").replace("[migrations]", "[migrations]\nbackup-first = false");
    project.write("infra.toml", &manifest);
    migrate(&project, "down --yes").ok();
    assert_eq!(backups(), 3);
    project.write("infra.toml", &(manifest + "[environments.development]\nprotected = true\n"));
    project.xtask(["db-migrate"]).no_tty().end().code(64).says("--yes");
    assert_eq!(backups(), 3);
    migrate(&project, "up --yes").ok().shows("applied 2\n");
    assert_eq!(backups(), 4);
    migrate(&project, "down --yes").code(77).says("--confirm");
    let named = project.xtask(["db-migrate", "down", "--confirm", project.name()]).end();
    named.ok().shows("reverted 2");
    assert_eq!(backups(), 5);
}

#[test]
fn check_finds_a_way_down_that_does_not_lead_back() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_mill.up.sql", "CREATE TABLE mill (id int);\nCREATE TYPE grain AS ENUM ('rye');\n");
    project.write("migrations/2_mill.down.sql", "DROP TABLE mill;\nDROP TYPE grain;\n");
    project.write("migrations/3_more.up.sql", "ALTER TABLE mill ADD wheels int;\n");
    project.write("migrations/3_more.down.sql", "ALTER TABLE mill DROP wheels;\n");
    migrate(&project, "check").ok().shows("3 up, 3 down and up again: the schemas match\n");
    project.write("migrations/2_mill.down.sql", "DROP TABLE mill;\n");
    let found = migrate(&project, "check");
    found.code(2).says("the schemas differ before 2 and after it was reverted:\n+ CREATE TYPE public.grain AS ENUM (");
    std::fs::remove_file(project.path("migrations/2_mill.down.sql")).unwrap();
    migrate(&project, "check").ok().shows("1 up, 1 down").shows("2 cannot be reverted;");
    project.write("migrations/3_more.up.sql", "ALTER TABLE mill ADD wheels nonsense;\n");
    migrate(&project, "check").code(1).says("3_more.up.sql:1: type \"nonsense\" does not exist");

    // The live database has seen nothing of it, and nothing is left beside it.
    assert_eq!(ask(&project, ROWS), "1:true");
    assert_eq!(ask(&project, "SELECT to_regclass('mill') IS NULL"), "t");
    assert_eq!(ask(&project, "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_\\_%'"), "0");
}

#[test]
fn check_compares_the_init_scripts_too() {
    let Some(_postgres) = postgres() else { return };
    let manifest = MANIFEST.replace("[migrations]", "[database]\ninit = [\"init\"]\n[migrations]");
    let project = project().file("infra.toml", &manifest).file("init/1.sql", "CREATE TABLE shop (name text);\n");
    setup(&project).code(0);
    migrate(&project, "check").ok().shows("the schemas match, and so do 1.sql\n");
    project.write("init/1.sql", "CREATE TABLE shop (name text, open boolean);\n");
    migrate(&project, "check").code(2).says("after the init scripts:").says("+     open boolean");
    project.write("init/1.sql", "-- the same in other words\ncreate table shop (\n  name text);\n");
    migrate(&project, "check").ok().shows("and so do 1.sql");
}
