//! Projects that somebody else has written, without an `infra.toml`: each in its own way, and each must just work.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::*;

/// What is true of a project, whatever its files look like.
#[derive(Default)]
struct Truth<'a> {
    /// Words before the command, such as `-e production`.
    options: &'a [&'a str],
    /// The services that run when it is started.
    running: &'a [&'a str],
    /// The one-shots that have ended by then.
    done: &'a [&'a str],
    /// The service, name and user of its database.
    database: Option<(&'a str, &'a str, &'a str)>,
    /// What some service has logged.
    logged: Option<&'a str>,
    /// Volumes that must be gone after `clean --all`, beyond what carries the project's name.
    volumes: &'a [&'a str],
}

/// Follows a project through its life, and holds each command to the truth about it.
#[track_caller]
fn lives(project: &TestProject, truth: &Truth<'_>) {
    let call = |words: &[&str]| project.xtask(truth.options.iter().chain(words).copied().collect::<Vec<_>>());
    let json = |words: &[&str]| call(&[words, &["--json"]].concat()).end();

    let described = json(&["describe"]);
    let described = described.ok().outcome();
    let active = described["services"].as_array().unwrap().iter().filter(|service| service["active"] == true);
    let active: BTreeSet<&str> = active.map(|service| service["name"].as_str().unwrap()).collect();
    let expected: BTreeSet<&str> = truth.running.iter().chain(truth.done).copied().collect();
    assert_eq!(active, expected, "services that are on");
    let database = &described["database"];
    match truth.database {
        Some((service, name, user)) => {
            assert_eq!(database["place"], format!("service {service}"), "{described}");
            assert_eq!((&database["name"], &database["user"]), (&name.into(), &user.into()), "{described}");
        }
        None => assert!(database.is_null(), "{described}"),
    }
    assert_eq!(described["problems"], Value::Array(Vec::new()), "{described}");
    assert!(!project.path(".infra").exists(), "looking leaves nothing behind");

    let started = call(&["start"]).end();
    started.ok().shows("ready after");
    let health = json(&["health"]);
    let failed: Vec<Value> = health.outcome()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["status"] == "fail")
        .cloned()
        .collect();
    assert_eq!((health.exit, &failed), (0, &Vec::new()));
    if truth.database.is_some() {
        let kinds =
            health.outcome()["checks"].as_array().unwrap().iter().filter(|check| check["kind"] == "postgres").count();
        assert_eq!(kinds, 1, "{health}");
    }

    let listed = json(&["ps"]).ok().outcome();
    for row in listed["services"].as_array().unwrap() {
        let service = row["service"].as_str().unwrap();
        let status = if truth.done.contains(&service) { "exited" } else { "running" };
        assert_eq!(row["status"], status, "{listed}");
    }
    let logs = call(&["logs", "--tail", "200"]).end();
    logs.ok();
    if let Some(line) = truth.logged {
        logs.shows(line);
    }

    if let Some((_, name, user)) = truth.database {
        let sql = "select current_database() || ' as ' || current_user";
        let asked = call(&["db-shell", "-c", sql, "--", "-At"]).end();
        assert_eq!(asked.ok().stdout, format!("{name} as {user}\n"));
    }

    let again = call(&["start"]).end();
    again.ok();
    let stopped = call(&["stop"]).end();
    for service in truth.running {
        stopped.ok().shows(service);
    }
    let listed = json(&["ps"]).ok().outcome();
    assert!(listed["services"].as_array().unwrap().iter().all(|row| row["status"] != "running"), "{listed}");

    let name = described["project"].as_str().unwrap().to_owned();
    call(&["clean", "--all", "--confirm", &name, "--discard-data"]).end().ok();
    let label = format!("label=com.docker.compose.project={name}");
    for list in [&["ps", "-aq"][..], &["volume", "ls", "-q"], &["network", "ls", "-q"], &["image", "ls", "-q"]] {
        assert_eq!(docker(list.iter().copied().chain(["--filter", &label])), "", "left after clean --all: {list:?}");
    }
    for volume in truth.volumes {
        assert!(try_docker(["volume", "inspect", *volume]).is_err(), "{volume} is still there");
    }
    call(&["clean", "--all", "--confirm", &name, "--discard-data"]).end().ok().shows("nothing to remove");
}

