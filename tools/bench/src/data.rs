//! A database of a size that was asked for.

use std::fs::File;
use std::process::Stdio;

use xshell::cmd;

use super::Outcome;
use super::stack::Stack;

/// Rows of each kind that a megabyte takes, with the indexes: measured once, on PostgreSQL 17.
const ORDERS_PER_MB: u64 = 3636;
const EVENTS_PER_MB: u64 = 1818;

/// Fills the stack's database with orders (text, numbers, times, two indexes) and events (JSON), about N megabytes.
pub(super) fn fill(stack: &Stack, megabytes: u64) -> Outcome<()> {
    let (orders, events) = (megabytes * ORDERS_PER_MB, megabytes * EVENTS_PER_MB);
    let sql = format!(
        "DROP TABLE IF EXISTS orders, events;
         CREATE TABLE orders AS SELECT i AS id, md5(i::text) AS a, md5((i + 7)::text) || md5((i + 3)::text) AS b,
           timestamptz '2026-01-01' - i * interval '1 second' AS at, (i % 99991)::numeric / 100 AS amount,
           'customer number ' || (i % 10000) AS note FROM generate_series(1, {orders}) i;
         ALTER TABLE orders ADD PRIMARY KEY (id);
         CREATE INDEX ON orders (at);
         CREATE TABLE events AS SELECT i AS id, jsonb_build_object('kind', i % 17, 'user', i % 5000, 'payload', md5(i::text)) AS doc
           FROM generate_series(1, {events}) i;
         VACUUM ANALYZE;
         CHECKPOINT;"
    );
    psql(stack, &sql)
}

/// Runs SQL in the stack's database.
pub(super) fn psql(stack: &Stack, sql: &str) -> Outcome<()> {
    let (service, user, name) = (stack.database.service, stack.database.user, stack.database.name);
    let call = cmd!(stack.sh, "docker compose exec -T {service} psql -Xqw -v ON_ERROR_STOP=1 -U {user} -d {name}");
    call.stdin(sql).quiet().ignore_stdout().run()?;
    Ok(())
}

/// The most memory that a command had for itself, in megabytes, and that it did its work.
pub(super) fn peak_memory(command: xshell::Cmd<'_>) -> Outcome<f64> {
    let mut command: std::process::Command = command.into();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create("/dev/null")?).spawn()?;
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        let text = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u32>().ok()).unwrap_or(0);
        peak = peak.max(kilobytes);
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    if status.success() { Ok(f64::from(peak) / 1024.0) } else { Err(format!("{status}").into()) }
}
