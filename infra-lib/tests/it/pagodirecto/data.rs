//! What is in the database, and that a backup brings all of it back.

use std::collections::BTreeSet;

use super::api::{ANA, BERTA, customers};
use crate::support::*;

const SCHEMAS: [&str; 8] =
    ["customers", "identity", "opportunities", "payments", "products", "reports", "sales", "tasks"];
const A: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const B: &str = "bbbbbbbb-0000-4000-8000-000000000002";

pub(super) fn is_as_documented(stack: &Stack) {
    let schemas = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema') ORDER BY 1";
    assert_eq!(stack.sql(&[], schemas), SCHEMAS);
    let extensions = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1";
    assert_eq!(stack.sql(&[], extensions), ["pg_stat_statements", "pg_trgm", "pgcrypto", "uuid-ossp"]);
    assert_ne!(stack.sql(&[], "SELECT count(*) FROM pg_stat_statements"), ["0"], "statements are counted");
    let settings = [
        ("shared_buffers", "512MB"),
        ("effective_cache_size", "1536MB"),
        ("work_mem", "16MB"),
        ("random_page_cost", "1.1"),
        ("maintenance_work_mem", "128MB"),
        ("max_connections", "100"),
        ("shared_preload_libraries", "pg_stat_statements"),
        ("autovacuum_vacuum_scale_factor", "0.1"),
        ("log_min_duration_statement", "500ms"),
        ("password_encryption", "scram-sha-256"),
        ("data_checksums", "on"),
    ];
    let names: Vec<String> = settings.iter().map(|(name, _)| format!("current_setting('{name}')")).collect();
    let found = stack.sql(&[], &format!("SELECT unnest(ARRAY[{}])", names.join(", ")));
    assert_eq!(found, settings.map(|(_, value)| value));
    // The backend's own role is one that row-level security holds for.
    let role =
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'pagodirecto_app'";
    assert_eq!(stack.sql(&[], role), ["f|f|f|f"]);
    assert_eq!(
        stack.sql(&[], "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'backend'"),
        ["pagodirecto_app"]
    );
}

/// The customers that the backend's role sees as this tenant, or as nobody's.
fn seen(stack: &Stack, tenant: &str) -> Vec<String> {
    let sql = format!(
        "SET ROLE pagodirecto_app; SET app.tenant_id = '{tenant}'; SELECT name FROM customers.customers ORDER BY name"
    );
    stack.sql(&[], &sql).into_iter().filter(|line| line != "SET").collect()
}

fn each_sees_its_own(stack: &Stack) {
    assert_eq!(seen(stack, A), [ANA.1, "Zapatos Reunidos"]);
    assert_eq!(seen(stack, B), [BERTA.1]);
    assert_eq!(seen(stack, ""), [""; 0]);
    let base = stack.at("backend", "");
    assert_eq!(customers(&base, ANA.0), [ANA.1, "Zapatos Reunidos"]);
    assert_eq!(customers(&base, BERTA.0), [BERTA.1]);
    // Neither may write in the other's name.
    let theft = format!(
        "SET ROLE pagodirecto_app; SET app.tenant_id = '{A}'; INSERT INTO customers.customers (tenant_id, name) VALUES ('{B}', 'x')"
    );
    stack.run(["db-shell", "-c", &theft]).end().code(1).says("row-level security");
    stack
        .run(["db-shell", "-c", "SET ROLE pagodirecto_app; TABLE identity.users"])
        .end()
        .code(1)
        .says("permission denied");
    stack
        .run(["db-shell", "-c", "SET ROLE pagodirecto_app; DELETE FROM payments.payments"])
        .end()
        .code(1)
        .says("permission denied");
}

