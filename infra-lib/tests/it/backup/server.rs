//! What the server says no to, and when it goes away.

use super::*;

#[test]
fn a12_a_session_that_is_ended_is_told_in_the_servers_words() {
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let before = Before::of(&project);
    let held = hold(&project, "plain");
    let running = project.xtask(["db-backup"]).spawn();
    until_somebody_waits(&project);
    let ours = "FROM pg_stat_activity WHERE application_name LIKE 'infra-backup-%'";
    sql(&project, &format!("SELECT pg_terminate_backend(pid) {ours}"));
    let ended = running.wait();
    ended.code(69).says("terminating connection due to administrator command");
    before.unchanged(&ended);

    // One that dies takes all the others with it, and the server recovers.
    let running = project.xtask(["db-backup"]).spawn();
    until_somebody_waits(&project);
    let backend = sql(&project, &format!("SELECT pid {ours}")).parse().unwrap();
    signal(backend, rustix::process::Signal::KILL);
    let ended = running.wait();
    ended.code(69).says("the connection to the database was lost");
    drop(held);
    // What comes next waits until it has recovered, and does not fail for that.
    before.unchanged(&ended);
    before.recovers();
}

#[test]
fn a13_whoever_holds_a_table_is_named() {
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let before = Before::of(&project);
    let held = hold(&project, "plain");
    let pid =
        sql(&project, "SELECT pid FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'plain'::regclass");
    for words in [
        &["db-backup", "--lock-wait", "1s"][..],
        &["db-backup", "--lock-wait", "1s", "--format", "directory", "--jobs", "2"],
    ] {
        let blocked = project.xtask(words.iter().copied()).end();
        blocked.code(75).says(&format!("process {pid} ({}", project.name().replace('-', "_")));
        blocked.says("has locked plain since 20").says("LOCK TABLE plain IN ACCESS EXCLUSIVE MODE");
        before.unchanged(&blocked);
        before.tidy(&blocked);
    }
    drop(held);
    before.recovers();
}

/// The project's database, as one that is somewhere else.
fn elsewhere(project: &TestProject, user: &str, password: &str, database: &str) -> TestProject {
    let record: serde_json::Value = serde_json::from_str(&project.read(".infra/setup.json")).unwrap();
    let port = &record["local"]["development"]["port"];
    let url = format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}");
    TestProject::new()
        .file("infra.toml", &format!("{MANIFEST}[database]\nurl = \"env:URL\"\n"))
        .file(".env", &format!("URL={url}\n"))
}

#[test]
fn a18_a20_a_login_that_is_refused_never_asks_and_never_shows_a_password() {
    let Some(_script) = tool("script") else { return };
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let role = project.name().replace('-', "_");
    for user in [&role, "nobody_at_all"] {
        let url = elsewhere(&project, user, "wrong_canary_4711", &role);
        for call in [url.xtask(["db-backup"]).no_tty(), url.xtask(["db-backup"]).pty([])] {
            let ended = call.end();
            ended.code(77).never_says("wrong_canary_4711");
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(said.contains(&format!("for user \"{user}\"")) && said.contains("\"127.0.0.1\""), "{ended}");
            assert!(said.contains("URL in ") && said.contains(".env:1"), "{ended}");
        }
        assert_eq!(strays(&url), [""; 0]);
    }
}

#[test]
fn a19_a_database_that_is_missing_is_told_with_those_that_there_are() {
    let Some(_postgres) = postgres() else { return };
    let project = local(10);
    let role = project.name().replace('-', "_");
    let local_record: serde_json::Value = serde_json::from_str(&project.read(".infra/setup.json")).unwrap();
    let home = project.path(local_record["local"]["development"]["dir"].as_str().unwrap());
    let password = std::fs::read_to_string(home.join("password")).unwrap();
    for (name, hint) in [
        (format!("{role}x"), format!("did you mean `{role}`?")),
        ("zzz".to_owned(), "the databases of the server are: ".to_owned()),
    ] {
        let url = elsewhere(&project, &role, &password, &name);
        let ended = url.xtask(["db-backup"]).end();
        ended.code(66).says(&format!("database \"{name}\" does not exist")).says(&hint).never_says(&password);
        assert_eq!(strays(&url), [""; 0]);
    }
}

#[test]
fn a21_a_server_that_has_just_been_started_is_waited_for() {
    let Some(_engine) = engine() else { return };
    let project = container();
    let before = Before::of(&project);
    docker(["restart", "-t", "5", &project.container("db")]);
    before.recovers();

    let project = TestProject::new().compose(&format!("services:{DATABASE}"));
    command("docker").args(["compose", "-p", project.name(), "up", "-d"]).current_dir(project.dir()).output().unwrap();
    project.xtask(["db-backup"]).end().ok();
    assert_eq!(listed(&project).len(), 1);
}

#[test]
fn a22_tools_that_are_older_than_the_server_are_refused_before_anything_is_written() {
    let (Some(_engine), Some(_postgres)) = (images(&["postgres:17-alpine"]), postgres()) else { return };
    let server = TestProject::new().compose(
        &format!("services:{DATABASE}    ports: ['127.0.0.1:@port:db@:5432']\n")
            .replace("@image@", "postgres:17-alpine"),
    );
    server.xtask(["start"]).end().ok();
    // In its own container the tools are the server's own.
    server.xtask(["db-backup"]).end().ok();
    let url = TestProject::new()
        .file("infra.toml", &format!("{MANIFEST}[database]\nurl = \"env:URL\"\n"))
        .file(".env", &format!("URL=postgres://postgres:fixture-password@127.0.0.1:{}/postgres\n", server.port("db")));
    let refused = url.xtask(["db-backup"]).end();
    refused.code(65).says("pg_dump is 15.").says(", and the server is 17.").never_says("backing up");
    assert_eq!(strays(&url), [""; 0]);
    assert_eq!(listed(&url).len(), 0);
}
