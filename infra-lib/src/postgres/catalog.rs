//! Finding tables of this program and of migration tools in any schema.

use super::literal::literal;

/// An SQL expression for the OID of the table of this name (as `to_regclass` takes it), or NULL. Without a schema in
/// the name, the table may be in any schema, since a migration may have changed `search_path` after creating it. A
/// table found through `search_path` comes first.
pub(crate) fn oid_of(table: &str) -> String {
    let table = literal(table);
    format!(
        "(SELECT found.oid FROM pg_class found JOIN pg_namespace place ON place.oid = found.relnamespace, parse_ident({table}) AS name \
         WHERE found.relname = name[cardinality(name)] AND found.relkind IN ('r', 'p') AND place.nspname NOT LIKE 'pg\\_%' \
         AND (cardinality(name) = 1 OR place.nspname = name[1]) \
         ORDER BY found.oid IS NOT DISTINCT FROM to_regclass({table})::oid DESC, found.oid LIMIT 1)"
    )
}

/// A query that returns the table's name, quoted and with its schema, as `column`; no row if it does not exist.
pub(crate) fn qualified(table: &str, column: &str) -> String {
    format!(
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS {column} FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {}",
        oid_of(table)
    )
}
