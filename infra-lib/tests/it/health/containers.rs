//! What containers tell of themselves.

use super::*;

#[test]
fn f06_unhealthy_shows_what_the_health_check_said() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&services(
        "  web:
    image: @image@
    init: true
    entrypoint: [sh, -c, 'echo the last words; exec sleep infinity']
    healthcheck: {test: [CMD-SHELL, 'echo no route to the moon; exit 1'], interval: 300ms, retries: 1}\n",
    ));
    project.xtask(["start"]).end().code(2);
    let ended = health(&project);
    ended.code(2);
    fails(&ended, "container", "web", "unhealthy; health check: no route to the moon; last log: the last words");
}

#[test]
fn f07_a_crash_loop_is_unhealthy_and_tells_its_restarts() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&services(
        "  web: {image: @image@, restart: always, entrypoint: [sh, -c, 'echo boom; sleep 0.3; exit 3']}\n",
    ));
    project.xtask(["start"]).end().code(2);
    // Whatever moment of the loop a look falls into.
    for _ in 0..4 {
        let ended = project.xtask(["health", "--json", "--only", "container"]).end();
        ended.code(2);
        let (status, detail) = found(&ended, "container", "web");
        assert!(status == "fail" && detail.ends_with("last log: boom"), "{detail}");
        assert!(detail.contains("restarted ") || detail.contains("exits repeatedly"), "{detail}");
    }
}

#[test]
fn f08_who_dies_after_three_seconds_is_unhealthy() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&services("  web: {image: @image@, entrypoint: [sh, -c, 'sleep 3; echo too late; exit 4']}\n"));
    docker(["compose", "-p", project.name(), "-f", project.path("compose.yml").to_str().unwrap(), "up", "-d"]);
    // It runs, and is not believed yet.
    let early = project.xtask(["health", "--json", "--only", "container"]).end();
    early.code(2);
    assert_eq!(checks(&early, "container").len(), 1, "{early}");
    wait_until("its end", Duration::from_secs(20), || match project.state("web").as_str() {
        "exited" => Ok(()),
        state => Err(state.to_owned()),
    });
    let ended = health(&project);
    ended.code(2);
    fails(&ended, "container", "web", "exited (4); last log: too late");
}

#[test]
fn f09_a_job_that_is_done_is_healthy() {
    let Some(_engine) = engine() else { return };
    let job = "  job: {image: @image@, entrypoint: ['true']}\n";
    let project = TestProject::new().compose(&services(&format!("{SLEEPER}{job}")));
    project.xtask(["start"]).end().ok();
    let ended = health(&project);
    ended.ok();
    assert_eq!(found(&ended, "container", "job"), ("ok".to_owned(), "done: exited (0)".to_owned()));
    project.xtask(["health", "-q"]).end().ok().silent();
}

#[test]
fn f11_paused_is_unhealthy() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&services(SLEEPER));
    project.xtask(["start"]).end().ok();
    pause(&project.container("web"));
    let ended = health(&project);
    docker(["unpause", &project.container("web")]);
    ended.code(2);
    fails(&ended, "container", "web", "paused");
    assert!(checks(&ended, "container")[0]["hint"].as_str().unwrap().starts_with("`docker unpause "), "{ended}");
}

#[test]
fn f13_nothing_running_is_unhealthy() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&services(&format!("{DATABASE}{SLEEPER}")));
    let ended = health(&project);
    ended.code(2);
    fails(&ended, "container", "db", "not running: no container");
    fails(&ended, "container", project.name(), "nothing is running");

    // A database that was asked to stop ends with zero, as a job does.
    project.xtask(["start", "db"]).end().ok();
    project.xtask(["stop"]).end().ok();
    let ended = health(&project);
    ended.code(2);
    fails(&ended, "container", "db", "stopped: exited (0)");
    fails(&ended, "container", project.name(), "nothing is running");
}
