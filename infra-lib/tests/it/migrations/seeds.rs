//! Data for development, and the database made anew.

use super::*;

fn seed(project: &TestProject) -> Ended {
    project.xtask(["db-seed", "--yes"]).end()
}

#[test]
fn seeds_run_once_on_change_or_always() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    let count = |name: &str| ask(&project, &format!("SELECT count(*) FROM shop WHERE name = '{name}'"));
    seed(&project).ok().shows("nothing to do");
    project.write("seeds/2_mill.sql", "INSERT INTO shop VALUES ('mill');\n");
    project.xtask(["db-seed"]).no_tty().end().code(64).says("--yes");
    project.xtask(["db-seed", "--dry-run"]).end().ok();
    assert_eq!(count("mill"), "0");
    seed(&project).ok().shows("seeded 2_mill.sql\n");
    project.write("seeds/2_mill.sql", "INSERT INTO shop VALUES ('mill');\n-- again\n");
    seed(&project).ok().shows("seeded 2_mill.sql\n");
    assert_eq!(count("mill"), "2");

    let manifest = project.read("infra.toml");
    let run = |how: &str| {
        project.write("infra.toml", &manifest.replace("dir = \"seeds\"", &format!("dir = \"seeds\", run = \"{how}\"")));
    };
    run("once");
    project.write("seeds/2_mill.sql", "INSERT INTO shop VALUES ('mill');\n");
    seed(&project).ok().shows("nothing to do");
    run("always");
    seed(&project).ok().shows("seeded 1_shops.sql, 2_mill.sql\n");
    assert_eq!(count("mill"), "3");

    project.write("infra.toml", &manifest);
    project.write("seeds/3_bad.sql", "INSERT INTO shop VALUES ('lost');\n\nINSERT INTO nowhere VALUES (1);\n");
    let failed = seed(&project);
    failed.code(1).says("seeds/3_bad.sql:3: relation \"nowhere\" does not exist");
    assert_eq!(count("lost"), "0");
}

#[test]
fn a_command_of_the_projects_own_may_seed() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    let manifest = project.read("infra.toml");
    project
        .write("infra.toml", &manifest.replace("{ dir = \"seeds\" }", "{ command = ['sh', '-c', 'echo x >> sown'] }"));
    seed(&project).ok().shows("done by `");
    assert_eq!(project.read("sown"), "x\n");
    project.write("infra.toml", &manifest.replace("seeds = { dir = \"seeds\" }\n", ""));
    seed(&project).code(78).says("does not define what to seed");
}

#[test]
fn d15_seeds_and_a_reset_are_for_development_alone() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("seeds/2_more.sql", "INSERT INTO shop VALUES ('more');\n");
    let name = ask(&project, "SELECT current_database()");
    let both = |says: &str| {
        for operation in ["db-seed", "db-reset"] {
            let ended = project.xtask([operation, "--yes", "--confirm", project.name()]).end();
            ended.code(77).says(says);
        }
    };
    for (mark, says) in [("production", "environment=production"), ("staging", "environment=staging")] {
        ask(
            &project,
            &format!("COMMENT ON DATABASE \"{name}\" IS '[infra project={} environment={mark}]'", project.name()),
        );
        both(says);
    }
    ask(&project, &format!("COMMENT ON DATABASE \"{name}\" IS '[infra project=other environment=development]'"));
    both("project=other");
    let manifest = project.read("infra.toml");
    project.write("infra.toml", &(manifest.clone() + "[environments.development]\nprotected = true\n"));
    both("is refused for the protected environment development");
    assert_eq!(ask(&project, "SELECT string_agg(name, ',') FROM shop"), "corner");

    // By its address, and without a mark, nobody knows what it is.
    ask(&project, &format!("COMMENT ON DATABASE \"{name}\" IS NULL"));
    project.write("infra.toml", &manifest);
    let url = locks::url(&project);
    let far = TestProject::new()
        .file("infra.toml", &MANIFEST.replace("[migrations]", "[database]\nurl = \"env:DATABASE_URL\"\n[migrations]"));
    far.write("seeds/1.sql", "SELECT 1;\n");
    for operation in ["db-seed", "db-reset"] {
        let refused = far.xtask([operation, "--yes"]).env("DATABASE_URL", &url).end();
        refused.code(77).says("a database without a mark").never_says("known-to-both");
    }
}

