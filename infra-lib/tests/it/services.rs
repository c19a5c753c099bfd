//! Everyday commands for services: restart, scale, build, update, ps, logs, stats, df, shell, exec; tasks, history, describe, init.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::*;

mod information;
mod init;

/// A service that is healthy at once, with more keys and a line of shell to run.
fn service(name: &str, line: &str, more: &str) -> String {
    format!(
        "  {name}: {{image: @image@, entrypoint: [sh, -c, \"{line}\"], init: true, stop_signal: SIGKILL, healthcheck: \
         {{test: [CMD, 'true'], start_interval: 200ms, start_period: 30s}}{more}}}\n"
    )
}

fn sleeper(name: &str, more: &str) -> String {
    service(name, "sleep infinity", more)
}

fn project(services: &[String]) -> TestProject {
    TestProject::new().compose(&format!("services:\n{}", services.concat()))
}

fn started(project: &TestProject, service: &str) -> String {
    docker(["inspect", "--format", "{{.State.StartedAt}}", &project.container(service)])
}

#[test]
fn restart_goes_in_the_order_of_dependencies() {
    let Some(_engine) = engine() else { return };
    let depends = |on: &str| format!(", depends_on: [{on}]");
    let project = project(&[sleeper("web", &depends("api")), sleeper("api", &depends("store")), sleeper("store", "")]);
    project.xtask(["start"]).end().ok();
    let before = started(&project, "store");
    let ended = project.xtask(["restart"]).end();
    ended.ok().says("restarting store\nrestarting api\nrestarting web\n").shows("restarted store, api, web; ready");
    assert!(before < started(&project, "store"));
    assert!(started(&project, "store") < started(&project, "api"));
    assert!(started(&project, "api") < started(&project, "web"));

    let (api, web) = (started(&project, "api"), started(&project, "web"));
    project.xtask(["restart", "web"]).end().ok();
    assert_eq!(started(&project, "api"), api, "what is not named is left alone");
    assert!(started(&project, "web") > web);
}

#[test]
fn restart_leaves_the_dependents_alone_when_a_service_does_not_come_back() {
    let Some(_engine) = engine() else { return };
    let line = "test ! -e /tmp/once || { echo the reason; exit 7; }; touch /tmp/once; sleep infinity";
    let project = project(&[service("store", line, ""), sleeper("api", ", depends_on: [store]")]);
    project.xtask(["start"]).end().ok();
    let before = started(&project, "api");
    let ended = project.xtask(["restart", "--json"]).end();
    ended.code(2);
    let outcome = ended.outcome();
    assert_eq!((&outcome["restarted"][0], &outcome["left"][0]), (&"store".into(), &"api".into()), "{outcome}");
    assert_eq!(outcome["culprits"][0]["state"], "exited (7)", "{outcome}");
    assert_eq!(outcome["culprits"][0]["log"][0], "the reason", "{outcome}");
    assert_eq!(started(&project, "api"), before);
}

#[test]
fn restart_starts_what_was_not_running_and_dry_run_nothing() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("web", "")]);
    let dry = project.xtask(["restart", "--dry-run"]).end();
    dry.ok().shows("up --no-start --no-recreate web").shows("docker start ");
    dry.never_says("ready after");
    assert_eq!(project.state("web"), "gone");
    project.xtask(["restart"]).end().ok();
    assert_eq!(project.state("web"), "running");
    project
        .xtask(["restart", "wbe"])
        .stderr("error: unknown service `wbe`\nhint: did you mean `web`?\n")
        .code(66)
        .check();
}

#[test]
fn scale_runs_so_many_and_says_what_cannot_be_many() {
    let Some(_engine) = engine() else { return };
    let project = project(&[
        sleeper("worker", ""),
        sleeper("named", ", container_name: @name@-named"),
        sleeper("open", ", ports: ['127.0.0.1:@port:open@:80']"),
        DATABASE.trim_start_matches('\n').to_owned(),
    ]);
    let ended = project.xtask(["scale", "worker=3"]).end();
    ended.ok().shows("worker: 0 -> 3\n");
    assert_eq!(project.containers("worker").len(), 3);
    assert!(project.containers("open").is_empty(), "only what was named");
    project.xtask(["scale", "worker=1"]).end().ok().shows("worker: 3 -> 1\n");
    project.xtask(["scale", "named=2"]).end().code(78).says("its container is always named");
    project.xtask(["scale", "open=2"]).end().code(78).says("which only one container can have");
    project.xtask(["scale", "db=2"]).end().code(77).says("two PostgreSQL servers on one data folder destroy it");
    project.xtask(["start", "--scale", "db=2"]).end().code(77);
    project.xtask(["scale", "worker"]).end().code(64);
    project.xtask(["scale", "wroker=2"]).end().code(66).says("did you mean `worker`?");
}

#[test]
fn build_relays_failure_and_says_what_is_new() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose("services: {app: {build: .}, ready: {image: @image@}, bad: {build: {context: ., target: bad}, profiles: [bad]}}")
        .file("Dockerfile", "FROM @image@ AS bad\nRUN echo the reason && exit 3\nFROM @image@ AS good\nRUN echo @name@ > /made\n");
    let image = |ended: &Ended| ended.outcome()["images"][0].clone();
    let first = image(&project.xtask(["build", "--json"]).end());
    assert_eq!((&first["service"], &first["changed"]), (&"app".into(), &true.into()), "{first}");
    assert_eq!(image(&project.xtask(["build", "app", "--json"]).end())["changed"], false, "from the cache");
    project.xtask(["build", "ready"]).end().ok().shows("nothing to build");
    project
        .xtask(["build", "bad"])
        .end()
        .code(1)
        .says("the reason")
        .says("did not complete successfully: exit code: 3");
}

