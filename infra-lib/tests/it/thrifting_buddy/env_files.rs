//! Two env files in each environment: the compose files' own, and the one that the backend reads by itself.

use std::os::unix::fs::PermissionsExt as _;

use super::api;
use crate::support::*;

/// The variables that the backend is documented to need.
const OF_BACKEND: [&str; 18] = [
    "NODE_ENV",
    "PORT",
    "DATABASE_URL",
    "JWT_ACCESS_SECRET",
    "JWT_REFRESH_SECRET",
    "JWT_ACCESS_EXPIRES_IN",
    "JWT_REFRESH_EXPIRES_IN",
    "BCRYPT_ROUNDS",
    "OPENAI_API_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "S3_BUCKET_NAME",
    "AWS_REGION",
    "ALLOWED_ORIGINS",
    "RATE_LIMIT_WINDOW_MS",
    "RATE_LIMIT_MAX_REQUESTS",
    "MAX_FILE_SIZE_MB",
    "LOG_LEVEL",
];

/// What others give out, with something that is long enough.
const FOREIGN: [(&str, &str); 4] = [
    ("OPENAI_API_KEY", "sk-proj-k3Vt0Zq9xW2LmB7yRfA5cGhT8uJpN4d"),
    ("AWS_ACCESS_KEY_ID", "AKIAQ3VT0ZQ9XW2LMB7Y"),
    ("AWS_SECRET_ACCESS_KEY", "wJq3Vt0Zq9xW2LmB7yRfA5cGhT8uJpN4dKe1sXo6"),
    ("S3_BUCKET_NAME", "finds"),
];

pub(super) fn of_development(stack: &Stack) {
    for file in [".env", "backend/.env"] {
        let mode = std::fs::metadata(stack.project.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    for key in OF_BACKEND {
        stack.variable("backend/.env", key);
    }
    let (access, refresh) = ("JWT_ACCESS_SECRET", "JWT_REFRESH_SECRET");
    let secret = |key: &str| stack.variable("backend/.env", key);
    assert!(secret(access).trim_matches('"').len() == 44 && secret(access) != secret(refresh), "32 bytes, base64");
    stack.run(["env", "check"]).end().ok().never_says("error");
    stack.run(["env", "explain", access]).end().ok().shows("backend/.env:").shows("signs access tokens");
    // The URL has the password that stands in the other file.
    let backend = stack.container("development", "backend");
    let variables: Vec<&str> =
        backend["Config"]["Env"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
    let url = format!(
        "DATABASE_URL=postgresql://postgres:{}@postgres:5432/thrifting_buddy",
        stack.variable(".env", "POSTGRES_PASSWORD")
    );
    assert!(variables.contains(&url.as_str()), "the backend has its URL");

    // What is lost is missed, and filled in again.
    let whole = stack.project.read("backend/.env");
    let lines: Vec<&str> =
        whole.lines().filter(|line| !line.starts_with(refresh) && !line.starts_with("AWS_REGION")).collect();
    stack.project.write("backend/.env", &(lines.join("\n") + "\n"));
    stack.run(["env", "check"]).end().code(2).shows("backend/.env: JWT_REFRESH_SECRET is missing");
    stack.run(["env", "fill"]).end().ok().shows("backend/.env: appended AWS_REGION").shows(refresh);
    stack.run(["env", "check"]).end().ok();
    stack.project.write("backend/.env", &whole);
    std::fs::remove_file(stack.project.path("backend/.env")).unwrap();
    stack.run(["start"]).end().code(78).says("backend/.env").says("setup");
    stack.project.write("backend/.env", &whole);
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(stack.project.path("backend/.env"), private).unwrap();
}

/// A secret of the backend's file, and the database's password, which the backend's URL follows.
pub(super) fn rotate(stack: &Stack) {
    let before = stack.variable("backend/.env", "JWT_ACCESS_SECRET");
    stack.run(["env", "rotate", "JWT_ACCESS_SECRET", "--yes"]).end().ok().shows("backend/.env");
    assert_ne!(stack.variable("backend/.env", "JWT_ACCESS_SECRET"), before);
    stack
        .run(["env", "rotate", "POSTGRES_PASSWORD", "--yes"])
        .end()
        .ok()
        .shows("the new password of the role postgres")
        .never_says("old value in DATABASE_URL");
    stack.run(["start"]).end().ok();
    stack.run(["health", "--wait=180"]).limit(BUILD).end().ok().shows("logs in to thrifting_buddy");
    assert_eq!(
        api::adds_an_item(&stack.at("page", ""), &api::register(&stack.at("page", ""), "later@example.org"), "a key"),
        201
    );
}

/// Production does not start before everything that is required is there, and long enough.
pub(super) fn are_required_in_production(stack: &Stack) {
    stack.produce(["start"]).end().code(78).says(".env.production").says("setup");
    let ended = stack.produce(["setup", "--no-start", "--yes"]).limit(BUILD).end();
    ended.ok().shows("write .env.production (mode 0600)").shows("write backend/.env.production (mode 0600)");
    assert!(!stack.project.path("backend/.env").exists(), "development's file is development's");
    let ended = stack.produce(["start"]).end();
    ended.code(78);
    for (key, _) in FOREIGN {
        ended.says(&format!("{key} is empty"));
    }
    for (key, value) in FOREIGN {
        set(stack, "backend/.env.production", key, value);
    }
    // A length is a rule, and so is a mode.
    let good = stack.variable("backend/.env.production", "JWT_REFRESH_SECRET");
    set(stack, "backend/.env.production", "JWT_REFRESH_SECRET", "k3Vt0Zq9xW2LmB7yRfA5cGhT8u");
    stack.produce(["start"]).end().code(77).says("JWT_REFRESH_SECRET is shorter than 32 characters");
    set(stack, "backend/.env.production", "JWT_REFRESH_SECRET", &good);
    let mode = |mode: u32| {
        let path = stack.project.path("backend/.env.production");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o644);
    stack.produce(["start"]).end().code(78).says("backend/.env.production: is readable by group or others");
    mode(0o600);
    assert_eq!(stack.objects("production", "container"), [""; 0], "nothing was started");
}

fn set(stack: &Stack, file: &str, key: &str, value: &str) {
    let lines = stack.project.read(file);
    let lines = lines.lines().map(|line| match line.split_once('=') {
        Some((known, _)) if known == key => format!("{key}={value}"),
        _ => line.to_owned(),
    });
    stack.project.write(file, &(lines.collect::<Vec<_>>().join("\n") + "\n"));
    std::fs::set_permissions(stack.project.path(file), std::fs::Permissions::from_mode(0o600)).unwrap();
}
