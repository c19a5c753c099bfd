//! `doctor`: one test per row of the documents' troubleshooting tables, named after the row, and the rows of E, F, G and S
//! of the fault table that it can see. Each ailment is made for real, and its cure must be named.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::Value;

use crate::support::*;

/// What `doctor` found.
#[derive(Debug)]
struct Diagnosis(Ended);

impl Diagnosis {
    /// The check of this kind and target that has something to say.
    #[track_caller]
    fn names(&self, kind: &str, target: &str, detail: &str, cure: &str) -> &Self {
        let checks = self.0.outcome()["checks"].take();
        let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
        let found = checks.as_array().unwrap().iter().any(|check| {
            check["kind"] == kind
                && check["target"] == target
                && (check["status"] == "fail" || check["status"] == "warn")
                && text(check, "detail").contains(detail)
                && text(check, "hint").contains(cure)
        });
        assert!(found, "no check {kind} {target} with {detail:?} and the cure {cure:?}:\n{checks:#}");
        self.never_prunes()
    }

    #[track_caller]
    fn never_prunes(&self) -> &Self {
        self.0.never_says("prune");
        self
    }

    /// Fails unless something is broken.
    #[track_caller]
    fn fails(&self) -> &Self {
        self.0.code(2);
        self
    }
}

#[track_caller]
fn doctor(project: &TestProject) -> Diagnosis {
    Diagnosis(project.xtask(["doctor", "--json"]).end())
}

/// Starts the stack as it is, however ill, and gives it time to fall over.
fn up(project: &TestProject) {
    let file = project.path("compose.yml");
    let args = ["compose", "-p", project.name(), "-f", file.to_str().unwrap(), "up", "-d", "--quiet-pull"];
    // That a service ends is what is wanted here.
    let _ = try_docker(args);
}

/// A project whose service `app` says this and ends.
fn ends_with(last_words: &str) -> TestProject {
    let project = TestProject::new()
        .file("app.sh", &format!("cat <<'END' >&2\nstarting\n{last_words}\nEND\nexit 1\n"))
        .compose("services:\n  app: {image: @image@, entrypoint: [sh, /app.sh], volumes: ['./app.sh:/app.sh:ro']}\n");
    up(&project);
    wait_until("app ends", Duration::from_secs(20), || match project.state("app").as_str() {
        "exited" => Ok(()),
        state => Err(state.to_owned()),
    });
    project
}

#[track_caller]
fn ailment(last_words: &str, cause: &str, cure: &str) {
    let Some(_engine) = engine() else { return };
    let project = ends_with(last_words);
    doctor(&project).fails().names("service", "app", cause, cure);
}

// Service won't start.

#[test]
fn service_wont_start_port_conflict() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose("services: {web: {image: @image@, ports: ['127.0.0.1:${WEB_PORT:-@port:web@}:80']}}\n");
    let _listener = TcpListener::bind(("127.0.0.1", project.port("web"))).unwrap();
    let holder = format!("process {}", std::process::id());
    doctor(&project).fails().names("port", "web", &holder, "WEB_PORT=");
}

#[test]
fn service_wont_start_port_conflict_inside() {
    ailment("Error: listen EADDRINUSE: address already in use :::3000", "port conflict", "another port");
}

#[test]
fn service_wont_start_database_not_ready() {
    ailment("Error: FATAL:  the database system is starting up", "database not ready", "condition: service_healthy");
}

#[test]
fn service_wont_start_missing_environment_variable() {
    ailment("Error: JWT_SECRET is not set", "missing environment variable", "env check");
}

#[test]
fn service_wont_start_missing_environment_variable_in_the_compose_file() {
    let Some(_engine) = engine() else { return };
    let project =
        TestProject::new().compose("services: {web: {image: @image@, environment: {A: '$NO_SUCH_VARIABLE'}}}\n");
    doctor(&project).fails().names(
        "compose",
        "NO_SUCH_VARIABLE",
        "missing environment variable",
        "${NO_SUCH_VARIABLE:-}",
    );
}

#[test]
fn service_wont_start_syntax_error() {
    ailment("file:///app/src/index.ts:3\nSyntaxError: Unexpected token '}'", "syntax error", "git diff");
}

#[test]
fn service_wont_start_syntax_error_in_the_compose_file() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose("services: {web: {image: @image@, prots: [80]}}\n");
    let diagnosis = doctor(&project);
    let name = project.name().to_owned();
    diagnosis.fails().names("project", &name, "prots", "docker compose config");
}

