//! `health` against a real engine.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::*;

mod containers;
mod report;

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
    fails(look().code(2), "backup-age", "newest backup", "no verified backup");
    crate::prune::backup(&project, 1, 27, |_| {});
    fails(look().code(2), "backup-age", "newest backup", "the limit is 26h");
    crate::prune::backup(&project, 2, 25, |_| {});
    look().ok();
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
    let image = "redis:7-alpine";
    let Some(_engine) = images(&[image]) else { return };
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
    let (Some(_openssl), Some(_curl)) = (tool("openssl"), tool("curl")) else { return };
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
