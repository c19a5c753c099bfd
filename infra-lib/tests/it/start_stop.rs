//! Start and stop. How `health` sees the same faults (F06–F14, F19, F21) is in `health.rs`.
//!
//! F12 (a real login instead of `pg_isready`), F13 (nothing runs), F14 (the whole report), F19 (a database for everybody) and
//! F21 (old backups) are `health`'s alone; `start` has nothing to say about them.

use std::fs::Permissions;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::*;

/// A service of the fixtures that sleeps, with more keys.
fn sleeper(name: &str, more: &str) -> String {
    let keys =
        if more.contains("healthcheck") { "image: @image@, entrypoint: [sleep, infinity], init: true" } else { SLEEPS };
    format!("  {name}: {{{keys}{more}}}\n")
}

/// A service of the fixtures that runs a line of shell, with more keys.
fn shell(name: &str, line: &str, more: &str) -> String {
    format!("  {name}: {{image: @image@, entrypoint: [sh, -c, \"{line}\"], init: true{more}}}\n")
}

fn project(services: &[String]) -> TestProject {
    TestProject::new().compose(&format!("services:\n{}", services.concat()))
}

const UNHEALTHY: &str =
    ", healthcheck: {test: [CMD-SHELL, 'echo the reason; exit 1'], interval: 200ms, retries: 1, timeout: 5s}";
#[test]
fn f01_a_port_that_a_process_has_is_told_with_its_owner() {
    let Some(_ss) = tool("ss") else { return };
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("one", ""), sleeper("two", ", ports: ['127.0.0.1:@port:web@:80']")]);
    let _listener = TcpListener::bind(("127.0.0.1", project.port("web"))).unwrap();
    let ended = project.xtask(["start"]).end();
    ended.code(1).says(&format!("port {} of service `two` is taken by", project.port("web")));
    ended.says(&format!("process {}", std::process::id())).says("hint: ");
    assert!(project.containers("").is_empty(), "nothing of ours is left");
}

#[test]
fn f01_a_port_that_a_container_has_is_told_with_its_project() {
    let Some(_engine) = engine() else { return };
    let other = project(&[sleeper("web", ", ports: ['127.0.0.1:@port:web@:80']")]);
    other.xtask(["start"]).end().ok();
    let port = other.port("web");
    let ours = project(&[sleeper("web", &format!(", ports: ['127.0.0.1:{port}:80']"))]);
    ours.xtask(["start"]).end().code(1).says(&format!("container {0}-web-1 (project {0})", other.name()));
    assert_eq!((other.state("web"), ours.state("web")), ("running".into(), "gone".into()));
}

#[test]
fn f01_a_udp_port_counts_too() {
    let Some(_ss) = tool("ss") else { return };
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("dns", ", ports: ['127.0.0.1:@port:dns@:53/udp']")]);
    let _socket = UdpSocket::bind(("127.0.0.1", project.port("dns"))).unwrap();
    let ended = project.xtask(["start"]).end();
    ended.code(1).says(&format!("port {} of service `dns` is taken by", project.port("dns")));
    ended.says(&format!("process {}", std::process::id()));
}

#[test]
fn f01_a_port_that_only_the_engine_cannot_bind_leaves_nothing_running() {
    let Some(_engine) = engine() else { return };
    // An address that is not this machine's: that shows only when the engine binds it.
    let project = project(&[
        sleeper("ran", ""),
        sleeper("one", ""),
        sleeper("two", ", ports: ['192.0.2.1:@port:web@:80'], depends_on: [one]"),
    ]);
    project.xtask(["start", "ran"]).end().ok();
    project.xtask(["start"]).end().code(1).says("did not start").says("192.0.2.1").says("stopped again");
    assert_eq!(project.state("ran"), "running", "what ran before still does");
    assert_eq!(project.state("one"), "exited", "what this start began was stopped again");
}

#[test]
fn f02_an_image_that_is_not_to_be_had_is_named() {
    let Some(_engine) = engine() else { return };
    let project = project(&["  web: {image: 'registry.invalid/team/thing:9'}\n".to_owned()]);
    project.xtask(["start"]).end().code(69).says("registry.invalid").says("image");
    let project = self::project(&["  web: {image: '@name@-nowhere:9', pull_policy: never}\n".to_owned()]);
    project.xtask(["start"]).end().code(69).says(&format!("{}-nowhere:9", project.name()));
}

#[test]
fn f03_an_engine_that_does_not_answer_is_named() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("web", "")]);
    for address in ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"] {
        for command in ["start", "stop"] {
            let ended = project.xtask([command]).env("DOCKER_HOST", address).end();
            ended.code(69).says(address).says("hint: ");
        }
    }
    project.xtask(["start"]).env("DOCKER_CONTEXT", "no-such-context").end().code(69).says("no-such-context");
}

