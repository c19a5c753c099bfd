//! Compares another tool's files with its ledger.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::files::File;
use super::ledger::{Facts, Row};
use super::other_tools::KnownTool;
use crate::migrations::plan::State;
use crate::migrations::status::MigrationStatus;
use crate::postgres::database::Database;
use crate::project::Project;
use crate::project::error::Result;

/// A tool's migrations in a project.
#[derive(Debug, Clone)]
pub(crate) struct Migrations {
    pub(crate) tool: &'static KnownTool,
    /// The folder that contains the files.
    pub(crate) dir: Utf8PathBuf,
    /// The folder in which the tool runs.
    pub(crate) home: Utf8PathBuf,
}

/// The files and the ledger, compared.
pub(super) struct Standing {
    pub(super) facts: Facts,
    pub(super) all: Vec<MigrationStatus>,
}

impl Migrations {
    /// Reads both without writing anything.
    pub(super) fn read(&self, project: &Project, database: &Database) -> Result<Standing> {
        let files = (self.tool.files)(&self.dir)?;
        let facts = Facts::query(project, database, self.tool)?;
        let all = compare(self.tool, &files, &facts.rows, project.root());
        Ok(Standing { facts, all })
    }
}

impl Standing {
    /// The versions in this state, in order.
    pub(super) fn versions(&self, state: State) -> Vec<String> {
        self.all.iter().filter(|it| it.state == state).map(|it| it.version.clone()).collect()
    }
}

/// The file's key and those of all its predecessors.
fn with_ancestors<'a>(files: &'a [File], key: &str) -> BTreeSet<&'a str> {
    let by_key: BTreeMap<&str, &File> = files.iter().map(|file| (file.key.as_str(), file)).collect();
    let mut found = BTreeSet::new();
    let mut queue: Vec<&str> = by_key.get(key).map(|file| file.key.as_str()).into_iter().collect();
    while let Some(key) = queue.pop() {
        if let Some(file) = by_key.get(key)
            && found.insert(file.key.as_str())
        {
            queue.extend(file.after.iter().map(String::as_str));
        }
    }
    found
}

fn compare(tool: &KnownTool, files: &[File], rows: &[Row], root: &Utf8Path) -> Vec<MigrationStatus> {
    // Alembic records only the newest version; rows of golang-migrate and Flyway baselines include all earlier ones.
    let upto: Vec<(BTreeSet<&str>, &Row)> = rows
        .iter()
        .filter(|row| ["upto", "failed-at"].contains(&&*row.state))
        .map(|row| (with_ancestors(files, &row.key), row))
        .collect();
    let mut all: Vec<MigrationStatus> = Vec::new();
    for file in files {
        let row = rows.iter().find(|row| row.key == file.key);
        let implied = upto.iter().find(|(keys, _)| keys.contains(file.key.as_str())).map(|(_, row)| *row);
        let state = match row {
            Some(row) if row.state == "f" || row.state == "failed-at" => State::Failed,
            Some(Row { checksum: Some(known), .. }) if file.checksum.as_ref().is_some_and(|now| now != known) => {
                State::Edited
            }
            None if implied.is_none() => State::Pending,
            _ => State::Applied,
        };
        all.push(MigrationStatus {
            version: file.key.clone(),
            description: file.description.clone(),
            state,
            applied_on: row.or(implied).map(|row| row.on.clone()).filter(|on| !on.is_empty()),
            file: Some(file.path.strip_prefix(root).unwrap_or(&file.path).to_owned()),
        });
    }
    let missing = rows.iter().filter(|row| !tool.ledger.shared && !files.iter().any(|file| file.key == row.key));
    all.extend(missing.map(|row| MigrationStatus {
        version: row.key.clone(),
        description: String::new(),
        state: State::Missing,
        applied_on: Some(row.on.clone()).filter(|on| !on.is_empty()),
        file: None,
    }));
    all
}

#[cfg(test)]
mod tests {
    use super::super::files::chain;
    use super::super::table::by_name;
    use super::*;

    fn states(tool: &str, files: &[File], rows: &[(&str, &str)]) -> Vec<String> {
        let row = |&(key, state): &(&str, &str)| {
            let (key, state) = (key.to_owned(), state.to_owned());
            Row { key, state, checksum: None, on: String::new() }
        };
        let rows: Vec<Row> = rows.iter().map(row).collect();
        let all = compare(by_name(tool).unwrap(), files, &rows, "/".into());
        all.iter().map(|it| format!("{} {:?}", it.version, it.state)).collect()
    }

    #[test]
    fn one_row_may_mean_all_before_it() {
        let files = chain(["1", "2", "3"].map(|key| File::new(key, "", "x".into())).to_vec()).unwrap();
        assert_eq!(states("golang-migrate", &files, &[("2", "upto")]), ["1 Applied", "2 Applied", "3 Pending"]);
        assert_eq!(states("golang-migrate", &files, &[("2", "failed-at")]), ["1 Applied", "2 Failed", "3 Pending"]);
        assert_eq!(states("dbmate", &files, &[("2", "t"), ("4", "t")])[1..], ["2 Applied", "3 Pending", "4 Missing"]);
        assert_eq!(states("golang-migrate", &files, &[]), ["1 Pending", "2 Pending", "3 Pending"]);
    }

    #[test]
    fn branches_are_applied_apart() {
        let file = |key: &str, after: &[&str]| File {
            after: after.iter().map(|key| (*key).to_owned()).collect(),
            ..File::new(key, "", "x".into())
        };
        let files = [file("a", &[]), file("b", &["a"]), file("c", &["a"])];
        assert_eq!(states("alembic", &files, &[("c", "upto")]), ["a Applied", "b Pending", "c Applied"]);
    }
}
