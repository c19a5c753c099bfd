//! A machine without an engine.

use super::migrations;
use super::schema::{LIST_TABLES, TABLES};
use super::stack::Stack;
use crate::support::*;

/// A fresh copy ends with a database of its own, on a machine that is as the calls are made to see it.
pub(super) fn works(machine: impl Fn(Call) -> Call) {
    let stack = Stack::fresh();
    let run = |args: &[&str]| machine(stack.project.xtask(args.iter().copied())).end();
    let ended = run(&["setup", "--yes"]);
    ended
        .ok()
        .says("continuing without services")
        .shows("the database is a local cluster")
        .shows("postgres://vrss_user@");
    run(&["db-shell", "-c", "select 1"]).ok().shows("(1 row)");
    run(&["health", "--wait=180"]).ok().shows("vrss_user logs in to vrss");
    let tables = run(&["db-shell", "-c", LIST_TABLES, "--", "-tA"]);
    assert_eq!(tables.ok().stdout.lines().collect::<Vec<_>>(), TABLES, "the init scripts have run");
    let again = run(&["setup", "--yes", "--json"]);
    assert_eq!(again.ok().outcome()["changes"], serde_json::json!([]), "{again}");
    migrations::work(run);
    run(&["ps"]).ok().shows("running");
    run(&["describe"]).ok().shows("without containers");
    run(&["logs"]).ok();
    run(&["stop"]).ok();
    run(&["health"]).code(2);
    run(&["start"]).ok().shows("ready after");
    run(&["health", "--wait=180"]).ok();
    run(&["clean", "--all", "--yes"]).ok().shows("removed local database");
    run(&["db-shell", "-c", "select 1"]).code(69);
}
