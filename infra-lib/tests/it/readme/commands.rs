//! Every command that the documents name can be typed, and every documented command runs.

use std::collections::BTreeSet;

use crate::support::*;

use super::contract::documented;
use super::markdown::{document, documents, root, spans};
use super::shop;

/// The words of a command line in a document, with something in the place of its placeholders.
fn words(line: &str) -> Vec<String> {
    let line = line.replace("COMMAND", "start").replace("SERVICE", "db").replace("KEY", "DB_PASSWORD");
    let line = line.replace("NAME", "x").split(['…', '[']).next().unwrap().trim_end().to_owned();
    shlex::split(&line).unwrap()
}

/// Parses the words without running anything, in this repository, whose tasks the README names too.
fn can_be_typed(project: &TestProject, line: &str, place: &str) {
    let root = root();
    let here = ["-C", root.to_str().unwrap()];
    let help = project.xtask(here.iter().chain(&["help"])).end().ok().stdout.clone();
    let words = words(line);
    let is_task = |word: &String| help.split("\nTasks\n").nth(1).unwrap().contains(&format!("\n  {word} "));
    if words.first().is_some_and(is_task) {
        // Whatever follows would be handed to it.
        return;
    }
    let words = words.iter().map(String::as_str).filter(|word| *word != "help").chain(["--help"]);
    let ended = project.xtask(here.into_iter().chain(words)).end();
    assert_eq!(ended.exit, 0, "{place}: `{line}`: {ended}");
}

/// This repository's own chores, which the library does not have: `xtask` itself tests how they are typed.
const CHORES: [&str; 5] = ["bench", "ci", "schema", "standins", "static"];

#[test]
fn every_command_in_a_sentence_can_be_typed() {
    let project = TestProject::new();
    let mut seen = 0;
    for document in documents() {
        for (line, code) in document.code() {
            // `cargo xtask` by itself is the program's name, and `<command>` or X stand for any.
            let Some(rest) =
                code.strip_prefix("cargo xtask ").filter(|rest| !["X", "NAME", "<command>"].contains(rest))
            else {
                continue;
            };
            if CHORES.contains(&rest.split(' ').next().unwrap()) {
                continue;
            }
            can_be_typed(&project, rest, &format!("{}:{line}", document.name()));
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
}

/// The right column of the README's table, and options in the third, which belong to it.
#[test]
fn every_command_of_the_readmes_table_can_be_typed() {
    let project = TestProject::new();
    for row in document("README.md").table("From `make` to `cargo xtask`") {
        let (make, ours) = (spans(&row[0]), spans(&row[1]));
        let same = row[1].contains("the same");
        let commands: Vec<&String> = if same { make.iter().chain(&ours).collect() } else { ours.iter().collect() };
        for command in commands.into_iter().filter(|word| *word != "…") {
            can_be_typed(&project, command, "README.md");
        }
        let command = if same { &make[0] } else { &ours[0] };
        for option in spans(&row[2]).iter().filter(|span| span.starts_with("--")) {
            let has = |word: &String| {
                let name = command.split_whitespace().next().unwrap();
                // `logs-backend` is Make's spelling of `logs`.
                let base = if name.starts_with("db-") { name } else { name.split('-').next().unwrap() };
                let help = project.xtask([base, "--help"]).end().ok().stdout.clone();
                help.contains(word.as_str())
            };
            assert!(has(option), "README.md: `{command}` has no `{option}`");
        }
    }
}

/// How each documented command is run on the small project, in this order.
const SAMPLES: &[(&str, &[&str])] = &[
    ("setup", &["--no-start"]),
    ("start", &[]),
    ("ps", &[]),
    ("health", &["--wait=60"]),
    ("describe", &[]),
    ("logs", &["--tail", "3"]),
    ("stats", &[]),
    ("df", &[]),
    ("exec", &["db", "--", "true"]),
    ("shell", &["db"]),
    ("db-shell", &["-c", "select 1"]),
    ("db-backup", &[]),
    ("db-verify", &["latest"]),
    ("db-restore", &["latest", "--yes"]),
    ("db-prune", &[]),
    ("backup", &[]),
    ("restore", &["latest", "--yes"]),
    ("volume-backup", &["--list"]),
    ("db-migrate", &["new", "first"]),
    ("db-reset", &["--yes"]),
    ("env", &["check"]),
    ("tasks", &[]),
    ("doctor", &[]),
    ("policy", &[]),
    ("build", &[]),
    ("restart", &["web"]),
    ("scale", &["web=2"]),
    ("history", &[]),
    ("schedule", &["print"]),
    ("completions", &["bash"]),
    ("help", &["start"]),
    ("stop", &[]),
    ("clean", &["--all", "--yes"]),
];

/// Those that the small project is no place for, each with the test that has it.
const ELSEWHERE: &[&str] = &[
    "db-seed",        // has nothing to seed there
    "init",           // refuses to overwrite an infra.toml
    "update",         // asks registries
    "volume-restore", // has no volumes there
];

#[test]
fn every_documented_command_runs() {
    let Some(_engine) = engine() else { return };
    let sampled =
        SAMPLES.iter().map(|(name, _)| (*name).to_owned()).chain(ELSEWHERE.iter().map(|name| (*name).to_owned()));
    assert_eq!(sampled.collect::<BTreeSet<_>>(), documented().into_keys().collect());
    let project = shop();
    for &(name, args) in SAMPLES {
        let ended = project.xtask([name].iter().chain(args)).no_tty().end();
        // What is wrong with the machine is not the document's fault.
        let fine: &[i32] = if name == "doctor" { &[0, 2] } else { &[0] };
        assert!(fine.contains(&ended.exit), "{ended}");
    }
}
