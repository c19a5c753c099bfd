//! The report, waited for and watched.

use super::*;

/// Each of these calls waits until all three are there.
const MEET: &str = r#"
case $1 in
  logs|system|network)
    : >"$MEETING/$1"
    until [ -e "$MEETING/logs" ] && [ -e "$MEETING/system" ] && [ -e "$MEETING/network" ]; do
      sleep 0.05
    done;;
esac
exec "$REAL" "$@""#;

#[test]
fn everything_is_asked_at_once() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&services(SLEEPER)).file("meeting/.keep", "");
    project.xtask(["start"]).end().ok();
    let fakes = Fakes::new().program("docker", MEET);
    let ended =
        project.xtask(["health", "--json"]).env("PATH", fakes.path()).env("MEETING", project.path("meeting")).end();
    ended.ok();
    for kind in ["logs", "volumes", "network"] {
        assert!(checks(&ended, kind).iter().all(|check| check["status"] == "ok"), "{kind}: {ended}");
    }
}

#[test]
fn f14_a_program_that_hangs_is_left_out_and_ends_with_us() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&services(SLEEPER));
    project.xtask(["start"]).end().ok();
    let fakes = Fakes::new().program("docker", "[ \"$1\" = logs ] && exec sleep 600; exec \"$REAL\" \"$@\"");
    let call = || project.xtask(["health", "--json"]).env("PATH", fakes.path());

    let ended = call().limit(Duration::from_secs(40)).end();
    ended.ok();
    let (status, detail) = found(&ended, "logs", "web");
    assert!(status == "skip" && detail.contains("did not finish within 10 s"), "{detail}");
    assert_eq!(found(&ended, "container", "web").0, "ok");
    assert_eq!(survivors(&ended.mark), Vec::<String>::new());

    let before = fakes.calls().len();
    let running = call().spawn();
    wait_until("the call that hangs", Duration::from_secs(20), || {
        let hangs = fakes.calls()[before..].iter().any(|call| call.has(&["docker", "logs"]));
        hangs.then_some(()).ok_or_else(|| "not yet".to_owned())
    });
    running.signal(Signal::INT);
    let ended = running.wait();
    ended.code(130);
    assert_eq!(survivors(&ended.mark), Vec::<String>::new());
}

/// What the kernel's files say is what the engine says; it is only known sooner.
#[test]
fn the_use_of_memory_is_that_of_docker_stats() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&services(SLEEPER));
    project.xtask(["start"]).end().ok();
    let container = project.container("web");
    wait_until("both say the same", Duration::from_secs(20), || {
        let theirs = docker(["stats", "--no-stream", "--format", "{{.MemUsage}}", &container]);
        let ended = project.xtask(["health", "--json", "--only", "resources"]).end();
        let (_, ours) = found(&ended, "resources", "containers");
        let number =
            |text: &str| text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|it| it.parse::<f64>().ok());
        let used = ours.rsplit("% ").next().and_then(number).unwrap_or_default();
        let unit_is_same = theirs.split(" / ").next().is_some_and(|it| ours.ends_with(&it[it.len() - 3..]));
        let close = number(&theirs).is_some_and(|theirs| (theirs - used).abs() <= 0.05 * theirs);
        if unit_is_same && close { Ok(()) } else { Err(format!("{ours:?} and {theirs:?}")) }
    });
}

#[test]
fn the_report_has_the_documented_keys() {
    let project = TestProject::new().file("infra.toml", "[compose]\nservices = \"none\"\n");
    let ended = project.xtask(["health", "--json", "--only", "disk,memory"]).end();
    ended.ok();
    let outcome = ended.outcome();
    let keys: Vec<&String> = outcome.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["healthy", "environment", "duration_ms", "timed_out", "checks"]);
    for check in checks(&ended, "") {
        // A machine whose disk is nearly full is told what to do about it.
        let keys = check.as_object().unwrap().keys().map(String::as_str).filter(|key| *key != "hint");
        assert_eq!(keys.collect::<Vec<_>>(), ["kind", "target", "status", "detail", "latency_ms"]);
    }
    let ended = project.xtask(["health", "--only", "dsik"]).end();
    ended.code(64).says("did you mean `disk`?");
}

#[test]
fn f10_waiting_ends_when_it_is_healthy_or_the_time_is_over() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&services(
        "  web:
    image: @image@
    init: true
    entrypoint: [sleep, infinity]
    healthcheck: {test: [CMD, test, -e, /tmp/ready], interval: 300ms, retries: 1000}\n",
    ));
    let compose = project.path("compose.yml");
    docker(["compose", "-p", project.name(), "-f", compose.to_str().unwrap(), "up", "-d"]);
    let late = project.xtask(["health", "--json", "--wait=1"]).end();
    late.code(75);
    assert_eq!(late.outcome()["timed_out"], true);
    let mut waiting = project.xtask(["health", "--wait=60"]).spawn();
    std::thread::sleep(Duration::from_secs(1));
    assert!(!waiting.has_ended());
    docker(["exec", &project.container("web"), "touch", "/tmp/ready"]);
    waiting.wait().ok().shows("healthy: ");
}

#[test]
fn watching_prints_json_lines_until_it_is_interrupted() {
    let project = TestProject::new().file("infra.toml", "[compose]\nservices = \"none\"\n");
    let watch = ["health", "--json", "--watch", "--interval", "100ms", "--only", "memory"];
    let running = project.xtask(watch).spawn();
    wait_until("three reports", Duration::from_secs(20), || {
        match running.so_far().matches("\"healthy\":true").count() {
            3.. => Ok(()),
            count => Err(count.to_string()),
        }
    });
    running.signal(Signal::INT);
    let ended = running.wait();
    ended.code(130);
    for line in ended.stdout.lines() {
        let report: Value = serde_json::from_str(line).unwrap();
        assert_eq!(report["checks"][0]["kind"], "memory");
    }
    // Who has seen enough may go.
    project
        .xtask(watch)
        .shell("set -o pipefail 2>/dev/null; : ")
        .inside(["sh", "-c", "\"$@\" | head -n 1", "sh"])
        .end()
        .ok();
}
