//! Production and staging: the overlay, with data and secrets of their own, in the same checkout as development.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::application::{makes_a_trace, trace};
use super::lifecycle::has_own_secrets;
use super::{SERVICES, STAGING};
use crate::support::*;

/// Development's database runs, and holds something that only development may see.
pub(super) fn development_has_data(stack: &Stack) {
    stack.run(["setup", "--no-start", "--yes"]).limit(BUILD).end().ok();
    stack.run(["start", "postgres"]).end().ok();
    stack.sql(&[], "CREATE TABLE only_in_development ()");
}

/// One command, from no env file to a healthy stack; the schema is for whoever operates it.
pub(super) fn set_up(stack: &Stack) {
    stack.produce(["start"]).end().code(78).says(".env.production").says("setup");
    let ended = stack.produce(["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows("write .env.production (mode 0600)").shows(&stack.at("production-https", ""));
    tell(&format!("production's setup took {:.1} s", ended.took.as_secs_f32()));
    stack.are_healthy("production", &SERVICES);
    has_own_secrets(stack, ".env.production", &ended);
    for key in ["POSTGRES_PASSWORD", "SECRET_KEY"] {
        let of = |file| stack.variable(file, key);
        assert!(of(".env.production") != of(".env") && of(".env.production") != of(".env.development"), "{key}");
    }
    stack.produce(["db-migrate"]).no_tty().end().code(64);
    stack.produce(["db-migrate", "status"]).end().code(2).shows("m0001_initial: pending");
    stack.produce(["db-migrate", "up", "--yes"]).end().ok().shows("backed up first");
    stack
        .produce(["health", "--wait=180"])
        .limit(BUILD)
        .end()
        .ok()
        .shows("rxdx logs in to rxdx")
        .shows("backend -> postgres");
    stack.produce(["doctor"]).end().ok().never_says("FAIL");
    stack.produce(["policy"]).end().ok().shows("0 errors, 0 warnings");
    stack.produce(["env", "check"]).end().ok().shows("no problems in the env files");
}

/// What was built runs without what built it, and without what only development needs.
pub(super) fn images_hold_no_tools(stack: &Stack) {
    let has = |service: &str, path: &str| {
        let id = stack.container("production", service)["Id"].as_str().unwrap().to_owned();
        try_docker(["exec", &id, "test", "-e", path]).is_ok()
    };
    assert!(has("backend", "/app/rxdx/app.py") && has("backend", "/opt/venv/bin/uvicorn"));
    assert!(
        !has("backend", "/app/tests") && !has("backend", "/usr/local/bin/uv") && !has("backend", "/opt/venv/bin/uv")
    );
    assert!(has("frontend", "/usr/share/nginx/html/index.html") && !has("frontend", "/app"));
}

/// Four back ends behind `least_conn`, each of them reached; and one again, without an answer lost.
pub(super) fn scales(stack: &Stack) {
    let id = |service: &str| stack.container("production", service)["Id"].as_str().unwrap().to_owned();
    let nginx = id("nginx");
    let instance = stack.at("production-https", "/api/instance");
    let ended = stack.produce(["scale", "backend=4"]).end();
    ended.ok().shows("backend: 1 -> 4");
    tell(&format!("scaling to four took {:.1} s", ended.took.as_secs_f32()));
    let began = Instant::now();
    let mut reached = BTreeSet::new();
    wait_until("all four are reached", Duration::from_secs(20), || {
        let answer = get(&instance);
        // Ten a second may come in.
        std::thread::sleep(Duration::from_millis(100));
        match answer.status {
            200 => reached.insert(answer.json()["instance"].as_str().unwrap().to_owned()),
            status => return Err(format!("{status} after {reached:?}")),
        };
        if reached.len() == 4 { Ok(()) } else { Err(format!("{reached:?}")) }
    });
    tell(&format!("all four were reached after {} ms", began.elapsed().as_millis()));
    let upstream = docker(["exec", &nginx, "cat", "/tmp/nginx/runtime.conf"]);
    assert!(upstream.contains("least_conn;") && upstream.matches(":8000 ").count() == 4, "{upstream}");
    stack.produce(["ps"]).end().ok().shows("backend");

    stack.produce(["scale", "backend=1"]).end().ok().shows("backend: 4 -> 1");
    wait_until("nginx knows one", Duration::from_secs(10), || {
        let upstream = docker(["exec", &nginx, "cat", "/tmp/nginx/runtime.conf"]);
        if upstream.matches(":8000 ").count() == 1 { Ok(()) } else { Err(upstream) }
    });
    get(&instance).is(200);
    assert_eq!(id("nginx"), nginx, "the same container all the time");
}

/// Restored only by whoever types the name; the graph is what it was.
pub(super) fn restores(stack: &Stack) {
    let base = stack.at("production-https", "");
    makes_a_trace(&base, "ada");
    stack.produce(["backup"]).end().ok().shows("verified");
    stack.sql(&PRODUCTION, "SELECT drop_graph('traceability', true)");
    let name = stack.compose_name("production");
    stack.produce(["restore", "latest", "--yes"]).no_tty().end().code(77).says(&format!("--confirm {name}"));
    let ended = stack.produce(["restore", "latest", "--confirm", &name]).end();
    ended.ok();
    tell(&format!("a set was restored in {:.1} s", ended.took.as_secs_f32()));
    let found = wait_until("the back end is back", Duration::from_secs(30), || {
        try_curl(&[&format!("{base}/health")]).and_then(|it| if it.status == 200 { Ok(it) } else { Err(it.body) })
    });
    assert_eq!(found.json()["graph"], "up");
    assert_eq!(trace(&base), ["SYS-2 1", "VER-1 2"]);
    stack.produce(["db-reset", "--yes", "--confirm", &name]).end().code(77);
    stack.produce(["db-seed", "--yes", "--confirm", &name]).end().code(77);
    stack.produce(["db-migrate", "down", "--yes"]).end().code(77).says("--confirm");
    stack.produce(["volume-backup", "postgres_data_prod"]).end().code(77).says("holds the database");
}

/// Staging has the form of production and data of its own.
pub(super) fn staging_is_its_own(stack: &Stack) {
    let stage = |args: &[&str]| stack.project.xtask(STAGING.iter().chain(args).copied());
    let ended = stage(&["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows("write .env.staging (mode 0600)");
    tell(&format!("staging's setup took {:.1} s", ended.took.as_secs_f32()));
    has_own_secrets(stack, ".env.staging", &ended);
    stack.are_healthy("staging", &SERVICES);
    stage(&["health", "--wait=180"]).end().ok().shows("rxdx logs in to rxdx");
    let instance = stack.at("staging-https", "/api/instance");
    assert_eq!(get(&instance).is(200).json()["environment"], "staging");

    let users = |environment: &[&str]| stack.sql(environment, "SELECT count(*) FROM users");
    assert_eq!((users(&PRODUCTION), users(&STAGING)), (vec!["1".to_owned()], vec!["0".to_owned()]));
    assert_eq!(stack.sql(&[], "SELECT to_regclass('only_in_development') IS NULL"), ["f"]);
    for environment in [&PRODUCTION, &STAGING] {
        assert_eq!(stack.sql(environment, "SELECT to_regclass('only_in_development') IS NULL"), ["t"]);
    }
    let environments = ["development", "staging", "production"];
    for kind in ["container", "network", "volume", "image"] {
        let all: Vec<String> = environments.iter().flat_map(|name| stack.objects(name, kind)).collect();
        let different: BTreeSet<&String> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "{kind}s are shared: {all:?}");
    }
    for (environment, volume) in
        environments.into_iter().zip(["postgres_data", "postgres_data_prod", "postgres_data_prod"])
    {
        let data: Vec<String> =
            stack.objects(environment, "volume").into_iter().filter(|name| name.contains("postgres")).collect();
        assert_eq!(data, [format!("{}_{volume}", stack.compose_name(environment))]);
    }
    stage(&["clean", "--all", "--yes"]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("staging", kind), [""; 0], "{kind}s are left");
    }
}

/// `--yes` is not enough there; the name is, but for the data.
pub(super) fn clean_wants_the_name(stack: &Stack) {
    let before = stack.lasting("production");
    let name = stack.compose_name("production");
    stack.produce(["clean", "--yes"]).end().code(77).says(&format!("--confirm {name}"));
    assert_eq!(stack.lasting("production"), before, "nothing was touched");
    // The backup that was just made allows it.
    stack.produce(["clean", "--all", "--confirm", &name]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("production", kind), [""; 0], "{kind}s are left");
    }
    assert_eq!(stack.sql(&[], "SELECT to_regclass('only_in_development') IS NULL"), ["f"]);
}