/// The keys of a database service, but its environment.
const SERVER: &str = "image: @image@, healthcheck: {test: [CMD, pg_isready, -q, -h, 127.0.0.1], start_period: 60s, start_interval: 200ms}";

/// The same for a server on another port than the usual one.
const SERVER_ELSEWHERE: &str = "image: @image@, healthcheck: {test: [CMD, pg_isready, -q, -h, 127.0.0.1, -p, '5439'], start_period: 60s, start_interval: 200ms}";

/// The keys of a service that answers HTTP on these ports inside its container. `BusyBox` is in every image that the tests use;
/// some have its `httpd`, the others an `nc` that can answer too.
fn answers(ports: &str) -> String {
    SLEEPS.replace("[sleep, infinity]", &answering(ports))
}

/// The entrypoint alone.
fn answering(ports: &str) -> String {
    let serve = "busybox httpd -p $$p -h /tmp || busybox nc -lk -p $$p -e echo ok &";
    format!("[sh, -c, 'echo ok >/tmp/index.html; for p in {ports}; do {serve} done; exec sleep infinity']")
}

#[test]
fn an_old_file_name_with_an_override_and_a_list_as_environment() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file(
            "docker-compose.yaml",
            &format!(
                "version: '3.8'\n\
                 x-common: &common\n  restart: unless-stopped\n\
                 services:\n\
                 \x20 store:\n    <<: *common\n    image: @image@\n    environment:\n      - POSTGRES_USER=clerk\n      - POSTGRES_PASSWORD=${{STORE_PASSWORD:-ledger-book-5}}\n      - POSTGRES_DB=ledger\n      - TZ\n\
                 \x20   healthcheck: {{test: 'pg_isready -q -h 127.0.0.1 -U clerk', start_period: 60s, start_interval: 200ms}}\n\
                 \x20 web: {{{SLEEPS}, depends_on: [store]}}\n"
            ),
        )
        .file("docker-compose.override.yaml", &format!("services:\n  mail: {{{SLEEPS}}}\n"));
    lives(
        &project,
        &Truth { running: &["store", "web", "mail"], database: Some(("store", "ledger", "clerk")), ..Truth::default() },
    );
}

#[test]
fn an_overlay_for_production() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!(
            "services:\n  web: {{{SLEEPS}, labels: {{stage: develop}}}}\n  db: {{{SERVER}, environment: {{POSTGRES_PASSWORD: '${{DB_PASSWORD}}', POSTGRES_DB: shop}}, volumes: ['data:/var/lib/postgresql/data']}}\nvolumes: {{data: {{}}}}\n"
        ))
        .file(
            "compose.prod.yml",
            &format!("services:\n  web: {{entrypoint: {answering}, ports: ['127.0.0.1:@port:web@:80'], restart: always}}\n  proxy: {{{SLEEPS}}}\n",
                answering = answering("80")
            ),
        )
        .file(".env", "DB_PASSWORD=Rk3vT9zq0WmLx7bYd2\n");
    lives(&project, &Truth { running: &["web", "db"], database: Some(("db", "shop", "postgres")), ..Truth::default() });
    std::fs::remove_dir_all(project.path(".infra")).unwrap();
    lives(
        &project,
        &Truth {
            options: &["-e", "production"],
            running: &["web", "db", "proxy"],
            database: Some(("db", "shop", "postgres")),
            ..Truth::default()
        },
    );
}

#[test]
fn profiles_for_tools_and_for_an_environment() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "services:\n  api: {{{SLEEPS}}}\n  admin: {{{SLEEPS}, profiles: [tools]}}\n  edge: {{{SLEEPS}, profiles: [staging, production], depends_on: [api]}}\n  nightly: {{{SLEEPS}, profiles: [jobs]}}\n"
    ));
    lives(&project, &Truth { running: &["api"], ..Truth::default() });
    std::fs::remove_dir_all(project.path(".infra")).unwrap();
    lives(&project, &Truth { options: &["-e", "staging"], running: &["api", "edge"], ..Truth::default() });
}

