//! Which compose files, folder, name and profiles a project has: what `docker compose` in the same folder says.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use crate::support::*;

/// What Compose says in the project's folder, with these options.
#[track_caller]
fn compose(project: &TestProject, options: &[&str]) -> Value {
    let words = ["compose"].iter().chain(options).chain(&["config", "--format", "json"]).copied();
    let ended = project.xtask(words.collect::<Vec<_>>()).of("docker").end();
    serde_json::from_str(&ended.ok().stdout).unwrap()
}

/// The options by which a start would state the project's identity.
#[track_caller]
fn stated(project: &TestProject, options: &[&str]) -> Vec<String> {
    let words = options.iter().chain(&["start", "--dry-run"]).copied().collect::<Vec<_>>();
    let ended = project.xtask(words).end();
    let line = ended.ok().stdout.lines().find(|line| line.contains(" up ")).expect("a call of up").to_owned();
    let words = line.split(' ').skip_while(|word| *word != "compose").skip(1).take_while(|word| *word != "up");
    words.map(|word| word.trim_matches('\'').to_owned()).collect()
}

/// Whether a start would be a start of what `docker compose` alone would start, down to the last key.
#[track_caller]
fn agrees(project: &TestProject) {
    let ours = stated(project, &[]);
    let ours = compose(project, &ours.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ours, compose(project, &[]));
}

fn sleeper() -> String {
    format!("{{{SLEEPS}}}")
}

#[test]
fn p02_the_name_is_composes_own() {
    let Some(_engine) = engine() else { return };
    let services = format!("services: {{web: {}}}\n", sleeper());
    let names = [
        "name: \"${TEAM:-blue}-@name@\"\n",
        "\"name\": x-@name@\n",
        "name: >-\n  x-@name@\n",
        "x-name: &name My.X-@name@\nname: *name\n",
        "{name: y}\n---\nname: z-@name@\n---\n",
        "name: '${TEAM}${TEAM:+-}@name@'\n",
        "",
    ];
    for name in sample(&names, 3) {
        let project = TestProject::in_folder("My.Shop_@name@", "myshop_@name@");
        project.write("compose.yml", &format!("{name}{services}"));
        for env in ["", "TEAM=red\n"] {
            project.write(".env", env);
            agrees(&project);
            let described = project.xtask(["describe", "--json"]).end().ok().outcome();
            assert_eq!(described["project"], compose(&project, &[])["name"], "{name:?} {env:?}");
        }
        project.write("compose.override.yml", "name: over-${TEAM:-@name@}\n");
        agrees(&project);
        // What was asked once is asked again when an input has changed.
        std::fs::create_dir(project.path(".infra")).unwrap();
        std::fs::set_permissions(project.path(".infra"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        for team in ["green", "green", "blue"] {
            project.write(".env", &format!("TEAM={team}\n"));
            agrees(&project);
        }
    }
}

#[test]
fn p02_a_name_that_compose_cannot_say_is_an_error_and_no_other_name() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new();
    project.write("compose.yml", &format!("name: '${{TEAM:?say which}}-@name@'\nservices: {{web: {}}}\n", sleeper()));
    for command in ["start", "ps", "stop"] {
        project.xtask([command]).end().code(78).says("TEAM");
    }
    project.write(".env", "TEAM=red\n");
    agrees(&project);
}

#[test]
fn p03_every_variable_of_compose_in_the_env_file_counts() {
    let Some(_engine) = engine() else { return };
    let web = format!(
        "services:\n  web: {{{SLEEPS}, volumes: ['./data:/data'], labels: {{a: '${{A:-none}}', b: '${{B:-none}}'}}}}\n  \
         tool: {{{SLEEPS}, profiles: [tools]}}\n"
    );
    for (env, inner) in [
        ("COMPOSE_FILE=docker/compose.yml\nA=root\n", ""),
        ("COMPOSE_FILE=docker/compose.yml\nA=root\n", "A=inner\nB=inner\n"),
        ("COMPOSE_FILE=docker/compose.yml\n", "COMPOSE_PROJECT_NAME=inner-@name@\nCOMPOSE_PROFILES=tools\n"),
        ("COMPOSE_FILE=docker/compose.yml:other.yml\nCOMPOSE_PROFILES=tools\n", ""),
        ("COMPOSE_FILE=other.yml,docker/compose.yml\nCOMPOSE_PATH_SEPARATOR=,\nCOMPOSE_PROFILES=*\n", ""),
        ("COMPOSE_FILE=@dir@/docker/compose.yml\nCOMPOSE_PROJECT_NAME=own-@name@\n", ""),
    ] {
        for manifest in [false, true] {
            let project = TestProject::new()
                .file("docker/compose.yml", &web)
                .file("other.yml", &format!("services: {{other: {}}}\n", sleeper()))
                .file(".env", env);
            if !inner.is_empty() {
                project.write("docker/.env", inner);
            }
            if manifest {
                project.write("infra.toml", "");
            }
            agrees(&project);
            // What the caller has set would lead somewhere else, and does not.
            let call = project.xtask(["describe", "--json"]).env("COMPOSE_FILE", "/nowhere/compose.yml");
            let described = call.env("COMPOSE_PROJECT_NAME", "elsewhere").end().ok().outcome();
            assert_eq!(described["project"], compose(&project, &[])["name"], "{env:?}");
        }
    }
}

#[test]
fn p03_a_project_in_a_folder_below_lives_there() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file("docker/compose.yml", &format!("name: @name@\nservices: {{web: {}}}\n", sleeper()))
        .file(".env", "COMPOSE_FILE=docker/compose.yml\n");
    project.xtask(["start"]).end().ok();
    let container = project.container("web");
    let label = "{{index .Config.Labels \"com.docker.compose.project.working_dir\"}}";
    assert_eq!(docker(["inspect", "--format", label, &container]), project.path("docker").to_str().unwrap());
    project.xtask(["ps"]).end().ok().shows("healthy");
    project.xtask(["stop"]).end().ok().shows("web");
    project.xtask(["clean", "--yes"]).end().ok();
}

