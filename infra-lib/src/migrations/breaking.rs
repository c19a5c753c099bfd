//! Migrations that the code of the release before cannot work with.

use std::fmt;

use camino::Utf8PathBuf;

use crate::project::Project;
use crate::project::error::{Error, Result};

use super::lexer::{Statement, statements};
use super::owner;

/// A statement that takes away what older code may use.
#[derive(Debug)]
pub(crate) struct Breaking {
    file: Utf8PathBuf,
    line: usize,
    what: &'static str,
}

impl fmt::Display for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// A comment that says that a file breaks nothing.
const COMPATIBLE: &str = "-- infra: compatible";

/// The breaking statements in the files of these versions.
pub(crate) fn in_files(project: &Project, versions: &[String]) -> Result<Vec<Breaking>> {
    let migrations = owner::standings(project)?.map(|report| report.migrations).unwrap_or_default();
    let mut found = Vec::new();
    for migration in migrations.into_iter().filter(|it| versions.contains(&it.version)) {
        let Some(file) = migration.file.filter(|file| file.extension() == Some("sql")) else { continue };
        let path = project.root().join(&file);
        let text = std::fs::read_to_string(&path).map_err(Error::file("read", path))?;
        if text.lines().any(|line| line.trim() == COMPATIBLE) {
            continue;
        }
        let breaking = statements(&text).into_iter().filter_map(|it| Some((it.line, breaks(&it)?)));
        found.extend(breaking.map(|(line, what)| Breaking { file: file.clone(), line, what }));
    }
    Ok(found)
}

/// What a statement takes away from older code, if anything.
fn breaks(statement: &Statement<'_>) -> Option<&'static str> {
    let follows = |pair: [&str; 2]| statement.words.windows(2).any(|words| words == pair);
    if statement.begins(&["DROP"]) {
        let kinds = ["TABLE", "TYPE", "VIEW", "MATERIALIZED", "FUNCTION", "PROCEDURE", "SCHEMA", "SEQUENCE", "DOMAIN"];
        return kinds.iter().any(|kind| statement.begins(&["DROP", kind])).then_some("drops what the old code may use");
    }
    if statement.begins(&["TRUNCATE"]) {
        return Some("deletes all rows of a table");
    }
    if !statement.begins(&["ALTER"]) {
        return None;
    }
    if statement.has("RENAME") {
        return Some("renames what the old code may use");
    }
    if follows(["DROP", "COLUMN"]) || statement.begins(&["ALTER", "TABLE"]) && drops_column(statement) {
        return Some("drops a column");
    }
    if follows(["SET", "NOT"]) && statement.has("NULL") {
        return Some("makes a column NOT NULL");
    }
    if statement.words.windows(3).any(|words| words == ["SET", "DATA", "TYPE"])
        || statement.begins(&["ALTER", "TABLE"]) && statement.has("TYPE")
    {
        return Some("changes the type of a column");
    }
    if statement.has("ADD") && follows(["NOT", "NULL"]) && !statement.has("DEFAULT") && !statement.has("GENERATED") {
        return Some("adds a NOT NULL column without a default");
    }
    let constrains =
        statement.has("CONSTRAINT") || ["CHECK", "UNIQUE", "FOREIGN"].iter().any(|kind| follows(["ADD", kind]));
    if statement.has("ADD") && constrains && !follows(["NOT", "VALID"]) && !statement.has("COLUMN") {
        return Some("adds a constraint that is not NOT VALID");
    }
    None
}

/// `ALTER TABLE t DROP c`: `COLUMN` may be left out.
fn drops_column(statement: &Statement<'_>) -> bool {
    const OTHERS: [&str; 6] = ["CONSTRAINT", "DEFAULT", "NOT", "IDENTITY", "EXPRESSION", "COLUMN"];
    statement.words.windows(2).any(|words| words[0] == "DROP" && !OTHERS.contains(&words[1].as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h34_each_kind_of_breaking_statement_is_recognised_and_no_other() {
        let breaks = |sql: &str| statements(sql).iter().find_map(breaks).is_some();
        for sql in [
            "drop table a",
            "DROP TABLE IF EXISTS a CASCADE;",
            "drop type mood",
            "drop view v",
            "drop materialized view v",
            "drop function f()",
            "truncate a",
            "alter table a rename to b",
            "alter table a rename column x to y",
            "alter type mood rename value 'a' to 'b'",
            "alter table a drop column x",
            "alter table a drop x",
            "alter table a alter column x type bigint",
            "alter table a alter x set data type bigint",
            "alter table a alter column x set not null",
            "alter table a add column x int not null",
            "alter table a add constraint c check (x > 0)",
            "alter table a add unique (x)",
            "alter table a add foreign key (x) references b",
        ] {
            assert!(breaks(sql), "{sql}");
        }
        for sql in [
            "create table a (x int not null)",
            "create index i on a (x)",
            "drop index i",
            "alter table a add column x int",
            "alter table a add column x int not null default 0",
            "alter table a alter column x drop not null",
            "alter table a alter column x drop default",
            "alter table a drop constraint c",
            "alter table a add constraint c check (x > 0) not valid",
            "alter table a validate constraint c",
            "alter type mood add value 'c'",
            "insert into a values ('drop table a')",
            "-- drop table a\nselect 1",
        ] {
            assert!(!breaks(sql), "{sql}");
        }
    }
}
