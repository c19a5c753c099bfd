//! The table against the list of names that must keep working.

use std::collections::BTreeSet;

use crate::readme::markdown::{document, root, spans};
use crate::support::*;

const TABLE: &str = "docs/from-make.md";

/// The targets of the Makefile.
pub(super) const TARGETS: &str = "help setup start stop restart logs logs-backend logs-frontend logs-db build rebuild clean \
    clean-volumes db-shell db-backup db-restore db-migrate db-seed db-reset test test-backend test-frontend test-coverage \
    typecheck typecheck-docker lint lint-check lint-docker format check prod-build prod-start prod-stop ps stats \
    shell-backend shell-frontend shell-db ip health update docs";

/// The other sections, each with the names in its left column.
const OTHERS: [(&str, &[&str]); 5] = [
    (
        "VRSS: the scripts",
        &[
            "scripts/dev-setup.sh",
            "scripts/health-check.sh",
            "docker/db/scripts/backup.sh",
            "docker/db/scripts/restore.sh",
        ],
    ),
    (
        "PagoDirecto",
        &[
            "start.sh [profile]",
            "stop.sh",
            "restart.sh [service]",
            "logs.sh [service] [-f] [N]",
            "clean.sh [--all] [--volumes] [--force]",
            "backup-db.sh [name]",
            "restore-db.sh <name>",
        ],
    ),
    ("RxDx", &["backup.sh", "restore.sh <date>", "deploy.sh [env]", "health-check.sh"]),
    ("Thrifting Buddy", &["/backup.sh", "build", "rolling update", "rollback", "restore"]),
    ("Isntgram", &["approve", "connect", "pull", "update", "health check", "roll back"]),
];

fn rows(heading: &str) -> Vec<Vec<String>> {
    document(TABLE).table(heading)
}

#[test]
fn every_old_name_has_its_row_and_there_is_no_other() {
    let bare = |cell: &str| cell.replace('`', "");
    let names = |heading| rows(heading).iter().map(|row| bare(&row[0])).collect::<Vec<_>>();
    assert_eq!(names("VRSS: the Makefile"), TARGETS.split_whitespace().collect::<Vec<_>>());
    for (heading, expected) in OTHERS {
        assert_eq!(names(heading), expected, "{heading}");
    }
}

/// The files of old that stand in the repository: each target, and each script under its system.
#[test]
fn every_old_name_is_there_to_be_compared_with() {
    let legacy = root().join("scripts-legacy");
    let makefile = std::fs::read_to_string(legacy.join("vrss/Makefile")).unwrap();
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter_map(|line| line.split_once(": ").filter(|_| line.contains("## ")).map(|(name, _)| name))
        .collect();
    assert_eq!(targets, TARGETS.split_whitespace().collect());
    let scripts = [("vrss", OTHERS[0].1), ("pagodirecto", OTHERS[1].1), ("rxdx/scripts", OTHERS[2].1)];
    for (folder, names) in scripts {
        for name in names {
            let path = legacy.join(folder).join(name.split(' ').next().unwrap());
            assert!(path.is_file(), "{}", path.display());
        }
    }
}

#[test]
fn every_command_of_the_table_can_be_typed() {
    let project = TestProject::copy_of(&root().join("docker/vrss"));
    let help = project.xtask(["help"]).end().ok().stdout.clone();
    let tasks = help.split("\nTasks\n").nth(1).unwrap().to_owned();
    let headings = ["VRSS: the Makefile"].into_iter().chain(OTHERS.iter().map(|(heading, _)| *heading));
    let mut seen = BTreeSet::new();
    for row in headings.flat_map(rows) {
        if row[1].contains("not part of this yet") {
            continue;
        }
        for command in spans(&row[1]).into_iter().filter(|command| !seen.contains(command)).collect::<Vec<_>>() {
            let words: Vec<&str> = command.split(' ').collect();
            if !tasks.contains(&format!("\n  {} ", words[0])) && words[0] != "help" {
                project.xtask(words.iter().copied().chain(["--help"])).end().ok();
            }
            seen.insert(command);
        }
    }
    assert!(seen.len() > 30, "{seen:?}");
}

/// The old names themselves, where a person would type them: the command line knows each.
#[test]
fn every_target_can_be_typed_as_it_was() {
    let project = TestProject::copy_of(&root().join("docker/vrss"));
    let help = project.xtask(["help"]).end().ok().stdout.clone();
    for target in TARGETS.split_whitespace() {
        let is_listed = help.contains(&format!("\n  {target} "));
        if !is_listed && target != "help" {
            project.xtask([target, "--help"]).end().ok();
        }
    }
}
