//! Migrations and seeds by the back end's own commands.

use crate::support::*;

pub(super) fn are_the_backends(stack: &Stack) {
    stack.run(["db-migrate", "up"]).end().ok();
    stack.run(["db-migrate", "down"]).no_tty().end().code(64);
    stack.run(["db-migrate", "down", "--yes"]).end().ok().shows("backed up first");
    stack.run(["db-migrate", "status"]).end().code(2).shows("m0002_node_keys: pending");
    // All the way down, graph and all, and up again.
    stack.run(["db-migrate", "down", "--yes"]).end().ok();
    assert_eq!(stack.sql(&[], "SELECT count(*) FROM ag_catalog.ag_graph"), ["0"]);
    assert_eq!(stack.get("backend", "/health").is(200).json()["graph"], "absent");
    stack.run(["db-migrate", "up"]).end().ok();
    stack.run(["db-migrate", "status"]).end().ok().shows("m0001_initial: applied").shows("m0002_node_keys: applied");
    assert_eq!(stack.get("backend", "/health").is(200).json()["graph"], "up");
    stack.run(["db-seed", "--yes"]).end().ok();
    let seeded = stack.get("backend", "/api/requirements").is(200).json();
    stack.run(["db-seed", "--yes"]).end().ok();
    assert_eq!(stack.get("backend", "/api/requirements").is(200).json(), seeded, "twice is once");

    stack.sql(&[], "CREATE TABLE by_hand ()");
    let ended = stack.run(["db-reset", "--yes"]).end();
    ended.ok().shows("ran 01-age.sql").shows("backup of the previous database");
    assert_eq!(stack.sql(&[], "SELECT to_regclass('by_hand') IS NULL"), ["t"]);
    assert_eq!(stack.sql(&[], "SHOW search_path"), ["public, ag_catalog"]);
    let back = wait_until("the back end is back", std::time::Duration::from_secs(30), || {
        try_curl(&[&stack.at("backend", "/api/requirements")])
            .and_then(|it| if it.status == 200 { Ok(it) } else { Err(it.body) })
    });
    assert_eq!(back.json(), seeded);
}
