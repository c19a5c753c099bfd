//! Migrations by the backend's own tool, backups and restores, in development.

use std::time::Duration;

use crate::support::*;

/// Several steps in one, on a machine that has other things to do.
const LONG: Duration = Duration::from_secs(900);

const TABLES: &str = "SELECT string_agg(table_name, ' ' ORDER BY table_name) FROM information_schema.tables \
    WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%'";

/// `npm run migrate` and `migrate:rollback`, down to nothing and up again.
pub(super) fn goes_up_and_down(stack: &Stack) {
    assert_eq!(stack.sql(&[], TABLES), ["items scans schema_migrations users"]);
    let schema = || {
        stack.sql(&[], "SELECT md5(string_agg(t, ' ')) FROM (SELECT attrelid::regclass || attname || atttypid::regtype AS t \
        FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '\\_%' \
        AND attnum > 0 ORDER BY 1) AS columns")
    };
    let whole = schema();
    stack.run(["db-migrate", "status"]).end().ok().shows("applied  002_scans");
    stack.run(["db-migrate", "down"]).no_tty().end().code(64);
    stack.run(["db-migrate", "down", "--yes"]).end().ok();
    assert_eq!(stack.sql(&[], TABLES), ["items schema_migrations users"], "the last one alone");
    stack.run(["db-migrate", "status"]).end().code(2).shows("pending  002_scans");
    stack.run(["db-migrate", "down", "--yes"]).end().ok();
    assert_eq!(stack.sql(&[], TABLES), ["schema_migrations"]);
    stack.run(["db-migrate", "up"]).end().ok();
    assert_eq!(schema(), whole, "up again is the schema that it was");
    stack.run(["db-reset", "--yes"]).limit(LONG).end().ok();
    assert_eq!(stack.sql(&[], "SELECT count(*) FROM items"), ["2"], "migrated and seeded anew");
    stack.run(["db-seed", "--yes"]).end().ok();
    assert_eq!(stack.sql(&[], "SELECT count(*) FROM items"), ["2"]);
    assert_eq!(schema(), whole);
}

/// A backup, a restore in one go, the way back, and a set of everything.
pub(super) fn backs_up_and_restores(stack: &Stack) {
    let count = || stack.sql(&[], "SELECT count(*) FROM items").concat();
    stack.run(["db-backup", "--name", "two-items"]).end().ok();
    stack.run(["db-verify", "two-items", "--drill"]).end().ok();
    stack.sql(&[], "DELETE FROM items");
    let ended = stack.run(["db-restore", "two-items", "--yes"]).end();
    ended.ok();
    tell(&format!("a restore took {:.1} s", ended.took.as_secs_f32()));
    assert_eq!(count(), "2");
    stack.run(["db-restore", "--rollback", "--yes"]).end().ok();
    assert_eq!(count(), "0", "as it was before the restore");

    stack.sql(&[], "INSERT INTO items (user_id, name, price_cents) SELECT id, 'one of a set', 1 FROM users LIMIT 1");
    stack.run(["backup"]).limit(LONG).end().ok();
    stack.run(["backup", "--list"]).end().ok();
    stack.run(["volume-backup", "--list"]).end().ok().shows("backend_logs");
    stack.sql(&[], "DELETE FROM items");
    stack.project.write("docker/nginx/sites/development.conf", "lost\n");
    stack.run(["restore", "latest", "--yes"]).limit(LONG).end().ok();
    assert_eq!(count(), "1");
    stack.run(["db-restore", "--drop-previous", "--yes"]).end().ok();
    assert!(stack.project.read("docker/nginx/sites/development.conf").contains("listen 8080"), "files are back too");
    stack.run(["db-prune"]).end().ok();
    stack.are_healthy("development", &super::development::SERVICES);
}

/// The service: a backup at once, another when it is told to, each proven, in a catalogue of its own.
pub(super) fn backs_itself_up(stack: &Stack) {
    stack.run(["start", "backup"]).limit(BUILD).end().ok();
    stack.are_healthy("development", &["backup"]);
    let before = stack.sql(&[], "SELECT count(*) FROM items");
    stack.run(["exec", "backup", "--", "/backup.sh", "--name", "by-hand"]).end().ok();
    let listed = stack.run(["exec", "backup", "--", "/backup.sh", "--list"]).end();
    listed.ok().shows("by-hand");
    stack.run(["exec", "backup", "--", "xtask", "-C", "/project", "db-verify", "--all"]).end().ok();
    stack.run(["health", "--wait=180"]).limit(BUILD).end().ok().shows("backup");
    // What it made is a backup like any other: the host restores it.
    let id = stack.container("development", "backup")["Id"].as_str().unwrap().to_owned();
    let from = format!("{id}:/backups/.");
    docker(["cp", &from, stack.project.path("backups").to_str().unwrap()]);
    stack.sql(&[], "DELETE FROM items");
    stack.run(["db-restore", "by-hand", "--yes"]).limit(LONG).end().ok();
    assert_eq!(stack.sql(&[], "SELECT count(*) FROM items"), before);
}
