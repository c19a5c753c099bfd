//! Reads another tool's ledger, in any schema. Never writes to it.

use crate::exit::Exit;
use crate::postgres::database::Database;
use crate::postgres::mark::Mark;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::other_tools::{KnownTool, LedgerTable};
use super::table::TABLE;

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) key: String,
    /// `t`, `f`, `upto` or `failed-at`; see [`LedgerTable::rows`].
    pub(super) state: String,
    pub(super) checksum: Option<String>,
    pub(super) on: String,
}

/// A tool's migrations as the database records them.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The ledger as `schema.table`, if it exists.
    pub(super) table: Option<String>,
    pub(super) rows: Vec<Row>,
    /// Whether there are tables other than ledgers.
    pub(super) has_tables: bool,
    /// Other tools' ledgers: the tool and the table.
    pub(super) others: Vec<(&'static str, String)>,
    pub(super) mark: Option<Mark>,
}

/// sqlx's own ledger, with its default name.
const SQLX: (&str, LedgerTable) = (
    "sqlx",
    LedgerTable { table: "_sqlx_migrations", has: &["version", "success"], lacks: &[], rows: "", shared: false },
);

/// The SQL condition that the `pg_class` row `c` is this ledger.
fn is_ledger(ledger: &LedgerTable) -> String {
    let quoted = |names: &[&str]| names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    let count = |names: &[&str]| {
        let names = if names.is_empty() { "''".to_owned() } else { quoted(names) };
        format!(
            "(SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname IN ({names}))"
        )
    };
    let (has, lacks, table) = (count(ledger.has), count(ledger.lacks), ledger.table);
    format!("(c.relkind IN ('r', 'p') AND c.relname = '{table}' AND {has} = {} AND {lacks} = 0)", ledger.has.len())
}

/// All known ledgers, each with its tool.
fn ledgers() -> impl Iterator<Item = (&'static str, &'static LedgerTable)> {
    static NATIVE: (&str, LedgerTable) = SQLX;
    std::iter::once((NATIVE.0, &NATIVE.1)).chain(TABLE.iter().map(|tool| (tool.name, &tool.ledger)))
}

const NAMED: &str = "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";

/// A query for existing ledgers: tool, qualified name, and whether the search path finds it.
fn present() -> String {
    let one = |(tool, ledger)| {
        let condition = is_ledger(ledger);
        format!(
            "SELECT 'ledger', '{tool}', n.nspname || '.' || c.relname, pg_table_is_visible(c.oid) FROM {NAMED} WHERE {condition}"
        )
    };
    ledgers().map(one).collect::<Vec<_>>().join("\nUNION ALL ") + ";\n"
}

fn query(tool: &KnownTool) -> String {
    let (condition, rows) = (is_ledger(&tool.ledger), tool.ledger.rows.replace('%', "%%").replace("{}", "%1$s"));
    let tables: Vec<String> = ledgers().map(|(_, ledger)| format!("'{}'", ledger.table)).collect();
    format!(
        r"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;
{present}SELECT 'tables', EXISTS (SELECT FROM {NAMED} WHERE c.relkind IN ('r', 'p')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_%'
    AND c.relname NOT IN ({tables}, '_infra_seeds')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'));
SELECT 'mark', replace(replace(shobj_description(oid, 'pg_database'), E'\n', ' '), E'\t', ' ') FROM pg_database
WHERE datname = current_database() AND shobj_description(oid, 'pg_database') IS NOT NULL;
SELECT format($infra$SELECT 'row', rows.*, 'end' FROM ({rows}) AS rows$infra$, format('%I.%I', n.nspname, c.relname))
FROM {NAMED} WHERE {condition} ORDER BY pg_table_is_visible(c.oid) DESC, n.nspname LIMIT 1 \gexec
",
        present = present(),
        tables = tables.join(", "),
    )
}

impl Facts {
    pub(super) fn query(project: &Project, database: &Database, tool: &KnownTool) -> Result<Self> {
        let text = database.query(project, &query(tool))?;
        let mut facts = Self::default();
        let mut own: Vec<(String, bool)> = Vec::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                ["ledger", owner, table, visible] if owner == tool.name => own.push((table.to_owned(), visible == "t")),
                ["ledger", owner, table, _] => {
                    facts.others.extend(ledgers().find(|(name, _)| *name == owner).map(|it| (it.0, table.to_owned())));
                }
                ["tables", there] => facts.has_tables = there == "t",
                ["mark", comment] => facts.mark = Mark::find(comment),
                ["row", key, state, checksum, on, "end"] => facts.rows.push(Row {
                    key: key.to_owned(),
                    state: state.to_owned(),
                    checksum: Some(checksum.to_owned()).filter(|checksum| !checksum.is_empty()),
                    on: on.to_owned(),
                }),
                _ => return Err(Error::new(Exit::Failed, format!("unexpected answer about the ledger: {line}"))),
            }
        }
        // With several ledgers, prefer the one that the search path finds.
        own.sort_by_key(|(_, visible)| !visible);
        if let [(first, false), (second, _), ..] = &own[..] {
            let text = format!("{} has more than one ledger: {first} and {second}", tool.name);
            return Err(Error::new(Exit::Config, text).with_hint("drop the one that is retired"));
        }
        facts.table = own.into_iter().next().map(|(table, _)| table);
        Ok(facts)
    }
}

/// The tools whose ledgers exist in the database.
pub(crate) fn owners(project: &Project, database: &Database) -> Result<Vec<String>> {
    let text = database.query(project, &present())?;
    Ok(text.lines().filter_map(|line| line.split('\t').nth(1)).map(str::to_owned).collect())
}