#[test]
fn a_reset_makes_everything_anew_and_keeps_what_the_database_is() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    let name = ask(&project, "SELECT current_database()");
    ask(&project, "INSERT INTO shop VALUES ('to go'); CREATE TABLE by_hand ()");
    ask(&project, &format!("ALTER DATABASE \"{name}\" SET search_path = \"$user\", public, other"));
    ask(
        &project,
        &format!("ALTER DATABASE \"{name}\" SET work_mem = '5MB'; ALTER DATABASE \"{name}\" CONNECTION LIMIT 30"),
    );
    ask(
        &project,
        &format!(
            "REVOKE ALL ON DATABASE \"{name}\" FROM PUBLIC; CREATE ROLE reader; GRANT CONNECT ON DATABASE \"{name}\" TO reader"
        ),
    );
    ask(&project, &format!("ALTER ROLE reader IN DATABASE \"{name}\" SET statement_timeout = '7s'"));
    let about = "SELECT concat_ws('|', pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit, datacl, \
                 shobj_description(oid, 'pg_database'), (SELECT string_agg(setrole::regrole || array_to_string(setconfig, ';'), '/' ORDER BY 1) \
                 FROM pg_db_role_setting WHERE setdatabase = d.oid)) FROM pg_database d WHERE datname = current_database()";
    let before = ask(&project, about);
    assert!(before.contains("[infra project=") && before.contains("other"), "{before}");
    project.xtask(["db-reset"]).no_tty().end().code(64);
    project.xtask(["db-reset", "--dry-run"]).end().ok();
    assert_eq!(ask(&project, "SELECT to_regclass('by_hand') IS NOT NULL"), "t");

    // Somebody is connected, and is disconnected.
    let mut other = project.xtask(["db-shell"]).spawn();
    other.type_in("SELECT 'here';\n");
    other.until("here");
    let reset = project.xtask(["db-reset", "--yes", "--json"]).end();
    let outcome = reset.ok().outcome();
    assert_eq!(
        (&outcome["migrated"], &outcome["seeded"]),
        (&serde_json::json!(["1"]), &serde_json::json!(["1_shops.sql"]))
    );
    assert_eq!(ask(&project, about), before);
    assert_eq!(
        ask(&project, "SELECT string_agg(name, ',') || (to_regclass('by_hand') IS NULL) FROM shop"),
        "cornertrue"
    );
    assert_eq!(
        ask(&project, "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_\\_%'"),
        "0",
        "nothing is left beside it"
    );
}

#[test]
fn a_reset_that_fails_leaves_the_old_database_as_it_was() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    ask(&project, "INSERT INTO shop VALUES ('kept')");
    project.write("migrations/2_bad.sql", "SELECT 1/0;\n");
    project.xtask(["db-reset", "--yes"]).end().code(1).says("2_bad.sql:1: division by zero");
    std::fs::remove_file(project.path("migrations/2_bad.sql")).unwrap();
    project.write("seeds/2_bad.sql", "SELECT 1/0;\n");
    project.xtask(["db-reset", "--yes"]).end().code(1).says("seeds/2_bad.sql:1: division by zero");
    std::fs::remove_file(project.path("seeds/2_bad.sql")).unwrap();
    // A tool of the project's own works on the database that has the name.
    project.write("infra.toml", &project.read("infra.toml").replace("dir = \"migrations\"", "up = ['false']"));
    project.xtask(["db-reset", "--yes"]).end().code(1).says("swapping the previous database back");
    assert_eq!(ask(&project, "SELECT string_agg(name, ',') FROM shop"), "corner,kept");
    assert_eq!(ask(&project, "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_\\_%'"), "0");
}

#[test]
fn a_reset_that_is_killed_is_swept_up_by_the_next_one() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_slow.sql", "SELECT pg_sleep(30);\n");
    let running = project.xtask(["db-reset", "--yes"]).spawn();
    running.until("applying 2_slow.sql");
    running.signal(rustix::process::Signal::KILL);
    running.wait();
    assert_eq!(ask(&project, "SELECT string_agg(name, ',') FROM shop"), "corner");
    assert_eq!(ask(&project, "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_\\_new%'"), "1");
    project.write("migrations/2_slow.sql", "SELECT 2;\n");
    project.xtask(["db-reset", "--yes"]).end().ok();
    assert_eq!(ask(&project, "SELECT count(*) FROM pg_database WHERE datname LIKE '%\\_\\_%'"), "0");
}
