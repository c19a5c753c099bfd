//! Which compose files are the project's: those of `docker compose`, or those that were found and written down.

use crate::support::*;

fn web() -> String {
    format!("services: {{web: {{{SLEEPS}}}}}\n")
}

/// The call by which a start would state the project.
#[track_caller]
fn dry(project: &TestProject, options: &[&str]) -> String {
    project.xtask(options.iter().chain(&["start", "--dry-run"]).copied()).end().ok().stdout.clone()
}

#[test]
fn p04_a_file_is_not_added_to_the_default_environment_because_of_its_name() {
    let Some(_engine) = engine() else { return };
    let overlay = "services: {web: {labels: {a: b}}}\n".to_owned();
    for text in [web(), format!("name: dev-x\n{}", web()), overlay] {
        let project = TestProject::new().file("docker-compose.yml", &web()).file("docker-compose.dev.yml", &text);
        for options in [&[][..], &["-e", "dev"]] {
            let line = dry(&project, options);
            assert!(line.contains("/docker-compose.yml ") && !line.contains("dev.yml"), "{line}");
            assert!(line.contains(&format!(" -p {} ", project.name())), "{line}");
        }
        // Configured, it is used.
        let files = "files = [\"docker-compose.yml\", \"docker-compose.dev.yml\"]";
        project.xtask(["init"]).end().ok();
        let written = project.read("infra.toml");
        assert!(
            written.contains(
                "
# [environments.development]
# files = ["
            ),
            "{written}"
        );
        project.write("infra.toml", &format!("[environments.development]\n{files}\n"));
        assert!(dry(&project, &[]).contains("/docker-compose.dev.yml "));
    }
}

#[test]
fn p04_what_is_no_environment_is_not_listed_as_one() {
    let Some(_engine) = engine() else { return };
    let overlay = "services: {web: {labels: {a: b}}}\n";
    let mut project = TestProject::new().compose(&web());
    for name in ["rest", "worker", "override-example", "prod"] {
        project = project.file(&format!("compose.{name}.yml"), overlay);
    }
    let described = project.xtask(["describe", "--json"]).end().ok().outcome();
    assert_eq!(described["environments"], serde_json::json!(["development", "production"]));
    assert!(dry(&project, &["-e", "worker"]).contains("/compose.worker.yml "), "requested, it is used");
    let known = "development, production, rest, worker";
    project.xtask(["-e", "frob", "ps"]).end().code(78).says(&format!("known: {known}"));
    for words in [&["ps", "-e"][..], &["-e", "../x", "ps"], &["-e", "", "ps"]] {
        project.xtask(words).end().code(64).says(&format!("hint: use one of these: {known}"));
    }
}

#[test]
fn p05_a_compose_file_in_another_place_is_named_and_init_makes_it_permanent() {
    let Some(_engine) = engine() else { return };
    let places = ["docker/compose.yml", "deploy/local/docker-compose.yaml", "local.yml", "docker-compose.dev.yml"];
    for place in places {
        let project = TestProject::new().file(place, &web()).file("production.yml", &web()).file("src/main.rs", "");
        // Neither is a compose file.
        project.write("config.yml", "services: {App: {resource: ../src}}\n");
        project.write("node_modules/x/compose.yml", &web());
        project.write(".git/HEAD", "");
        for command in ["start", "ps", "setup", "doctor", "describe"] {
            let ended = project.xtask([command]).end();
            ended.code(78).says(&format!("`{place}`")).says("`cargo xtask init`").never_says("node_modules");
            project.xtask([command]).dir(project.path("src")).end().code(78).says(&format!("`{place}`"));
        }
        assert!(!project.path(".infra").exists());
        project.xtask(["init"]).end().ok();
        assert!(project.read("infra.toml").contains(&format!("\n[compose]\nfiles = [\"{place}\"]\n")), "{place}");
        assert!(dry(&project, &[]).contains(&format!("/{place} ")));
    }
    let project = TestProject::new().file("docker/compose.yml", &web());
    project.xtask(["start"]).end().code(78).says("or use `-C docker`");
    assert!(dry(&project, &["-C", "docker"]).contains("/docker/compose.yml "));
}

#[test]
fn p05_setup_does_not_create_a_database_next_to_an_unused_compose_file() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().file("infra.toml", "").file("docker/compose.yml", &web());
    let files = "files = [\"docker/compose.yml\"]";
    project.xtask(["setup"]).end().code(78).says(files).says("setup --services none");
    assert!(!project.path(".infra/postgres").exists() && !project.path(".infra/setup.json").exists());
    project.xtask(["doctor"]).end().code(2).shows(files);
    project.write("infra.toml", &format!("[compose]\n{files}\n"));
    assert!(dry(&project, &[]).contains("/docker/compose.yml "));
}

#[test]
fn p05_several_compose_files_are_all_named() {
    let project = TestProject::new().file("api/compose.yml", &web()).file("ui/compose.yml", &web());
    for command in ["start", "setup", "init"] {
        let ended = project.xtask([command]).end();
        ended.code(78).says("`api/compose.yml`, `ui/compose.yml`").says("choose one").says("-C api");
    }
    assert!(!project.path("infra.toml").exists());
}

#[test]
fn p19_another_tools_env_file_does_not_change_the_default_environment() {
    let Some(_engine) = engine() else { return };
    let text = format!("services: {{web: {{{SLEEPS}, labels: {{port: '${{PORT:-80}}'}}}}}}\n");
    let project = TestProject::new()
        .compose(&text)
        .file(".env", "PORT=81\n")
        .file(".env.development", "PORT=3000\n")
        .file(".env.staging", "PORT=82\n");
    let port = |options: &[&str]| {
        let words = options.iter().chain(&["env", "explain", "PORT", "--json"]).copied();
        project.xtask(words).end().ok().outcome()["variables"][0]["value"].clone()
    };
    assert_eq!((port(&[]), port(&["-e", "dev"]), port(&["-e", "staging"])), ("81".into(), "81".into(), "82".into()));
    project.write("infra.toml", "[environments.development]\nenv-files = [\".env\", \".env.development\"]\n");
    assert_eq!(port(&[]), "3000");
}
