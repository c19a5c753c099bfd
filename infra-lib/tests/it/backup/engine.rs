//! The engine, the database's container, and the way to them.

use rustix::process::Signal;

use super::*;

/// The container in which `pg_dump` is at work for this project.
#[track_caller]
fn one_off(project: &TestProject) -> String {
    let label = format!("label=infra.session={}", session(project));
    wait_until("a container dumps", Duration::from_secs(20), || {
        let ids = docker(["ps", "-q", "--filter", &label]);
        if ids.is_empty() { Err("none".to_owned()) } else { Ok(ids) }
    })
}

/// The client of the engine that has `pg_dump` run.
#[track_caller]
fn client(running: &Running) -> i32 {
    wait_until("docker runs pg_dump", Duration::from_secs(20), || {
        let line = |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let dumps = |pid: &i32| line(*pid).contains("\0pg_dump\0--");
        descendants(running.pid()).into_iter().find(dumps).ok_or_else(|| running.so_far())
    })
}

/// The size of the unfinished file.
fn part(project: &TestProject) -> u64 {
    let entries = std::fs::read_dir(project.path(DIR)).unwrap().flatten();
    let unfinished = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".dump.infra-part"));
    unfinished.map(|entry| entry.metadata().map_or(0, |stat| stat.len())).sum()
}

/// A call from where the folder cannot be mounted, so that the dump is streamed.
fn streamed(project: &TestProject, engine: &str) -> Call {
    project.xtask(["db-backup", "--stall", "10s"]).env("DOCKER_HOST", engine)
}

#[test]
fn a07_whatever_ends_dockers_client_the_dump_is_incomplete() {
    let Some(_engine) = engine() else { return };
    let project = container();
    let before = Before::of(&project);
    sql(&project, disk::MORE);
    // Streamed, some versions of it end with 0 for TERM and INT, whatever has come by then; others do not hear.
    for number in [Signal::TERM, Signal::INT, Signal::KILL] {
        let running = streamed(&project, &failing_engine("pg_dump", 1_000_000, Break::Stall)).spawn();
        wait_until("the dump has begun", Duration::from_secs(20), || match part(&project) {
            500_000.. => Ok(()),
            size => Err(format!("{size} bytes, {}", running.so_far())),
        });
        signal(client(&running), number);
        let ended = running.wait();
        assert!(ended.exit == 69 || ended.exit == 75 && number != Signal::KILL, "{number:?}: {ended}");
        before.unchanged(&ended);
        before.tidy(&ended);
    }
    // Beside it, a client that is killed leaves its container to us.
    let held = hold(&project, "plain");
    let running = project.xtask(["db-backup"]).spawn();
    until_somebody_waits(&project);
    signal(client(&running), Signal::KILL);
    let ended = running.wait();
    ended.code(69).says("the dump is incomplete: its client was ended by signal 9");
    drop(held);
    before.holds(&ended);
}

#[test]
fn a08_a_connection_that_drops_at_any_byte_is_noticed() {
    let Some(_engine) = engine() else { return };
    let project = container();
    let mut before = Before::of(&project);
    let whole = {
        let made = project.xtask(["db-backup", "--json"]).env("DOCKER_HOST", remote_engine()).end();
        made.ok();
        usize::try_from(made.outcome()["bytes"].as_u64().unwrap()).unwrap()
    };
    before.listed = listed(&project);
    // The engine frames what it streams, and the last word comes behind the data.
    let offsets = [0, 4096, whole, whole + 20];
    let more: Vec<usize> = (0..whole).step_by((whole / (scale() - 1).max(1)).max(1)).take(scale() - 1).collect();
    for at in offsets.into_iter().chain(more) {
        let ended = streamed(&project, &failing_engine("pg_dump", at, Break::Drop)).end();
        assert_eq!(ended.exit, 69, "cut at {at} of {whole}: {ended}");
        before.unchanged(&ended);
        before.tidy(&ended);
    }
    for (how, code) in [(Break::Reset, 69), (Break::Stall, 75)] {
        let ended = streamed(&project, &failing_engine("pg_dump", whole / 2, how)).end();
        assert_eq!(ended.exit, code, "{how:?}: {ended}");
        before.unchanged(&ended);
        before.tidy(&ended);
    }
    before.recovers();
}

