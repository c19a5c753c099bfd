//! Production, from an env file that says too little to a site behind Caddy.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::managed::Managed;
use crate::support::*;

pub(super) const SERVICES: [&str; 3] = ["api", "reverse-proxy", "web"];
/// What stands behind the address.
pub(super) const VERIFIED: &str = "?sslmode=verify-full&sslrootcert=certs/database-ca.pem";

/// What nobody can invent is asked for; then one command does it.
pub(super) fn sets_up(stack: &Stack, managed: &Managed) {
    // What is committed is judged before anything is filled in.
    let policy = stack.produce(["policy", "--json"]).end();
    let findings = policy.ok().outcome()["findings"].clone();
    assert!(findings.as_array().unwrap().iter().all(|it| it["code"] == "image-no-digest"), "{findings}");
    stack.produce(["start"]).end().code(78).says(".env.production").says("setup");
    // The file is made, with what can be made.
    let ended = stack.produce(["setup", "--yes"]).end();
    ended.code(78).says("is not set").says("env check");
    assert!(stack.variable(".env.production", "JWT_SECRET").len() >= 32);
    let values = [("OWNER", "example"), ("REPO", stack.project.name()), ("TAG", "production-1.0.0")];
    // Quoted, since a shell would take the `&` for its own.
    let url = format!("'{}'", managed.url(VERIFIED));
    for (key, value) in values.into_iter().chain([("DATABASE_URL", &*url)]) {
        stack.give(".env.production", key, value);
    }
    // Without the provider's authority nothing is sent to anybody.
    stack.produce(["db-shell", "-c", "select 1"]).end().code(78).says("certs/database-ca.pem").says("sslrootcert");
    stack.project.write("certs/database-ca.pem", &managed.authority());

    let ended = stack.produce(["setup", "--yes"]).limit(BUILD).end();
    ended.ok().shows(&stack.at("https", "")).says("production is protected: its migrations are left to you");
    ended.never_says(&managed.password).never_says(&stack.variable(".env.production", "JWT_SECRET"));
    tell(&format!("production's setup took {:.1} s", ended.took.as_secs_f32()));
    stack.are_healthy("production", &SERVICES);
    let before = stack.identity("production");
    assert_eq!(stack.produce(["setup", "--yes", "--json"]).end().ok().outcome()["changes"], json!([]));
    assert_eq!(stack.identity("production"), before, "a second setup changes nothing");
    // An address with an `&` cannot be written so that every reader takes it alike.
    let check = stack.produce(["env", "check"]).end();
    assert_eq!(check.ok().stdout.lines().filter(|line| !line.starts_with(' ')).count(), 1, "{check}");
    check.shows("DATABASE_URL is quoted");
    // There is a site to serve once there is a schema.
    stack.produce(["health"]).end().code(2).shows("500 from");
}

/// Names of a registry, one tag for all; no `latest`, and another release by its commit.
pub(super) fn runs_what_the_registry_names(stack: &Stack) {
    let repository = format!("ghcr.io/example/{}", stack.project.name());
    for container in stack.containers("production") {
        let image = format!("{repository}/{}:production-1.0.0", service_of(&container));
        assert_eq!(container["Config"]["Image"], image);
    }
    let commit = "3f2a9c0d5e6b7a8c9d0e1f2a3b4c5d6e7f8a9b0c";
    let services = stack.produce(["describe", "--json"]).env("TAG", commit).end().ok().outcome()["services"].clone();
    for service in SERVICES {
        assert!(services.to_string().contains(&format!("{repository}/{service}:{commit}")), "{services}");
    }
    stack.produce(["start"]).env("TAG", "").end().code(78).says("TAG");
    stack.produce(["ps"]).env("TAG", "").end().ok().shows("healthy").says("TAG");
    // What runs was built, and holds nothing that built it or is for development.
    let id = stack.container("production", "api")["Id"].as_str().unwrap().to_owned();
    let has = |path: &str| try_docker(["exec", &id, "test", "-e", path]).is_ok();
    assert!(has("/app/api/server.js") && has("/app/node_modules/pg"));
    for absent in ["/app/api/seeds", "/app/tests", "/app/scripts", "/app/web"] {
        assert!(!has(absent), "{absent}");
    }
}

