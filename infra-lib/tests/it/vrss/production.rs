//! Production: its own env file, images, containers and volumes, in the same checkout as development.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use super::stack::Stack;
use crate::support::*;

/// Development's database runs and holds something that only development may see.
pub(super) fn development_has_data(stack: &Stack) {
    stack.run(["setup", "--no-start", "--yes"]).limit(BUILD).end().ok();
    stack.run(["start", "db"]).end().ok();
    insert(stack, &[], "only_in_development");
}

fn insert(stack: &Stack, environment: &[&str], name: &str) {
    let sql = format!(
        "INSERT INTO users (username, email, password_hash, display_name) VALUES ('{name}', '{name}@example.org', '-', 'x')"
    );
    stack.sql(environment, &sql);
}

/// One command, from no env file to a healthy stack.
pub(super) fn set_up(stack: &Stack) {
    stack.produce(["start"]).end().code(78).says(".env.production").says("setup");
    let ended = stack.produce(["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows("write .env.production (mode 0600)").shows(&stack.at("https", ""));
    tell(&format!("production's setup took {:.1} s", ended.took.as_secs_f32()));
    stack.are_healthy("production", &["backend", "db", "frontend", "nginx"]);
    let file = stack.project.path(".env.production");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    for key in ["DB_PASSWORD", "JWT_SECRET"] {
        let (here, there) = (stack.variable(".env.production", key), stack.variable(".env", key));
        assert!(here.len() >= 32 && here != there, "{key} is production's own");
        ended.never_says(&here);
    }
    stack.produce(["health"]).end().code(2).shows("1 pending");
    stack.produce(["db-migrate", "--yes"]).end().ok();
    stack.produce(["health", "--wait=180"]).limit(BUILD).end().ok().shows("logs in to vrss");
    stack.produce(["env", "check"]).end().ok().shows("no problems in the env files");
}

/// What was built runs without what built it.
pub(super) fn images_hold_no_tools(stack: &Stack) {
    let has = |service: &str, path: &str| {
        let id = stack.container("production", service)["Id"].as_str().unwrap().to_owned();
        try_docker(["exec", &id, "test", "-e", path]).is_ok()
    };
    assert!(has("backend", "/app/dist/index.js") && has("backend", "/app/node_modules/hono"));
    for absent in ["/app/src", "/app/tests", "/app/node_modules/typescript", "/app/node_modules/@biomejs"] {
        assert!(!has("backend", absent), "the backend holds {absent}");
    }
    assert!(has("frontend", "/usr/share/nginx/html/index.html"));
    assert!(!has("frontend", "/app"), "the frontend holds its sources");
}

/// A release has a name of its own choice, wherever it is kept.
pub(super) fn images_can_be_named(stack: &Stack) {
    let named =
        stack.produce(["describe", "--json"]).env("IMAGE_PREFIX", "registry.example.com/vrss").env("IMAGE_TAG", "2.0");
    let services = named.end().ok().outcome()["services"].clone();
    let images: Vec<&str> = services.as_array().unwrap().iter().filter_map(|it| it["image"].as_str()).collect();
    for name in ["backend", "frontend", "nginx"] {
        let image = format!("registry.example.com/vrss-{name}:2.0");
        assert!(images.contains(&image.as_str()), "{image} in {images:?}");
    }
}

/// The front end's other production stage, for where nginx is not wanted: not in the compose file, and it works.
pub(super) fn frontend_runs_on_node_too(stack: &Stack) {
    let (image, name) = (format!("{}-production-node", stack.project.name()), stack.project.name());
    let label = format!("com.docker.compose.project={name}");
    let context = stack.project.path("frontend");
    docker(["build", "-q", "--target", "production-node", "--label", &label, "-t", &image, context.to_str().unwrap()]);
    let publish = format!("127.0.0.1:{}:8080", stack.project.port("node"));
    docker(["run", "-d", "--read-only", "--label", &label, "-p", &publish, "--name", &image, &image]);
    let url = stack.at("node", "/");
    let page = wait_until(&format!("{url} answers"), Duration::from_secs(20), || try_curl(&[&url]));
    assert!(page.is(200).body.contains("<title>VRSS</title>"));
    assert_eq!(docker(["inspect", "--format", "{{.Config.User}}", &image]), "1001:1001");
    docker(["rm", "-fv", &image]);
    docker(["image", "rm", &image]);
}

/// Neither sees the other's data, and their volumes and networks are their own.
pub(super) fn shares_nothing_with_development(stack: &Stack) {
    insert(stack, &PRODUCTION, "only_in_production");
    let sql = "SELECT username FROM users WHERE username LIKE 'only\\_in%'";
    assert_eq!(stack.sql(&[], sql), ["only_in_development"]);
    assert_eq!(stack.sql(&PRODUCTION, sql), ["only_in_production"]);
    for kind in ["container", "network", "volume", "image"] {
        let (here, there) = (stack.objects("production", kind), stack.objects("development", kind));
        assert!(!here.is_empty() && !there.is_empty(), "{kind}: {here:?} {there:?}");
        assert!(here.iter().all(|name| !there.contains(name)), "{kind}: {here:?} {there:?}");
    }
    let demo = "SELECT count(*) FROM users WHERE password_hash = '!'";
    assert_eq!(stack.sql(&PRODUCTION, demo), ["0"], "seeds are for development");
}

/// `--yes` is not enough there; the name is, but for the data.
pub(super) fn clean_wants_the_name(stack: &Stack) {
    let before = stack.identity("production");
    let name = stack.compose_name("production");
    stack.produce(["clean", "--yes"]).end().code(77).says(&format!("--confirm {name}"));
    stack.produce(["clean", "--yes", "--confirm", stack.project.name()]).end().code(64).says("declined");
    stack.produce(["clean", "--all", "--confirm", &name]).end().code(77).says("backup");
    assert_eq!(stack.identity("production"), before, "nothing was touched");
    let volumes = stack.objects("production", "volume");
    stack.produce(["clean", "--confirm", &name]).end().ok();
    assert_eq!(stack.objects("production", "container"), [""; 0]);
    assert_eq!(stack.objects("production", "volume"), volumes, "data stays");
    stack.produce(["clean", "--all", "--discard-data", "--confirm", &name]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("production", kind), [""; 0], "{kind}s are left");
    }
    assert_eq!(stack.sql(&[], "SELECT count(*) FROM users WHERE username = 'only_in_development'"), ["1"]);
}
