//! `docs/cli.md` against the command line.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::*;

use super::markdown::{document, root, spans};
use super::shop;

/// The headings of `help`, and of the document.
const HEADINGS: [&str; 5] = ["Lifecycle", "Database", "Everything at once", "Unattended", "General"];

/// The commands of `help` by heading, without the project's own.
fn commands(project: &TestProject) -> Vec<String> {
    let help = project.xtask(["help"]).end().ok().stdout.clone();
    let mut heading = String::new();
    let mut found = Vec::new();
    for line in help.lines() {
        if !line.starts_with(' ') {
            line.clone_into(&mut heading);
        } else if HEADINGS.contains(&heading.as_str()) {
            // A line that is wrapped goes on in the same column, with a word that no command is called.
            let name = line.split_whitespace().next().unwrap_or_default();
            let is_entry = line.len() > 2 + name.len() && line[2 + name.len()..].starts_with("  ");
            if is_entry {
                found.push(name.to_owned());
            }
        }
    }
    found.push("help".to_owned());
    found
}

/// What `--help` of a command lists below this heading, such as `Options:`; the first words.
fn listed(project: &TestProject, command: &[&str], heading: &str) -> BTreeSet<String> {
    let help = project.xtask(command.iter().chain(&["--help"])).end().ok().stdout.clone();
    let own = help.lines().skip_while(|line| *line != heading).skip(1);
    let own = own.take_while(|line| line.is_empty() || line.starts_with(' '));
    let entries = own.filter_map(|line| {
        let indent = line.len() - line.trim_start().len();
        (indent == 2 || line.trim_start().starts_with("--") && indent == 6).then(|| line.trim_start())
    });
    let options = entries.flat_map(|entry| entry.split_whitespace().take(2).map(|word| word.trim_end_matches(',')));
    let mut words: BTreeSet<String> = options
        .filter(|word| word.starts_with('-'))
        .map(|word| word.split(['=', '[']).next().unwrap().to_owned())
        .collect();
    words.remove("-h");
    words.remove("--help");
    words
}

/// The options in a documented synopsis.
fn options(synopsis: &str) -> BTreeSet<String> {
    let words = synopsis.split(|c: char| c.is_whitespace() || "[]|,`".contains(c));
    let options = words.filter(|word| word.starts_with('-') && *word != "--");
    options.map(|word| word.split('=').next().unwrap().to_owned()).collect()
}

/// Every documented command with its synopsis; one that has several rows has them one after another.
pub(super) fn documented() -> BTreeMap<String, String> {
    let cli = document("docs/cli.md");
    let rows = HEADINGS.iter().flat_map(|heading| cli.table(heading));
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for synopsis in rows.map(|row| spans(&row[0]).remove(0)) {
        let name = synopsis.split(' ').next().unwrap().to_owned();
        let known = found.remove(&name).map(|known| known + " ").unwrap_or_default();
        found.insert(name, known + &synopsis);
    }
    found
}

#[test]
fn every_command_is_documented_with_its_options_and_no_other() {
    let project = shop();
    let documented = documented();
    let known: BTreeSet<String> = commands(&project).into_iter().collect();
    assert_eq!(documented.keys().cloned().collect::<BTreeSet<_>>(), known);
    for (name, synopsis) in documented.iter().filter(|(name, _)| *name != "help") {
        assert_eq!(options(synopsis), listed(&project, &[name.as_str()], "Options:"), "`{name}`: {synopsis}");
    }
}

#[test]
fn subcommands_are_documented() {
    let project = shop();
    for command in ["env", "schedule"] {
        let help = project.xtask([command, "--help"]).end().ok().stdout.clone();
        let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names = lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
        let known: BTreeSet<&str> = names.filter(|name| *name != "help").collect();
        let synopsis = &documented()[command];
        let inside = synopsis.trim_start_matches(command).trim_start_matches(" [").trim_end_matches(']');
        let told: BTreeSet<&str> = inside.split('|').filter_map(|part| part.split(' ').next()).collect();
        assert_eq!(told, known, "{command}");
    }
}

#[test]
fn every_global_option_is_documented_and_no_other() {
    let rows = document("docs/cli.md").table("Global options");
    let told: BTreeSet<String> = rows.iter().flat_map(|row| options(&row[0])).collect();
    assert_eq!(told, listed(&shop(), &["ps"], "Global options:"));
}

/// Both spellings are run for show; what they would do is the same.
#[test]
fn makes_spellings_mean_what_is_written() {
    let Some(_engine) = engine() else { return };
    let project = shop().file(".env", "DB_PASSWORD=x1\n").file(".env.production", "DB_PASSWORD=x2\n");
    for row in document("docs/cli.md").table("Make's spellings") {
        let [typed, runs] = [0, 1].map(|cell| spans(&row[cell]).remove(0).replace("SERVICE", "db"));
        let end = |line: &str| {
            let words = line.split(' ').chain(["--dry-run", "--yes"]);
            let ended = project.xtask(words).end();
            (ended.exit, ended.scrub(&ended.stdout), ended.scrub(&ended.stderr))
        };
        assert_ne!(end(&typed).0, 64, "`{typed}` is not understood: {:?}", end(&typed));
        assert_eq!(end(&typed), end(&runs), "`{typed}` and `{runs}`");
    }
}

/// What the envelopes hold, by what really comes.
#[test]
fn the_json_envelopes_have_the_documented_keys() {
    let Some(_engine) = engine() else { return };
    let project = shop().file(".env", "DB_PASSWORD=x1\n");
    let cli = document("docs/cli.md");
    let blocks = cli.blocks().into_iter().filter(|block| block.language == "json");
    let [outcome, error] = &blocks.map(|block| block.text).collect::<Vec<_>>()[..] else { panic!("two envelopes") };
    let shape = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let keys = |value: &serde_json::Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
        (keys(&value), keys(&value["outcome"]), keys(&value["error"]))
    };
    assert_eq!(shape(outcome), shape(&project.xtask(["stop", "--json"]).end().ok().stdout));
    let ended = project.xtask(["start", "no-such-service", "--json"]).end();
    assert_eq!(shape(error), shape(&ended.code(66).stderr));
    for (words, operation) in [(&["no-such-command"][..], "null"), (&["start", "-e", "no-such"], "\"start\"")] {
        let ended = project.xtask(words.iter().chain(&["--json"])).end();
        assert!(ended.stderr.contains(&format!("\"operation\":{operation}")), "{ended}");
    }
}

/// A variable that no source file names is not honoured.
#[test]
fn documented_variables_are_read() {
    let sources = sources(&root().join("infra-lib/src"));
    let rows = document("docs/cli.md").table("Environment variables");
    let names: Vec<String> = rows.iter().flat_map(|row| spans(&row[0])).collect();
    assert!(names.len() > 8);
    for name in names {
        assert!(sources.contains(&format!("\"{name}\"")), "{name} is read nowhere");
    }
}

fn sources(dir: &std::path::Path) -> String {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { sources(&path) } else { std::fs::read_to_string(path).unwrap() }).collect()
}
