//! Counts the rows of a database's tables, as far as the entries of an archive name them.

use std::fmt::Write as _;
use std::time::Duration;

use crate::hex;
use crate::postgres::client::ANY_BYTES;
use crate::postgres::literal::literal;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;
use crate::project::error::Result;

use super::decode::unescaped;
use super::restricted_role::PINNED;
use super::scratch_db::PATIENT;
use super::table_rows::TableRows;

/// How long counting may take.
const DEADLINE: Duration = Duration::from_secs(4 * 3600);
/// The tables without an entry of their own whose rows `c` holds: itself without its children, or its partitions, which
/// are loaded through it. Foreign tables are not part of a dump.
const PARTS: &str = "CASE relkind WHEN 'p' THEN
   (SELECT array_agg(relid::oid) FROM pg_partition_tree(c.oid) JOIN pg_class leaf ON leaf.oid = relid
    WHERE isleaf AND leaf.relkind = 'r' AND relid <> ALL (:'listed'::oid[])) ELSE ARRAY[c.oid] END";

/// The current content of a database.
pub(super) struct Counted {
    /// In the order of the tables that were asked for.
    pub(super) tables: Vec<Now>,
    pub(super) large_objects: u64,
}

/// A table's current state.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Now {
    /// `None` if the table does not exist.
    pub(super) rows: Option<u64>,
    /// Whether an extension fills it, so that a dump has only the added rows.
    is_extensions: bool,
}

impl Now {
    pub(super) fn is_whole(self, expected: u64) -> bool {
        self.rows.is_some_and(|rows| rows == expected || (self.is_extensions && rows > expected))
    }
}

/// Counts the current rows of each table. The query numbers the tables, so that no name can be misinterpreted.
pub(super) fn query(project: &Project, target: &Database, tables: &[TableRows]) -> Result<Counted> {
    let names: Vec<String> =
        tables.iter().map(|table| format!("{}, {}", name(&table.schema), name(&table.name))).collect();
    let mut sql = format!(
        "{PINNED}{PATIENT}SET row_security = off;\n{ANY_BYTES}\
         SELECT 'lo', count(*) FROM pg_largeobject_metadata;\n\
         SELECT array_remove(array_agg(to_regclass(format('%I.%I', s, t))::oid), NULL) AS listed\n\
         FROM (VALUES ('pg_catalog', 'pg_class')"
    );
    for name in &names {
        sql.extend([", (", name, ")"]);
    }
    sql += ") AS listed (s, t) \\gset\n";
    for (nr, name) in names.iter().enumerate() {
        let _ = writeln!(
            sql,
            "SELECT format('SELECT {nr}, coalesce(sum(n), 0), %L FROM (%s) AS parts', d.objid IS NOT NULL, coalesce(\n\
             (SELECT string_agg(format('SELECT count(*) AS n FROM ONLY %s', part::regclass), ' UNION ALL ')\n\
              FROM unnest({PARTS}) AS part), 'SELECT 0 AS n'))\n\
             FROM pg_class c LEFT JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass\n\
               AND d.objsubid = 0 AND d.deptype = 'e'\n\
             WHERE c.oid = to_regclass(format('%I.%I', {name})) AND relkind IN ('r', 'p', 'm') \\gexec"
        );
    }
    let call = target.psql(project)?.args(["-A", "-t", "-F", "\t", "-f", "-"]).stdin(sql).deadline(DEADLINE);
    let text = project.runner().read(&call).map_err(PostgresError::from_exec)?.text();
    let mut counted = Counted { tables: vec![Now::default(); tables.len()], large_objects: 0 };
    for (what, found) in text.lines().filter_map(|line| line.split_once('\t')) {
        let (rows, extensions) = found.split_once('\t').unwrap_or((found, "f"));
        match what.parse::<usize>() {
            Ok(nr) if nr < tables.len() => {
                counted.tables[nr] = Now { rows: rows.parse().ok(), is_extensions: extensions == "t" };
            }
            _ => counted.large_objects = rows.parse().unwrap_or(0),
        }
    }
    Ok(counted)
}

/// A name as SQL text in the database's encoding.
fn name(name: &str) -> String {
    match unescaped(name) {
        bytes if bytes == name.as_bytes() => literal(name),
        bytes => {
            let (text, digits) = (literal(name), hex::encode(&bytes));
            // In a UTF-8 database a backslash has no special meaning.
            let decoded = format!("convert_from('\\x{digits}', getdatabaseencoding())");
            format!("(CASE getdatabaseencoding() WHEN 'UTF8' THEN {text} ELSE {decoded} END)")
        }
    }
}
