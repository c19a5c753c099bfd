//! Flyway's files: the backend applies them at its start, the library where it does not run, on one ledger.

use crate::support::*;

use super::api::{ANA, customers};
use super::data::rights;

const DIR: &str = "backend/src/main/resources/db/migration";

pub(super) fn take_turns_with_the_backend(stack: &Stack) {
    // What the backend did at its start is what the library reads, checksums and all.
    stack.run(["logs", "backend"]).end().ok().shows("schema is at version 3, applied now: 3");
    stack.run(["db-migrate", "status"]).end().ok().shows("3 applied, 0 pending");
    stack.run(["db-migrate", "check"]).end().ok().shows("3 up, 3 down and up again: the schemas agree");

    // Where it does not run, the library does it.
    stack.run(["stop", "backend"]).end().ok();
    stack.run(["db-migrate", "new", "notes"]).end().ok();
    let (up, down) = (format!("{DIR}/V4__notes.sql"), format!("{DIR}/U4__notes.sql"));
    stack.project.write(&up, "CREATE TABLE tasks.notes (\n    note text\n);\n");
    stack.project.write(&down, "DROP TABLE tasks.notes;\n");
    stack.run(["db-migrate", "status"]).end().code(2).shows("1 pending");
    stack.run(["db-migrate"]).end().ok();
    stack.run(["start"]).end().ok();
    let logged = || stack.run(["logs", "backend", "--tail", "40"]).end().ok().stdout.clone();
    assert!(logged().contains("schema is at version 4, applied now: 0"), "{}", logged());

    // What the library takes back, the backend applies at its next start.
    stack.run(["db-migrate", "down", "--yes"]).end().ok();
    assert_eq!(stack.sql(&[], "SELECT to_regclass('tasks.notes') IS NULL"), ["t"]);
    stack.run(["db-migrate", "status"]).end().code(2).shows("1 pending");
    stack.run(["restart", "backend"]).end().ok();
    assert!(logged().contains("schema is at version 4, applied now: 1"), "{}", logged());
    stack.run(["db-migrate", "status"]).end().ok().shows("4 applied, 0 pending");

    // An edited file is noticed by either.
    let text = stack.project.read(&up);
    stack.project.write(&up, &text.replace("note text", "note text NOT NULL"));
    stack.run(["db-migrate", "status"]).end().code(2).shows("edited");
    stack.run(["db-migrate"]).end().code(65).says("V4__notes.sql");
    stack.run(["restart", "backend", "--timeout", "20s"]).end();
    assert!(logged().contains("V4__notes.sql was edited after it was applied"), "{}", logged());
    stack.project.write(&up, &text);
    stack.run(["restart", "backend"]).end().ok();
    stack.run(["db-migrate", "down", "--yes"]).end().ok();
    for file in [up, down] {
        std::fs::remove_file(stack.project.path(&file)).unwrap();
    }
}

/// The same database anew: rights, rows of the seeds, and a backend that finds its way to it.
pub(super) fn reset(stack: &Stack) {
    let before = rights(stack);
    stack.sql(&[], "CREATE TABLE by_hand (); DELETE FROM customers.customers");
    stack.run(["db-reset", "--yes"]).end().ok().shows("backups/");
    assert_eq!(stack.sql(&[], "SELECT to_regclass('by_hand') IS NULL"), ["t"]);
    assert_eq!(rights(stack), before);
    stack.run(["db-seed", "--yes"]).end().ok().shows("nothing to do");
    stack.run(["health", "--wait"]).end().ok();
    assert_eq!(customers(&stack.at("backend", ""), ANA.0), [ANA.1]);
}
