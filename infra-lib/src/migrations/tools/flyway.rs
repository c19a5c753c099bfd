//! Flyway: `V1.1__My_description.sql`, and `U…` to undo. Repeatable scripts (`R__`) and Java are left to Flyway.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Result;
use crate::migrations::crc32::crc32;
use crate::migrations::file::{self, Migration, Script};
use crate::migrations::ledger::Row;
use crate::migrations::tool::{Book, TOOK, Tool, literal};
use crate::migrations::{MigrationError, Version, rules};

/// Flyway's format, with its usual prefixes and separators.
#[derive(Debug)]
pub(in crate::migrations) struct Flyway;

/// What the ledger says of rows that are no migration's: everything before was there, or it was taken back.
const BASELINE: &str = "baseline";
const UNDONE: &str = "undone";

fn script(path: Utf8PathBuf) -> Result<Script> {
    let conf = std::fs::read_to_string(format!("{path}.conf")).unwrap_or_default();
    let told = conf.lines().any(|line| line.replace(' ', "").eq_ignore_ascii_case("executeInTransaction=false"));
    let script = Script::read(path)?;
    // Without being told, Flyway sees for itself what can stand in no transaction.
    let in_transaction = !(told || rules::is_alone_without_transaction(script.statements()));
    Ok(Script { in_transaction, ..script })
}

/// The SQL files of a folder and those below.
fn sql_files(dir: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    for path in file::files(dir)? {
        if path.is_dir() {
            found.extend(sql_files(&path)?);
        } else if path.extension() == Some("sql") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Prefix, version and description of a name.
pub(super) fn parts(path: &Utf8Path) -> Option<(char, Version, String)> {
    let stem = path.file_stem()?;
    let prefix = stem.chars().next().filter(|prefix| ['V', 'U', 'B'].contains(prefix))?;
    let (version, description) = stem[1..].split_once("__")?;
    Some((prefix, Version::dotted(&version.replace('_', "."))?, description.replace('_', " ")))
}

impl Tool for Flyway {
    fn name(&self) -> &'static str {
        "flyway"
    }

    fn table(&self) -> &'static str {
        "flyway_schema_history"
    }

    fn read(&self, dir: &Utf8Path) -> Result<Vec<Migration>> {
        let (mut migrations, mut undo) = (Vec::new(), Vec::new());
        for path in sql_files(dir)? {
            match parts(&path) {
                Some(('V', version, description)) => {
                    migrations.push(Migration { version, description, up: script(path)?, down: None });
                }
                Some(('U', version, _)) => undo.push((version, path)),
                None if path.file_name().is_some_and(|name| name.starts_with('V')) => {
                    return Err(MigrationError::Name { path }.into());
                }
                _ => {}
            }
        }
        for (version, path) in undo {
            let undone = migrations.iter_mut().find(|migration| migration.version == version);
            if let Some(migration) = undone {
                migration.down = Some(path);
            }
        }
        file::in_order(migrations)
    }

    fn down(&self, migration: &Migration) -> Result<Option<Script>> {
        migration.down.clone().map(script).transpose()
    }

    fn left_to_it(&self, dir: &Utf8Path) -> Result<Vec<String>> {
        let names = sql_files(dir)?.into_iter().filter_map(|path| path.file_name().map(str::to_owned));
        Ok(names.filter(|name| name.starts_with("R__")).collect())
    }

    fn rows(&self) -> &'static str {
        "SELECT version, success, CASE WHEN type = ''BASELINE'' THEN ''baseline'' WHEN type LIKE ''UNDO%'' OR type = ''DELETE'' THEN ''undone'' \
         ELSE checksum::text END, installed_on FROM {} WHERE version IS NOT NULL ORDER BY installed_rank"
    }

    fn applied(&self, rows: Vec<Row>, files: &[Migration]) -> Vec<Row> {
        let mut all: Vec<Row> = Vec::new();
        for row in rows {
            match row.checksum.as_deref() {
                Some(UNDONE) => all.retain(|known| known.version != row.version),
                Some(BASELINE) => {
                    let before = files.iter().map(|file| &file.version).filter(|version| **version <= row.version);
                    all.extend(before.map(|version| Row { checksum: None, version: version.clone(), ..row.clone() }));
                }
                // A migration of Java has neither a checksum nor a file.
                None if !files.iter().any(|file| file.version == row.version) => {}
                _ => all.push(row),
            }
        }
        all
    }

    /// Over the lines without their ends, as a signed number.
    fn checksum(&self, migration: &Migration) -> Option<String> {
        let text = migration.up.statements().replace("\r\n", "\n").replace('\r', "\n");
        Some(crc32(text.lines()).cast_signed().to_string())
    }

    fn book(&self) -> Option<&dyn Book> {
        Some(self)
    }

    fn new_files(&self, dir: &Utf8Path, files: &[Migration], name: &str) -> Option<Vec<(Utf8PathBuf, &'static str)>> {
        let next = files.last().map_or(1, |last| last.version.first().saturating_add(1));
        Some(vec![(dir.join(format!("V{next}__{name}.sql")), "")])
    }
}

