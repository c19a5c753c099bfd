//! What a call left behind.

use std::time::Duration;

use serde_json::Value;

use super::scrub::scrub;

/// How a call ended and what it printed. Its methods fail the test when it is not so, and show everything.
#[derive(Debug, Clone)]
pub(crate) struct Ended {
    /// The command line, for messages.
    pub(crate) line: String,
    /// All of its stdout.
    pub(crate) stdout: String,
    /// All of its stderr; at a pty it is part of stdout.
    pub(crate) stderr: String,
    /// Its exit code, 128 + n after a signal, as a shell says it.
    pub(crate) exit: i32,
    /// How long it ran.
    pub(crate) took: Duration,
    /// By what its children can be recognised; see [`super::survivors`].
    pub(crate) mark: String,
    pub(super) replacements: Vec<(String, String)>,
}

/// The documented exit codes; 137 is a KILL of the test's own.
const DOCUMENTED: [i32; 17] = [0, 1, 2, 3, 64, 65, 66, 69, 73, 74, 75, 77, 78, 129, 130, 137, 143];

impl Ended {
    /// Fails unless this exit code came back.
    #[track_caller]
    pub(crate) fn code(&self, code: i32) -> &Self {
        assert_eq!(self.exit, code, "exit code of {self}");
        self
    }

    /// Fails unless it succeeded.
    #[track_caller]
    pub(crate) fn ok(&self) -> &Self {
        self.code(0)
    }

    /// Fails unless stderr holds this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "stderr lacks {text:?}: {self}");
        self
    }

    /// Fails unless stdout holds this.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "stdout lacks {text:?}: {self}");
        self
    }

    /// Fails if either stream holds this.
    #[track_caller]
    pub(crate) fn never_says(&self, text: &str) -> &Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "{text:?} is in {self}");
        self
    }

    /// Fails unless nothing was printed.
    #[track_caller]
    pub(crate) fn silent(&self) -> &Self {
        assert!(self.stdout.is_empty() && self.stderr.is_empty(), "something was printed by {self}");
        self
    }

    /// Stdout as the one JSON document that `--json` promises.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not one JSON document ({error}): {self}"))
    }

    /// The `outcome` of `--json`.
    #[track_caller]
    pub(crate) fn outcome(&self) -> Value {
        let mut document = self.json();
        assert_eq!(document["schema"], 1, "{self}");
        document["outcome"].take()
    }

    /// The `error` of `--json`, which is on stderr.
    #[track_caller]
    pub(crate) fn error(&self) -> Value {
        let last = self.stderr.lines().next_back().unwrap_or_default();
        let mut document: Value = serde_json::from_str(last)
            .unwrap_or_else(|error| panic!("stderr does not end with JSON ({error}): {self}"));
        assert_eq!(document["error"]["exit_code"], self.exit, "{self}");
        document["error"].take()
    }

    /// A text with the project's name and folder, its ports and all lengths of time replaced.
    pub(crate) fn scrub(&self, text: &str) -> String {
        scrub(text, &self.replacements)
    }

    /// What holds for every call of every test.
    #[track_caller]
    pub(super) fn keeps_the_law(&self) {
        assert!(!self.stderr.contains("panicked at"), "a panic: {self}");
        assert!(DOCUMENTED.contains(&self.exit), "exit code {} is not documented: {self}", self.exit);
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, stdout, stderr, exit, took, .. } = self;
        write!(f, "`{line}`, exit code {exit} after {took:.1?}\n--- stdout\n{stdout}--- stderr\n{stderr}---")
    }
}
