//! What psql says when the server has refused something.

use crate::error::Error;

use super::MigrationError;

/// An error of the server, as `VERBOSITY verbose` shows it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) sqlstate: String,
    /// The line of the text that was sent, where the server points at one.
    pub(super) line: Option<usize>,
}

impl Failure {
    pub(super) fn read(tail: &str) -> Self {
        let mut failure = Self::default();
        let mut lines = Vec::new();
        let start = tail.lines().position(|line| line.contains("ERROR:  ") || line.contains("FATAL:  ")).unwrap_or(0);
        for line in tail.lines().skip(start) {
            if let Some((_, rest)) = line.split_once("ERROR:  ").or(line.split_once("FATAL:  ")) {
                let (state, message) = rest.split_once(": ").unwrap_or(("", rest));
                let has_state = state.len() == 5;
                if has_state {
                    state.clone_into(&mut failure.sqlstate);
                }
                lines.push(if has_state { message } else { rest }.to_owned());
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

    /// Whether something else had locked what was to be changed.
    pub(super) fn is_lock_timeout(&self) -> bool {
        self.sqlstate == "55P03"
    }

    /// It happened before any migration: to the ledger itself.
    pub(super) fn of_ledger(self, table: &str) -> Error {
        MigrationError::Ledger { table: table.to_owned(), message: self.message, refused: self.sqlstate == "42501" }
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
