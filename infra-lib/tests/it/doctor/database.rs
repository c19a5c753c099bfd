//! Databases that cannot be reached, are slow or lack something.

use super::*;

#[test]
fn database_connection_errors_database_health() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services:\n  db:\n    image: @image@\n    environment: {POSTGRES_PASSWORD: k3Vt0Zq9xW2L}\n    \
         healthcheck: {test: [CMD-SHELL, 'echo no such role; exit 1'], interval: 200ms, retries: 1}\n",
    );
    up(&project);
    wait_until("db is unhealthy", Duration::from_secs(20), || {
        let health = docker(["inspect", "--format", "{{.State.Health.Status}}", &project.container("db")]);
        if health == "unhealthy" { Ok(()) } else { Err(health) }
    });
    doctor(&project).fails().names("service", "db", "no such role", "logs db");
}

#[test]
fn database_connection_errors_verify_environment_variables() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "services:{DATABASE}\n  api: {{image: api, depends_on: [db], environment: {{DB_HOST: localhost, DB_PORT: '5432'}}}}\n"
    ));
    doctor(&project).fails().names("connection", "api", "DB_HOST, DB_PORT says localhost", "`db`");
}

#[test]
fn database_connection_errors_restart_services_in_order() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "services:{DATABASE}\n  api: {{image: @image@, depends_on: [db]}}\n  job: {{image: @image@, environment: {{DB_HOST: db}}}}\n"
    ));
    doctor(&project).names("compose", "api", "does not wait until db is ready", "condition: service_healthy").names(
        "connection",
        "job",
        "does not wait for it",
        "depends_on",
    );
}

#[test]
fn database_connection_failed_database_url() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "services:{DATABASE}\n  api: {{image: @image@, depends_on: [db], environment: {{DATABASE_URL: 'postgres://postgres:other-pass@db:5432/postgres'}}}}\n"
    ));
    let diagnosis = doctor(&project);
    diagnosis.fails().names("connection", "api", "DATABASE_URL has a different password", "env explain");
    diagnosis.0.never_says("other-pass").never_says("fixture-password");
}

#[test]
fn database_connection_failed_postgres_not_running() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:{DATABASE}"));
    up(&project);
    docker(["stop", "-t", "10", &project.container("db")]);
    doctor(&project).fails().names("postgres", "db", "is exited", "cargo xtask start");
}

#[test]
fn database_connection_failed_test_connection() {
    ailment("Error: connect ECONNREFUSED 127.0.0.1:5432", "database does not accept connections", "not localhost");
}

#[test]
fn e11_the_volume_keeps_another_password() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().file(".env", "DB_PASSWORD=k3Vt0Zq9xW2LmB7yRfAq0Zq9\n").compose(&format!(
        "{}\n    volumes: ['data:/var/lib/postgresql/data']\nvolumes: {{data: {{}}}}\n",
        format!("services:{DATABASE}").replace("fixture-password", "'${DB_PASSWORD}'").trim_end()
    ));
    project.xtask(["start"]).end().ok();
    project.xtask(["stop"]).end().ok();
    project.write(".env", "DB_PASSWORD=another3Vt0Zq9xW2LmB7yRfAq0\n");
    up(&project);
    wait_until("db is healthy", Duration::from_secs(30), || {
        let health = docker(["inspect", "--format", "{{.State.Health.Status}}", &project.container("db")]);
        if health == "healthy" { Ok(()) } else { Err(health) }
    });
    doctor(&project).fails().names("postgres", "db", "does not accept the login", "env rotate");
}

// Out of disk space.

/// A running database with something in it.
fn database(sql: &str) -> TestProject {
    let project = TestProject::new().compose(&format!("services:{DATABASE}"));
    project.xtask(["start"]).end().ok();
    docker(["exec", &project.container("db"), "psql", "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-c", sql]);
    project
}

#[test]
fn performance_issues_slow_queries() {
    let Some(_engine) = engine() else { return };
    let project = database("CREATE TABLE t (a int)");
    let container = project.container("db");
    let run = |sql: &str| docker(["exec", "-d", &container, "psql", "-U", "postgres", "-c", sql]);
    run("BEGIN; LOCK TABLE t; SELECT pg_sleep(60)");
    std::thread::sleep(Duration::from_millis(500));
    run("SELECT count(*) FROM t");
    std::thread::sleep(Duration::from_secs(6));
    doctor(&project).names("database", "postgres", "pg_sleep", "EXPLAIN").names(
        "database",
        "postgres",
        "for a lock",
        "pg_blocking_pids",
    );
}

#[test]
fn performance_issues_add_indexes() {
    let Some(_engine) = engine() else { return };
    let scans = "DO $$ BEGIN FOR i IN 1..120 LOOP PERFORM count(*) FROM t WHERE a = i; END LOOP; END $$";
    let project = database("CREATE TABLE t AS SELECT generate_series(1, 20000) AS a");
    let container = project.container("db");
    for sql in ["ANALYZE t", scans, "SELECT pg_stat_force_next_flush()"] {
        // Statistics are written when a session ends, at the latest.
        let _ = try_docker(["exec", &container, "psql", "-U", "postgres", "-c", sql]);
    }
    doctor(&project).names("database", "postgres", "the table t (20000 rows)", "index");
}

#[test]
fn migrations_are_missing() {
    ailment("error: relation \"users\" does not exist", "migrations are missing", "db-migrate");
}

#[test]
fn f19_a_database_on_every_address() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:{DATABASE}    ports: ['@port:db@:5432']\n"));
    doctor(&project).names("exposure", "db", "on every address", "127.0.0.1");
}
