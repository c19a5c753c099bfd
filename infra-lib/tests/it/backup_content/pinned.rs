//! Settings of a database or role that are meant for its applications.

use super::*;

/// What a session of the test needs among them.
fn ask(cluster: &Cluster, name: &str, sql: &str) -> String {
    let mut psql = cluster.tool("psql", name);
    psql.env("PGOPTIONS", "-c statement_timeout=0 -c lock_timeout=0").env("PGCLIENTENCODING", "UTF8");
    let output = psql.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]).output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn d25_what_is_set_for_applications_changes_neither_backup_nor_restore() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(
        &name,
        "CREATE TABLE prices (sign text); INSERT INTO prices VALUES ('€'), ('a\\b'); COMMENT ON TABLE prices IS 'in €';",
    );
    cluster.ask(
        "postgres",
        &format!(
            "COMMENT ON DATABASE {name} IS 'in €'; ALTER DATABASE {name} SET search_path = '';
             ALTER DATABASE {name} SET temp_tablespaces = '', pg_default;
             ALTER DATABASE {name} SET client_encoding = 'LATIN1'; ALTER DATABASE {name} SET standard_conforming_strings = off;
             ALTER DATABASE {name} SET quote_all_identifiers = on; ALTER ROLE {user} IN DATABASE {name} SET work_mem = '5MB';
             ALTER ROLE {user} SET lock_timeout = '1ms'; ALTER ROLE {user} SET idle_in_transaction_session_timeout = '1ms';
             ALTER ROLE {user} SET statement_timeout = '1ms';",
            user = cluster.user
        ),
    );
    let settings = format!(
        "SELECT setrole <> 0, c FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) c
         WHERE datname = '{name}' ORDER BY 1, 2"
    );
    let content = "SELECT sign, obj_description('public.prices'::regclass) FROM public.prices ORDER BY 1";
    let before = (ask(&cluster, "postgres", &settings), ask(&cluster, &name, content));
    for format in ["custom", "directory", "sql"] {
        let made = project.xtask(["db-backup", "--format", format, "--verify", "drill", "--json"]).end();
        let made = made.ok().outcome();
        let manifest = manifest(std::path::Path::new(made["path"].as_str().unwrap()));
        assert!(manifest.to_string().contains("in €"), "{manifest}");
        ask(&cluster, &name, "TRUNCATE public.prices");
        // Into a database that does not exist, it comes with its settings.
        ask(&cluster, "postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
        project.xtask(["db-restore", "latest", "--yes"]).end().ok();
        assert_eq!((ask(&cluster, "postgres", &settings), ask(&cluster, &name, content)), before, "{format}");
        project.xtask(["db-restore", "latest", "--yes"]).end().ok();
        assert_eq!((ask(&cluster, "postgres", &settings), ask(&cluster, &name, content)), before, "{format}");
        project.xtask(["db-restore", "--drop-previous", "--yes"]).end().ok();
    }

    // The same through a URL, where the settings are made by SQL. A limit of 1 ms might end even that.
    ask(&cluster, "postgres", &format!("ALTER ROLE {} SET statement_timeout = '1s'", cluster.user));
    let url =
        format!("postgres://{}:{}@127.0.0.1:{}/{name}?sslmode=disable", cluster.user, cluster.password, cluster.port);
    let elsewhere = TestProject::new().file(".env", &format!("DATABASE_URL={url}\n")).file(
        "infra.toml",
        &format!(
            "[project]\nname = \"{}\"\n[compose]\nservices = \"none\"\n[database]\nurl = \"env:DATABASE_URL\"\n",
            project.name()
        ),
    );
    elsewhere.xtask(["db-backup", "--verify", "drill"]).end().ok();
    elsewhere.xtask(["db-restore", "latest", "--confirm", project.name()]).end().ok();
    assert_eq!(ask(&cluster, "postgres", &settings), before.0);
}
