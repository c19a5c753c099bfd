//! Compares the migration files with the ledger.

use std::collections::BTreeMap;

use serde::Serialize;

use super::file::Migration;
use super::ledger::{Ledger, Row};
use super::tools::sqlx::Sqlx;
use super::{MigrationError, Version};

/// The state of one migration version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum State {
    /// Applied, and the file is unchanged.
    Applied,
    /// Not applied yet.
    Pending,
    /// Not applied, and older than the newest applied version.
    OutOfOrder,
    /// The file changed after it was applied.
    Edited,
    /// The file changed after it was applied, but only in its line endings.
    LineEnds,
    /// It was applied, but its file is missing.
    Missing,
    /// It failed partway, outside a transaction.
    Failed,
}

impl State {
    /// Whether the migration is still to be applied.
    pub(crate) fn is_pending(self) -> bool {
        matches!(self, Self::Pending | Self::OutOfOrder)
    }
}

/// A version from the files, the ledger, or both.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    pub(super) version: &'a Version,
    pub(super) file: Option<&'a Migration>,
    pub(super) row: Option<&'a Row>,
    pub(super) state: State,
}

/// All known versions, in order.
pub(super) fn standings<'a>(sqlx: &Sqlx, files: &'a [Migration], ledger: &'a Ledger) -> Vec<Standing<'a>> {
    let newest = ledger.newest();
    let mut all: BTreeMap<&Version, Standing<'a>> = BTreeMap::new();
    for file in files {
        let version = &file.version;
        let row = ledger.rows.get(version);
        let state = match row {
            None if newest.is_some_and(|newest| version < newest) => State::OutOfOrder,
            None => State::Pending,
            Some(row) if !row.success => State::Failed,
            Some(row) => compare(sqlx, file, row),
        };
        all.insert(version, Standing { version, file: Some(file), row, state });
    }
    for (version, row) in &ledger.rows {
        let state = if row.success { State::Missing } else { State::Failed };
        all.entry(version).or_insert(Standing { version, file: None, row: Some(row), state });
    }
    all.into_values().collect()
}

fn compare(sqlx: &Sqlx, file: &Migration, row: &Row) -> State {
    // Without a recorded checksum there is nothing to compare.
    let (Some(known), checksum) = (&row.checksum, sqlx.checksum(file)) else { return State::Applied };
    if *known == checksum {
        return State::Applied;
    }
    let other = Migration { up: file.up.with_other_line_ends(), ..file.clone() };
    if sqlx.checksum(&other) == *known { State::LineEnds } else { State::Edited }
}

/// The migrations to apply, in order. An error if the ledger and the files disagree.
pub(super) fn pending<'a>(
    sqlx: &Sqlx,
    files: &'a [Migration],
    ledger: &Ledger,
    linear: bool,
) -> Result<Vec<&'a Migration>, MigrationError> {
    let mut pending = Vec::new();
    for standing in standings(sqlx, files, ledger) {
        let (version, path) = (standing.version.to_string(), standing.file.map(|file| file.up.path.clone()));
        match (standing.state, path) {
            (State::Failed, _) => return Err(MigrationError::Dirty { version }),
            (State::Missing, _) => return Err(MigrationError::Missing { version }),
            (state @ (State::Edited | State::LineEnds), Some(path)) => {
                let now = standing.file.map(|file| sqlx.checksum(file)).unwrap_or_default();
                let applied = standing.row.and_then(|row| row.checksum.clone()).unwrap_or_default();
                let line_ends_only = state == State::LineEnds;
                return Err(MigrationError::Edited { path, line_ends_only, applied, now });
            }
            (State::OutOfOrder, Some(path)) if linear => {
                let newest = ledger.newest().map(ToString::to_string).unwrap_or_default();
                return Err(MigrationError::OutOfOrder { path, newest });
            }
            (State::Pending | State::OutOfOrder, _) => {
                pending.extend(files.iter().find(|file| file.version == *standing.version));
            }
            _ => {}
        }
    }
    Ok(pending)
}

#[cfg(test)]
mod tests {
    use super::super::file::Script;
    use super::*;

    fn files(versions: &[i64]) -> Vec<Migration> {
        let one = |&version: &i64| Migration {
            version: Version::number(version, version.to_string()),
            description: String::new(),
            up: Script { path: version.to_string().into(), sql: format!("SELECT {version};\n"), in_transaction: true },
            down: None,
        };
        versions.iter().map(one).collect()
    }

    fn applied(files: &[Migration]) -> Ledger {
        let row = |file: &Migration| {
            let row = Row {
                success: true,
                checksum: Some(Sqlx::default().checksum(file)),
                on: String::new(),
                version: file.version.clone(),
            };
            (file.version.clone(), row)
        };
        Ledger { exists: true, rows: files.iter().map(row).collect(), has_tables: true, ..Ledger::default() }
    }

    fn change(ledger: &mut Ledger, version: i64, change: impl FnOnce(&mut Row)) {
        change(ledger.rows.get_mut(&Version::number(version, "")).unwrap());
    }

    #[test]
    fn what_is_not_applied_is_pending() {
        let all = files(&[1, 2, 3]);
        let pending = pending(&Sqlx::default(), &all, &applied(&all[..1]), true).unwrap();
        assert_eq!(pending.iter().map(|it| it.version.as_str()).collect::<Vec<_>>(), ["2", "3"]);
    }

    #[test]
    fn d04_d05_d06_edited_missing_and_out_of_order_are_refused() {
        let all = files(&[1, 2, 3]);
        let ask =
            |files: &[Migration], ledger: &Ledger| pending(&Sqlx::default(), files, ledger, true).map(|it| it.len());
        let mut edited = applied(&all);
        change(&mut edited, 2, |row| row.checksum = Some("00".into()));
        assert!(matches!(ask(&all, &edited), Err(MigrationError::Edited { line_ends_only: false, .. })));
        let mut dos = all.clone();
        dos[1].up = dos[1].up.with_other_line_ends();
        assert!(matches!(ask(&dos, &applied(&all)), Err(MigrationError::Edited { line_ends_only: true, .. })));
        assert!(matches!(ask(&all[..2], &applied(&all)), Err(MigrationError::Missing { version }) if version == "3"));
        let gap = applied(&[all[0].clone(), all[2].clone()]);
        assert!(matches!(ask(&all, &gap), Err(MigrationError::OutOfOrder { newest, .. }) if newest == "3"));
        assert_eq!(pending(&Sqlx::default(), &all, &gap, false).unwrap().len(), 1);
    }

    #[test]
    fn d09_a_version_that_failed_half_way_blocks() {
        let all = files(&[1]);
        let mut dirty = applied(&all);
        change(&mut dirty, 1, |row| row.success = false);
        assert!(
            matches!(pending(&Sqlx::default(), &all, &dirty, true), Err(MigrationError::Dirty { version }) if version == "1")
        );
    }
}
