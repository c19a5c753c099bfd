//! Parses psql's output after the server rejected a statement.

use crate::postgres::sqlstate;
use crate::project::error::Error;

use super::MigrationError;

/// A server error, parsed from the output of `VERBOSITY verbose`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) sqlstate: String,
    /// The line of the sent text that the server points at, if any.
    pub(super) line: Option<usize>,
}

impl Failure {
    pub(super) fn read(tail: &str) -> Self {
        let mut failure = Self::default();
        let mut lines = Vec::new();
        let start = tail.lines().position(|line| sqlstate::of_text(line).is_some()).unwrap_or(0);
        for line in tail.lines().skip(start) {
            if let Some((state, message)) = sqlstate::of_text(line) {
                state.clone_into(&mut failure.sqlstate);
                lines.push(message.to_owned());
            } else if let Some(rest) = line.strip_prefix("LINE ") {
                failure.line = rest.split(':').next().and_then(|number| number.parse().ok());
                lines.extend(rest.split_once(": ").map(|(_, text)| text.trim_end().to_owned()));
            } else if !line.starts_with("LOCATION:") && !line.trim().chars().all(|c| c == '^') {
                lines.push(line.trim_end().to_owned());
            }
        }
        failure.message = lines.join("\n  ");
        failure
    }

    /// Whether it failed because another session held a lock for too long.
    pub(super) fn is_lock_timeout(&self) -> bool {
        self.sqlstate == sqlstate::LOCK_NOT_AVAILABLE
    }

    /// Converts it to an error about the ledger, for failures before any migration ran.
    pub(super) fn of_ledger(self, table: &str) -> Error {
        MigrationError::Ledger {
            table: table.to_owned(),
            message: self.message,
            refused: self.sqlstate == sqlstate::INSUFFICIENT_PRIVILEGE,
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d01_message_state_and_line_are_read() {
        let tail = "psql:<stdin>:31: ERROR:  42601: syntax error at or near \"selec\"\nLINE 2: selec 1\n        ^\nLOCATION:  scanner_yyerror, scan.l:1176";
        let read = Failure::read(tail);
        assert_eq!((read.sqlstate.as_str(), read.line), ("42601", Some(2)));
        assert_eq!(read.message, "syntax error at or near \"selec\"\n  selec 1");
        let read =
            Failure::read("noise\npsql:<stdin>:3: ERROR:  23505: duplicate key: x\nDETAIL:  Key (a)=(1) exists.\n");
        assert_eq!(read.message, "duplicate key: x\n  DETAIL:  Key (a)=(1) exists.");
    }
}