#[test]
fn p03_init_scripts_are_found_next_to_the_compose_file() {
    let Some(_postgres) = postgres() else { return };
    let project = TestProject::new()
        .file(
            "docker/compose.yml",
            "name: @name@\nservices:\n  db:\n    image: @image@\n    volumes:\n      - type: bind\n        \"source\": ./init\n        \
             target: /docker-entrypoint-initdb.d\n    environment: &e\n      \"POSTGRES_DB\": shop\n",
        )
        .file("docker/init/1.sql", "CREATE TABLE from_the_script (n int);\n")
        .file(".env", "COMPOSE_FILE=docker/compose.yml\n");
    project.xtask(["setup", "--yes", "--services", "none", "--database", "local"]).end().ok();
    let sql = "SELECT current_database() || count(*) FROM from_the_script";
    let asked = project.xtask(["db-shell", "-c", sql, "--", "-At"]).end();
    assert_eq!(asked.ok().stdout, "shop0\n");
}

#[test]
fn p09_a_profile_is_found_whatever_else_the_files_say() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "services:\n  db: {{{SLEEPS}, ports: ['${{DB_PORT:-@port:DB@}}:5432']}}\n  nginx: {{{SLEEPS}, profiles: ['${{EDGE:-production}}']}}\n"
    ));
    let ours = stated(&project, &["-e", "production"]);
    let name = format!("{}-production", project.name());
    let all = compose(&project, &ours.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(all, compose(&project, &["-p", &name, "--profile", "production"]));
    assert!(all["services"]["nginx"].is_object());
    // An answer that the reader could not give does not pass for "there is none".
    project.write("compose.yml", "services:\n  db: {image: x\n  nginx: {\n");
    project
        .xtask(["-e", "production", "start"])
        .end()
        .code(78)
        .says("compose.yml: line")
        .never_says("unknown environment");
}

#[test]
fn p10_a_profile_with_the_default_environments_name_is_on() {
    let Some(_engine) = engine() else { return };
    let text = format!("services:\n  db: {}\n  mail: {{{SLEEPS}, profiles: [development]}}\n", sleeper());
    for manifest in ["", "[environments.development]\nprotected = false\n", "[compose]\nfiles = [\"compose.yml\"]\n"] {
        let project = TestProject::new().compose(&text).file("infra.toml", manifest);
        let ours = stated(&project, &[]);
        let ours = compose(&project, &ours.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(ours, compose(&project, &["--profile", "development"]), "{manifest}");
    }
}

#[test]
fn p10_an_overlay_is_added_to_an_environment_that_names_no_files() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!("services: {{web: {}}}\n", sleeper()))
        .file("compose.staging.yml", "services: {web: {labels: {of: staging}}}\n")
        .file("infra.toml", "[environments.staging]\nprotected = true\n");
    let ours = stated(&project, &["-e", "staging"]);
    let ours = compose(&project, &ours.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(ours["services"]["web"]["labels"]["of"], "staging");
}

#[test]
fn d40_a_compose_file_that_expands_without_end_is_refused_within_seconds() {
    let mut text = "x-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "x-{level}: &a{level} [{aliases}]").unwrap();
    }
    let project = TestProject::new().compose(&format!("{text}services: {{web: {{image: x}}}}\n"));
    for command in ["describe", "start", "policy"] {
        let ended = project.xtask([command]).limit(Duration::from_secs(10)).end();
        ended.code(78).says("compose.yml: line").says("too large");
    }
}

#[test]
fn s31_doctor_names_a_variable_of_compose_that_is_ignored() {
    let project = TestProject::new().compose(&format!("services: {{web: {}}}\n", sleeper()));
    let ended = project.xtask(["doctor", "--json"]).env("COMPOSE_FILE", "other.yml").end();
    let checks = ended.outcome()["checks"].take();
    let named = checks.as_array().unwrap().iter().find(|check| check["target"] == "COMPOSE_FILE").expect("a check");
    assert!(named["status"] == "warn" && named["hint"].as_str().unwrap().contains("unset COMPOSE_FILE"), "{named}");
}