/// The API's command makes the schema there, once somebody says yes, and after a backup.
pub(super) fn migrates(stack: &Stack) {
    stack.produce(["db-migrate", "status"]).end().code(2).shows("pending CreateUsers1760000000000");
    stack.produce(["db-migrate"]).no_tty().end().code(64);
    let ended = stack.produce(["db-migrate", "--yes"]).end();
    ended.ok().says("backing up isntgram");
    stack.produce(["db-migrate", "status"]).end().ok().shows("applied CreatePhotos1760000100000");
    let name = stack.compose_name("production");
    stack.produce(["db-migrate", "down", "--yes"]).end().code(77);
    stack.produce(["db-migrate", "down", "--confirm", &name]).end().ok();
    stack.produce(["db-migrate", "status"]).end().code(2).shows("pending CreatePhotos1760000100000");
    stack.produce(["db-migrate", "--yes"]).end().ok();
}

/// Every connection is encrypted, those of the services and those of each tool.
pub(super) fn speaks_tls_only(stack: &Stack, managed: &Managed) {
    let services = managed.sql(
        "SELECT string_agg(DISTINCT application_name, ',' ORDER BY application_name), bool_and(ssl) \
         FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE usename = 'isntgram' AND client_addr IS NOT NULL",
    );
    assert_eq!(services, "api,web|t");
    let own = stack.sql(&PRODUCTION, "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert_eq!(own, ["t|TLSv1.3"]);
    let logins = managed.logins();
    let secret: Vec<_> = logins.iter().filter(|line| line.contains("SSL enabled")).collect();
    assert!(!logins.is_empty() && logins.len() == secret.len(), "{logins:#?}");
    stack
        .produce(["health", "--wait=180"])
        .limit(BUILD)
        .end()
        .ok()
        .shows("isntgram logs in to isntgram, PostgreSQL 17");
}

/// Another authority, a name that the certificate has not, no TLS at all: each is refused before the password is sent.
pub(super) fn trusts_nobody_else(stack: &Stack, managed: &Managed) {
    let kept = stack.project.read("certs/database-ca.pem");
    // Those of our calls alone: the services log in whenever they like.
    let ours = || managed.logins().iter().filter(|line| line.contains("application_name=infra-")).count();
    let before = ours();
    assert!(before > 0, "our calls are known by their name");
    stack.project.write("certs/database-ca.pem", &managed.another_authority());
    for words in [&["db-shell", "-c", "select 1"][..], &["db-backup"], &["db-migrate", "--yes"]] {
        let ended = stack.project.xtask(PRODUCTION.into_iter().chain(words.iter().copied())).end();
        ended.code(77).says("not safe: ").says("certificate verify failed").says("sslrootcert");
        ended.never_says(&managed.password);
    }
    stack.produce(["health", "--only", "postgres"]).end().code(2).shows("certificate verify failed");
    stack.project.write("certs/database-ca.pem", &kept);

    let with = |url: String| stack.produce(["db-shell", "-c", "select 1"]).env("DATABASE_URL", url).end();
    with(managed.url("?sslmode=disable")).code(77).says("no encryption");
    // The system's authorities have not signed it either.
    with(managed.url("?sslmode=verify-full&sslrootcert=system")).code(77).says("certificate verify failed");
    with(managed.url("")).code(77).says("certificate verify failed");
    with(managed.url_by_another_name(VERIFIED)).code(77).says("does not match host name");
    assert_eq!(ours(), before, "nobody got in");
}

/// Backups, a drill, a restore and back, on a server that is not ours.
pub(super) fn backs_up_and_restores(stack: &Stack, managed: &Managed) {
    let name = stack.compose_name("production");
    let photos = "SELECT count(*) FROM photos";
    let before = stack.sql(&PRODUCTION, photos);
    let made = stack.produce(["db-backup", "--json"]).end();
    tell(&format!("a backup of the managed database took {:.1} s", made.took.as_secs_f32()));
    made.ok().never_says(&managed.password);
    stack.produce(["db-backup", "--list"]).end().ok();
    // Host's and server's versions differ; the tools are the image's.
    let drill = stack.produce(["db-verify", "--drill"]).end();
    drill.ok().shows("restored in");
    stack.sql(&PRODUCTION, "DELETE FROM photos");
    stack.produce(["db-restore", "latest", "--yes"]).end().code(77);
    let restored = stack.produce(["db-restore", "latest", "--confirm", &name]).end();
    restored.ok().says("restarting api, web");
    tell(&format!("a restore of the managed database took {:.1} s", restored.took.as_secs_f32()));
    assert!(restored.took < Duration::from_secs(15 * 60), "the RTO");
    assert_eq!(stack.sql(&PRODUCTION, photos), before);
    stack.are_healthy("production", &SERVICES);
    stack.produce(["db-restore", "--rollback", "--confirm", &name]).end().ok();
    assert_eq!(stack.sql(&PRODUCTION, photos), ["0"]);
    stack.produce(["db-restore", "latest", "--confirm", &name]).end().ok();
    stack.produce(["db-restore", "--drop-previous", "--confirm", &name]).end().ok();
    let databases = "SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_database WHERE NOT datistemplate";
    assert_eq!(managed.sql(databases), "isntgram,postgres", "nothing is left beside it");
    for format in ["directory", "sql"] {
        stack.produce(["db-backup", "--format", format]).end().ok();
    }
    stack.produce(["db-verify", "--all"]).end().ok();
}

/// A backup that somebody ends leaves no container, no session on the server, and nothing in the folder.
pub(super) fn leaves_nothing_of_an_interrupted_backup(stack: &Stack, managed: &Managed) {
    let listed = || stack.produce(["db-backup", "--list", "--json"]).end().ok().outcome()["backups"].clone();
    let folder = format!("volume={}", stack.project.path("backups").canonicalize().unwrap().display());
    let clients = || docker(["ps", "-aq", "--filter", &folder]);
    let sessions = |more: &str| {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'isntgram' AND application_name LIKE 'infra-%'";
        managed.sql(&format!("{sql}{more}"))
    };
    let before = listed();
    managed.holding("photos", || {
        let running = stack.produce(["db-backup"]).spawn();
        wait_until("pg_dump waits", Duration::from_secs(30), || {
            match sessions(" AND wait_event_type = 'Lock'").as_str() {
                "0" => Err(running.so_far()),
                _ => Ok(()),
            }
        });
        assert_ne!(clients(), "", "pg_dump is in a container");
        running.signal(Signal::INT);
        running.wait().code(130);
        assert_eq!((clients(), sessions("")), (String::new(), "0".to_owned()));
    });
    assert_eq!(listed(), before);
}

/// What is for development never happens there.
pub(super) fn refuses_what_is_for_development(stack: &Stack) {
    let name = stack.compose_name("production");
    for operation in ["db-seed", "db-reset"] {
        stack.produce([operation, "--yes", "--confirm", &name]).end().code(77).says("protected");
    }
}

/// The rest of the operations.
pub(super) fn is_operated(stack: &Stack) {
    stack.produce(["doctor"]).end().ok().never_says("FAIL");
    stack.produce(["ps"]).end().ok().shows("reverse-proxy");
    stack.produce(["logs", "api"]).end().ok().shows("listening");
    stack.produce(["df"]).end().ok().shows("caddy_data");
    stack.produce(["exec", "web", "--", "id", "-u"]).end().ok().shows("1000");
    stack.produce(["scale", "web=2"]).end().ok();
    assert_eq!(stack.containers("production").len(), 4);
    stack.produce(["start"]).end().ok();
    assert_eq!(stack.containers("production").len(), 3);
    stack.produce(["restart", "web"]).end().ok().shows("ready after");
    stack.produce(["volume-backup", "caddy_data"]).end().ok();
    stack.produce(["volume-backup", "--list"]).end().ok().shows("caddy_data");
    stack.produce(["backup"]).end().ok();
    stack.produce(["backup", "--list"]).end().ok();
    let name = stack.compose_name("production");
    stack.produce(["volume-restore", "caddy_data", "latest", "--confirm", &name]).end().ok();
    stack.produce(["restore", "latest", "--confirm", &name]).end().ok();
    let secret = stack.variable(".env.production", "JWT_SECRET");
    stack.produce(["env", "rotate", "JWT_SECRET", "--confirm", &name]).end().ok().never_says(&secret);
    assert_ne!(stack.variable(".env.production", "JWT_SECRET"), secret);
    stack.produce(["stop"]).end().ok().shows("stopped");
    stack.produce(["start"]).end().ok().shows("ready after");
    stack.produce(["health", "--wait=180"]).limit(BUILD).end().ok();
    stack.produce(["policy"]).end().ok().shows("0 errors, 0 warnings");
    stack.produce(["schedule", "print"]).end().ok().shows("db-backup");
    stack.produce(["db-prune"]).end().ok();
    stack.produce(["history"]).end().ok().shows("db-restore");
}

/// Everything of the stack goes; the managed database is nobody's to remove.
pub(super) fn cleans_up(stack: &Stack, managed: &Managed) {
    let name = stack.compose_name("production");
    stack.produce(["clean", "--all", "--yes"]).end().code(77).says(&format!("--confirm {name}"));
    stack.produce(["clean", "--all", "--discard-data", "--confirm", &name]).end().ok();
    for kind in ["container", "network", "volume", "image"] {
        assert_eq!(stack.objects("production", kind), [""; 0], "{kind}s are left");
    }
    assert_ne!(managed.sql("SELECT count(*) FROM photos"), "0");
}