// Hot reload not working.

/// A project with a service that is built for development, with these mounts and this command.
fn frontend(more: &str) -> TestProject {
    TestProject::new().file("web/src/index.js", "").file("web/Dockerfile", "FROM @image@ AS development\n").compose(
        &format!(
            "services: {{web: {{image: @image@, init: true, build: {{context: ./web, target: development}}{more}}}}}\n"
        ),
    )
}

#[test]
fn hot_reload_not_working_watch_flag_missing() {
    let Some(_engine) = engine() else { return };
    // What runs is called node and is told to run a source, without a flag.
    let project = frontend(", volumes: ['./web/src:/app/src'], entrypoint: [bash, -c, 'exec -a node sleep infinity']");
    up(&project);
    doctor(&project).names("reload", "web", "watch flag missing", "--watch");
}

#[test]
fn hot_reload_not_working_source_not_mounted() {
    let Some(_engine) = engine() else { return };
    doctor(&frontend("")).names("reload", "web", "source not mounted", "volumes:");
}

#[test]
fn hot_reload_not_working_too_few_watches() {
    ailment(
        "Error: ENOSPC: System limit for number of file watchers reached, watch '/app/src'",
        "hot reload",
        "fs.inotify.max_user_watches=524288",
    );
}

// Database connection errors.

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
    diagnosis.fails().names("connection", "api", "DATABASE_URL has another password", "env explain");
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

#[test]
fn out_of_disk_space() {
    let Some(_unshare) = tool("unshare") else { return };
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let project = TestProject::new().file("infra.toml", "[compose]\nservices = \"none\"\n").file("backups/keep", "");
    let mount = format!("mount -t tmpfs -o size=8m none {}; exec \"$@\"", project.path("backups").display());
    let ended = project.xtask(["doctor", "--json"]).inside(["unshare", "-m", "sh", "-c", &mount, "sh"]).end();
    Diagnosis(ended).fails().names("disk", "backups", "free", "df");
}

#[test]
fn out_of_disk_space_inside() {
    ailment(
        "PANIC:  could not write to file \"pg_wal/xlogtemp.29\": No space left on device",
        "the disk is full",
        "cargo xtask clean",
    );
}

#[test]
fn out_of_disk_space_large_logs() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose("services: {web: {image: @image@}}\n");
    doctor(&project).names("logs", "rotation", "web", "max-size");
}

// Performance issues.

#[test]
fn performance_issues_increase_docker_resources() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose("services: {web: {image: @image@, deploy: {resources: {limits: {cpus: '500', memory: 9000g}}}}}\n");
    doctor(&project).fails().names("cores", "web", "500 cores", "lower `cpus`").names(
        "memory",
        "limits",
        "together",
        "more memory",
    );
}

#[test]
fn performance_issues_high_cpu() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, init: true, entrypoint: [sh, -c, 'while :; do :; done'], cpus: 0.05}}\n",
    );
    up(&project);
    // On a busy machine it does not always get what it may take.
    wait_until("web is seen to be busy", Duration::from_secs(60), || {
        let seen = doctor(&project).0.stdout;
        if seen.contains("of its 0.05 cores") && seen.contains("scale web=2") { Ok(()) } else { Err(seen) }
    });
}

#[test]
fn performance_issues_high_memory() {
    let Some(_engine) = engine() else { return };
    // Bytes in a tmpfs count as memory of the container and are not given back.
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, init: true, mem_limit: 64m, tmpfs: ['/x'], entrypoint: [sh, -c, 'head -c 61000000 /dev/zero >/x/y; sleep infinity']}}\n",
    );
    up(&project);
    wait_until("the memory is full", Duration::from_secs(20), || {
        let size = docker(["exec", &project.container("web"), "stat", "-c", "%s", "/x/y"]);
        if size == "61000000" { Ok(()) } else { Err(size) }
    });
    doctor(&project).names("resources", "web", "of its memory", "raise its limit");
}