#[test]
fn env_files_of_services_and_a_password_file() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!(
            "services:\n  data: {{{SERVER}, env_file: [config/common.env, config/data.env], secrets: [pw], volumes: ['/var/lib/postgresql/data']}}\n  app: {{{SLEEPS}, env_file: config/common.env}}\nsecrets: {{pw: {{file: config/pw.txt}}}}\n"
        ))
        .file("config/common.env", "POSTGRES_DB=garden\nPOSTGRES_USER=nobody\n")
        .file("config/data.env", "POSTGRES_USER=gardener\nPOSTGRES_PASSWORD_FILE=/run/secrets/pw\n")
        .file("config/pw.txt", "roses & 'thorns'\n");
    lives(
        &project,
        &Truth { running: &["data", "app"], database: Some(("data", "garden", "gardener")), ..Truth::default() },
    );
}

#[test]
fn no_health_checks_and_one_shots() {
    let Some(_engine) = engine() else { return };
    let quiet = "image: @image@, init: true, entrypoint: [sleep, infinity]";
    let project = TestProject::new().compose(&format!(
        "services:\n\
         \x20 db: {{image: @image@, environment: {{POSTGRES_PASSWORD: x-9-y-8, POSTGRES_USER: owner}}}}\n\
         \x20 migrate: {{image: @image@, entrypoint: [sh, -c, 'echo migrated everything'], depends_on: [db]}}\n\
         \x20 seed: {{image: @image@, entrypoint: ['true'], depends_on: {{migrate: {{condition: service_completed_successfully}}}}}}\n\
         \x20 worker: {{{quiet}, restart: on-failure, depends_on: {{seed: {{condition: service_completed_successfully}}}}}}\n"
    ));
    lives(
        &project,
        &Truth {
            running: &["db", "worker"],
            done: &["migrate", "seed"],
            database: Some(("db", "owner", "owner")),
            logged: Some("migrated everything"),
            ..Truth::default()
        },
    );
}

#[test]
fn several_networks_and_a_database_out_of_reach() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "services:\n\
         \x20 pg: {{{SERVER}, hostname: vault, environment: {{POSTGRES_PASSWORD: deep-in-side-1}}, networks: {{back: {{aliases: [storage]}}}}}}\n\
         \x20 api: {{{SLEEPS}, networks: [back, front], deploy: {{replicas: 2}}}}\n\
         \x20 web: {{{SLEEPS}, networks: [front, default]}}\n\
         \x20 lonely: {{{SLEEPS}, network_mode: none}}\n\
         networks: {{back: {{internal: true}}, front: {{name: @name@-front-net}}}}\n"
    ));
    lives(
        &project,
        &Truth {
            running: &["pg", "api", "web", "lonely"],
            database: Some(("pg", "postgres", "postgres")),
            ..Truth::default()
        },
    );
}

#[test]
fn names_that_are_fixed() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::in_folder("whatever", "@name@")
        .file(
            "compose.yaml",
            &format!(
                "name: @name@\nservices:\n  db: {{{SERVER}, container_name: @name@-the-database, environment: {{POSTGRES_PASSWORD: fixed-4-ever, POSTGRES_DB: Cased-Name}}, volumes: ['data:/var/lib/postgresql/data', 'old:/old']}}\n  web: {{{SLEEPS}, container_name: @name@.web}}\nvolumes: {{data: {{name: @name@-fixed-data}}, old: {{}}}}\n"
            ),
        );
    let volume = format!("{}-fixed-data", project.name());
    lives(
        &project,
        &Truth {
            running: &["db", "web"],
            database: Some(("db", "Cased-Name", "postgres")),
            volumes: &[&volume],
            ..Truth::default()
        },
    );
}

#[test]
fn a_database_with_an_image_of_its_own() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(
            "services:\n\
             \x20 sql:\n    build: {context: ./sql, args: {BASE: @image@}}\n    image: @name@/our-sql:dev\n    environment: {POSTGRES_PASSWORD: built-by-hand, POSTGRES_DB: crm}\n\
             \x20   volumes: ['rows:/var/lib/postgresql/data']\n\
             \x20   healthcheck: {test: [CMD, pg_isready, -q, -h, 127.0.0.1], start_period: 60s, start_interval: 200ms}\n\
             \x20 app: {build: {context: ., dockerfile_inline: 'FROM @image@'}, entrypoint: [sleep, infinity], init: true}\n\
             \x20 backup: {image: @image@, entrypoint: [sleep, infinity], init: true, volumes: ['rows:/rows:ro'], environment: {PGHOST: sql}}\n\
             volumes: {rows: {}}\n",
        )
        .file("sql/Dockerfile", "ARG BASE\nFROM ${BASE}\nLABEL ours=yes\n");
    lives(
        &project,
        &Truth { running: &["sql", "app", "backup"], database: Some(("sql", "crm", "postgres")), ..Truth::default() },
    );
}

