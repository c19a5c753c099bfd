//! What a protected environment insists on.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::*;

use super::{WEB, project, value};

const GOOD: &str = "JWT_SECRET=k3Vt0Zq9_xW2LmB7yRfA5cGhT8uJpN4d\n";

fn production(files: &[(&str, &str)]) -> TestProject {
    let project = project(files).file("infra.toml", "[environments.production]\nenv-files = [\".env.production\"]\n");
    if project.path(".env.production").exists() {
        private(&project, 0o600);
    }
    project
}

fn private(project: &TestProject, mode: u32) {
    let path = project.path(".env.production");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn start(project: &TestProject) -> Ended {
    project.xtask(["-e", "production", "start"]).end()
}

#[test]
fn a_rule_for_a_variable_of_another_environment_is_none_here() {
    let project = production(&[
        (".env.example", "DB_PASSWORD=\nJWT_SECRET=\n"),
        (".env.production.example", "JWT_SECRET=\n"),
        (".env.production", GOOD),
    ]);
    let rules = "[env.DB_PASSWORD]\ngenerate = \"hex:32\"\n[env.API_TOKEN]\ngenerate = \"hex:32\"\n";
    project.write("infra.toml", &(project.read("infra.toml") + rules));
    let check = project.xtask(["-e", "production", "env", "check"]).end();
    check.code(2).shows("API_TOKEN is missing").never_says("DB_PASSWORD");
    project.xtask(["-e", "production", "env", "fill"]).end().ok();
    assert!(!project.read(".env.production").contains("DB_PASSWORD"));
    project.xtask(["-e", "production", "env", "check"]).end().ok();
}

#[test]
fn e09_s11_what_everybody_knows_is_a_warning_in_development_and_no_start_in_production() {
    let Some(_engine) = engine() else { return };
    let project = production(&[(".env", "JWT_SECRET=change_me\n"), (".env.production", "A=1\nJWT_SECRET=change_me\n")]);
    project.xtask(["env", "check"]).end().ok().shows("warning: .env:1: JWT_SECRET is a placeholder");
    project.xtask(["start"]).end().ok();
    let ended = start(&project);
    ended.code(77).says(".env.production:2: JWT_SECRET is a placeholder").says("env rotate").never_says("change_me");
    assert_eq!(docker(["ps", "-aq", "--filter", &format!("name={}-production", project.name())]), "", "nothing ran");
    project.xtask(["-e", "production", "env", "check"]).end().code(2).shows("error: .env.production:2: JWT_SECRET");
    // The way out that was named works.
    let rotate = ["-e", "production", "env", "rotate", "JWT_SECRET"];
    let name = format!("{}-production", project.name());
    project.xtask(rotate).end().code(77).says(&name);
    project.xtask(rotate.iter().chain(&["--yes"])).end().code(77);
    project.xtask(rotate.iter().chain(&["--confirm", &name])).end().ok();
    start(&project).ok();
}

#[test]
fn s11_placeholders_and_weak_secrets_of_every_kind_are_refused() {
    let Some(_engine) = engine() else { return };
    let weak = [
        "DB_PASSWORD=postgres",
        "DB_PASSWORD=dev_password",
        "JWT_SECRET=your-secret-key-change-in-production",
        "SESSION_SECRET=abc",
        "DATABASE_URL=postgres://app:password@db/app",
        "REDIS_PASSWORD=aaaaaaaaaaaaaaaaaaaaaaaa",
        "DOMAIN=your-domain.com",
    ];
    for line in weak {
        let project = production(&[
            (".env", ""),
            (".env.production", &format!("{GOOD}{line}\n").replace("JWT_SECRET=k", "X_TOKEN=k")),
        ]);
        let key = line.split('=').next().unwrap();
        start(&project).code(77).says(&format!(".env.production:2: {key} "));
    }
    // What an optional feature leaves empty, and what another party made short with a word about it, may start.
    let rule = "[environments.production]\nenv-files = [\".env.production\"]\n[env.SMTP_PASSWORD]\nmin-length = 12\n";
    let fine = production(&[
        (".env", ""),
        (".env.production", &format!("{GOOD}S3_SECRET_KEY=\nSMTP_PASSWORD=qkzvhwpdxjmt\n")),
    ]);
    start(&fine).code(77).says("SMTP_PASSWORD is shorter").says("min-length");
    fine.write("infra.toml", rule);
    start(&fine).ok();
}

#[test]
fn s11_a_default_in_the_compose_file_counts_too() {
    let Some(_engine) = engine() else { return };
    let project = production(&[(".env", ""), (".env.production", "A=1\n")]);
    project.write("compose.yml", &WEB.replace("SECRET: '${JWT_SECRET-}'", "APP_PASSWORD: '${APP_PASSWORD:-changeme}'"));
    start(&project).code(77).says("APP_PASSWORD of service `web` is a placeholder").never_says("changeme");
    project.write("compose.yml", &WEB.replace("SECRET: '${JWT_SECRET-}'", "CACHE_KEY: app, DEBUG: 'true'"));
    start(&project).ok();
}

#[test]
fn e10_s08_an_env_file_that_others_may_read_is_no_start_in_production() {
    let Some(_engine) = engine() else { return };
    let project = production(&[(".env", GOOD), (".env.production", GOOD)]);
    for mode in [0o644, 0o640, 0o604] {
        private(&project, mode);
        start(&project).code(78).says(".env.production: is readable by group or others").says("chmod 600");
    }
    private(&project, 0o600);
    start(&project).ok();
    // In development it is only told.
    std::fs::set_permissions(project.path(".env"), std::fs::Permissions::from_mode(0o644)).unwrap();
    project.xtask(["start"]).end().ok();
    project.xtask(["env", "check"]).end().ok().shows("warning: .env: is readable by group or others");
}

#[test]
fn e10_s09_an_env_file_that_is_committed_is_no_start_in_production() {
    let (Some(_engine), Some(_git)) = (engine(), tool("git")) else { return };
    let project = production(&[(".env", GOOD), (".env.production", GOOD), (".gitignore", ".env*\n")]);
    let git = |words: &str| project.xtask(["unused"]).inside(["sh", "-c", &format!("git {words}")]).end().ok().clone();
    git("init -q .");
    git("add -f .env.production");
    start(&project).code(78).says(".env.production is committed").says("git rm --cached .env.production");
    git("rm -q --cached .env.production");
    start(&project).ok();
    assert_eq!(value(&project, ".env.production", "JWT_SECRET"), value(&project, ".env", "JWT_SECRET"));
}
