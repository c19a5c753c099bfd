//! What the database is doing: connections, slow queries, open transactions, table scans.

use crate::postgres::{Database, Place};
use crate::probe::{Check, Snapshot, one_line};

const KIND: &str = "database";

/// One row per finding: its kind, then its values. Changes nothing; our own session is excluded.
const QUERY: &str = "
SELECT 'connections', count(*), current_setting('max_connections'), '', '' FROM pg_stat_activity WHERE backend_type = 'client backend';
SELECT 'slow', pid, extract(epoch FROM now() - query_start)::int, cardinality(pg_blocking_pids(pid)), regexp_replace(left(query, 120), '\\s+', ' ', 'g')
  FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND backend_type = 'client backend'
   AND now() - query_start > interval '5 seconds' ORDER BY query_start LIMIT 5;
SELECT 'idle', pid, extract(epoch FROM now() - state_change)::int, '', regexp_replace(left(query, 120), '\\s+', ' ', 'g')
  FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND now() - state_change > interval '1 minute' ORDER BY state_change LIMIT 5;
SELECT 'scan', relname, n_live_tup, seq_scan, coalesce(idx_scan, 0) FROM pg_stat_user_tables
 WHERE n_live_tup > 10000 AND seq_scan > 100 AND seq_scan > 10 * coalesce(idx_scan, 0) ORDER BY seq_tup_read DESC LIMIT 3;
";

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    // Other checks report why it cannot be queried.
    let Ok(database) = snapshot.project.database() else { return Vec::new() };
    if matches!(&database.place, Place::Service { service, .. } if !snapshot.containers_of(service).any(|container| container.status == crate::compose::Status::Running))
    {
        return Vec::new();
    }
    let Ok(answer) = database.query(snapshot.project, QUERY) else { return Vec::new() };
    let checks: Vec<Check> = answer.lines().filter_map(|line| finding(&database, &snapshot.clean(line))).collect();
    if checks.is_empty() {
        vec![Check::ok(KIND, &database.name, "no slow queries, no forgotten transactions, connections available")]
    } else {
        checks
    }
}

fn finding(database: &Database, line: &str) -> Option<Check> {
    let fields: Vec<&str> = line.splitn(5, '\t').collect();
    let [kind, first, second, third, last] = fields[..] else { return None };
    let name = &database.name;
    match kind {
        "connections" => {
            let (used, most): (u32, u32) = (first.parse().ok()?, second.parse().ok()?);
            (used * 10 >= most * 9).then(|| {
                Check::warn(KIND, name, format!("{used} of {most} connections are in use")).with_hint("lower the services' pool sizes, or raise max_connections")
            })
        }
        "slow" if third != "0" => Some(
            Check::warn(KIND, name, format!("slow queries: process {first} has waited {second} s for a lock: {}", one_line(last)))
                .with_hint(format!("`cargo xtask db-shell -c 'SELECT pg_blocking_pids({first})'` says who holds it; `SELECT pg_cancel_backend(PID)` ends what that one does")),
        ),
        "slow" => Some(
            Check::warn(KIND, name, format!("slow queries: process {first} has run for {second} s: {}", one_line(last)))
                .with_hint(format!("look at its plan with EXPLAIN, an index may be missing; `cargo xtask db-shell -c 'SELECT pg_cancel_backend({first})'` ends it")),
        ),
        "idle" => Some(
            Check::warn(KIND, name, format!("process {first} has left a transaction open for {second} s after: {}", one_line(last)))
                .with_hint(format!("the service forgets to commit; `cargo xtask db-shell -c 'SELECT pg_terminate_backend({first})'` ends it")),
        ),
        "scan" => Some(
            Check::warn(KIND, name, format!("the table {first} ({second} rows) was read from end to end {third} times, and {last} times by an index"))
                .with_hint("add an index on the columns of its WHERE; EXPLAIN shows which queries it serves"),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn performance_issues_slow_queries() {
        let database = Database {
            name: "shop".into(),
            user: "app".into(),
            password: None,
            place: Place::Service { service: "db".into(), port: 5432 },
        };
        let find = |line: &str| finding(&database, line).map(|check| check.detail);
        assert!(find("slow\t12\t31\t0\tSELECT 1").unwrap().contains("process 12 has run for 31 s: SELECT 1"));
        assert!(find("slow\t12\t31\t1\tUPDATE x").unwrap().contains("for a lock"));
        assert!(find("idle\t12\t90\t\tBEGIN").unwrap().contains("open for 90 s"));
        assert!(find("scan\torders\t20000\t500\t3").unwrap().contains("end to end 500 times"));
        assert_eq!(find("connections\t10\t100\t\t"), None);
        assert!(find("connections\t95\t100\t\t").unwrap().contains("95 of 100"));
    }
}
