//! `health` against a real engine.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::*;

/// A service of the fixtures that does nothing until it is stopped.
const SLEEPER: &str = "  web: {image: @image@, entrypoint: [sleep, infinity], init: true}\n";

fn services(text: &str) -> String {
    format!("services:\n{text}")
}

/// The checks of a report, those of one kind or (`""`) all.
fn checks(ended: &Ended, kind: &str) -> Vec<Value> {
    let outcome = ended.outcome();
    let all = outcome["checks"].as_array().unwrap().clone();
    all.into_iter().filter(|check| kind.is_empty() || check["kind"] == kind).collect()
}

/// The status and detail of the check of this kind and target.
#[track_caller]
fn found(ended: &Ended, kind: &str, target: &str) -> (String, String) {
    let all = checks(ended, kind);
    let check = all.iter().find(|check| check["target"] == target);
    let check = check.unwrap_or_else(|| panic!("no check {kind} {target} in {ended}"));
    (check["status"].as_str().unwrap().to_owned(), check["detail"].as_str().unwrap().to_owned())
}

#[track_caller]
fn fails(ended: &Ended, kind: &str, target: &str, detail: &str) {
    let (status, said) = found(ended, kind, target);
    assert!(status == "fail" && said.contains(detail), "{kind} {target} is {status}: {said}; expected: {detail}");
}

fn health(project: &TestProject) -> Ended {
    project.xtask(["health", "--json"]).end()
}

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
        assert!(detail.contains("restarted ") || detail.contains("again and again"), "{detail}");
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
    docker(["pause", &project.container("web")]);
    let ended = health(&project);
    docker(["unpause", &project.container("web")]);
    ended.code(2);
    fails(&ended, "container", "web", "paused");
    assert!(checks(&ended, "container")[0]["hint"].as_str().unwrap().starts_with("`docker unpause "), "{ended}");
}

#[test]
fn f12_e11_a_login_is_real() {
    let Some(_engine) = engine() else { return };
    let database = DATABASE.replace("fixture-password", "'${DB_PASSWORD}'");
    let project = TestProject::new().compose(&services(&database)).file(".env", "DB_PASSWORD=first-password-7\n");
    project.xtask(["start"]).end().ok();
    let ended = health(&project);
    ended.ok();
    let (status, detail) = found(&ended, "postgres", "db");
    assert!(status == "ok" && detail.starts_with("postgres logs in to postgres, PostgreSQL 16"), "{detail}");

    // What `pg_isready` would say yes to.
    project.write(".env", "DB_PASSWORD=second-password-7\n");
    let ended = health(&project);
    ended.code(2).never_says("second-password-7").never_says("first-password-7");
    fails(&ended, "postgres", "db", "password authentication failed");
    let hint = checks(&ended, "postgres")[0]["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("a volume keeps the password with which it was initialised"), "{hint}");
    let (status, detail) = found(&ended, "environment", "db");
    assert_eq!((status.as_str(), detail.as_str()), ("warn", "runs with older values of POSTGRES_PASSWORD"));

    project.write(".env", "DB_PASSWORD=first-password-7\n");
    project.write("infra.toml", "[database]\nname = \"nowhere\"\n");
    fails(health(&project).code(2), "postgres", "db", "\"nowhere\" does not exist");
    project.write("infra.toml", "[database]\nuser = \"nobody\"\n");
    fails(health(&project).code(2), "postgres", "db", "nobody");
}

#[test]
fn f13_nothing_running_is_unhealthy() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&services(&format!("{DATABASE}{SLEEPER}")));
    let ended = health(&project);
    ended.code(2);
    fails(&ended, "container", "db", "not running: there is no container");
    fails(&ended, "container", project.name(), "nothing is running");

    // A database that was asked to stop ends with zero, as a job does.
    project.xtask(["start", "db"]).end().ok();
    project.xtask(["stop"]).end().ok();
    let ended = health(&project);
    ended.code(2);
    fails(&ended, "container", "db", "stopped: exited (0)");
    fails(&ended, "container", project.name(), "nothing is running");
}