#[test]
fn performance_issues_out_of_memory() {
    ailment("java.lang.OutOfMemoryError: Java heap space", "out of memory", "memory limit");
}

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
fn slow_responses() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file("server.pl", "use IO::Socket::INET; my $l = IO::Socket::INET->new(LocalPort => 8000, Listen => 9, ReuseAddr => 1); while (my $c = $l->accept) { <$c>; sleep 2; print $c \"HTTP/1.0 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok\"; close $c }\n")
        .compose("services: {web: {image: @image@, init: true, entrypoint: [perl, /server.pl], volumes: ['./server.pl:/server.pl:ro'], ports: ['127.0.0.1:@port:web@:8000']}}\n");
    up(&project);
    if project.state("web") != "running" {
        // The image has no perl.
        return;
    }
    doctor(&project).names("http", "web", "slow responses", "slow queries");
}

#[test]
fn slow_builds() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file("api/node_modules/x/index.js", "")
        .file("api/Dockerfile", "FROM @image@\n")
        .compose("services: {api: {build: ./api}}\n");
    doctor(&project).names("build", "api", "node_modules", ".dockerignore");
}

// Container exits immediately, cannot connect to the backend.

#[test]
fn container_exits_immediately_dependency_issues() {
    ailment("Error: Cannot find module 'express'", "a dependency of it is missing", "cargo xtask build app");
}

#[test]
fn cannot_connect_to_backend_verify_cors_origins() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services:\n  api: {image: @image@, environment: {CORS_ORIGINS: 'http://localhost:5173'}}\n  \
         frontend: {image: @image@, ports: ['127.0.0.1:@port:page@:5173']}\n",
    );
    let page = format!("http://localhost:{}", project.port("page"));
    doctor(&project).names("cors", "api", "none of this stack's pages", &page);
}

#[test]
fn cannot_connect_to_backend_check_if_backend_is_running() {
    ailment(
        "nginx: [emerg] host not found in upstream \"backend\" in /etc/nginx/conf.d/default.conf:3",
        "passes requests to",
        "depends_on",
    );
}

#[test]
fn redis_connection_failed() {
    ailment("Error: connect ECONNREFUSED 172.20.0.3:6379", "Redis does not accept it", "REDIS_URL");
}

#[test]
fn migrations_are_missing() {
    ailment("error: relation \"users\" does not exist", "migrations are missing", "db-migrate");
}

#[test]
fn permission_on_a_volume() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, init: true, user: '4321', entrypoint: [sleep, infinity], volumes: ['media:/media/x']}}\nvolumes: {media: {}}\n",
    );
    up(&project);
    doctor(&project).fails().names("mount", "web", "may not write /media/x", "chown");
}

#[test]
fn permission_denied_in_the_log() {
    ailment("Error: EACCES: permission denied, mkdir '/app/storage/media'", "permissions", "chown");
}

const EXPIRED: &str = "-----BEGIN CERTIFICATE-----
MIIBEDCBtgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwHhcN
MjAwMTAxMDAwMDAwWhcNMjAwMjAxMDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATNIkiGDP0hhsniZB0v/+I1xJd2
tUEHZDzec3HOwzr6ApfdPWSkaTvOQFe4ogo3xlJIggu3GSCPBBmeYD9RdShaMAoG
CCqGSM49BAMCA0kAMEYCIQD+zPnlXAYkJ8GcBFCGhT7VtexFJhs3crz/SRjqqxzi
YwIhANpo6hEz7z/n21ko/WhRnVKmSx6gG9LYH3xZLAzLOfFh
-----END CERTIFICATE-----
";

#[test]
fn tls_certificate_expired() {
    let Some(_engine) = engine() else { return };
    let Some(_openssl) = tool("openssl") else { return };
    let project = TestProject::new()
        .file("ssl/server.crt", EXPIRED)
        .compose("services: {nginx: {image: @image@, volumes: ['./ssl:/etc/nginx/ssl:ro']}}\n");
    doctor(&project).fails().names("certificate", "nginx", "TLS certificate expired", "renew it");
}

#[test]
fn tls_certificate_missing() {
    let Some(_engine) = engine() else { return };
    let project =
        TestProject::new().compose("services: {nginx: {image: @image@, volumes: ['./ssl:/etc/nginx/ssl:ro']}}\n");
    std::fs::create_dir(project.path("ssl")).unwrap();
    doctor(&project).fails().names("certificate", "nginx", "TLS certificate missing", "/etc/nginx/ssl expects them");
}

#[test]
fn network_missing() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, networks: [out]}}\nnetworks: {out: {external: true, name: '@name@-out'}}\n",
    );
    let name = format!("{}-out", project.name());
    doctor(&project).fails().names("network", &name, "network missing", "docker network create");
}