#[test]
fn a09_an_engine_that_is_lost_is_named_and_what_it_still_runs_is_ended_by_the_next_run() {
    let Some(_engine) = engine() else { return };
    let project = container();
    let before = Before::of(&project);
    let engine = VanishingEngine::new();
    let held = hold(&project, "plain");
    let running = project.xtask(["db-backup"]).env("DOCKER_HOST", engine.address()).spawn();
    until_somebody_waits(&project);
    engine.vanish();
    let ended = running.wait();
    ended.code(69).says("the Docker engine was lost");
    assert!(ended.took < Duration::from_secs(90), "{ended}");
    before.unchanged(&ended);
    assert_eq!(strays(&project), [""; 0]);
    drop(held);
    before.recovers();
}

#[test]
fn a05_a06_killed_in_its_container_or_with_its_tool_nothing_goes_on() {
    let Some(_engine) = engine() else { return };
    let project = container();
    let before = Before::of(&project);
    let held = hold(&project, "plain");
    let running = project.xtask(["db-backup"]).spawn();
    until_somebody_waits(&project);
    docker(["kill", &one_off(&project)]);
    let ended = running.wait();
    ended.code(1).says("pg_dump was killed (signal 9); out of memory?");
    before.unchanged(&ended);
    before.tidy(&ended);

    let running = project.xtask(["db-backup"]).spawn();
    until_somebody_waits(&project);
    running.signal(Signal::KILL);
    running.wait().code(137);
    one_off(&project);
    drop(held);
    before.recovers();
}

#[test]
fn a06_killed_where_it_is_streamed_from() {
    let Some(_engine) = engine() else { return };
    let project = container();
    let before = Before::of(&project);
    let held = hold(&project, "plain");
    let running = streamed(&project, &remote_engine()).spawn();
    until_somebody_waits(&project);
    docker(["exec", &project.container("db"), "sh", "-c", "kill -9 $(pidof pg_dump)"]);
    let ended = running.wait();
    ended.code(1).says("pg_dump was killed (signal 9)");
    drop(held);
    before.holds(&ended);
}

#[test]
fn a10_a_database_that_is_stopped_is_named_with_its_state() {
    let Some(_engine) = engine() else { return };
    let project = container();
    let before = Before::of(&project);
    for (way, how) in [(None, "kill"), (Some(remote_engine()), "kill"), (None, "stop"), (Some(remote_engine()), "stop")]
    {
        let held = hold(&project, "plain");
        let call = project.xtask(["db-backup"]);
        let running = way.into_iter().fold(call, |call, way| call.env("DOCKER_HOST", way)).spawn();
        until_somebody_waits(&project);
        docker([how, &project.container("db")]);
        let ended = running.wait();
        ended.code(69).says("service `db` is exited (");
        drop(held);
        project.xtask(["start"]).end().ok();
        before.unchanged(&ended);
    }
    before.recovers();
}

#[test]
fn a11_a_database_that_is_frozen_is_given_up_and_nothing_goes_on_when_it_thaws() {
    let Some(_engine) = engine() else { return };
    let project = container();
    let before = Before::of(&project);
    for way in [None, Some(remote_engine())] {
        let held = hold(&project, "plain");
        let call = project.xtask(["db-backup", "--stall", "10s"]);
        let running = way.into_iter().fold(call, |call, way| call.env("DOCKER_HOST", way)).spawn();
        until_somebody_waits(&project);
        let db = project.container("db");
        pause(&db);
        let ended = running.wait();
        docker(["unpause", &db]);
        ended.code(75).says("nothing was dumped for 10 s; service `db` is paused");
        assert!(ended.took < Duration::from_secs(60), "{ended}");
        drop(held);
        before.unchanged(&ended);
    }
    before.recovers();
}

#[test]
fn i05_ctrl_c_ends_the_container_too() {
    let Some(_engine) = engine() else { return };
    let project = container();
    let before = Before::of(&project);
    for way in [None, Some(remote_engine())] {
        let held = hold(&project, "plain");
        let call = project.xtask(["db-backup"]);
        let running = way.into_iter().fold(call, |call, way| call.env("DOCKER_HOST", way)).spawn();
        until_somebody_waits(&project);
        running.signal(Signal::INT);
        let ended = running.wait();
        ended.code(130);
        before.unchanged(&ended);
        before.tidy(&ended);
        drop(held);
    }
    before.recovers();
}