#[test]
fn f14_broken_pieces_hide_nothing() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&services(&format!(
            "{DATABASE}  exits: {{image: @image@, entrypoint: ['false']}}
  sick: {{image: @image@, init: true, entrypoint: [sleep, infinity], healthcheck: {{test: ['CMD', 'false'], interval: 300ms, retries: 1}}}}
  deaf: {{image: @image@, init: true, entrypoint: [sleep, infinity], ports: ['127.0.0.1:@port:deaf@:9']}}\n"
        )))
        .file("infra.toml", "[health.outside]\ntcp = \"127.0.0.1:1\"\n[health.page]\nhttp = \"http://127.0.0.1:1/${NOT_SET}\"\n");
    project.xtask(["start"]).end().code(2);
    // The others have not kept it from becoming ready.
    wait_until("a database", Duration::from_secs(30), || {
        let healthy = docker(["inspect", "--format", "{{.State.Health.Status}}", &project.container("db")]);
        let ended = project.xtask(["health", "--json", "--only", "postgres"]).end();
        if ended.exit == 0 && healthy == "healthy" { Ok(()) } else { Err(healthy + &ended.stdout) }
    });
    let ended = health(&project);
    ended.code(2);
    fails(&ended, "container", "exits", "exited (1)");
    fails(&ended, "container", "sick", "unhealthy");
    fails(&ended, "tcp", "deaf", "nothing listens behind it");
    fails(&ended, "tcp", "outside", "refused");
    fails(&ended, "http", "page", "NOT_SET");
    assert_eq!(found(&ended, "postgres", "db").0, "ok");
    assert_eq!(found(&ended, "container", "db").0, "ok");
    let kinds: std::collections::BTreeSet<String> =
        checks(&ended, "").iter().map(|check| check["kind"].as_str().unwrap().to_owned()).collect();
    for kind in ["disk", "memory", "network", "environment", "resources", "logs", "volumes"] {
        assert!(kinds.contains(kind), "{kind} is missing in {ended}");
    }
    // For people: the failures first, then how to go on.
    let text = project.xtask(["health"]).end();
    text.code(2).shows("not healthy: ");
    assert!(text.stdout.lines().nth(1).unwrap().starts_with("FAIL"), "{text}");
}

#[test]
fn f03_an_engine_that_is_gone_is_a_finding_among_others() {
    let Some(_compose) = engine() else { return };
    let project = TestProject::new().compose(&services(SLEEPER));
    let ended = project.xtask(["health", "--json"]).env("DOCKER_HOST", "unix:///nowhere/docker.sock").end();
    ended.code(2);
    fails(&ended, "engine", "unix:///nowhere/docker.sock", "does not answer");
    assert_eq!(found(&ended, "memory", "machine").0, "ok");
}

#[test]
fn f19_a_database_on_every_address_is_said() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&services("  db: {image: @image@, ports: ['@port:db@:5432']}\n"))
        .file("infra.toml", "[environments.production]\nfiles = [\"compose.yml\"]\n");
    let ended = project.xtask(["health", "--json", "--only", "exposure"]).end();
    ended.ok();
    let (status, detail) = found(&ended, "exposure", "db");
    assert!(status == "warn" && detail.contains("every address"), "{detail}");
    let ended = project.xtask(["-e", "production", "health", "--json", "--only", "exposure"]).end();
    ended.code(2);
    assert_eq!(found(&ended, "exposure", "db").0, "fail");
}

#[test]
fn f21_an_old_backup_turns_health_red() {
    let project =
        TestProject::new().file("infra.toml", "[compose]\nservices = \"none\"\n[backup]\nmax-age = \"26h\"\n");
    let look = || project.xtask(["health", "--json", "--only", "backup-age"]).end();
    fails(look().code(2), "backup-age", "newest backup", "there is no verified backup");
    crate::prune::backup(&project, 1, 27, |_| {});
    fails(look().code(2), "backup-age", "newest backup", "allowed are 26h");
    crate::prune::backup(&project, 2, 25, |_| {});
    look().ok();
}

/// Each of these calls waits until all four are there.
const MEET: &str = r#"
case $1 in
  logs|stats|system|network)
    : >"$MEETING/$1"
    until [ -e "$MEETING/logs" ] && [ -e "$MEETING/stats" ] && [ -e "$MEETING/system" ] && [ -e "$MEETING/network" ]; do
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
    for kind in ["logs", "resources", "volumes", "network"] {
        assert!(checks(&ended, kind).iter().all(|check| check["status"] == "ok"), "{kind}: {ended}");
    }
}

#[test]
fn f14_a_program_that_hangs_is_left_out_and_ends_with_us() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&services(SLEEPER));
    project.xtask(["start"]).end().ok();
    let fakes = Fakes::new().program("docker", "[ \"$1\" = stats ] && exec sleep 600; exec \"$REAL\" \"$@\"");
    let call = || project.xtask(["health", "--json"]).env("PATH", fakes.path());

    let ended = call().limit(Duration::from_secs(40)).end();
    ended.ok();
    let (status, detail) = found(&ended, "resources", "containers");
    assert!(status == "skip" && detail.contains("did not finish within 10 s"), "{detail}");
    assert_eq!(found(&ended, "container", "web").0, "ok");
    assert_eq!(survivors(&ended.mark), Vec::<String>::new());

    let before = fakes.calls().len();
    let running = call().spawn();
    wait_until("the call that hangs", Duration::from_secs(20), || {
        let hangs = fakes.calls()[before..].iter().any(|call| call.has(&["docker", "stats"]));
        hangs.then_some(()).ok_or_else(|| "not yet".to_owned())
    });
    running.signal(Signal::INT);
    let ended = running.wait();
    ended.code(130);
    assert_eq!(survivors(&ended.mark), Vec::<String>::new());
}