#[test]
fn subnet_taken() {
    let Some(_engine) = engine() else { return };
    let other = TestProject::new().compose("services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true}}\nnetworks: {default: {ipam: {config: [{subnet: 10.213.7.0/24}]}}}\n");
    up(&other);
    let project = TestProject::new().compose(
        "services: {web: {image: @image@}}\nnetworks: {default: {ipam: {config: [{subnet: 10.213.0.0/16}]}}}\n",
    );
    let name = format!("{}_default", project.name());
    doctor(&project).fails().names("subnet", &name, &format!("project {}", other.name()), "is free");
}

// The fault table.

#[test]
fn e01_e09_e10_the_env_file() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file(".env.example", "DB_PASSWORD=change_me\n")
        .compose("services: {web: {image: @image@, environment: {A: '$DB_PASSWORD'}}}\n");
    doctor(&project).fails().names("env", ".env", "is missing", "cargo xtask setup");
    project.write(".env", "DB_PASSWORD=change_me\n");
    std::fs::set_permissions(project.path(".env"), std::fs::Permissions::from_mode(0o644)).unwrap();
    doctor(&project).names("env", "DB_PASSWORD", "placeholder", "cargo xtask env rotate").names(
        "env",
        ".env",
        "others than its owner",
        "chmod 600",
    );
}

#[test]
fn e06_the_shell_overrides_the_env_file() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file(".env", "POSTGRES_DB=shop\n")
        .compose("services: {web: {image: @image@, environment: {A: '$POSTGRES_DB'}}}\n");
    let ended = project.xtask(["doctor", "--json"]).env("POSTGRES_DB", "other").end();
    Diagnosis(ended).names("env", "POSTGRES_DB", "wins over the env file", "unset POSTGRES_DB");
}

#[test]
fn s09_e10_a_committed_env_file() {
    let Some(_git) = tool("git") else { return };
    let project = TestProject::new()
        .file("infra.toml", "[compose]\nservices = \"none\"\n")
        .file(".env", "A=1\n")
        .file("backups/x", "");
    let git = |args: &[&str]| {
        let dir = project.dir();
        let mut call = command("git");
        call.arg("-C").arg(dir).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(args);
        let ended = call.env("HOME", dir).output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
    };
    git(&["init", "-q"]);
    doctor(&project).names("git", ".env", "is not ignored", ".gitignore").names(
        "git",
        "backups",
        "is not ignored",
        ".gitignore",
    );
    git(&["add", "-f", ".env"]);
    doctor(&project).fails().names("git", ".env", "is committed", "git rm --cached .env");
}

#[test]
fn f03_the_engine_is_down() {
    let Some(_docker) = tool("docker") else { return };
    let project = TestProject::new().compose("services: {web: {image: @image@}}\n");
    let ended = project.xtask(["doctor", "--json"]).env("DOCKER_HOST", "unix:///nonexistent/docker.sock").end();
    Diagnosis(ended).fails().names("engine", "answers", "unix:///nonexistent/docker.sock", "start Docker");
}

#[test]
fn f04_no_right_on_the_socket() {
    let Some(_engine) = engine() else { return };
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let project = TestProject::new().open_to_all().compose("services: {web: {image: @image@}}\n");
    std::fs::set_permissions(project.path("compose.yml"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let ended = project.xtask(["doctor", "--json"]).env("HOME", "/nonexistent").user(65534).end();
    Diagnosis(ended).fails().names("engine", "answers", "this user may not talk", "usermod -aG docker");
}

#[test]
fn f04_a_plugin_that_cannot_be_run() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file("home/.docker/cli-plugins/docker-compose", "")
        .compose("services: {web: {image: @image@}}\n");
    let ended = project.xtask(["doctor", "--json"]).env("HOME", project.path("home")).end();
    Diagnosis(ended).fails().names("tool", "compose", "cannot be run by this user", "chmod 755");
}

#[test]
fn f05_only_compose_1() {
    let project = TestProject::new().compose("services: {web: {image: @image@}}\n");
    let fakes = Fakes::new()
        .program("docker", "case \"$*\" in *version*--short*) echo 1.29.2;; *) echo 'Docker version 20.10.5';; esac");
    let ended =
        project.xtask(["doctor", "--json"]).env("PATH", fakes.path_without(&["docker", "docker-compose"])).end();
    Diagnosis(ended).fails().names("tool", "compose", "1.29.2 is too old", "docker-compose-plugin");
}

#[test]
fn f05_no_docker_at_all() {
    let project = TestProject::new().compose("services: {web: {image: @image@}}\n");
    let path = Fakes::new().path_without(&["docker", "docker-compose"]);
    let ended = project.xtask(["doctor", "--json"]).env("PATH", path).end();
    Diagnosis(ended).fails().names(
        "tool",
        "docker",
        "neither `docker compose` nor `docker-compose`",
        "setup --install",
    );
}

#[test]
fn f07_crash_loop() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, restart: always, entrypoint: [sh, -c, 'echo \"KeyError: DATABASE_URL\"; echo \"A must be set\"; exit 3']}}\n",
    );
    up(&project);
    wait_until("web was restarted", Duration::from_secs(20), || {
        let count = docker(["inspect", "--format", "{{.RestartCount}}", &project.container("web")]);
        if count == "0" { Err(count) } else { Ok(()) }
    });
    doctor(&project).fails().names("service", "web", "A must be set", "env check");
}

