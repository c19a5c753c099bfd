//! Volumes, and sets of database, volumes and configuration.

use super::application::{attach, makes_a_trace, trace};
use crate::support::*;

/// The database's own volume is dumped, not copied; any other one may be.
pub(super) fn live_data_is_refused(stack: &Stack) {
    let refused = stack.run(["volume-backup", "postgres_data"]).end();
    refused.code(77).says("holds the database of `postgres`").says("db-backup");
    stack.run(["volume-backup", "nginx_certs"]).end().ok().shows("verified");
    stack.run(["volume-backup", "--list"]).end().ok().shows("nginx_certs");
}

pub(super) fn comes_back(stack: &Stack) {
    let base = stack.at("backend", "");
    let token = makes_a_trace(&base, "grace");
    attach(&base, &token, "the protocol");
    let made = stack.run(["backup", "--json"]).end().ok().outcome();
    assert_eq!(made["parts"].as_array().unwrap().len(), 3, "database, volume, files: {made}");
    stack.run(["backup", "--list"]).end().ok().shows("complete");

    let routes = stack.project.read("nginx/common/routes.conf");
    let env = stack.project.read(".env.development");
    attach(&base, &token, "overwritten");
    stack.project.write("nginx/common/routes.conf", "# lost\n");
    stack.project.write(".env.development", &env.replace("LOG_LEVEL=debug", "LOG_LEVEL=error"));
    stack.sql(&[], "SELECT drop_graph('traceability', true)");

    let id = made["id"].as_str().unwrap();
    let ended = stack.run(["restore", id, "--yes"]).end();
    ended.ok();
    tell(&format!("database, volume and files were back after {:.1} s", ended.took.as_secs_f32()));
    assert_eq!(stack.project.read("nginx/common/routes.conf"), routes);
    assert_eq!(stack.project.read(".env.development"), env);
    assert_eq!(trace(&base), ["SYS-2 1", "VER-1 2"]);
    assert_eq!(get(&format!("{base}/api/requirements/SYS-1/attachment")).is(200).body, "the protocol");
    // What was there is kept.
    let kept = stack.run(["volume-backup", "--list"]).end();
    kept.ok().shows("before-restore");
    stack.run(["volume-restore", "attachments", "latest", "--yes"]).end().ok();
    assert_eq!(get(&format!("{base}/api/requirements/SYS-1/attachment")).is(200).body, "overwritten");
    stack.run(["db-prune"]).end().ok();
}
