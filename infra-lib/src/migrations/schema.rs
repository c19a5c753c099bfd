//! The schema of a database, for comparing two databases.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::postgres::{Database, PostgresError};
use crate::project::Project;
use crate::project::error::Result;

/// Maximum number of difference lines shown.
const SHOWN: usize = 20;
const DEADLINE: Duration = Duration::from_secs(600);

/// The schema as statements written by `pg_dump`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Schema {
    lines: Vec<String>,
}

impl Schema {
    /// Reads the schema without the ledger tables.
    pub(super) fn read(project: &Project, database: &Database, ledger: &str) -> Result<Self> {
        let call =
            database.tool(project, "pg_dump", false)?.args(["--schema-only", "--encoding=UTF8", "--no-password"]);
        let call = [ledger, "_infra_seeds"].into_iter().fold(call, |call, table| {
            // A table name without a schema would match only in `search_path`.
            let any = if table.contains('.') { "" } else { "*." };
            call.arg(format!("--exclude-table={any}{table}"))
        });
        let output = project.runner().read(&call.deadline(DEADLINE)).map_err(PostgresError::from_exec)?;
        Ok(Self::parse(&output.text()))
    }

    /// Removes the lines that vary: `\restrict` contains a random word, and comments contain versions.
    fn parse(dump: &str) -> Self {
        let noise = |line: &&str| !(line.is_empty() || line.starts_with("--") || line.starts_with('\\'));
        Self { lines: dump.lines().map(str::trim_end).filter(noise).map(str::to_owned).collect() }
    }

    /// The lines that only one schema contains: `-` for this one, `+` for the other. `None` if they are equal.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        if self == other {
            return None;
        }
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        self.lines.iter().for_each(|line| *counts.entry(line).or_default() += 1);
        other.lines.iter().for_each(|line| *counts.entry(line).or_default() -= 1);
        let only = |schema: &Self, sign: char, wanted: fn(i64) -> bool| -> Vec<String> {
            let mine = schema.lines.iter().filter(|line| counts.get(line.as_str()).is_some_and(|&count| wanted(count)));
            mine.map(|line| format!("{sign} {line}")).collect()
        };
        let mut all = only(self, '-', |count| count > 0);
        all.extend(only(other, '+', |count| count < 0));
        if all.is_empty() {
            // The same lines in a different order, such as columns.
            let pairs = self.lines.iter().zip(&other.lines).filter(|(a, b)| a != b);
            all.extend(pairs.flat_map(|(a, b)| [format!("- {a}"), format!("+ {b}")]));
        }
        let more = all.len().saturating_sub(SHOWN);
        let mut text = all[..all.len().min(SHOWN)].join("\n");
        if more > 0 {
            let _ = write!(text, "\nand {more} more lines");
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown() {
        let schema = |text: &str| Schema::parse(text);
        let one = schema("-- PostgreSQL 15\n\\restrict abc\nCREATE TABLE a (\n    x int,\n    y int\n);\n");
        assert_eq!(one.difference(&schema("\\restrict xyz\nCREATE TABLE a (\n    x int,\n    y int\n);\n\n")), None);
        assert_eq!(one.difference(&schema("")).unwrap().lines().next(), Some("- CREATE TABLE a ("));
        let turned = one.difference(&schema("CREATE TABLE a (\n    y int\n    x int,\n);\n")).unwrap();
        assert_eq!(turned.lines().next(), Some("-     x int,"), "the same lines in another order");
        let long: String = ["CREATE TABLE x;\n"; 50].concat();
        assert!(schema(&long).difference(&schema("")).unwrap().ends_with("and 30 more lines"));
    }
}
