//! Checks the SQL of a migration before any of it runs.

use super::MigrationError;
use super::file::Script;
use super::lexer::{Statement, statements};

/// An error for a file that would be committed only partly, or that cannot succeed.
pub(super) fn check(script: &Script) -> Result<(), MigrationError> {
    let all = statements(script.statements());
    let at = |statement: &Statement<'_>, words: usize| {
        let words = statement.words[..statement.words.len().min(words)].join(" ");
        (script.path.clone(), statement.line, words)
    };
    if let Some(copy) = all.iter().find(|it| it.begins(&["COPY"]) && it.has("FROM") && it.has("STDIN")) {
        let (path, line, _) = at(copy, 1);
        return Err(MigrationError::CopyFromStdin { path, line });
    }
    if script.in_transaction {
        if let Some(found) = all.iter().find(|statement| ends_transaction(statement)) {
            let (path, line, statement) = at(found, 1);
            return Err(MigrationError::Transaction { path, line, statement });
        }
        if let Some(found) = all.iter().find(|statement| needs_no_transaction(statement)) {
            let (path, line, statement) = at(found, 3);
            return Err(MigrationError::NeedsNoTransaction { path, line, statement });
        }
    } else if let [_, second, ..] = &all[..] {
        let (path, line, _) = at(second, 1);
        return Err(MigrationError::SeveralStatements { path, line });
    }
    Ok(())
}

/// Whether it begins or ends a transaction. In a file that is applied inside one, this would commit only part of the
/// file. Function bodies are skipped, since they cannot do this.
fn ends_transaction(statement: &Statement<'_>) -> bool {
    const CONTROL: [&str; 6] = ["BEGIN", "START", "COMMIT", "ROLLBACK", "ABORT", "END"];
    let words: Vec<&str> = statement.words.iter().map(String::as_str).collect();
    match words[..] {
        // Rolling back to a savepoint does not end the transaction.
        [] | ["ROLLBACK", "TO", ..] | ["ROLLBACK", "WORK" | "TRANSACTION", "TO", ..] => false,
        ["PREPARE", "TRANSACTION", ..] => true,
        [first, ..] => CONTROL.contains(&first),
    }
}

/// Whether PostgreSQL rejects it inside a transaction (`PreventInTransactionBlock` in its source).
fn needs_no_transaction(statement: &Statement<'_>) -> bool {
    let words: Vec<&str> = statement.words.iter().map(String::as_str).collect();
    match words[..] {
        ["VACUUM", ..]
        | ["CLUSTER"]
        | ["ALTER", "SYSTEM", ..]
        | ["CREATE" | "DROP", "DATABASE" | "TABLESPACE", ..]
        | ["REINDEX", "DATABASE" | "SYSTEM", ..]
        | ["CREATE" | "DROP", "INDEX", "CONCURRENTLY", ..]
        | ["CREATE", "UNIQUE", "INDEX", "CONCURRENTLY", ..] => true,
        ["REINDEX", ..] => words.iter().take(6).any(|word| *word == "CONCURRENTLY"),
        ["ALTER", "TABLE", ..] => {
            words.windows(2).any(|pair| pair == ["DETACH", "PARTITION"]) && words.ends_with(&["CONCURRENTLY"])
        }
        ["ALTER", "DATABASE", ..] => words.windows(2).any(|pair| pair == ["SET", "TABLESPACE"]),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::failure::Failure as _;

    fn judge(in_transaction: bool, sql: &str) -> Option<Exit> {
        let script = Script { path: "x.sql".into(), sql: sql.to_owned(), in_transaction };
        check(&script).err().map(|error| error.exit())
    }

    #[test]
    fn d08_what_cannot_run_in_a_transaction_is_told_before_it_runs() {
        for sql in [
            "create index concurrently i on t (a)",
            "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a);",
            "DROP INDEX CONCURRENTLY i;",
            "REINDEX (VERBOSE) TABLE CONCURRENTLY t;",
            "REINDEX DATABASE x",
            "VACUUM FULL t;",
            "ALTER SYSTEM SET work_mem = '1MB';",
            "CREATE DATABASE x;",
            "DROP TABLESPACE x;",
            "ALTER TABLE t DETACH PARTITION p CONCURRENTLY;",
            "ALTER DATABASE x SET TABLESPACE y;",
            "CLUSTER;",
        ] {
            assert_eq!(judge(true, &format!("SELECT 1;\n{sql}")), Some(Exit::Config), "{sql}");
            assert_eq!(judge(false, &format!("-- no-transaction\n{sql}")), None, "{sql}");
        }
        assert_eq!(judge(false, "VACUUM t; SELECT 1;"), Some(Exit::Config), "one statement alone");
        for fine in ["CREATE INDEX concurrently_made ON t (a)", "ALTER TABLE t DETACH PARTITION p", "CLUSTER t"] {
            assert_eq!(judge(true, fine), None, "{fine}");
        }
    }

    #[test]
    fn d10_savepoints_stay_in_the_transaction() {
        assert_eq!(judge(true, "SAVEPOINT a; ROLLBACK TO a; RELEASE a; ROLLBACK TRANSACTION TO SAVEPOINT a"), None);
        for sql in ["rollback", "COMMIT AND CHAIN", "PREPARE TRANSACTION 'x'", "SELECT 1; end"] {
            assert_eq!(judge(true, sql), Some(Exit::Config), "{sql}");
        }
        assert_eq!(judge(true, "PREPARE q AS SELECT 1"), None);
    }

    #[test]
    fn d11_data_that_psql_would_read_from_our_script_is_refused() {
        assert_eq!(judge(true, "COPY t (a, b) FROM STDIN;\n1\t2\n\\.\n"), Some(Exit::Config));
        assert_eq!(judge(true, "COPY t FROM '/tmp/x'; COPY t TO STDOUT"), None);
    }
}
