//! Whether a backup is too small to be believed.

use crate::manifest::ByteSize;

use super::manifest::BackupManifest;

/// Less than one part in this of what the last one had is suspect.
const SHRUNK: u64 = 2;
/// Below this many, a table more or less says nothing.
const FEW_TABLES: usize = 4;
/// Below this many, rows come and go.
const FEW_ROWS: u64 = 1000;

/// What makes a new backup suspect beside the last good one of the same database, in words.
pub(crate) fn of(new: &BackupManifest, last: Option<&BackupManifest>, min_size: Option<ByteSize>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(min) = min_size.filter(|min| new.bytes < min.bytes()) {
        found.push(format!("it has {}, and `min-size` is {min}", ByteSize::new(new.bytes)));
    }
    let Some(last) = last else { return found };
    let (before, now) = (last.tables.len(), new.tables.len());
    if before >= FEW_TABLES && now * 2 <= before {
        found.push(format!("it has {now} tables, the last good one has {before}"));
    }
    if last.rows() >= FEW_ROWS && new.rows() < last.rows() / SHRUNK {
        found.push(format!("it has {} rows, the last good one has {}", new.rows(), last.rows()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::manifest::TableRows;
    use super::*;

    fn with(tables: usize, rows: u64) -> BackupManifest {
        let table = |nr| TableRows { schema: "public".into(), name: format!("t{nr}"), rows };
        BackupManifest { tables: (0..tables).map(table).collect(), bytes: 1000, ..BackupManifest::example() }
    }

    #[test]
    fn a30_half_of_the_tables_or_rows_gone_is_suspect() {
        assert!(of(&with(10, 500), None, None).is_empty());
        assert!(of(&with(9, 500), Some(&with(10, 500)), None).is_empty());
        assert_eq!(of(&with(5, 1500), Some(&with(10, 500)), None).len(), 1);
        assert_eq!(of(&with(10, 200), Some(&with(10, 500)), None).len(), 1);
        assert!(of(&with(1, 1), Some(&with(3, 1)), None).is_empty(), "small databases come and go");
        assert_eq!(of(&with(10, 1), None, Some(ByteSize::new(1001))).len(), 1);
    }
}
