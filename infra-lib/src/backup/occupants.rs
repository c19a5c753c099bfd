//! What keeps a database from being renamed or dropped.

use crate::postgres::Database;
use crate::project::Project;

/// Terminates the sessions in `:'live'` and `:'new'` that our role may terminate. Autovacuum ends by itself, and not
/// every role may terminate it. One that stays makes the statement fail that cannot work with it.
pub(super) const SEND_AWAY: &str = r"SELECT count(pg_terminate_backend(pid))
 FROM pg_stat_activity LEFT JOIN pg_roles r ON r.oid = usesysid
 WHERE datname IN (:'live', :'new') AND pid <> pg_backend_pid()
   AND backend_type IS DISTINCT FROM 'autovacuum worker'
   AND ((SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
     OR NOT r.rolsuper AND (pg_has_role(r.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE'))) \g /dev/null
";

/// A role without `pg_read_all_stats` does not see since when another role's session exists.
const LIST: &str = r#"SELECT text FROM (
 SELECT 1 AS nr, concat('process ', pid, ' of ', coalesce(usename, backend_type),
   ' (' || nullif(application_name, '') || ')', to_char(backend_start, '", since" YYYY-MM-DD HH24:MI:SS TZ')) AS text
 FROM pg_stat_activity WHERE datname IN (:'live', :'new') AND pid <> pg_backend_pid()
   AND backend_type IS DISTINCT FROM 'autovacuum worker'
 UNION ALL SELECT 2, concat('the prepared transaction ', quote_literal(gid), ' of ', owner,
   to_char(prepared, '", since" YYYY-MM-DD HH24:MI:SS TZ'))
 FROM pg_prepared_xacts WHERE database IN (:'live', :'new')
 UNION ALL SELECT 3, format('the subscription %I', subname)
 FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname IN (:'live', :'new')
 UNION ALL SELECT 4, format('the replication slot %s of process %s', slot_name, active_pid)
 FROM pg_replication_slots WHERE database IN (:'live', :'new') AND active
) AS found ORDER BY nr, text;"#;

/// What uses these databases: sessions, prepared transactions, subscriptions and slots. Empty if that cannot be
/// queried.
pub(super) fn list(project: &Project, from: &Database, [live, new]: [&str; 2]) -> Vec<String> {
    let call = from.psql(project).map(|call| {
        call.args(["-A", "-t", "-f", "-", "-v", &format!("live={live}"), "-v", &format!("new={new}")]).stdin(LIST)
    });
    let text = call.ok().and_then(|call| project.runner().read(&call).ok()).map(|output| output.text());
    text.unwrap_or_default().lines().map(str::to_owned).collect()
}