fn insert(migration: &Migration, kind: &str, path: &Utf8Path, checksum: &str, success: bool, took: &str) -> String {
    format!(
        "INSERT INTO :ledger (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success) \
         SELECT coalesce(max(installed_rank), 0) + 1, '{}', {}, '{kind}', {}, {checksum}, current_user, {took}, {success} FROM :ledger",
        migration.version,
        literal(&migration.description),
        literal(path.file_name().unwrap_or_default())
    )
}

fn took() -> String {
    format!("({TOOK} * 1000)::int")
}

impl Book for Flyway {
    /// `FLYway` as a number, and Java's hash of the table's name (`PostgreSQLAdvisoryLockTemplate`).
    fn lock_key(&self, _: &str) -> i64 {
        let hash = r#""public"."flyway_schema_history""#
            .bytes()
            .fold(0_i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte)));
        77_431_708_279_161 + i64::from(hash)
    }

    fn create(&self) -> String {
        "CREATE TABLE IF NOT EXISTS flyway_schema_history (installed_rank integer NOT NULL CONSTRAINT flyway_schema_history_pk PRIMARY KEY, \
         version varchar(50), description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL, \
         checksum integer, installed_by varchar(100) NOT NULL, installed_on timestamp NOT NULL DEFAULT now(), \
         execution_time integer NOT NULL, success boolean NOT NULL); \
         CREATE INDEX IF NOT EXISTS flyway_schema_history_s_idx ON flyway_schema_history (success)"
        .to_owned()
    }

    fn note(&self, migration: &Migration, checksum: Option<&str>) -> String {
        insert(migration, "SQL", &migration.up.path, checksum.unwrap_or("NULL"), true, &took())
    }

    fn begin(&self, migration: &Migration, checksum: Option<&str>) -> String {
        insert(migration, "SQL", &migration.up.path, checksum.unwrap_or("NULL"), false, "0")
    }

    fn finish(&self, migration: &Migration, _: Option<&str>) -> String {
        let version = &migration.version;
        format!(
            "UPDATE :ledger SET success = true, execution_time = {} WHERE version = '{version}' AND NOT success",
            took()
        )
    }

    fn begin_down(&self, _: &Migration) -> String {
        String::new()
    }

    /// What was undone stays in the history, with what undid it.
    fn forget(&self, migration: &Migration, _: Option<&Version>) -> String {
        let path = migration.down.as_deref().unwrap_or(&migration.up.path);
        insert(migration, "UNDO_SQL", path, "NULL", true, "0")
    }

    fn drop_failed(&self, migration: &Migration, _: Option<&Version>) -> String {
        format!("DELETE FROM :ledger WHERE version = '{}' AND NOT success", migration.version)
    }

    fn correct(&self, migration: &Migration, checksum: &str) -> String {
        format!("UPDATE :ledger SET checksum = {checksum} WHERE version = '{}' AND type = 'SQL'", migration.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(version: &str, sql: &str) -> Migration {
        let up = Script { path: "V1__x.sql".into(), sql: sql.to_owned(), in_transaction: true };
        Migration { version: Version::dotted(version).unwrap(), description: String::new(), up, down: None }
    }

    #[test]
    fn names_are_read() {
        let (prefix, version, description) = parts("a/V1_2.3__My_first_one.sql".into()).unwrap();
        assert_eq!((prefix, version.as_str(), description.as_str()), ('V', "1.2.3", "My first one"));
        assert!(parts("R__views.sql".into()).is_none() && parts("V1_x.sql".into()).is_none());
    }

    #[test]
    fn d12_the_checksum_does_not_see_line_ends_nor_a_mark_of_byte_order() {
        let checksum = |sql: &str| Flyway.checksum(&migration("1", sql)).unwrap();
        assert_eq!(checksum("1234\n56789\n"), (0xcbf4_3926_u32.cast_signed()).to_string());
        assert_eq!(checksum("\u{feff}1234\r\n56789"), checksum("1234\n56789\n"));
    }

    #[test]
    fn the_history_is_told_as_it_went() {
        let row = |version: &str, checksum: Option<&str>| Row {
            success: true,
            checksum: checksum.map(str::to_owned),
            on: String::new(),
            version: Version::dotted(version).unwrap(),
        };
        let files = [migration("1", ""), migration("2", ""), migration("3", "")];
        let rows = vec![
            row("1", Some(BASELINE)),
            row("2", Some("7")),
            row("2", Some(UNDONE)),
            row("9", None),
            row("3", Some("8")),
        ];
        let told: Vec<_> = Flyway.applied(rows, &files).iter().map(|row| row.version.to_string()).collect();
        assert_eq!(told, ["1", "3"]);
    }

    #[test]
    fn the_lock_is_flyways() {
        assert_eq!(
            77_431_708_279_161,
            (0x46_i64 << 40) + (0x6c << 32) + (0x79 << 24) + (0x77 << 16) + (0x61 << 8) + 0x79
        );
    }
}
