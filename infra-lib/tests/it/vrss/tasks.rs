//! The project's own commands, and the names by which they were known.

use std::time::Duration;

use super::stack::Stack;
use crate::support::{files, tell};

/// The targets of the Makefile that this replaces. Those for the database are not all there yet: `db-backup`,
/// `db-restore`, `db-migrate`, `db-seed`, `db-reset`.
const OLD: &str = "setup start stop restart logs logs-backend logs-frontend logs-db build rebuild clean clean-volumes \
    db-shell test test-backend test-frontend test-coverage typecheck typecheck-docker lint lint-check lint-docker format \
    check prod-build prod-start prod-stop ps stats shell-backend shell-frontend shell-db ip health update docs";

pub(super) fn old_names_work(stack: &Stack) {
    stack.run(["help"]).end().ok();
    let absent: Vec<&str> = OLD.split_whitespace().filter(|name| stack.run([name, "--help"]).end().exit != 0).collect();
    assert_eq!(absent, [""; 0], "are not known");
}

/// One of each kind: tests, types, lint and formatting in one-offs, something on the host.
pub(super) fn run(stack: &Stack) {
    let before = files(&stack.project.path("backend"));
    let long = |name: &'static str| {
        let ended = stack.run([name]).limit(Duration::from_secs(600)).end();
        tell(&format!("{name} took {:.1} s", ended.took.as_secs_f32()));
        ended
    };
    // Lint, types, all tests, and the schema against the migration.
    let ended = long("check");
    ended.ok();
    for text in ["biome check", "tsc --noEmit", " 0 fail", "Test Files  3 passed"] {
        assert!(ended.stdout.contains(text) || ended.stderr.contains(text), "{text} in {ended}");
    }
    long("format").ok();
    let after = files(&stack.project.path("backend"));
    assert!(before == after, "the sources were formatted already");
    stack.run(["docs"]).end().ok().shows("# API");
    // A task's own failure is its own code.
    stack.project.write(
        "backend/tests/failing.test.ts",
        "import { expect, test } from \"bun:test\";\ntest(\"no\", () => expect(1).toBe(2));\n",
    );
    stack.run(["test-backend", "tests/failing.test.ts"]).end().code(1);
    std::fs::remove_file(stack.project.path("backend/tests/failing.test.ts")).unwrap();
    stack.run(["test-bakend"]).end().code(64).says("test-backend");
}