/// Who may do what: policies, grants on the database, schemas, tables, columns and functions, owners, extensions.
pub(super) fn rights(stack: &Stack) -> Vec<String> {
    // The server keeps a list of grants in the order in which they were made.
    let acl =
        |column: &str| format!("(SELECT string_agg(it::text, ' ' ORDER BY it::text) FROM unnest({column}) AS it)");
    let ours = "NOT IN ('pg_catalog', 'information_schema', 'pg_toast')";
    let parts = [
        "SELECT 'policy', schemaname || '.' || tablename, concat(policyname, permissive, roles, cmd, qual, with_check) FROM pg_policies".to_owned(),
        format!("SELECT 'database', '', concat(datdba::regrole, {}) FROM pg_database WHERE datname = current_database()", acl("datacl")),
        format!("SELECT 'schema', nspname, concat(nspowner::regrole, {}) FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'", acl("nspacl")),
        format!("SELECT 'table', oid::regclass::text, concat(relowner::regrole, relrowsecurity, relforcerowsecurity, {}) FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text {ours}", acl("relacl")),
        format!("SELECT 'column', attrelid::regclass || '.' || attname, {} FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE attacl IS NOT NULL AND relnamespace::regnamespace::text {ours}", acl("attacl")),
        format!("SELECT 'function', oid::regprocedure::text, concat(prosecdef, {}, proconfig) FROM pg_proc WHERE pronamespace = 'identity'::regnamespace", acl("proacl")),
        "SELECT 'extension', extname, extversion FROM pg_extension".to_owned(),
        "SELECT 'member', roleid::regrole::text, member::regrole::text FROM pg_auth_members WHERE roleid::regrole::text !~ '^pg_'".to_owned(),
    ];
    let sql = format!("SELECT * FROM ({}) AS rights ORDER BY 1, 2, 3", parts.join(" UNION ALL "));
    let found = stack.sql(&[], &sql);
    let kinds: BTreeSet<&str> = found.iter().filter_map(|line| line.split('|').next()).collect();
    assert_eq!(kinds.len(), parts.len(), "each kind is there: {kinds:?}");
    found
}

/// The restore by name keeps what it replaces, as a safety backup did, and brings back rows, policies and grants.
pub(super) fn keeps_tenants_apart_after_a_restore(stack: &Stack) {
    stack.sql(&[], &format!("INSERT INTO customers.customers (tenant_id, name) VALUES ('{A}', 'Zapatos Reunidos')"));
    each_sees_its_own(stack);
    let before = rights(stack);
    stack.run(["db-backup", "--name", "before-trouble"]).end().ok();
    stack.run(["db-verify", "before-trouble", "--drill"]).end().ok();
    stack.sql(&[], "DROP POLICY tenant_isolation ON customers.customers");
    stack.sql(&[], "ALTER TABLE customers.customers DISABLE ROW LEVEL SECURITY");
    stack.sql(&[], "GRANT SELECT ON identity.users TO pagodirecto_readonly");
    stack.sql(&[], "DROP SCHEMA reports CASCADE");
    assert_eq!(seen(stack, B).len(), 3, "the trouble is real");
    let trouble = rights(stack);
    assert_ne!(trouble, before);

    let ended = stack.run(["db-restore", "before-trouble", "--yes"]).end();
    ended.ok().shows("--rollback` swaps it back");
    tell(&format!("a restore took {:.1} s", ended.took.as_secs_f32()));
    assert_eq!(rights(stack), before);
    each_sees_its_own(stack);

    // Where that was the wrong thing to do, the way back; and forth again.
    stack.run(["db-restore", "--rollback", "--yes"]).end().ok();
    assert_eq!(rights(stack), trouble);
    stack.run(["db-restore", "--rollback", "--yes"]).end().ok();
    assert_eq!(rights(stack), before);
    stack.run(["db-restore", "--drop-previous", "--yes"]).end().ok();
    each_sees_its_own(stack);
    stack.run(["db-restore", "no-such-backup", "--yes"]).end().code(66);
}

/// The database, the volume with the logs, and nginx's configuration, under one time.
pub(super) fn backs_everything_up(stack: &Stack) {
    stack.run(["volume-backup", "backend_logs"]).end().ok();
    stack.run(["volume-restore", "backend_logs", "latest", "--yes"]).end().ok();
    stack.run(["volume-backup", "postgres_data"]).end().code(77);
    stack.run(["backup"]).end().ok();
    let configuration = stack.project.read("nginx/nginx-proxy.conf");
    stack.project.write("nginx/nginx-proxy.conf", "# gone\n");
    stack.sql(&[], "DELETE FROM customers.customers");
    stack.run(["restore", "latest", "--yes"]).end().ok();
    assert_eq!(stack.project.read("nginx/nginx-proxy.conf"), configuration);
    assert_eq!(customers(&stack.at("backend", ""), BERTA.0), [BERTA.1]);
    stack.run(["db-prune", "--json"]).end().ok();
    stack.run(["schedule", "print"]).end().ok().shows("db-backup");
}
