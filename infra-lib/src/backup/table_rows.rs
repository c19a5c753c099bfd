//! The number of rows of each table in an archive.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A table and the number of rows decoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct TableRows {
    /// The schema of the table.
    pub(crate) schema: String,
    /// The table's name without its schema.
    pub(crate) name: String,
    /// The number of rows in the archive.
    pub(crate) rows: u64,
}

/// Adds up the entries of each table. An archive has several for a table whose rows `pg_dump` loads through the table
/// that is partitioned.
pub(super) fn merge(tables: Vec<TableRows>) -> Vec<TableRows> {
    let mut places = BTreeMap::new();
    let mut merged: Vec<TableRows> = Vec::new();
    for table in tables {
        let place = *places.entry((table.schema.clone(), table.name.clone())).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(known) => known.rows = known.rows.saturating_add(table.rows),
            None => merged.push(table),
        }
    }
    merged
}
