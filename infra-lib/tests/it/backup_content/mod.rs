//! What is in a backup, and what of it is noticed; on a local cluster, where the place does not matter.

mod content;
mod damage;

mod encodings;
mod leftovers;
mod numbers;
mod output;
mod partitions;
mod pinned;
mod places;

mod readers;
mod roles;
mod suspicion;

use std::path::PathBuf;

use serde_json::Value;

use crate::support::*;

/// A project with a local database and what it takes to look behind the scenes.
fn set_up() -> (TestProject, Cluster, String) {
    let project = TestProject::new().file("infra.toml", "[project]\nname = \"@name@\"\n");
    project.xtask(["setup", "--yes"]).end().ok();
    let (cluster, name) = (Cluster::of(&project), project.name().replace('-', "_"));
    (project, cluster, name)
}

/// The files in the folder of backups, without the marker and the link.
fn files(project: &TestProject) -> Vec<String> {
    let entries = std::fs::read_dir(project.path("backups")).into_iter().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| ![".infra-backups.json", "backup.lock", "latest"].contains(&name.as_str()));
    names.sort();
    names
}

/// Makes a backup, and returns what it says of itself and its file.
#[track_caller]
fn back_up(project: &TestProject) -> (Value, PathBuf) {
    let made = project.xtask(["db-backup", "--json"]).end();
    let outcome = made.ok().outcome();
    let path = PathBuf::from(outcome["path"].as_str().unwrap());
    (outcome, path)
}

/// The manifest of the backup with this file.
#[track_caller]
fn manifest(file: &std::path::Path) -> Value {
    let name = file.file_name().unwrap().to_str().unwrap();
    let stem = ["dump", "dir", "sql.gz"].iter().find_map(|kind| name.strip_suffix(&format!(".{kind}"))).unwrap();
    serde_json::from_slice(&std::fs::read(file.with_file_name(format!("{stem}.json"))).unwrap()).unwrap()
}

/// Lets the project log in to a database as another role.
fn log_in_as(project: &TestProject, database: &str, role: &str) {
    project.write(".env", &format!("ROLE_PASSWORD={PASSWORD}\n"));
    let settings = format!("name = \"{database}\"\nuser = \"{role}\"\npassword = \"env:ROLE_PASSWORD\"\n");
    project.write("infra.toml", &format!("[project]\nname = \"@name@\"\n[database]\n{settings}"));
}

const PASSWORD: &str = "Canary_7d1f0c55_of_the_reader";
