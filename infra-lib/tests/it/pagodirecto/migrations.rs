//! Flyway's files: the backend applies them when it starts, and is started for it.

use crate::support::*;

use super::api::{ANA, customers};
use super::data::rights;

const DIR: &str = "backend/src/main/resources/db/migration";

pub(super) fn take_turns_with_the_backend(stack: &Stack) {
    // What the backend did at its start is what is reported, checksums and all.
    stack.run(["logs", "backend"]).end().ok().shows("schema is at version 3, applied now: 3");
    stack.run(["db-migrate", "status"]).end().ok().shows("3 applied, 0 pending");
    stack.run(["db-migrate", "new", "notes"]).end().code(77);

    // Flyway is not installed: the backend is started for it, and restarted where it runs.
    let file = |version: u32| format!("{DIR}/V{version}__notes.sql");
    let logged = || stack.run(["logs", "backend", "--tail", "40"]).end().ok().stdout.clone();
    stack.run(["stop", "backend"]).end().ok();
    stack.project.write(&file(4), "CREATE TABLE tasks.notes (\n    note text\n);\n");
    stack.run(["db-migrate", "status"]).end().code(2).shows("1 pending");
    stack.run(["db-migrate"]).end().ok().shows("applied 4\n").shows("`start backend`");
    assert!(logged().contains("schema is at version 4, applied now: 1"), "{}", logged());
    stack.project.write(&file(5), "DROP TABLE tasks.notes;\n");
    stack.run(["db-migrate"]).end().ok().shows("applied 5\n").shows("`restart backend`");
    stack.run(["db-migrate"]).end().ok().shows("nothing to do");
    stack.run(["db-migrate", "status"]).end().ok().shows("5 applied, 0 pending");

    // Only Flyway itself takes one back.
    stack.run(["db-migrate", "down", "--yes"]).end().code(69).says("flyway is not installed");

    // An edited file is noticed by either.
    let text = stack.project.read(&file(4));
    stack.project.write(&file(4), &text.replace("note text", "note text NOT NULL"));
    stack.run(["db-migrate", "status"]).end().code(2).shows("edited");
    stack.run(["db-migrate"]).end().code(65).says("V4__notes.sql");
    stack.run(["restart", "backend", "--timeout", "20s"]).end();
    assert!(logged().contains("V4__notes.sql was edited after it was applied"), "{}", logged());
    stack.project.write(&file(4), &text);
    stack.run(["restart", "backend"]).end().ok();
    for version in [4, 5] {
        std::fs::remove_file(stack.project.path(&file(version))).unwrap();
    }
    stack.sql(&[], "DELETE FROM flyway_schema_history WHERE version IN ('4', '5')");
}

/// The same database anew: rights, rows of the seeds, and a backend that finds its way to it.
pub(super) fn reset(stack: &Stack) {
    let before = rights(stack);
    stack.sql(&[], "CREATE TABLE by_hand (); DELETE FROM customers.customers");
    stack.run(["db-reset", "--yes"]).end().ok().shows("backups/");
    assert_eq!(stack.sql(&[], "SELECT to_regclass('by_hand') IS NULL"), ["t"]);
    assert_eq!(rights(stack), before);
    stack.run(["db-seed", "--yes"]).end().ok().shows("nothing to do");
    stack.run(["health", "--wait=180"]).limit(BUILD).end().ok();
    assert_eq!(customers(&stack.at("backend", ""), ANA.0), [ANA.1]);
}
