//! Kills, and connections that break.

use std::time::Duration;

use rustix::process::Signal;

use super::*;

#[test]
fn d03_a_kill_at_any_time_leaves_nothing_half_applied() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    let mut version = 1;
    for round in 0..6 * scale() {
        for _ in 0..3 {
            version += 1;
            let text = format!("CREATE TABLE a{version} ();\nSELECT pg_sleep(0.1);\nCREATE TABLE b{version} ();\n");
            project.write(&format!("migrations/{version}_x.sql"), &text);
        }
        let running = project.xtask(["db-migrate"]).spawn();
        // Spread over the whole run, which takes half a second.
        std::thread::sleep(Duration::from_millis(
            20 + 600 * u64::try_from(round).unwrap() / u64::try_from(6 * scale()).unwrap(),
        ));
        running.signal(Signal::KILL);
        running.wait();
        let agree = "SELECT count(*) FROM generate_series(2, 999) v LEFT JOIN _sqlx_migrations m ON m.version = v \
                     WHERE (m.version IS NOT NULL) <> (to_regclass('a' || v) IS NOT NULL) \
                        OR (m.version IS NOT NULL) <> (to_regclass('b' || v) IS NOT NULL)";
        assert_eq!(ask(&project, agree), "0", "round {round}");
        migrate(&project, "").ok();
        assert_eq!(ask(&project, agree), "0", "round {round}");
    }
    assert_eq!(ask(&project, "SELECT count(*) FROM _sqlx_migrations"), version.to_string());
}

const OURS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'infra-%' AND pid <> pg_backend_pid()";

#[test]
fn d03_the_next_run_ends_what_a_killed_one_has_left() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_slow.sql", "CREATE TABLE slow ();\nSELECT pg_sleep(60);\n");
    let running = project.xtask(["db-migrate"]).spawn();
    running.until("applying 2_slow.sql");
    wait_until("it sleeps", Duration::from_secs(10), || match ask(&project, OURS).as_str() {
        "1" => Ok(()),
        other => Err(other.to_owned()),
    });
    running.signal(Signal::KILL);
    running.wait();
    assert_eq!(ask(&project, OURS), "1", "psql goes on");
    project.write("migrations/2_slow.sql", "CREATE TABLE slow ();\n");
    let next = migrate(&project, "");
    next.ok().shows("applied 2\n").says("ending a session that a killed run left behind");
    assert!(next.took < Duration::from_secs(40), "{:?}", next.took);
}

#[test]
fn d11_a_script_that_is_cut_commits_nothing_of_the_file_that_is_cut() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_slow.sql", "CREATE TABLE slow ();\nSELECT pg_sleep(3);\n");
    // More than a pipe holds: the rest is still with us when we are killed.
    let many: Vec<String> =
        (0..4_000).map(|number| format!("INSERT INTO shop VALUES ('number {number}');\n")).collect();
    project.write("migrations/3_many.sql", &many.concat());
    let running = project.xtask(["db-migrate"]).spawn();
    running.until("applying 2_slow.sql");
    running.signal(Signal::KILL);
    running.wait();
    wait_until("psql ends", Duration::from_secs(20), || match ask(&project, OURS).as_str() {
        "0" => Ok(()),
        other => Err(other.to_owned()),
    });
    let whole = "SELECT (to_regclass('slow') IS NOT NULL) = EXISTS (SELECT FROM _sqlx_migrations WHERE version = 2)";
    assert_eq!(ask(&project, whole), "t", "what had come whole is there and noted, or neither");
    assert_eq!(ask(&project, "SELECT count(*) FROM shop WHERE name LIKE 'number%'"), "0");
    assert_eq!(ask(&project, "SELECT count(*) FROM _sqlx_migrations WHERE version = 3"), "0");
    migrate(&project, "").ok();
    assert_eq!(ask(&project, "SELECT count(*) FROM shop WHERE name LIKE 'number%'"), "4000");
}

#[test]
fn d18_a_connection_that_is_lost_at_commit_leaves_no_doubt() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    let slow_commit = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(5); RETURN NULL; END $$;\n\
                       CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON shop DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow();\n";
    project.write("migrations/2_slow.sql", slow_commit);
    migrate(&project, "").ok();
    project.write("migrations/3_row.sql", "INSERT INTO shop VALUES ('late');\n");
    let running = project.xtask(["db-migrate"]).spawn();
    let commits = "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE application_name LIKE 'infra-%' AND query LIKE '%COMMIT%' \
                   AND wait_event = 'PgSleep' AND pid <> pg_backend_pid()";
    let pid = wait_until("it commits", Duration::from_secs(20), || match ask(&project, commits).as_str() {
        "0" => Err("not yet".to_owned()),
        pid => Ok(pid.to_owned()),
    });
    ask(&project, &format!("SELECT pg_terminate_backend({pid})"));
    let ended = running.wait();
    ended.code(69).says("the connection was lost").says("not applied");
    assert_eq!(ask(&project, ROWS), "1:true 2:true");
    assert_eq!(ask(&project, "SELECT count(*) FROM shop WHERE name = 'late'"), "0");
    ask(&project, "DROP TRIGGER slow ON shop");
    migrate(&project, "").ok().shows("applied 3\n");
}

#[test]
fn d18_ctrl_c_ends_the_session_too() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_slow.sql", "CREATE TABLE slow ();\nSELECT pg_sleep(60);\n");
    let running = project.xtask(["db-migrate"]).spawn();
    running.until("applying 2_slow.sql");
    running.signal(Signal::INT);
    running.wait().code(130);
    wait_until("the session ends", Duration::from_secs(5), || match ask(&project, OURS).as_str() {
        "0" => Ok(()),
        other => Err(other.to_owned()),
    });
    assert_eq!(ask(&project, "SELECT to_regclass('slow') IS NULL"), "t");
}
