//! Env files that services read by themselves, by `env_file:`.

use crate::support::*;

use super::{is_fresh_secret, value};

const COMPOSE: &str = "services:\n  api:\n    image: @image@\n    entrypoint: [sleep, infinity]\n    init: true\n    env_file:\n      \
    - api/.env\n";

const RULES: &str = "[env.DB_PASSWORD]\nmin-length = 32\n[env.JWT_SECRET]\ngenerate = \"token:32\"\nmin-length = 32\n\
    [environments.production]\nfiles = [\"compose.yml\"]\nenv-files = [\".env\"]\n";

const TEMPLATE: &str = "PORT=3000\nURL=redis://:${DB_PASSWORD}@cache\nJWT_SECRET=\n";
const SECRET: &str = "k3Vt0Zq9_xW2LmB7yRfA5cGhT8uJpN4dXs1";

fn project() -> TestProject {
    TestProject::new()
        .compose(COMPOSE)
        .file("infra.toml", RULES)
        .file(".env.example", "DB_PASSWORD=\nPORT=80\n")
        .file("api/.env.example", TEMPLATE)
        .file(".env", &format!("DB_PASSWORD={SECRET}\nPORT=80\n"))
}

#[test]
fn e05_a_services_file_is_checked_explained_filled_and_rotated() {
    let Some(()) = compose() else { return };
    let project = project();
    project.xtask(["start"]).end().code(78).says("the env file api/.env").says("setup");
    project.write("api/.env", "PORT=3000\nURL=redis://:${DB_PASSWORD}@cache\n");
    project.xtask(["env", "check"]).end().code(2).shows("api/.env: JWT_SECRET is missing").never_says(SECRET);
    project
        .xtask(["env", "fill"])
        .end()
        .ok()
        .shows(".env: nothing to add")
        .shows("api/.env: appended new secrets: JWT_SECRET");
    let first = value(&project, "api/.env", "JWT_SECRET");
    assert!(is_fresh_secret(&first), "{first}");
    project.xtask(["env", "check"]).end().ok().never_says("error");
    // Each file has a port, and neither hides the other's.
    let explained = project.xtask(["env", "explain", "PORT"]).end();
    explained.ok().shows(".env:2").shows("api/.env:1").never_says("hides");
    project.xtask(["env", "rotate", "JWT_SECRET", "--yes"]).end().ok().shows("api/.env").never_says(&first);
    assert_ne!(value(&project, "api/.env", "JWT_SECRET"), first);
    assert_eq!(value(&project, "api/.env", "URL"), "redis://:${DB_PASSWORD}@cache", "the rest is as it was");
}

#[test]
fn e09_a_protected_environment_wants_what_has_a_rule() {
    let Some(_engine) = engine() else { return };
    let project = project();
    let start = || project.xtask(["-e", "production", "start"]).end();
    project.write("api/.env", "PORT=3000\nURL=redis://cache\nJWT_SECRET=\n");
    start().code(78).says("api/.env:3: JWT_SECRET is empty");
    project.write("api/.env", "PORT=3000\nURL=redis://cache\n");
    start().code(78).says("api/.env: JWT_SECRET is missing");
    project.write("api/.env", "PORT=3000\nURL=redis://cache\nJWT_SECRET=short\n");
    start().code(77).says("api/.env:3: JWT_SECRET is shorter than 32 characters");
    project.write("api/.env", &format!("{TEMPLATE}{SECRET}\n").replace("=\n", "="));
    start().ok();
    let env =
        docker(["ps", "-aq", "--filter", &format!("label=com.docker.compose.project={}-production", project.name())]);
    let env = docker(["inspect", "--format", "{{json .Config.Env}}", env.as_str()]);
    assert!(env.contains(&format!("URL=redis://:{SECRET}@cache")), "Compose fills it in: {env}");
}
