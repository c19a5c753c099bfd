//! What is checked before anything starts, whichever command starts it.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::*;

const GOOD: &str = "JWT_SECRET=k3Vt0Zq9_xW2LmB7yRfA5cGhT8uJpN4d\n";
const PUBLIC: &str = "JWT_SECRET=change_me\n";

/// A stack with a protected environment whose secret is in `.env.production`.
fn project() -> TestProject {
    let app = format!("{SLEEPS}, environment: {{JWT_SECRET: '${{JWT_SECRET}}'}}");
    let project = TestProject::new()
        .compose(&format!(
            "services:\n  db: {{{SLEEPS}}}\n  backend: {{{app}, depends_on: [db], volumes: ['media:/data']}}\n  \
             job: {{{app}, depends_on: [db], profiles: [jobs]}}\nvolumes: {{media: {{}}}}\n"
        ))
        .file(
            "infra.toml",
            "[environments.production]\nenv-files = [\".env.production\"]\n\
             [tasks.report]\noneoff = \"job\"\nrun = [\"true\"]\n\
             [tasks.all]\nhost = true\nrun = [\"true\"]\nneeds = [\"report\"]\n",
        );
    secret(&project, GOOD);
    project
}

fn secret(project: &TestProject, text: &str) {
    project.write(".env.production", text);
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(project.path(".env.production"), mode).unwrap();
}

/// Every container of the environment, with the time at which it was started.
fn containers(project: &TestProject) -> String {
    let label = format!("label=com.docker.compose.project={}-production", project.name());
    let ids = docker(["ps", "-aq", "--filter", &label]);
    let mut lines: Vec<String> =
        ids.lines().map(|id| docker(["inspect", "-f", "{{.Id}} {{.State.Status}} {{.State.StartedAt}}", id])).collect();
    lines.sort();
    lines.join("\n")
}

fn production(project: &TestProject, words: &[&str]) -> Ended {
    project.xtask(["-e", "production"].into_iter().chain(words.iter().copied())).end()
}

/// Every command that starts containers.
const STARTS: [&[&str]; 9] = [
    &["start"],
    &["start", "db"],
    &["start", "--scale", "backend=2"],
    &["scale", "backend=3"],
    &["scale", "backend=1", "db=1"],
    &["restart"],
    &["restart", "backend"],
    &["report"],
    &["all"],
];

#[test]
fn p08_no_command_starts_a_protected_environment_with_a_public_secret() {
    let Some(_engine) = engine() else { return };
    let project = project();
    secret(&project, PUBLIC);
    for words in STARTS {
        let ended = production(&project, words);
        ended.code(77).says(".env.production:1: JWT_SECRET is a placeholder").never_says("change_me");
        assert_eq!(containers(&project), "", "{words:?} starts nothing");
        production(&project, &[words, &["--dry-run"]].concat()).code(77);
    }
    production(&project, &["setup", "--yes"]).code(77);
    assert_eq!(containers(&project), "");
}

#[test]
fn p08_what_runs_is_left_as_it_is_when_it_may_not_start_again() {
    let Some(_engine) = engine() else { return };
    let project = project();
    production(&project, &["start"]).ok();
    production(&project, &["volume-backup", "media"]).ok();
    let before = containers(&project);
    secret(&project, PUBLIC);
    for words in STARTS {
        production(&project, words).code(77);
        assert_eq!(containers(&project), before, "{words:?}");
    }
    // What uses the volume would be stopped, and could then not be started again.
    let name = format!("{}-production", project.name());
    production(&project, &["volume-restore", "media", "latest", "--confirm", &name]).code(77).says("JWT_SECRET");
    assert_eq!(containers(&project), before);
    // Whatever starts nothing still works.
    production(&project, &["exec", "backend", "--", "true"]).ok();
    production(&project, &["stop"]).ok();
}

#[test]
fn p08_scale_finds_a_taken_port_and_a_taken_name_before_it_starts_anything() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "services:\n  web: {{{SLEEPS}, ports: ['127.0.0.1:@port:web@:80']}}\n  named: {{{SLEEPS}, container_name: @name@-named}}\n"
    ));
    let listener = std::net::TcpListener::bind(("127.0.0.1", project.port("web"))).unwrap();
    for words in [["scale", "web=1"], ["restart", "web"], ["start", "web"]] {
        project.xtask(words).end().code(1).says(&format!("port {} of service `web` is taken", project.port("web")));
    }
    drop(listener);
    let other = TestProject::new()
        .compose(&format!("services:\n  web: {{{SLEEPS}, container_name: {}-named}}\n", project.name()));
    other.xtask(["start"]).end().ok();
    for words in [["scale", "named=1"], ["restart", "named"], ["start", "named"]] {
        let ended = project.xtask(words).end();
        ended.code(1).says(&format!("the container name `{}-named` of service `named` is taken by", project.name()));
        ended.says(&format!("the project {}", other.name()));
    }
    // `doctor` asks the same question.
    let doctor = project.xtask(["doctor"]).end();
    doctor.shows(&format!("its container name `{}-named` is taken by the project {}", project.name(), other.name()));
    assert!(project.containers("").is_empty());
}