#[test]
fn f02_update_goes_on_after_a_registry_that_cannot_be_reached() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {a: {image: 'registry.invalid/a:1'}, b: {image: 'registry.invalid/b:1'}, c: {image: @image@, pull_policy: never}}",
    );
    let ended = project.xtask(["update", "--json"]).end();
    ended.code(69).says("registry.invalid/a:1: ").says("registry.invalid/b:1: ");
    let images = ended.outcome()["images"].as_array().unwrap().clone();
    assert_eq!(images.len(), 3, "each is named");
    for image in images {
        let is_remote = image["image"].as_str().unwrap().starts_with("registry.invalid");
        assert_eq!(image["problem"]["registry"].as_bool(), is_remote.then_some(true), "{image}");
        assert_eq!(image["before"], image["after"], "{image}");
    }
}

#[test]
fn exec_and_shell_pass_everything_on() {
    let Some(_script) = tool("script") else { return };
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("web", ""), sleeper("down", ", profiles: [extra]")]);
    project.xtask(["start"]).end().ok();
    project
        .xtask(["exec", "web", "--", "sh", "-c", "cat; echo err >&2; exit 3"])
        .input("in\n")
        .stdout("in\n")
        .stderr("err\n")
        .code(3)
        .check();
    project.xtask(["shell", "web"]).input("echo $((6*7))\nexit 2\n").stdout("42\n").code(2).check();
    project.xtask(["shell-web"]).input("true\n").check();
    let at_terminal = project.xtask(["shell", "web"]).pty([("# ", "tty; exit 0\n")]).end();
    at_terminal.ok().shows("/dev/pts/");
    project
        .xtask(["exec", "down", "--", "true"])
        .end()
        .code(69)
        .says("has no container")
        .says("cargo xtask start down");
    project.xtask(["exec", "web"]).end().code(64);
    for words in [&["shell", "web"][..], &["exec", "web", "true"], &["db-shell"]] {
        let ended = project.xtask(["--json"].iter().chain(words)).end();
        assert_eq!(ended.code(64).error()["code"], "usage");
        assert!(ended.stdout.is_empty());
    }
}

#[test]
fn b06_an_unknown_service_and_one_that_does_not_run_are_different_errors() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("web", "")]);
    for words in [&["exec", "wbe", "--", "true"][..], &["shell", "wbe"], &["logs", "wbe"], &["restart", "wbe"]] {
        project.xtask(words.iter().copied()).end().code(66).says("did you mean `web`?");
    }
    project.xtask(["restart", "--", "--help"]).end().code(66).says("`--help`");
    project.xtask(["exec", "web", "--", "true"]).end().code(69).says("cargo xtask start web");
}

#[test]
fn f17_stop_says_when_postgres_was_killed() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:{DATABASE}    stop_signal: SIGKILL\n"));
    project.xtask(["start"]).end().ok();
    let ended = project.xtask(["stop", "--json"]).end();
    ended.ok().says("`db` was killed before it had shut down (exit code 137)");
    assert_eq!(ended.outcome()["unclean"][0], "db");
    let clean = TestProject::new().compose(&format!("services:{DATABASE}    stop_grace_period: 90s\n"));
    clean.xtask(["start"]).end().ok();
    clean.xtask(["stop", "--dry-run"]).end().ok().shows("stop --timeout 90").never_says("stopped");
    assert_eq!(clean.xtask(["stop", "--json"]).end().outcome()["unclean"].to_string(), "[]");
}

#[test]
fn a_dry_run_shows_and_claims_nothing() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("web", "")]);
    for words in [&["setup", "--yes"][..], &["start"], &["scale", "web=2"]] {
        let ended = project.xtask(words.iter().copied().chain(["--dry-run"])).end();
        ended.ok().shows(" up --no-start").shows("docker start ").never_says("ready").never_says("warning");
        let json = project.xtask(words.iter().copied().chain(["--dry-run", "--json"])).end();
        assert_eq!(json.ok().json()["dry_run"], true);
    }
    project.xtask(["stop", "--dry-run"]).stdout("nothing was running\n").check();
    assert!(project.containers("").is_empty());
}

/// `make X` becomes `cargo xtask X`.
#[test]
fn make_spellings_reach_their_commands() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose("services: {app: {build: {context: ., target: dev}}}")
        .file("compose.prod.yml", "services: {app: {build: {target: prod}}}")
        .file("infra.toml", "[environments.production]\nfiles = ['compose.yml', 'compose.prod.yml']\n")
        .file("Dockerfile", "FROM @image@ AS dev\nFROM @image@ AS prod\n");
    let shows = |words: &[&str], command: &str| {
        project.xtask(words.iter().copied().chain(["--dry-run"])).end().ok().shows(command);
    };
    shows(&["rebuild"], " build --no-cache app");
    shows(&["rebuild", "app"], " build --no-cache app");
    shows(&["prod-build"], "/compose.prod.yml ");
    shows(&["prod-build"], &format!("-p {}-production ", project.name()));
    shows(&["prod-start"], " up --no-start");
    project.xtask(["prod-stop"]).stdout("nothing was running\n").check();
    project.xtask(["logs-app"]).check();
    project.xtask(["shell-app"]).end().code(69);
    project.xtask(["ip"]).stdout("no container is running\n").check();
    project.xtask(["clean-volumes", "--yes"]).end().ok();
}
