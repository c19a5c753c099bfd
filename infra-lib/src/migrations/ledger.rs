//! What the database says was applied.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::postgres::{Database, Mark};
use crate::project::Project;

use super::Version;
use super::file::Migration;
use super::tool::Tool;

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) success: bool,
    /// As the tool writes it, or nothing.
    pub(super) checksum: Option<String>,
    /// When, as the server writes it.
    pub(super) on: String,
    /// The version, as the ledger has it.
    pub(super) version: Version,
}

/// What is known about a database's migrations.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Whether the table is there.
    pub(super) exists: bool,
    pub(super) rows: BTreeMap<Version, Row>,
    /// Whether there are tables of the project's own.
    pub(super) has_tables: bool,
    /// The tables of other migration tools, each with the tool.
    pub(super) others: Vec<(&'static str, String)>,
    /// What the database is, if it bears a mark.
    pub(super) mark: Option<Mark>,
    /// By what the session that migrates knows that nothing has changed since.
    pub(super) fingerprint: String,
}

/// The tables of the tools that are known, with their owners.
const OWNERS: [(&str, &str); 13] = [
    ("_sqlx_migrations", "sqlx"),
    ("schema_migrations", "dbmate"),
    ("flyway_schema_history", "flyway"),
    ("_prisma_migrations", "prisma"),
    ("refinery_schema_history", "refinery"),
    ("__diesel_schema_migrations", "diesel"),
    ("alembic_version", "alembic"),
    ("goose_db_version", "goose"),
    ("seaql_migrations", "sea-orm"),
    ("pgmigrations", "node-pg-migrate"),
    ("knex_migrations", "knex"),
    ("SequelizeMeta", "sequelize"),
    ("typeorm_migrations", "typeorm"),
];

/// Read in one go and in one session that writes nothing, without a table that may be missing being named in a query
/// that needs it. A table called `schema_migrations` may be dbmate's, golang-migrate's (`dirty`) or Ecto's (`inserted_at`).
fn query(tool: &dyn Tool) -> String {
    let quoted = |quote: fn(&str) -> String| OWNERS.map(|(table, _)| quote(table)).join(",");
    let names = quoted(|table| format!("'\"{table}\"'"));
    let tables = quoted(|table| format!("'{table}'")) + ",'_infra_seeds'";
    let (table, rows) = (tool.table(), tool.rows());
    let rows = rows.replace("{}", table);
    format!(
        r"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;
SELECT 'ledger', to_regclass('{table}') IS NOT NULL;
SELECT 'table', t.name, (SELECT coalesce(string_agg(attname, ','), '') FROM pg_attribute
    WHERE attrelid = to_regclass(t.name) AND attname IN ('dirty', 'inserted_at')), 'end'
FROM unnest(ARRAY[{names},'supabase_migrations.schema_migrations']) AS t(name) WHERE to_regclass(t.name) IS NOT NULL;
SELECT 'tables', to_regclass('{table}') IS NOT NULL AND EXISTS (SELECT FROM pg_class WHERE relkind IN ('r','p') AND oid >= 16384
      AND relnamespace <> 'pg_toast'::regnamespace AND relname NOT IN ({tables}))
    OR to_regclass('{table}') IS NULL AND EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r','p') AND n.nspname NOT IN ('pg_catalog','information_schema') AND n.nspname NOT LIKE 'pg\_%'
      AND c.relname NOT IN ({tables})
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'));
SELECT 'mark', replace(replace(shobj_description(oid, 'pg_database'), E'\n', ' '), E'\t', ' ') FROM pg_database
WHERE datname = current_database() AND shobj_description(oid, 'pg_database') IS NOT NULL;
SELECT CASE WHEN to_regclass('{table}') IS NULL THEN 'SELECT ''print'', md5('''')'
    ELSE 'SELECT ''print'', {print}' END \gexec
SELECT CASE WHEN to_regclass('{table}') IS NULL THEN 'SELECT 1 WHERE false'
    ELSE 'SELECT ''row'', *, ''end'' FROM ({rows}) AS rows' END \gexec
",
        print = fingerprint(table).replace('\'', "''"),
    )
}

/// The expression by which a ledger is recognised.
pub(super) fn fingerprint(table: &str) -> String {
    format!("(SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t.ctid), '')) FROM {table} AS t)")
}

impl Ledger {
    pub(super) fn read(project: &Project, database: &Database, tool: &dyn Tool, files: &[Migration]) -> Result<Self> {
        Self::of(&Self::ask(project, database, tool)?, tool, files)
    }

    /// What the server says.
    pub(super) fn ask(project: &Project, database: &Database, tool: &dyn Tool) -> Result<String> {
        database.query(project, &query(tool))
    }

    /// What that means for these files.
    pub(super) fn of(text: &str, tool: &dyn Tool, files: &[Migration]) -> Result<Self> {
        Self::parse(text, tool, files)
            .ok_or_else(|| Error::new(Exit::Failed, format!("the table {} holds something unexpected", tool.table())))
    }

    fn parse(text: &str, tool: &dyn Tool, files: &[Migration]) -> Option<Self> {
        let mut ledger = Self::default();
        let mut rows = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                ["ledger", exists] => ledger.exists = exists == "t",
                ["tables", tables] => ledger.has_tables = tables == "t",
                ["mark", comment] => ledger.mark = Mark::find(comment),
                ["print", print] => print.clone_into(&mut ledger.fingerprint),
                ["table", table, columns, "end"] => ledger.others.extend(owner(table.trim_matches('"'), columns)),
                ["row", version, success, checksum, on, "end"] => rows.push(Row {
                    success: success == "t",
                    checksum: Some(checksum.to_owned()).filter(|checksum| !checksum.is_empty()),
                    on: on.to_owned(),
                    version: tool.version(version)?,
                }),
                _ => return None,
            }
        }
        ledger.others.retain(|(owner, _)| *owner != tool.name());
        ledger.rows = tool.applied(rows, files).into_iter().map(|row| (row.version.clone(), row)).collect();
        Some(ledger)
    }

    /// The newest version that it has.
    pub(super) fn newest(&self) -> Option<&Version> {
        self.rows.keys().next_back()
    }
}

fn owner(table: &str, columns: &str) -> Option<(&'static str, String)> {
    let owner = match (table, columns) {
        ("supabase_migrations.schema_migrations", _) => "supabase",
        (_, "dirty") => "golang-migrate",
        (_, "inserted_at") => "ecto",
        _ => OWNERS.iter().find(|(known, _)| *known == table)?.1,
    };
    Some((owner, table.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::tools::Sqlx;
    use super::*;

    #[test]
    fn the_answer_is_read() {
        let text = "ledger\tt\ntable\t\"_sqlx_migrations\"\t\tend\ntable\t\"schema_migrations\"\tdirty\tend\ntables\tf\n\
                    mark\tours [infra project=a environment=b]\nprint\tabc\nrow\t7\tt\t0aff\t2026-01-01 00:00:00+00\tend\n";
        let ledger = Ledger::parse(text, &Sqlx::default(), &[]).unwrap();
        assert!(ledger.exists && !ledger.has_tables);
        assert_eq!(ledger.others, [("golang-migrate", "schema_migrations".to_owned())]);
        assert_eq!(ledger.mark.as_ref().unwrap().environment, "b");
        assert_eq!((ledger.newest().unwrap().as_str(), ledger.fingerprint.as_str()), ("7", "abc"));
        assert!(Ledger::parse("row\tx\tt\t00\t\tend\n", &Sqlx::default(), &[]).is_none());
    }
}