#[test]
fn f04_no_right_on_the_socket_is_refused_with_the_real_cause() {
    let Some(_engine) = engine() else { return };
    if !rustix::process::getuid().is_root() || tool("setpriv").is_none() {
        return;
    }
    let project = project(&[sleeper("web", "")]).open_to_all();
    rustix::fs::chown(project.dir(), rustix::fs::Uid::from_raw(65534).into(), None).unwrap();
    // Of the binary too, wherever it was built.
    let ended = project.xtask(["start"]).env("HOME", "/nonexistent").user(65534).end();
    ended.code(77).says("permission denied for the Docker engine").says("docker.sock").says("hint: ");
    // A home that may not be read hides the plugins that lie there; Docker then does not know the word `compose`.
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".docker/cli-plugins")).unwrap();
    std::fs::set_permissions(home.path(), Permissions::from_mode(0o700)).unwrap();
    let ended = project.xtask(["start"]).env("HOME", home.path()).user(65534).end();
    ended.code(77).says(".docker, so Docker does not find Compose").says("hint: check HOME");
}

#[test]
fn f05_compose_that_is_too_old_is_told_what_is_needed() {
    let project = project(&[sleeper("web", "")]);
    let old = |version: &str| {
        let script =
            format!("case \"$*\" in *'version --short'*) echo {version};; *) echo 'unknown flag' >&2; exit 16;; esac");
        Fakes::new().program("docker", &script)
    };
    for version in ["2.17.3", "1.29.2"] {
        let ended = project.xtask(["start"]).env("PATH", old(version).path()).end();
        ended.code(69).says(version).says("2.21.0").says("hint: ");
    }
}

#[test]
fn f05_compose_v1_alone_is_told_apart_from_none() {
    let project = project(&[sleeper("web", "")]);
    let plain = Fakes::new().program("docker", "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1");
    let path = plain.path_without(&["docker", "docker-compose"]);
    project.xtask(["start"]).env("PATH", path).end().code(69).says("neither `docker compose` nor `docker-compose`");
    let v1 = Fakes::new()
        .program("docker", "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1")
        .program("docker-compose", "case \"$*\" in *version*) echo 1.29.2;; *) exit 1;; esac");
    let path = v1.path_without(&["docker", "docker-compose"]);
    project.xtask(["start"]).env("PATH", path).end().code(69).says("1.29.2").says("2.21.0");
}

#[test]
fn f06_unhealthy_is_2_with_what_its_check_said() {
    let Some(_engine) = engine() else { return };
    let project = project(&[shell("web", "echo its log; sleep 99", UNHEALTHY), sleeper("fine", "")]);
    let ended = project.xtask(["start", "--json"]).end();
    let outcome = ended.code(2).outcome();
    let culprit = &outcome["culprits"][0];
    assert_eq!((&culprit["service"], &culprit["state"]), (&"web".into(), &"unhealthy".into()), "{ended}");
    assert!(culprit["health"].as_str().unwrap().contains("the reason"), "{ended}");
    assert_eq!(culprit["log"][0], "its log", "{ended}");
    assert_eq!(outcome["culprits"].as_array().unwrap().len(), 1, "{ended}");
    assert_eq!(project.state("web"), "running", "what runs is left for looking at");
}

#[test]
fn f06_unhealthy_that_others_depend_on_is_2_too() {
    let Some(_engine) = engine() else { return };
    let project =
        project(&[sleeper("db", UNHEALTHY), sleeper("web", ", depends_on: {db: {condition: service_healthy}}")]);
    project.xtask(["start"]).end().code(2).shows("db: unhealthy").shows("the reason");
}

#[test]
fn f07_crash_loop_is_unhealthy() {
    let Some(_engine) = engine() else { return };
    let project = project(&[shell("web", "echo its last words; sleep 0.3; exit 7", ", restart: always")]);
    let ended = project.xtask(["start"]).end();
    ended.code(2).shows("web: restarted ").shows("| its last words").shows("not healthy");
}

#[test]
fn f08_death_after_three_seconds_is_noticed() {
    let Some(_engine) = engine() else { return };
    let project = project(&[shell("web", "sleep 3; echo gone; exit 3", ""), sleeper("fine", "")]);
    project.xtask(["start"]).end().code(2).shows("web: exited (3)").shows("| gone");
}