#[test]
fn f11_paused() {
    let Some(_engine) = engine() else { return };
    let project =
        TestProject::new().compose("services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true}}\n");
    up(&project);
    docker(["pause", &project.container("web")]);
    let diagnosis = doctor(&project);
    docker(["unpause", &project.container("web")]);
    diagnosis.fails().names("service", "web", "paused", "docker unpause");
}

#[test]
fn f15_a_container_name_of_another_project() {
    let Some(_engine) = engine() else { return };
    let text = |name: &str| {
        format!(
            "services: {{web: {{image: @image@, container_name: {name}, entrypoint: [sleep, infinity], init: true}}}}\n"
        )
    };
    let other = TestProject::new().compose(&text("@name@-fixed"));
    up(&other);
    let fixed = format!("{}-fixed", other.name());
    let project = TestProject::new().compose(&text(&fixed));
    doctor(&project).fails().names("name", "web", &format!("project {}", other.name()), "container_name");
}

#[test]
fn f19_a_database_on_every_address() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:{DATABASE}    ports: ['@port:db@:5432']\n"));
    doctor(&project).names("exposure", "db", "on every address", "127.0.0.1");
}

#[test]
fn g01_another_checkout_with_the_same_name() {
    let Some(_engine) = engine() else { return };
    let compose = "services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true}}\n";
    let first = TestProject::new().compose(compose);
    up(&first);
    let second =
        TestProject::in_folder("elsewhere", first.name()).compose(&format!("name: {}\n{compose}", first.name()));
    let name = first.name().to_owned();
    doctor(&second).fails().names("project", &name, first.dir().to_str().unwrap(), "another name");
}

#[test]
fn a_volume_of_another_project() {
    let Some(_engine) = engine() else { return };
    let compose = |name: &str| {
        format!(
            "services: {{web: {{image: @image@, entrypoint: [sleep, infinity], init: true, volumes: ['data:/d']}}}}\nvolumes: {{data: {{name: {name}}}}}\n"
        )
    };
    let first = TestProject::new().compose(&compose("@name@-data"));
    up(&first);
    let volume = format!("{}-data", first.name());
    let second = TestProject::new().compose(&compose(&volume));
    doctor(&second).fails().names("volume", &volume, &format!("compose project {}", first.name()), "name:");
}

#[test]
fn a_volume_that_two_environments_would_share() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file("infra.toml", "[environments.production]\nprofiles = [\"production\"]\n")
        .compose("services: {web: {image: @image@, volumes: ['data:/d']}}\nvolumes: {data: {name: '@name@-data'}}\n");
    let volume = format!("{}-data", project.name());
    doctor(&project).names("volume", &volume, "every environment of this project would use the same data", "`name:`");
}

#[test]
fn what_is_well_is_said_to_be() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true, logging: {driver: json-file, options: {max-size: 1m}}}}\n",
    );
    project.xtask(["start"]).end().ok();
    let ended = project.xtask(["doctor"]).end();
    ended.ok().shows("ok    service web: running").shows("nothing is ");
    // Looking changes nothing, and leaves nothing behind.
    assert_eq!(project.state("web"), "running");
    assert!(survivors(&ended.mark).is_empty());
}
