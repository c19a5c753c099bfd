//! `env_file` in each form that Compose reads: `start`, `env check` and `policy` judge what is in it alike.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::*;

/// Each form by which `web` reads `a.env`, with the files that it needs.
fn forms() -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let web = |more: &str| format!("x-sleeps: &sleeps {{{SLEEPS}}}\nservices:\n  web:\n    <<: *sleeps\n{more}");
    let own = |more: &str| vec![("compose.yml", web(more))];
    vec![
        ("a text", own("    env_file: a.env\n")),
        ("a list", own("    env_file:\n      - a.env\n")),
        ("a list on one line", own("    env_file: [ ./a.env ]\n")),
        ("a map", own("    env_file: [{path: a.env, required: false}]\n")),
        ("a map on lines", own("    env_file:\n      - required: true\n        path: \"a.env\"\n")),
        ("a quoted key", own("    \"env_file\": a.env\n")),
        ("an anchor on the list", own("    env_file: &files\n      - a.env\n")),
        ("an alias", vec![("compose.yml", format!("x-files: &files [a.env]\n{}", web("    env_file: *files\n")))]),
        (
            "a merge",
            vec![(
                "compose.yml",
                format!("x-base: &base {{env_file: a.env}}\n{}", web("").replace("*sleeps", "[*sleeps, *base]")),
            )],
        ),
        ("a block", own("    env_file: >-\n      a.env\n")),
        ("a variable", own("    env_file: '${WHICH:-a}.env'\n")),
        (
            "an override",
            vec![
                ("compose.yml", web("    env_file: [{path: other.env, required: false}]\n")),
                ("compose.override.yml", "services: {web: {env_file: !override [a.env]}}\n".to_owned()),
            ],
        ),
        (
            "an extended service",
            vec![
                ("compose.yml", web("    extends: {file: sub/base.yml, service: base}\n")),
                ("sub/base.yml", "services: {base: {env_file: ../a.env}}\n".to_owned()),
            ],
        ),
        (
            "an included file",
            vec![
                ("compose.yml", "include: [{path: [sub/compose.yml], project_directory: .}]\n".to_owned()),
                ("sub/compose.yml", web("    env_file: a.env\n")),
            ],
        ),
    ]
}

fn project(files: &[(&str, String)]) -> TestProject {
    let project = TestProject::new()
        .file("infra.toml", "[environments.production]\nfiles = @files@\nenv-files = [\".env\"]\n")
        .file(".env", "PLAIN=1\n")
        .file("a.env", "API_TOKEN=abc\n");
    let given: Vec<&str> = files.iter().map(|(path, _)| *path).filter(|path| !path.contains('/')).collect();
    project.write("infra.toml", &project.read("infra.toml").replace("@files@", &format!("{given:?}")));
    for (path, text) in files {
        project.write(path, text);
    }
    for path in [".env", "a.env"] {
        std::fs::set_permissions(project.path(path), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    project
}

#[test]
fn p01_each_form_of_env_file_is_judged_alike() {
    let Some(_engine) = engine() else { return };
    for (form, files) in forms() {
        let project = project(&files);
        // Compose reads the file in this form.
        let words = ["compose", "config", "--format", "json"];
        let model = project.xtask(words).of("docker").end().ok().stdout.clone();
        let model: Value = serde_json::from_str(&model).unwrap();
        assert_eq!(model["services"]["web"]["environment"]["API_TOKEN"], "abc", "{form}");

        let production = |words: &[&str]| project.xtask([&["-e", "production"], words].concat()).end();
        production(&["start"]).code(77).says("a.env:1: API_TOKEN");
        production(&["env", "check"]).code(2).shows("error: a.env:1: API_TOKEN");
        let policy = production(&["policy", "--json"]).code(2).outcome();
        let findings = policy["findings"].as_array().unwrap();
        let place = |finding: &&Value| finding["file"] == "a.env" && finding["line"] == 1;
        assert!(findings.iter().any(|finding| place(&finding)), "{form}: {policy:#}");
    }
}

#[test]
fn p01_the_env_files_of_services_are_those_that_compose_names() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file(
            "compose.yml",
            "include: [{path: inc/compose.yml}, {path: [inc2.yml], project_directory: sub}]\nx-l: &l [anch.env]\nservices:\n  \
             a: {image: x, env_file: *l}\n  \"b\": {image: x, \"env_file\": b.env}\n  \
             c: {image: x, extends: {file: sub/ext.yml, service: e}, env_file: c.env}\n  \
             d: {image: x, extends: {service: b}, env_file: [{path: d.env, required: false}]}\n  \
             f: {image: x, extends: {file: sub/ext.yml, service: e}, env_file: f.env}\n  m: {<<: {env_file: m.env}, image: x}\n",
        )
        .file("sub/ext.yml", "services:\n  e: {image: x, env_file: [e.env]}\n")
        .file("inc/compose.yml", "services:\n  i: {image: x, env_file: [i.env]}\n")
        .file("inc2.yml", "services:\n  j: {image: x, env_file: [j.env]}\n")
        .file(
            "compose.override.yml",
            "services:\n  a: {env_file: over.env}\n  b: {env_file: !override [bo.env]}\n  c: {env_file: !reset []}\n",
        );
    let words = ["compose", "config", "--no-interpolate", "--format", "json"];
    let model: Value = serde_json::from_str(&project.xtask(words).of("docker").end().ok().stdout).unwrap();
    let services = model["services"].as_object().unwrap().values();
    let files = services.filter_map(|service| service["env_file"].as_array()).flatten();
    let mut expected: Vec<String> = files.map(|file| file["path"].as_str().unwrap().to_owned()).collect();
    expected.sort();
    expected.dedup();
    // Each has a placeholder, and each is found by `env check`.
    for file in &expected {
        std::fs::create_dir_all(std::path::Path::new(file).parent().unwrap()).unwrap();
        std::fs::write(file, "DB_PASSWORD=change_me\n").unwrap();
    }
    let checked = project.xtask(["env", "check", "--json"]).end();
    let findings = checked.outcome()["findings"].take();
    let found = findings.as_array().unwrap().iter().filter(|finding| finding["key"] == "DB_PASSWORD");
    let root = project.dir().to_str().unwrap();
    let mut found: Vec<String> = found.map(|it| format!("{root}/{}", it["path"].as_str().unwrap())).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, expected);
}
