//! Detects backups that are suspiciously small.

use crate::config::ByteSize;
use crate::report::counted;

use super::manifest::BackupManifest;

/// A backup with less than 1/SHRUNK of the previous one's content is suspect.
const SHRUNK: u64 = 2;
/// Fewer tables than this are not compared.
const FEW_TABLES: usize = 4;
/// Fewer rows than this are not compared.
const FEW_ROWS: u64 = 1000;

/// Reasons why a new backup is suspect compared with the last good one of the same database.
pub(crate) fn check(new: &BackupManifest, last: Option<&BackupManifest>, min_size: Option<ByteSize>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(min) = min_size.filter(|min| new.bytes < min.bytes()) {
        found.push(format!("it has {}, and `min-size` is {min}", ByteSize::new(new.bytes)));
    }
    let Some(last) = last else { return found };
    let (before, now) = (last.tables.len(), new.tables.len());
    if before >= FEW_TABLES && now * 2 <= before {
        found.push(format!("it has {}, the last good one has {before}", counted(now, "table")));
    }
    if last.rows() >= FEW_ROWS && new.rows() < last.rows() / SHRUNK {
        found.push(format!("it has {}, the last good one has {}", counted(new.rows(), "row"), last.rows()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::table_rows::TableRows;
    use super::*;

    fn with(tables: usize, rows: u64) -> BackupManifest {
        let table = |nr| TableRows { schema: "public".into(), name: format!("t{nr}"), rows };
        BackupManifest { tables: (0..tables).map(table).collect(), bytes: 1000, ..BackupManifest::example() }
    }

    #[test]
    fn a30_half_of_the_tables_or_rows_gone_is_suspect() {
        assert!(check(&with(10, 500), None, None).is_empty());
        assert!(check(&with(9, 500), Some(&with(10, 500)), None).is_empty());
        assert_eq!(check(&with(5, 1500), Some(&with(10, 500)), None).len(), 1);
        assert_eq!(check(&with(10, 200), Some(&with(10, 500)), None).len(), 1);
        assert!(check(&with(1, 1), Some(&with(3, 1)), None).is_empty(), "small databases come and go");
        assert_eq!(check(&with(10, 1), None, Some(ByteSize::new(1001))).len(), 1);
    }
}
