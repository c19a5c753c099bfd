//! Migrations, seeds and a reset, with containers and with a local cluster alike.

use std::time::Duration;

use super::schema;
use super::stack::Stack;
use crate::support::*;

const USERS: &str = "SELECT count(*) FROM users";

/// What `setup` has made is what the migrations make, and a reset makes it again.
pub(super) fn work(run: impl Fn(&[&str]) -> Ended) {
    let ask = |sql: &str| run(&["db-shell", "-c", sql, "--", "-tA"]).ok().stdout.trim().to_owned();
    run(&["db-migrate", "status"]).ok().shows("1 applied, 0 pending");
    run(&["db-migrate"]).ok().shows("nothing to do");
    let check = run(&["db-migrate", "check"]);
    check.ok().shows("1 up, 1 down and up again: the schemas match, and so do 01-init.sql, 02-create-tables.sql");
    run(&["db-seed", "--yes"]).ok().shows("nothing to do");
    assert_ne!(ask(USERS), "0", "the seeds have run");
    ask("CREATE TABLE by_hand (); DELETE FROM users");
    run(&["db-reset", "--yes"]).ok().shows("backup of the previous database: backups/");
    assert_eq!(ask("SELECT to_regclass('by_hand') IS NULL"), "t");
    assert_ne!(ask(USERS), "0", "the seeds have run again");
    run(&["db-migrate", "status"]).ok();
    run(&["db-seed", "--yes"]).ok().shows("nothing to do");
}

/// The same with the stack's containers, whose backend finds its way to the new database.
pub(super) fn of_development(stack: &Stack) {
    work(|args| stack.project.xtask(args.iter().copied()).end());
    schema::is_whole(stack);
    wait_until("the backend is back", Duration::from_secs(30), || {
        let health = stack.run(["health", "--only", "http"]).end();
        if health.exit == 0 { Ok(()) } else { Err(health.stdout) }
    });
}
