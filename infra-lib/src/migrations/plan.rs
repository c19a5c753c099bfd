//! Which migrations are pending, and whether what was applied is what the files say.

use super::MigrationError;
use super::file::Migration;
use super::ledger::Ledger;

/// The migrations that are to be applied, in order.
pub(super) fn pending<'a>(
    files: &'a [Migration],
    ledger: &Ledger,
    linear: bool,
) -> Result<Vec<&'a Migration>, MigrationError> {
    for row in &ledger.rows {
        let Some(file) = files.iter().find(|file| file.version == row.version) else {
            return Err(MigrationError::Missing { version: row.version });
        };
        if !row.success {
            return Err(MigrationError::Dirty { version: row.version });
        }
        if file.checksum() != row.checksum {
            let line_ends_only = file.checksum_with_other_line_ends() == row.checksum;
            return Err(MigrationError::Edited { path: file.path.clone(), line_ends_only });
        }
    }
    let is_applied = |file: &&Migration| ledger.rows.iter().any(|row| row.version == file.version);
    let pending: Vec<&Migration> = files.iter().filter(|file| !is_applied(file)).collect();
    let newest = ledger.rows.iter().map(|row| row.version).max();
    match (newest, pending.first()) {
        (Some(newest), Some(first)) if linear && first.version < newest => {
            Err(MigrationError::OutOfOrder { path: first.path.clone(), newest })
        }
        _ => Ok(pending),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Row;
    use super::*;

    fn files(versions: &[i64]) -> Vec<Migration> {
        let one = |&version: &i64| Migration {
            version,
            description: String::new(),
            path: version.to_string().into(),
            sql: format!("SELECT {version};"),
        };
        versions.iter().map(one).collect()
    }

    fn applied(files: &[Migration]) -> Ledger {
        let row = |file: &Migration| Row { version: file.version, success: true, checksum: file.checksum() };
        Ledger { exists: true, rows: files.iter().map(row).collect(), has_tables: true, other: None }
    }

    #[test]
    fn what_is_not_applied_is_pending() {
        let all = files(&[1, 2, 3]);
        let pending: Vec<_> = pending(&all, &applied(&all[..1]), true).unwrap().iter().map(|m| m.version).collect();
        assert_eq!(pending, [2, 3]);
    }

    #[test]
    fn d04_d05_d06_edited_missing_and_out_of_order_are_refused() {
        let all = files(&[1, 2, 3]);
        let mut edited = applied(&all);
        edited.rows[1].checksum = vec![0];
        assert!(matches!(pending(&all, &edited, true), Err(MigrationError::Edited { line_ends_only: false, .. })));
        assert!(matches!(pending(&all[..2], &applied(&all), true), Err(MigrationError::Missing { version: 3 })));
        let gap = applied(&[all[0].clone(), all[2].clone()]);
        assert!(matches!(pending(&all, &gap, true), Err(MigrationError::OutOfOrder { newest: 3, .. })));
        assert_eq!(pending(&all, &gap, false).unwrap().len(), 1);
    }

    #[test]
    fn d09_a_version_that_failed_half_way_blocks() {
        let all = files(&[1]);
        let mut dirty = applied(&all);
        dirty.rows[0].success = false;
        assert!(matches!(pending(&all, &dirty, true), Err(MigrationError::Dirty { version: 1 })));
    }
}
