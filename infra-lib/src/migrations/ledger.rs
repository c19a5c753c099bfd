//! What the database says was applied.

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::postgres::Database;
use crate::project::Project;

/// A row of `_sqlx_migrations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) version: i64,
    pub(super) success: bool,
    pub(super) checksum: Vec<u8>,
}

/// What is known about a database's migrations.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Whether the table is there.
    pub(super) exists: bool,
    pub(super) rows: Vec<Row>,
    /// Whether there are tables of the project's own.
    pub(super) has_tables: bool,
    /// The table of another migration tool.
    pub(super) other: Option<String>,
}

/// The tables of other tools: dbmate, golang-migrate and Rails; Flyway; Prisma; refinery; diesel; Supabase; Alembic; goose.
const OTHERS: &str = "'schema_migrations','flyway_schema_history','_prisma_migrations','refinery_schema_history',\
                      '__diesel_schema_migrations','alembic_version','goose_db_version','pgmigrations','knex_migrations','SequelizeMeta','typeorm_migrations'";

/// Read in one go and in one snapshot, without a table that may be missing being named in a query that needs it.
fn query() -> String {
    format!(
        r"SELECT 'ledger', to_regclass('_sqlx_migrations') IS NOT NULL;
SELECT 'other', c.relname FROM pg_class c WHERE c.relkind IN ('r','p') AND c.relname IN ({OTHERS})
    AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) LIMIT 1;
SELECT 'tables', EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r','p') AND n.nspname NOT IN ('pg_catalog','information_schema') AND n.nspname NOT LIKE 'pg\_%'
      AND c.relname NOT IN ('_sqlx_migrations','_infra_seeds')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'));
SELECT CASE WHEN to_regclass('_sqlx_migrations') IS NULL THEN 'SELECT 1 WHERE false'
    ELSE 'SELECT ''row'', version, success, encode(checksum, ''hex'') FROM _sqlx_migrations ORDER BY version' END \gexec
"
    )
}

impl Ledger {
    pub(super) fn read(project: &Project, database: &Database) -> Result<Self> {
        let text = database.query(project, &query())?;
        Self::parse(&text)
            .ok_or_else(|| Error::new(Exit::Failed, "the table _sqlx_migrations holds something unexpected"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut ledger = Self::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                ["ledger", exists] => ledger.exists = exists == "t",
                ["tables", tables] => ledger.has_tables = tables == "t",
                ["other", table] => ledger.other = Some(table.to_owned()),
                ["row", version, success, checksum] => ledger.rows.push(Row {
                    version: version.parse().ok()?,
                    success: success == "t",
                    checksum: unhex(checksum)?,
                }),
                _ => return None,
            }
        }
        Some(ledger)
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok());
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_read() {
        let ledger = Ledger::parse("ledger\tt\ntables\tf\nother\tschema_migrations\nrow\t7\tt\t0aff\n").unwrap();
        assert!(ledger.exists && !ledger.has_tables);
        assert_eq!(ledger.other.as_deref(), Some("schema_migrations"));
        assert_eq!(ledger.rows, [Row { version: 7, success: true, checksum: vec![10, 255] }]);
        assert!(Ledger::parse("row\tx\tt\t00").is_none());
    }
}