#[test]
fn dependencies_are_reached_from_inside() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "{}networks: {{one: {{}}, other: {{}}}}\n",
        services(&format!(
            "{DATABASE}    networks: [one]
  near: {{image: @image@, init: true, entrypoint: [sleep, infinity], networks: [one], depends_on: [db]}}
  far: {{image: @image@, init: true, entrypoint: [sleep, infinity], networks: [other], depends_on: [db, near]}}\n"
        ))
    ));
    project.xtask(["start"]).end().ok();
    let ended = health(&project);
    ended.code(2);
    assert_eq!(found(&ended, "reach", "near -> db"), ("ok".to_owned(), "db:5432 accepts connections".to_owned()));
    fails(&ended, "reach", "far -> db", "does not know the name db");
    let (status, who) = found(&ended, "network", &format!("{}_one", project.name()));
    assert!(status == "ok" && who.contains("db ") && who.contains("near ") && !who.contains("far "), "{who}");
}

#[test]
fn s03_errors_in_logs_are_counted_without_their_secrets() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&services(
            "  web:
    image: @image@
    init: true
    environment: {API_TOKEN: '${API_TOKEN}'}
    entrypoint: [sh, -c, 'echo fine; echo ERROR no; echo ERROR bad token $$API_TOKEN; exec sleep infinity']\n",
        ))
        .file(".env", "API_TOKEN=canary-token-4711\n");
    project.xtask(["start"]).end().ok();
    let ended = health(&project);
    ended.ok().never_says("canary-token-4711");
    let (status, detail) = found(&ended, "logs", "web");
    assert_eq!(
        (status.as_str(), detail.as_str()),
        ("warn", "2 errors in the last 5 minutes; last: ERROR bad token ***")
    );
}

#[test]
fn redis_is_pinged_inside_where_it_publishes_no_port() {
    let Some(_engine) = engine() else { return };
    let image = "redis:7-alpine";
    if try_docker(["image", "inspect", image]).is_err() {
        return;
    }
    let project = TestProject::new().compose(&services(&format!(
        "  open: {{image: '{image}', ports: ['127.0.0.1:@port:redis@:6379']}}
  inside: {{image: '{image}', command: [redis-server, --requirepass, s3cret-4711]}}\n"
    )));
    project.xtask(["start"]).end().ok();
    let ended = health(&project);
    ended.ok();
    assert_eq!(found(&ended, "redis", "open").1, "answers PING");
    assert_eq!(found(&ended, "redis", "inside").1, "answers, and asks for a password");
}

#[test]
fn certificates_are_read_with_openssl() {
    let Some(_openssl) = tool("openssl") else { return };
    let project = TestProject::new();
    let dir = project.dir().to_owned();
    let port = project.port("tls");
    let page = "[health.page]\ntls = \"localhost:@port:tls@\"\n";
    project.write(
        "infra.toml",
        &format!("{page}min-days = 30\n[health.secure]\nhttp = \"https://localhost:@port:tls@/\"\n"),
    );
    let certificate = format!(
        "cd {} && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=localhost -days 20 2>/dev/null",
        dir.display()
    );
    let server = format!(
        "{certificate} && exec openssl s_server -accept {port} -key {0}/key.pem -cert {0}/cert.pem -www",
        dir.display()
    );
    let server = project.xtask(["help"]).inside(["sh", "-c", &server]).spawn();
    wait_until("a TLS server", Duration::from_secs(20), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).map(drop).map_err(|error| error.to_string())
    });
    let look = || project.xtask(["health", "--json", "--only", "tls,http"]);
    let ended = look().end();
    ended.ok();
    let (status, detail) = found(&ended, "tls", "page");
    assert!(status == "warn" && detail.contains("expires in 19 days"), "{detail}");
    if tool("curl").is_some() {
        let (status, detail) = found(&ended, "http", "secure");
        assert!(status == "ok" && detail.contains("200 from https://localhost:"), "{detail}");
        assert!(detail.contains("certificate not verified: local"), "{detail}");
    }
    // What is not installed is said, and is no failure.
    let ended = look().env("PATH", Fakes::new().path_without(&["curl", "openssl"])).end();
    ended.ok();
    assert!(found(&ended, "tls", "page").0 == "skip" && found(&ended, "http", "secure").0 == "skip", "{ended}");

    let look = || look().end();
    project.write("infra.toml", page);
    let (status, detail) = found(&look(), "tls", "page");
    assert!(status == "ok" && detail.contains("issuer not verified: local"), "{detail}");
    drop(server);
    fails(look().code(2), "tls", "page", "cannot connect");
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
