//! One environment has one name, however it is abbreviated.

use crate::support::*;

fn web() -> TestProject {
    TestProject::new().compose(&format!("services: {{web: {{{SLEEPS}}}}}\n"))
}

fn dry(project: &TestProject, name: &str) -> String {
    project.xtask(["-e", name, "start", "--dry-run"]).end().ok().stdout.clone()
}

#[test]
fn p07_each_spelling_is_the_same_protected_environment() {
    let Some(_engine) = engine() else { return };
    let overlay = "services: {web: {labels: {of: production}}}\n";
    for (file, text) in [
        ("compose.prod.yml", overlay),
        ("docker-compose.production.yaml", overlay),
        (".env.prod", "A=1\n"),
        ("infra.toml", "[environments.prod]\nproject-name = \"@name@-production\"\n"),
        ("compose.override.yml", "services: {web: {labels: {a: b}}, edge: {image: x, profiles: [prod]}}\n"),
    ] {
        let project = web().file(file, text);
        let line = dry(&project, "production");
        assert!(line.contains(&format!(" -p {}-production ", project.name())), "{file}: {line}");
        assert!(file.ends_with("toml") || file.contains("override") || line.contains(file), "{file}: {line}");
        assert!(!file.contains("override") || line.contains("--profile prod "), "{line}");
        for name in ["prod", "PROD", "prd", "Production"] {
            assert_eq!(dry(&project, name), line, "{file} -e {name}");
            let described = project.xtask(["-e", name, "describe", "--json"]).end().ok().outcome();
            assert_eq!((&described["environment"], &described["protected"]), (&"production".into(), &true.into()));
        }
        let environments = project.xtask(["describe", "--json"]).end().ok().outcome()["environments"].to_string();
        assert!(!environments.contains("\"prod\""), "{environments}");
    }
}

#[test]
fn p07_the_other_usual_abbreviations_are_known_too() {
    let Some(_engine) = engine() else { return };
    let project = web().file(".env.stage", "A=1\n").file("compose.test.yml", "services: {web: {labels: {a: b}}}\n");
    assert_eq!(dry(&project, "stg"), dry(&project, "staging"));
    assert_eq!(dry(&project, "test"), dry(&project, "testing"));
    assert_eq!(dry(&project, "dev"), project.xtask(["start", "--dry-run"]).end().ok().stdout);
}

#[test]
fn p07_an_abbreviation_needs_the_confirmation_of_the_environment() {
    let Some(_engine) = engine() else { return };
    let project = web().file("compose.prod.yml", "services: {web: {labels: {of: production}}}\n");
    let name = format!("{}-production", project.name());
    project.xtask(["-e", "prod", "start"]).end().ok();
    project.xtask(["-e", "prod", "clean", "--all", "--discard-data", "--yes"]).end().code(77).says(&name);
    project.xtask(["-e", "production", "ps"]).end().ok().shows("healthy");
    project.xtask(["-e", "production", "clean", "--all", "--discard-data", "--confirm", &name]).end().ok();
}

#[test]
fn p07_two_tables_of_one_environment_are_refused() {
    let project = web().file("infra.toml", "[environments.prod]\n[environments.production]\n");
    project.xtask(["describe"]).end().code(78).says("[environments.prod]").says("same environment");
}
