//! Several at once, and whoever is in the way.

use std::time::Duration;

use super::*;

/// What holds a transaction open until it is ended.
fn session(project: &TestProject, sql: &str) -> Running {
    let mut running = project.xtask(["db-shell"]).spawn();
    running.type_in(&format!("{sql}\nSELECT 'holds';\n"));
    running.until("holds");
    running
}

#[test]
fn d02_of_eight_at_once_each_migration_is_applied_by_one() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    ask(&project, "CREATE TABLE seen (version int)");
    // Four of them are of another checkout, which knows nothing of the first one's locks.
    let other = other_checkout(&project);
    let mut version = 1;
    for round in 0..3 * scale() {
        for _ in 0..4 {
            version += 1;
            let text = format!("INSERT INTO seen VALUES ({version});\nCREATE TABLE t{version} (id int);\n");
            for project in [&project, &other] {
                project.write(&format!("migrations/{version}_x.sql"), &text);
            }
        }
        let all: Vec<Running> = (0..8)
            .map(|number| if number % 2 == 0 { &project } else { &other }.xtask(["db-migrate", "--json"]).spawn())
            .collect();
        let mut applied = Vec::new();
        for mut running in all {
            running.close_input();
            let ended = running.wait();
            let outcome = ended.code(0).outcome();
            applied.extend(outcome["applied"].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()));
        }
        applied.sort_by_key(|version| version.parse::<i64>().unwrap());
        let expected: Vec<String> = (version - 3..=version).map(|version| version.to_string()).collect();
        assert_eq!(applied, expected, "round {round}");
    }
    let once = format!("SELECT count(*) = {version} - 1 AND count(*) = count(DISTINCT version) FROM seen");
    assert_eq!(ask(&project, &once), "t");
}

#[test]
fn d02_d03_of_eight_at_once_some_are_killed_and_each_migration_is_there_once_or_not_yet() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    ask(&project, "CREATE TABLE seen (version int)");
    let other = other_checkout(&project);
    let mut version = 1;
    for round in 0..3 * scale() {
        for _ in 0..3 {
            version += 1;
            let text = format!(
                "INSERT INTO seen VALUES ({version});\nSELECT pg_sleep(0.05);\nCREATE TABLE t{version} (id int);\n"
            );
            for project in [&project, &other] {
                project.write(&format!("migrations/{version}_x.sql"), &text);
            }
        }
        let all: Vec<Running> = (0..8)
            .map(|number| if number % 2 == 0 { &project } else { &other }.xtask(["db-migrate"]).spawn())
            .collect();
        // Whoever is first is killed at another moment in each round, and somebody later too.
        let pause = 20 + 400 * u64::try_from(round).unwrap() / u64::try_from(3 * scale()).unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        for (number, mut running) in all.into_iter().enumerate() {
            if number < 2 || number == 5 {
                running.signal(rustix::process::Signal::KILL);
            }
            running.close_input();
            running.wait();
        }
        migrate(&project, "").ok();
        let once = format!("SELECT count(*) = {version} - 1 AND count(*) = count(DISTINCT version) FROM seen");
        assert_eq!(ask(&project, &once), "t", "round {round}");
    }
    assert_eq!(ask(&project, "SELECT count(*) FROM _sqlx_migrations WHERE success"), version.to_string());
}

/// Another folder with the same files, on the same database by its address.
fn other_checkout(project: &TestProject) -> TestProject {
    let manifest = MANIFEST.replace("[migrations]", "[database]\nurl = \"env:DATABASE_URL\"\n[migrations]");
    let other = super::project().file("infra.toml", &manifest);
    let url = url(project);
    other.env("DATABASE_URL", url)
}

/// How its database is reached, with the password that it keeps.
pub(super) fn url(project: &TestProject) -> String {
    let secret = "SELECT current_user || ' ' || current_setting('port') || ' ' || current_database()";
    let told = ask(project, secret);
    let [user, port, name] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("{told}") };
    ask(project, &format!("ALTER ROLE \"{user}\" PASSWORD 'known-to-both'"));
    project.write(".env", "POSTGRES_PASSWORD=known-to-both\n");
    project.write(
        "infra.toml",
        &project.read("infra.toml").replace(
            "[migrations]",
            &format!(
                "[database]\nname = \"{name}\"\nuser = \"{user}\"\npassword = \"env:POSTGRES_PASSWORD\"\n[migrations]"
            ),
        ),
    );
    format!("postgres://{user}:known-to-both@127.0.0.1:{port}/{name}")
}

#[test]
fn d02_a_wait_is_bounded_and_names_the_holder() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_more.sql", "CREATE TABLE more ();\n");
    let key = advisory_key(&ask(&project, "SELECT current_database()"));
    let holder = session(&project, &format!("SELECT pg_advisory_lock({key});"));
    let refused = migrate(&project, "up --timeout 1s");
    refused.code(75).says("another migrator is running on this database: process ").says("of ");
    drop(holder);
}

/// sqlx's lock of a database.
pub(super) fn advisory_key(database: &str) -> i64 {
    let crc = !database.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    });
    0x3d32_ad9e * i64::from(crc)
}

#[test]
fn d13_a_change_that_waits_behind_a_query_gives_up_and_names_it() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_more.sql", "ALTER TABLE shop ADD open boolean;\n");
    let mut holder = session(&project, "BEGIN;\nSELECT count(*) FROM shop;");
    let refused = migrate(&project, "up --timeout 4s");
    refused.code(75).says("waiting for process ").says("2_more.sql waits for a lock that process ");
    assert_eq!(ask(&project, ROWS), "1:true");

    // It is tried again until the way is free.
    let waiting = project.xtask(["db-migrate", "up"]).spawn();
    waiting.until("waiting for process ");
    holder.type_in("COMMIT;\n");
    holder.close_input();
    holder.wait().ok();
    waiting.wait().ok().shows("applied 2\n");
}

#[test]
fn d02_d08_whoever_waits_inside_the_lock_is_not_deadlocked_with() {
    let Some(_postgres) = postgres() else { return };
    let project = migrated();
    project.write("migrations/2_index.sql", "-- no-transaction\nCREATE INDEX CONCURRENTLY ON shop (name);\n");
    let key = advisory_key(&ask(&project, "SELECT current_database()"));
    let mut holder = session(&project, &format!("SELECT pg_advisory_lock({key});"));
    let mut waiter = project.xtask(["db-shell", "-c", &format!("SELECT pg_advisory_lock({key}), pg_sleep(2)")]).spawn();
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    wait_until("the waiter waits", Duration::from_secs(10), || match ask(&project, waits).as_str() {
        "1" => Ok(()),
        other => Err(other.to_owned()),
    });
    let migrating = project.xtask(["db-migrate", "up", "--timeout", "30s"]).spawn();
    migrating.until("another migrator is running");
    holder.close_input();
    holder.wait();
    waiter.close_input();
    waiter.wait();
    migrating.wait().ok().shows("applied 2\n");
}