#[test]
fn f09_a_one_shot_that_ended_well_is_ready() {
    let Some(_engine) = engine() else { return };
    let project = project(&[
        shell("job", "exit 0", ""),
        sleeper("web", ", depends_on: {job: {condition: service_completed_successfully}}"),
    ]);
    project.xtask(["start"]).end().ok().shows("ready after");
    project.xtask(["start"]).end().ok();
    let project = self::project(&[
        shell("job", "echo cannot; exit 4", ""),
        sleeper("web", ", depends_on: {job: {condition: service_completed_successfully}}"),
    ]);
    project.xtask(["start"]).end().code(2).shows("job: exited (4)").shows("| cannot");
    // What was never started does not become ready by waiting.
    let health = project.xtask(["health", "--only", "container"]).end();
    health.code(2).shows("created, not started").shows("cargo xtask start web").never_says("--wait");
    project.xtask(["doctor"]).end().code(2).never_says("cargo xtask logs web");
}

#[test]
fn f10_the_last_line_of_a_log_is_the_last_of_both_streams() {
    let Some(_engine) = engine() else { return };
    let line = "echo one >&2; sleep .2; echo two; sleep .2; echo three >&2; sleep .2; echo four; sleep .2; echo five >&2; exit 1";
    let project = project(&[shell("job", line, "")]);
    let ended = project.xtask(["start"]).end();
    ended.code(2);
    let said: Vec<_> = ended.stdout.lines().filter_map(|line| line.trim().strip_prefix("| ")).collect();
    assert_eq!(said, ["one", "two", "three", "four", "five"], "{ended}");
    project.xtask(["health", "--only", "container"]).end().code(2).shows("last log: five");
}

#[test]
fn f16_the_address_of_a_service_that_was_asked_for_is_shown_whatever_its_profile() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("tool", ", profiles: [tools], ports: ['127.0.0.1:@port:tool@:80']")]);
    project.xtask(["start", "tool"]).end().ok().shows(&format!("tool: http://localhost:{}", project.port("tool")));
}

#[test]
fn f10_never_healthy_ends_in_time_and_is_left_running() {
    let Some(_engine) = engine() else { return };
    let never = ", healthcheck: {test: [CMD-SHELL, 'exit 1'], start_period: 300s, interval: 300s}";
    let project = project(&[sleeper("web", never)]);
    let ended = project.xtask(["start", "--timeout", "12s"]).end();
    ended.code(75).shows("left running").shows("web: its check fails: exit code 1");
    assert!(ended.took < Duration::from_secs(45), "{ended}");
    assert_eq!(project.state("web"), "running");
}

#[test]
fn f10_a_dependency_that_is_never_healthy_ends_in_time_too() {
    let Some(_engine) = engine() else { return };
    let never = ", healthcheck: {test: [CMD-SHELL, 'exit 1'], start_period: 300s, interval: 300s}";
    let project = project(&[sleeper("db", never), sleeper("web", ", depends_on: {db: {condition: service_healthy}}")]);
    let ended = project.xtask(["start", "--timeout", "12s"]).end();
    ended.code(75).shows("db: its check fails: exit code 1");
    assert!(ended.took < Duration::from_secs(45), "{ended}");
    assert_eq!(project.state("db"), "running");
}

#[test]
fn f11_a_paused_container_is_not_ready() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("web", "")]);
    project.xtask(["start"]).end().ok();
    pause(&project.container("web"));
    let ended = project.xtask(["start"]).end();
    // Compose of some versions unpauses it; then it is ready indeed.
    let expected = if project.state("web") == "paused" { 2 } else { 0 };
    ended.code(expected);
    if expected == 2 {
        ended.shows("web: paused");
    }
}

#[test]
fn f15_a_container_name_of_another_project_is_told_with_its_owner() {
    let Some(_engine) = engine() else { return };
    let other = project(&[sleeper("web", ", container_name: '@name@-fixed'")]);
    other.xtask(["start"]).end().ok();
    let fixed = format!("{}-fixed", other.name());
    let ours = project(&[sleeper("first", ""), sleeper("web", &format!(", container_name: {fixed}"))]);
    let ended = ours.xtask(["start"]).end();
    ended.code(1).says(&fixed).says(other.name()).says(other.dir().to_str().unwrap()).says("hint: ");
    assert_eq!((other.state("web"), ours.state("web")), ("running".into(), "gone".into()));
    assert_ne!(ours.state("first"), "running", "nothing of ours is left running");
}