#[test]
fn a_folder_with_spaces_and_letters_from_elsewhere() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::in_folder("Größe & Ähnliches/My Café (@name@)", "mycaf@name@")
        .compose(&format!(
            "services:\n  db: {{{SERVER}, environment: {{POSTGRES_PASSWORD: 'p w$$d'}}, volumes: ['./with space/init:/docker-entrypoint-initdb.d:ro']}}\n  web: {{{SLEEPS}, env_file: 'with space/web.env'}}\n"
        ))
        .file("with space/init/01 table.sql", "create table \"Ärger\" (n int);\n")
        .file("with space/web.env", "A=1\n");
    lives(
        &project,
        &Truth { running: &["db", "web"], database: Some(("db", "postgres", "postgres")), ..Truth::default() },
    );
}

#[test]
fn ports_in_every_spelling() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new();
    // A port's neighbours are kept for its test too.
    let range = free_port();
    let next = range + 1;
    project.write(
        "compose.yml",
        &format!(
            "services:\n\
             \x20 web: {{{web}, ports: ['127.0.0.1:{range}-{next}:8000-8001', '127.0.0.1:@port:long@:8080', {{target: 53, published: '@port:dns@', host_ip: 127.0.0.1, protocol: udp}}, '9000']}}\n\
             \x20 many: {{{many}, ports: ['127.0.0.1:@port:many@:70/tcp'], expose: ['71']}}\n\
             \x20 db: {{{SERVER}, environment: {{POSTGRES_PASSWORD: on-a-port, PGPORT: 5440}}, ports: ['127.0.0.1:@port:db@:5440']}}\n",
            web = answers("8000 8001 8080 9000"),
            many = answers("70 71"),
        ),
    );
    lives(
        &project,
        &Truth { running: &["web", "many", "db"], database: Some(("db", "postgres", "postgres")), ..Truth::default() },
    );
}

#[test]
fn several_files_named_in_the_env_file() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::in_folder("deploy", "@name@")
        .file("stack/base.yml", &format!("services:\n  web: {{{SLEEPS}, labels: {{a: '${{LABEL:?say which}}'}}}}\n"))
        .file("stack/db.yml", &format!("services:\n  db: {{{SERVER_ELSEWHERE}, command: [postgres, -p, '5439'], environment: {{POSTGRES_PASSWORD: many-files-1, POSTGRES_USER: multi}}}}\n  tool: {{{SLEEPS}, profiles: [on]}}\n"))
        .file("compose.yml", "services: {not-this: {image: nothing}}\n")
        .file(".env", "COMPOSE_FILE=stack/base.yml:stack/db.yml\nCOMPOSE_PROJECT_NAME=@name@\nCOMPOSE_PROFILES=on\nLABEL=x\n");
    lives(
        &project,
        &Truth { running: &["web", "db", "tool"], database: Some(("db", "multi", "multi")), ..Truth::default() },
    );
}

#[test]
fn includes_extensions_and_no_database() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!(
            "include: [parts/cache.yml]\nservices:\n  web: {{extends: {{file: parts/base.yml, service: sleeper}}, depends_on: {{cache: {{condition: service_healthy, required: false}}}}, tmpfs: [/run/x]}}\n  off: {{{SLEEPS}, scale: 0}}\n"
        ))
        .file("parts/base.yml", &format!("services:\n  sleeper: {{{SLEEPS}}}\n"))
        .file("parts/cache.yml", &format!("services:\n  cache: {{{SLEEPS}, volumes: [cached:/cache]}}\nvolumes: {{cached: {{}}}}\n"));
    let truth = Truth { running: &["web", "cache"], ..Truth::default() };
    let described = project.xtask(["describe", "--json"]).end();
    assert!(described.ok().outcome()["services"].as_array().unwrap().len() == 3, "{described}");
    project.write("compose.yml", &project.read("compose.yml").replace("\n  off:", "\n  # off:"));
    lives(&project, &truth);
}
