//! Hostile and odd names, through everything that backs up, verifies and restores.

mod backups_and_paths;
mod databases;

use crate::support::*;

/// A project with a local database.
fn set_up() -> TestProject {
    let project = TestProject::new().file("infra.toml", "[project]\nname = \"@name@\"\n");
    project.xtask(["setup", "--yes"]).end().ok();
    project
}

/// Points the project at a database of this name.
fn point_at(project: &TestProject, name: &str) {
    let name = toml::Value::String(name.to_owned());
    project.write("infra.toml", &format!("[project]\nname = \"@name@\"\n[database]\nname = {name}\n"));
}

/// The name as SQL.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The text as SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