#[test]
fn f16_orphans_and_profiles_are_kept_until_asked_for() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("old", ""), sleeper("web", ""), sleeper("extra", ", profiles: [extra]")]);
    project.xtask(["start", "old", "web", "extra"]).end().ok();
    project
        .write("compose.yml", &format!("services:\n{}", sleeper("web", "") + &sleeper("extra", ", profiles: [extra]")));
    let ended = project.xtask(["start"]).end();
    ended.ok();
    assert_eq!([project.state("old"), project.state("extra")], ["running", "running"], "nothing asked for their end");
    project.xtask(["ps"]).end().ok().shows("old").shows("extra");
    let health = project.xtask(["health", "--only", "container"]).end();
    health.ok().shows("but the compose files no longer define `old`").shows("cargo xtask stop old");
    project.xtask(["stop", "old"]).end().ok().shows("stopped old");
    assert_eq!([project.state("old"), project.state("web")], ["exited", "running"]);
    project.xtask(["start"]).end().ok();
    project.xtask(["stop"]).end().ok();
    assert_eq!(
        [project.state("old"), project.state("web"), project.state("extra")],
        ["exited", "exited", "exited"],
        "`stop` stops all that is this project's"
    );
    project.xtask(["clean", "--yes"]).end().ok().shows("-old-1").shows("-extra-1");
    assert!(project.containers("").is_empty());
}

#[test]
fn f17_a_database_is_given_the_time_to_stop() {
    let Some(_engine) = engine() else { return };
    // With this signal the server waits for its clients: longer than the ten seconds after which Compose alone kills it.
    let project = TestProject::new().compose(&format!("services:{DATABASE}    stop_signal: SIGTERM\n"));
    project.xtask(["start"]).end().ok();
    let client = project.xtask(["db-shell", "-c", "SELECT 'connected'", "-c", "SELECT pg_sleep(14)"]).spawn();
    client.until("connected");
    let ended = project.xtask(["stop"]).end();
    ended.ok().shows("stopped db").never_says("killed");
    drop(client);
    assert_eq!(docker(["inspect", "--format", "{{.State.ExitCode}}", &project.container("db")]), "0", "not 137");
    assert!(ended.took > Duration::from_secs(10), "{ended}");
}

#[test]
fn f17_what_is_no_database_is_not_waited_for_longer_than_by_compose() {
    let Some(_engine) = engine() else { return };
    let deaf = shell("web", "trap '' TERM; sleep 99 & wait; sleep 99", ", volumes: ['data:/data']");
    let project = TestProject::new()
        .compose(&format!("services:\n{}volumes: {{data: {{}}}}\n", deaf.replace(", init: true", "")));
    project.xtask(["start"]).end().ok();
    project.xtask(["stop", "--dry-run"]).end().ok().shows("stop web").never_says("--timeout");
}

#[test]
fn f17_a_loaded_database_stops_cleanly() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:{DATABASE}"));
    project.xtask(["start"]).end().ok();
    let (load, more) = ("create table t as select generate_series(1, 300000) n", "select count(*) from t a, t b");
    let running = project.xtask(["db-shell", "-c", load, "-c", more]).spawn();
    running.until("SELECT 300000");
    project.xtask(["stop"]).end().ok();
    drop(running);
    project.xtask(["start"]).end().ok();
    let log = docker_logs(&project.container("db"));
    assert!(log.contains("database system is shut down"), "{log}");
    assert!(!log.contains("not properly shut down"), "{log}");
}

/// Both streams of a container's log.
fn docker_logs(container: &str) -> String {
    let output = command("docker").args(["logs", container]).output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn f18_an_interrupted_start_is_130_and_says_what_runs() {
    let Some(_engine) = engine() else { return };
    let never = ", healthcheck: {test: [CMD-SHELL, 'exit 1'], start_period: 300s, interval: 300s}";
    let project = project(&[sleeper("db", never), sleeper("web", ", depends_on: {db: {condition: service_healthy}}")]);
    let running = project.xtask(["start"]).spawn();
    wait_until("the first container runs", Duration::from_secs(30), || match project.state("db") {
        state if state == "running" => Ok(()),
        state => Err(state),
    });
    let began = Instant::now();
    running.signal(Signal::INT);
    let ended = running.wait();
    ended.code(130).says("interrupted").says("still running: db ");
    assert!(began.elapsed() < Duration::from_secs(30), "{ended}");
    assert_eq!(survivors(&ended.mark), [] as [&str; 0]);
    assert_eq!(project.state("db"), "running", "what was started was not taken back behind the user's back");
}

#[test]
fn f20_an_engine_that_is_not_the_recorded_one_is_left_alone() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("web", "")]);
    project.xtask(["setup", "--yes"]).end().ok();
    let record = project.read(".infra/setup.json");
    let id = docker(["info", "--format", "{{.ID}}"]);
    assert!(record.contains(&id), "setup recorded the engine: {record}");
    project.write(".infra/setup.json", &record.replace(&id, "another-engine"));
    let ended = project.xtask(["clean", "--all", "--yes"]).end();
    ended.code(77).says("not the Docker engine").says("hint: ");
    project.xtask(["clean", "--all", "--yes", "--confirm", project.name()]).end().code(77);
    assert_eq!(project.state("web"), "running");
    project.write(".infra/setup.json", &record);
    project.xtask(["clean", "--yes"]).end().ok();
}
