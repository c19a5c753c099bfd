//! What belongs to the cluster, and comes along: roles, grants, settings.

use super::*;

const SCHEMA: &str =
    "CREATE ROLE app_owner; CREATE ROLE app_reader LOGIN PASSWORD 'Canary_of_a_role_5d1e'; CREATE ROLE \"odd role\";
    CREATE SCHEMA app AUTHORIZATION app_owner;
    SET ROLE app_owner; CREATE TABLE app.orders AS SELECT n FROM generate_series(1, 10) n; RESET ROLE;
    GRANT USAGE ON SCHEMA app TO app_reader; GRANT SELECT ON app.orders TO app_reader, \"odd role\" WITH GRANT OPTION;
    ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO app_reader;
    ALTER DATABASE :\"DBNAME\" SET search_path TO app, public; ALTER DATABASE :\"DBNAME\" SET work_mem = '17MB';
    CREATE ROLE only_a_setting; ALTER ROLE only_a_setting IN DATABASE :\"DBNAME\" SET statement_timeout = '1h';
    ALTER DATABASE :\"DBNAME\" CONNECTION LIMIT 42; REVOKE CONNECT ON DATABASE :\"DBNAME\" FROM PUBLIC;
    GRANT CONNECT, TEMPORARY ON DATABASE :\"DBNAME\" TO app_reader;";

/// Everything of the above, whoever the superuser is.
const LOOK: &str = "SELECT relowner::regrole, replace(relacl::text, current_user, 'me') FROM pg_class WHERE oid = 'app.orders'::regclass;
    SELECT nspowner::regrole, nspacl FROM pg_namespace WHERE nspname = 'app'; SELECT defaclacl FROM pg_default_acl;
    SELECT setrole::regrole, setconfig FROM pg_db_role_setting WHERE setdatabase <> 0 ORDER BY 1;
    SELECT datconnlimit, ARRAY(SELECT privilege_type || ' ' || grantee::regrole FROM aclexplode(datacl) WHERE grantee::regrole::text ~ 'app|-' ORDER BY 1)
    FROM pg_database WHERE datname = current_database(); SELECT count(*) FROM app.orders;";

#[test]
fn a29_c13_c24_roles_grants_and_settings_come_back_in_an_empty_cluster() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(&name, SCHEMA);
    let first = cluster.user.clone();
    let normal =
        |cluster: &Cluster, name: &str| cluster.ask(name, LOOK).replace(&cluster.user, "me").replace(&first, "me");
    let before = normal(&cluster, &name);
    let (made, file) = back_up(&project);
    assert_eq!(made["warnings"], serde_json::json!([]));
    let globals =
        std::fs::read_to_string(file.with_file_name(manifest(&file)["globals"]["file"].as_str().unwrap())).unwrap();
    assert!(globals.contains("CREATE ROLE \"odd role\";") && globals.contains("CONNECTION LIMIT 42"), "{globals}");
    assert!(!globals.contains("Canary_of_a_role") && !globals.contains("SCRAM-SHA"), "{globals}");

    // Another machine, so to speak: a cluster that `setup` has just made.
    let (other, there, target) = set_up();
    let path = file.to_str().unwrap();
    other.xtask(["db-restore", path, "--yes"]).end().code(77).says("--allow-foreign");
    let unfit = other.xtask(["db-restore", path, "--yes", "--allow-foreign"]).end();
    unfit
        .code(65)
        .says("the role app_owner does not exist")
        .says("the role only_a_setting does not exist")
        .says("CREATE ROLE \"odd role\";");
    assert_eq!(there.ask("postgres", "SELECT count(*) FROM pg_roles WHERE rolname ~ 'app_';"), "0");
    let restored = other.xtask(["db-restore", path, "--yes", "--allow-foreign", "--create-roles"]).end();
    restored.ok().says("creating the role app_reader without privileges");
    assert_eq!(normal(&there, &target), before, "into the database that setup made");
    let rights =
        "SELECT count(*) FROM pg_roles WHERE rolname ~ 'app_|odd|only' AND (rolcanlogin OR rolsuper OR rolcreatedb);";
    assert_eq!(there.ask("postgres", rights), "0");

    // The file of globals runs where somebody has read it: what is there already is said, the rest is made.
    let run = there
        .tool("psql", "postgres")
        .args(["-X", "-q", "-v", &format!("db={target}"), "-f"])
        .arg(file.with_file_name(manifest(&file)["globals"]["file"].as_str().unwrap()))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(there.ask("postgres", "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app_reader';"), "t");

    // And where there is no database at all.
    there.ask("postgres", &format!("DROP DATABASE {target} WITH (FORCE);"));
    other.xtask(["db-restore", path, "--yes", "--allow-foreign"]).end().ok();
    assert_eq!(normal(&there, &target), before, "into nothing");
    // A database that is in use keeps its own.
    there.ask(
        &target,
        &format!("ALTER DATABASE {target} SET work_mem = '5MB'; ALTER DATABASE {target} RESET search_path;"),
    );
    other.xtask(["db-restore", path, "--yes", "--allow-foreign"]).end().ok();
    let kept = there.ask(&target, "SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) AND setrole = 0;");
    assert_eq!(kept, "{work_mem=5MB}");
}
