//! The ledger: the table in which the database records applied migrations.

use std::collections::BTreeMap;

use crate::exit::Exit;
use crate::postgres::{Database, Mark, catalog};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::Version;
use super::tools::sqlx::Sqlx;

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) success: bool,
    /// The checksum in the tool's format, if it records one.
    pub(super) checksum: Option<String>,
    /// When it was applied, as the server formats it.
    pub(super) on: String,
    /// The version as recorded in the ledger.
    pub(super) version: Version,
}

/// The state of a database's migrations.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Whether the ledger table exists.
    pub(super) exists: bool,
    pub(super) rows: BTreeMap<Version, Row>,
    /// Whether the project has created tables in the database.
    pub(super) has_tables: bool,
    /// The ledger tables of other migration tools, each with its tool.
    pub(super) others: Vec<(&'static str, String)>,
    /// The database's environment mark, if it has one.
    pub(super) mark: Option<Mark>,
    /// A value that changes with the ledger. The migrating session uses it to detect changes since the read.
    pub(super) fingerprint: String,
}

/// Ledger tables of known tools, with their tools.
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

/// One read-only query in one session. A table that may be missing is not named directly in it. A table called
/// `schema_migrations` may be dbmate's, golang-migrate's (`dirty`) or Ecto's (`inserted_at`).
fn query(sqlx: &Sqlx) -> String {
    let quoted = |quote: fn(&str) -> String| OWNERS.map(|(table, _)| quote(table)).join(",");
    let names = quoted(|table| format!("'\"{table}\"'"));
    let tables = quoted(|table| format!("'{table}'")) + ",'_infra_seeds'";
    let (ledger, rows) = (catalog::qualified(sqlx.table(), "ledger"), Sqlx::rows());
    format!(
        r"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;
SELECT coalesce(({ledger}), '') AS ledger \gset
SELECT 'ledger', :'ledger' <> '';
SELECT 'table', t.name, (SELECT coalesce(string_agg(attname, ','), '') FROM pg_attribute
    WHERE attrelid = to_regclass(t.name) AND attname IN ('dirty', 'inserted_at')), 'end'
FROM unnest(ARRAY[{names},'supabase_migrations.schema_migrations']) AS t(name) WHERE to_regclass(t.name) IS NOT NULL;
SELECT 'tables', :'ledger' <> '' AND EXISTS (SELECT FROM pg_class WHERE relkind IN ('r','p') AND oid >= 16384
      AND relnamespace <> 'pg_toast'::regnamespace AND relname NOT IN ({tables}))
    OR :'ledger' = '' AND EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r','p') AND n.nspname NOT IN ('pg_catalog','information_schema') AND n.nspname NOT LIKE 'pg\_%'
      AND c.relname NOT IN ({tables})
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'));
SELECT 'mark', replace(replace(shobj_description(oid, 'pg_database'), E'\n', ' '), E'\t', ' ') FROM pg_database
WHERE datname = current_database() AND shobj_description(oid, 'pg_database') IS NOT NULL;
SELECT CASE WHEN :'ledger' = '' THEN 'SELECT ''print'', md5('''')'
    ELSE replace('SELECT ''print'', {print}', '{{}}', :'ledger') END \gexec
SELECT CASE WHEN :'ledger' = '' THEN 'SELECT 1 WHERE false'
    ELSE replace('SELECT ''row'', *, ''end'' FROM ({rows}) AS rows', '{{}}', :'ledger') END \gexec
",
        print = fingerprint("{}").replace('\'', "''"),
    )
}

/// The SQL expression for the ledger's fingerprint.
pub(super) fn fingerprint(table: &str) -> String {
    format!("(SELECT md5(coalesce(string_agg(t::text, ',' ORDER BY t.ctid), '')) FROM {table} AS t)")
}

impl Ledger {
    pub(super) fn read(project: &Project, database: &Database, sqlx: &Sqlx) -> Result<Self> {
        Self::from_text(&Self::query(project, database, sqlx)?, sqlx)
    }

    /// Queries the server and returns its output.
    pub(super) fn query(project: &Project, database: &Database, sqlx: &Sqlx) -> Result<String> {
        database.query(project, &query(sqlx))
    }

    /// Parses the server's output.
    pub(super) fn from_text(text: &str, sqlx: &Sqlx) -> Result<Self> {
        Self::parse(text)
            .ok_or_else(|| Error::new(Exit::Failed, format!("the table {} has unexpected content", sqlx.table())))
    }

    fn parse(text: &str) -> Option<Self> {
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
                    version: Version::dotted(version)?,
                }),
                _ => return None,
            }
        }
        ledger.others.retain(|(owner, _)| *owner != "sqlx");
        ledger.rows = rows.into_iter().map(|row| (row.version.clone(), row)).collect();
        Some(ledger)
    }

    /// The newest version in the ledger.
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
    use super::*;

    #[test]
    fn the_answer_is_read() {
        let text = "ledger\tt\ntable\t\"_sqlx_migrations\"\t\tend\ntable\t\"schema_migrations\"\tdirty\tend\ntables\tf\n\
                    mark\tours [infra project=a environment=b]\nprint\tabc\nrow\t7\tt\t0aff\t2026-01-01 00:00:00+00\tend\n";
        let ledger = Ledger::parse(text).unwrap();
        assert!(ledger.exists && !ledger.has_tables);
        assert_eq!(ledger.others, [("golang-migrate", "schema_migrations".to_owned())]);
        assert_eq!(ledger.mark.as_ref().unwrap().environment, "b");
        assert_eq!((ledger.newest().unwrap().as_str(), ledger.fingerprint.as_str()), ("7", "abc"));
        assert!(Ledger::parse("row\tx\tt\t00\t\tend\n").is_none());
    }
}
