//! Hints, whose commands act on what the call acted on.

use crate::support::*;

fn project() -> TestProject {
    TestProject::new()
        .compose(&format!("services:\n  web: {{{SLEEPS}}}\n"))
        .file("infra.toml", "[environments.production]\nenv-files = [\".env.production\"]\n[environments.staging]\n")
}

/// Every command of this program that a text names in backticks.
fn commands(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).filter(|span| span.contains("xtask")).map(str::to_owned).collect()
}

#[test]
fn p11_the_commands_of_health_name_the_folder_and_the_environment_of_the_call() {
    let Some(_engine) = engine() else { return };
    let project = project().file(".env.production", "A=1\n");
    let dir = project.dir().to_str().unwrap().to_owned();
    let begin = format!("cargo xtask -C {dir} -e production");
    let call = |words: &[&str]| {
        project.xtask(["-C", &dir, "-e", "production"].into_iter().chain(words.iter().copied())).dir("/").end()
    };
    let health = call(&["health"]);
    assert!(!commands(&health.stdout).is_empty(), "{health}");
    for ended in [health, call(&["doctor"])] {
        for command in commands(&ended.stdout) {
            assert!(command.starts_with(&begin), "{command} in {ended}");
        }
    }
    let json = call(&["health", "--json"]).outcome();
    let hints: Vec<String> = json["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|check| Some(check["hint"].as_str()?.to_owned()))
        .collect();
    assert!(hints.iter().any(|hint| hint.contains(&format!("`{begin} start"))), "{hints:?}");
    // Followed, it starts that environment and no other.
    let start = hints.iter().flat_map(|hint| commands(hint)).find(|command| command.ends_with(" start")).unwrap();
    let words: Vec<&str> = start.split(' ').skip(2).collect();
    project.xtask(words).dir("/").end().ok();
    assert!(project.containers("web").is_empty(), "development does not run");
    let name = format!("name={}-production-web", project.name());
    assert_ne!(docker(["ps", "-q", "--filter", &name]), "");
}

#[test]
fn p11_errors_and_usage_name_the_call_as_it_was_made() {
    let Some(_engine) = engine() else { return };
    let project = project();
    let hint = |words: &[&str]| {
        let text = project.xtask(words.iter().copied()).end();
        text.stderr.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap_or_default().to_owned()
    };
    assert_eq!(hint(&["-e", "production", "frobnicate"]), "`cargo xtask -e production help` lists the commands");
    assert_eq!(hint(&["frobnicate"]), "`cargo xtask help` lists the commands");
    project.write(".env.production.example", "A=1\n");
    let setup = "setup` creates it from its template, with new secrets";
    assert_eq!(hint(&["-e", "production", "ps"]), format!("`cargo xtask -e production {setup}"));
    assert_eq!(
        hint(&["-e", "production", "--confirm", "the shop", "ps"]),
        format!("`cargo xtask -e production --confirm 'the shop' {setup}")
    );
    let by_variable = project.xtask(["ps", "--json"]).env("INFRA_ENV", "production").end();
    assert_eq!(by_variable.error()["hint"], format!("`cargo xtask -e production {setup}"));
}

#[test]
fn p11_a_program_of_another_name_is_called_by_that_name() {
    let Some(_engine) = engine() else { return };
    let project = project().file(".env.production.example", "A=1\n");
    let folder = tempfile::tempdir().unwrap();
    let shop = folder.path().join("shop");
    std::os::unix::fs::symlink(project.xtask(["ps"]).program(), &shop).unwrap();
    let ended = project.xtask(["-e", "production", "ps"]).of(&shop).end();
    ended.says(&format!("hint: `{} -e production setup` creates it", shop.display()));
}
