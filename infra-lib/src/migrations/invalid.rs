//! Invalid indexes left by a failed `CREATE INDEX CONCURRENTLY`.

use crate::postgres::Database;
use crate::project::Project;
use crate::project::error::Result;

/// The statements that drop them. An index that is being built right now is not included.
pub(super) fn indexes(project: &Project, database: &Database) -> Result<Vec<String>> {
    let sql = "SELECT format('DROP INDEX CONCURRENTLY %s;', i.indexrelid::regclass) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i' \
               WHERE NOT i.indisvalid AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.relation = i.indexrelid \
                 AND l.mode IN ('ShareUpdateExclusiveLock', 'RowExclusiveLock') AND l.granted AND l.pid <> pg_backend_pid()) \
               ORDER BY 1;";
    Ok(database.query(project, sql)?.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
