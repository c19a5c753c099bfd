//! Everyday operations: restart, scale, build, update, ps, logs, stats, df, shell, exec, db-shell, tasks, history, describe, init.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::*;

/// A service that is healthy at once, with more keys and a line of shell to run.
fn service(name: &str, line: &str, more: &str) -> String {
    format!(
        "  {name}: {{image: @image@, entrypoint: [sh, -c, \"{line}\"], init: true, stop_signal: SIGKILL, healthcheck: \
         {{test: [CMD, 'true'], start_interval: 200ms, start_period: 30s}}{more}}}\n"
    )
}

fn sleeper(name: &str, more: &str) -> String {
    service(name, "sleep infinity", more)
}

fn project(services: &[String]) -> TestProject {
    TestProject::new().compose(&format!("services:\n{}", services.concat()))
}

fn started(project: &TestProject, service: &str) -> String {
    docker(["inspect", "--format", "{{.State.StartedAt}}", &project.container(service)])
}

#[test]
fn restart_goes_in_the_order_of_dependencies() {
    let Some(_engine) = engine() else { return };
    let depends = |on: &str| format!(", depends_on: [{on}]");
    let project = project(&[sleeper("web", &depends("api")), sleeper("api", &depends("store")), sleeper("store", "")]);
    project.xtask(["start"]).end().ok();
    let before = started(&project, "store");
    let ended = project.xtask(["restart"]).end();
    ended.ok().says("restarting store\nrestarting api\nrestarting web\n").shows("restarted store, api, web; ready");
    assert!(before < started(&project, "store"));
    assert!(started(&project, "store") < started(&project, "api"));
    assert!(started(&project, "api") < started(&project, "web"));

    let (api, web) = (started(&project, "api"), started(&project, "web"));
    project.xtask(["restart", "web"]).end().ok();
    assert_eq!(started(&project, "api"), api, "what is not named is left alone");
    assert!(started(&project, "web") > web);
}

#[test]
fn restart_leaves_the_dependents_alone_when_a_service_does_not_come_back() {
    let Some(_engine) = engine() else { return };
    let line = "test ! -e /tmp/once || { echo the reason; exit 7; }; touch /tmp/once; sleep infinity";
    let project = project(&[service("store", line, ""), sleeper("api", ", depends_on: [store]")]);
    project.xtask(["start"]).end().ok();
    let before = started(&project, "api");
    let ended = project.xtask(["restart", "--json"]).end();
    ended.code(2);
    let outcome = ended.outcome();
    assert_eq!((&outcome["restarted"][0], &outcome["left"][0]), (&"store".into(), &"api".into()), "{outcome}");
    assert_eq!(outcome["culprits"][0]["state"], "exited (7)", "{outcome}");
    assert_eq!(outcome["culprits"][0]["log"][0], "the reason", "{outcome}");
    assert_eq!(started(&project, "api"), before);
}

#[test]
fn restart_starts_what_was_not_running_and_dry_run_nothing() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("web", "")]);
    let dry = project.xtask(["restart", "--dry-run"]).end();
    dry.ok().shows("up -d --no-deps --no-recreate web");
    dry.never_says("ready after");
    assert_eq!(project.state("web"), "gone");
    project.xtask(["restart"]).end().ok();
    assert_eq!(project.state("web"), "running");
    project
        .xtask(["restart", "wbe"])
        .stderr("error: there is no service `wbe`\nhint: did you mean `web`?\n")
        .code(66)
        .check();
}

#[test]
fn scale_runs_so_many_and_says_what_cannot_be_many() {
    let Some(_engine) = engine() else { return };
    let project = project(&[
        sleeper("worker", ""),
        sleeper("named", ", container_name: @name@-named"),
        sleeper("open", ", ports: ['127.0.0.1:@port:open@:80']"),
        DATABASE.trim_start_matches('\n').to_owned(),
    ]);
    let ended = project.xtask(["scale", "worker=3"]).end();
    ended.ok().shows("worker: 0 -> 3\n");
    assert_eq!(project.containers("worker").len(), 3);
    assert!(project.containers("open").is_empty(), "only what was named");
    project.xtask(["scale", "worker=1"]).end().ok().shows("worker: 3 -> 1\n");
    project.xtask(["scale", "named=2"]).end().code(78).says("its container is always named");
    project.xtask(["scale", "open=2"]).end().code(78).says("which only one container can have");
    project.xtask(["scale", "db=2"]).end().code(77).says("two PostgreSQL servers on one data folder destroy it");
    project.xtask(["start", "--scale", "db=2"]).end().code(77);
    project.xtask(["scale", "worker"]).end().code(64);
    project.xtask(["scale", "wroker=2"]).end().code(66).says("did you mean `worker`?");
}

#[test]
fn build_relays_failure_and_says_what_is_new() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose("services: {app: {build: .}, ready: {image: @image@}, bad: {build: {context: ., target: bad}, profiles: [bad]}}")
        .file("Dockerfile", "FROM @image@ AS bad\nRUN echo the reason && exit 3\nFROM @image@ AS good\nRUN echo @name@ > /made\n");
    let image = |ended: &Ended| ended.outcome()["images"][0].clone();
    let first = image(&project.xtask(["build", "--json"]).end());
    assert_eq!((&first["service"], &first["changed"]), (&"app".into(), &true.into()), "{first}");
    assert_eq!(image(&project.xtask(["build", "app", "--json"]).end())["changed"], false, "from the cache");
    project.xtask(["build", "ready"]).end().ok().shows("nothing to build");
    project
        .xtask(["build", "bad"])
        .end()
        .code(1)
        .says("the reason")
        .says("did not complete successfully: exit code: 3");
}

#[test]
fn f02_update_goes_on_after_a_registry_that_cannot_be_reached() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {a: {image: 'registry.invalid/a:1'}, b: {image: 'registry.invalid/b:1'}, c: {image: @image@, pull_policy: never}}",
    );
    let ended = project.xtask(["update", "--json"]).end();
    ended.code(69).says("registry.invalid/a:1: ").says("registry.invalid/b:1: ");
    let images = ended.outcome()["images"].as_array().unwrap().clone();
    assert_eq!(images.len(), 3, "each is named");
    for image in images {
        let is_remote = image["image"].as_str().unwrap().starts_with("registry.invalid");
        assert_eq!(image["problem"]["registry"].as_bool(), is_remote.then_some(true), "{image}");
        assert_eq!(image["before"], image["after"], "{image}");
    }
}

#[test]
fn ps_lists_services_without_containers_too() {
    let Some(_engine) = engine() else { return };
    let project = project(&[
        sleeper("web", ", ports: ['127.0.0.1:@port:web@:80']"),
        sleeper("off", ", profiles: [extra]"),
        sleeper("later", ""),
    ]);
    project.xtask(["start", "web"]).end().ok();
    let ended = project.xtask(["ps"]).end();
    ended.ok().shows(&format!("127.0.0.1:{}->80/tcp", project.port("web"))).shows("later    -").never_says("off");
    let rows = project.xtask(["ps", "--json"]).end().outcome()["services"].clone();
    assert_eq!((&rows[0]["service"], &rows[0]["container"]), (&"later".into(), &serde_json::Value::Null));
    assert_eq!((&rows[1]["state"], &rows[1]["health"]), (&"healthy".into(), &"healthy".into()));
    assert!(rows[1]["since"].as_str().is_some_and(|since| since.ends_with('Z')), "{rows}");
}

#[test]
fn logs_are_in_order_filtered_and_without_secrets() {
    let Some(_engine) = engine() else { return };
    let line = |text: &str| format!("echo {text}; sleep infinity");
    let project = TestProject::new().file(".env", "API_TOKEN=k3Vt0Zq9xW2LmB7yRfA\n").compose(&format!(
        "services:\n{}{}",
        service("one", &line("the token is $API_TOKEN"), ", environment: {API_TOKEN: $API_TOKEN}")
            .replace("is $", "is $$"),
        service("two", &line("second; echo third"), ", depends_on: {one: {condition: service_healthy}}"),
    ));
    project.xtask(["start"]).end().ok();
    project.xtask(["logs"]).stdout("one-1 | the token is ***\ntwo-1 | second\ntwo-1 | third\n").check();
    project.xtask(["logs", "two", "--tail", "1"]).stdout("two-1 | third\n").check();
    project.xtask(["logs", "--grep", "sec"]).stdout("two-1 | second\n").check();
    project.xtask(["logs-two", "-n1"]).stdout("two-1 | third\n").check();
    project.xtask(["logs", "--since", "2020-01-01T00:00:00Z", "--tail=1", "one"]).end().ok().shows("***");
    project.xtask(["logs", "--since", "yesterday"]).end().code(64);
    project.xtask(["logs", "tow"]).end().code(66).says("did you mean `two`?");
    let lines = project.xtask(["logs", "--json"]).end().outcome()["lines"].clone();
    assert_eq!((&lines[1]["service"], &lines[1]["line"]), (&"two".into(), &"second".into()), "{lines}");
    assert!(lines[1]["time"].is_string(), "{lines}");
}

#[test]
fn logs_follow_until_interrupted_or_unread() {
    let Some(_engine) = engine() else { return };
    let project = project(&[service("web", "while :; do echo tick; sleep 0.2; done", "")]);
    project.xtask(["start"]).end().ok();
    let running = project.xtask(["logs", "-f", "--json"]).spawn();
    let enough = || (running.so_far().lines().count() > 3).then_some(()).ok_or_else(|| running.so_far());
    wait_until("four lines", Duration::from_secs(20), enough);
    running.signal(Signal::INT);
    let ended = running.wait();
    ended.code(130);
    for line in ended.stdout.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect("each line is a document");
        assert_eq!((&line["service"], &line["line"]), (&"web".into(), &"tick".into()));
    }
    let began = Instant::now();
    let unread = project.xtask(["logs", "-f"]).inside(["sh", "-c", "\"$@\" | head -2", "sh"]).end();
    unread.ok().shows("web-1 | tick\nweb-1 | tick\n");
    assert!(unread.stderr.is_empty() && began.elapsed() < Duration::from_secs(20), "{unread}");
}

#[test]
fn stats_and_df_measure_what_is_this_projects() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "services:\n{}volumes: {{data: }}\n",
        service(
            "web",
            "dd if=/dev/zero of=/layer bs=1M count=3; cp /layer /data/; sleep infinity",
            ", volumes: ['data:/data']"
        )
    ));
    project.xtask(["stats"]).stdout("no container is running\n").check();
    project.xtask(["start"]).end().ok();
    let stats = project.xtask(["stats", "--json"]).end().outcome()["containers"][0].clone();
    assert_eq!(stats["service"], "web");
    assert!(stats["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 10_000), "{stats}");
    assert!(stats["processes"].as_u64().is_some_and(|count| count > 0), "{stats}");

    std::fs::create_dir(project.path("backups")).unwrap();
    std::fs::write(project.path("backups/one.dump"), vec![1; 200_000]).unwrap();
    let report = project.xtask(["df", "--json"]).end().outcome();
    let bytes = |kind: &str| {
        let parts = report["parts"].as_array().unwrap().iter().filter(|part| part["kind"] == kind);
        parts.map(|part| part["bytes"].as_u64().unwrap_or(0)).sum::<u64>()
    };
    assert!((3_000_000..4_000_000).contains(&bytes("container")), "{report}");
    assert!((3_000_000..4_000_000).contains(&bytes("volume")), "{report}");
    assert!((200_000..300_000).contains(&bytes("backups")), "{report}");
    assert!(bytes("image") > 10_000_000 && bytes("state") > 0, "{report}");
    let total = ["image", "container", "volume", "backups", "state", "log"].map(bytes).iter().sum::<u64>();
    assert_eq!(report["total_bytes"], total);
}

#[test]
fn exec_and_shell_pass_everything_on() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("web", ""), sleeper("down", ", profiles: [extra]")]);
    project.xtask(["start"]).end().ok();
    project
        .xtask(["exec", "web", "--", "sh", "-c", "cat; echo err >&2; exit 3"])
        .input("in\n")
        .stdout("in\n")
        .stderr("err\n")
        .code(3)
        .check();
    project.xtask(["shell", "web"]).input("echo $((6*7))\nexit 2\n").stdout("42\n").code(2).check();
    project.xtask(["shell-web"]).input("true\n").check();
    let at_terminal = project.xtask(["shell", "web"]).pty([("# ", "tty; exit 0\n")]).end();
    at_terminal.ok().shows("/dev/pts/");
    project
        .xtask(["exec", "down", "--", "true"])
        .end()
        .code(69)
        .says("has no container")
        .says("cargo xtask start down");
    project.xtask(["exec", "web"]).end().code(64);
    for words in [&["shell", "web"][..], &["exec", "web", "true"], &["db-shell"]] {
        let ended = project.xtask(["--json"].iter().chain(words)).end();
        assert_eq!(ended.code(64).error()["code"], "usage");
        assert!(ended.stdout.is_empty());
    }
}

#[test]
fn db_shell_asks_the_database_of_the_stack() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:{DATABASE}"));
    project.xtask(["db-shell", "-c", "select 1"]).end().code(69);
    project.xtask(["start"]).end().ok();
    let quiet = ["--", "-At"];
    project.xtask(["db-shell", "-c", "select 6*7"].iter().chain(&quiet)).stdout("42\n").check();
    project.xtask(["db-shell"].iter().chain(&quiet)).input("select 1;\nselect 2;\n").stdout("1\n2\n").check();
    // What psql alone answers with 0.
    project
        .xtask(["db-shell"])
        .input("select 1/0;\nselect 2;\n")
        .end()
        .code(1)
        .says("division by zero")
        .never_says("2\n");
    // The test's terminal has no height, so that psql would page.
    let talk = [("postgres=#", "select 'it is ' || 42;\n"), ("it is 42", "\\q\n")];
    project.xtask(["db-shell", "--", "-P", "pager=off"]).pty(talk).end().ok();
}

/// A loop over lines must not lose them to the first command in it.
#[test]
fn i07_db_shell_with_sql_leaves_stdin_alone() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:{DATABASE}"));
    project.xtask(["start"]).end().ok();
    let each = "while read line; do \"$@\" -c \"select '$line'\" -- -At; done";
    project.xtask(["db-shell"]).inside(["sh", "-c", each, "sh"]).input("one\ntwo\n").stdout("one\ntwo\n").check();
}

#[test]
fn tasks_are_listed_and_their_words_stay_out_of_json() {
    let project = TestProject::new().compose("services: {web: {image: x}}").file(
        "infra.toml",
        "[tasks.greet]\nhost = true\nrun = ['echo', 'hello']\ndescribe = 'Say hello'\n[tasks.fail]\nhost = true\nrun = ['sh', '-c', 'exit 3']\nneeds = ['greet']\n",
    );
    project.xtask(["tasks"]).end().ok().shows("greet  on this machine  echo hello").shows("greet\n");
    project.xtask(["help"]).end().ok().shows("Tasks\n").shows("greet        Say hello");
    project.xtask(["greet", "you"]).stdout("hello you\n").check();
    project.xtask(["fail"]).stdout("hello\n").code(3).check();
    let json = project.xtask(["greet", "--json"]).end();
    assert_eq!(json.ok().says("hello\n").outcome()["exit_code"], 0);
    project.xtask(["gret"]).end().code(64).says("did you mean `greet`?");
    assert_eq!(project.xtask(["tasks", "--json"]).end().outcome()["tasks"][1]["needs"].to_string(), "[]");
}

#[test]
fn history_tells_what_changed() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("web", "")]);
    project.xtask(["history"]).stdout("nothing has been changed here yet\n").check();
    project.xtask(["start"]).end().ok();
    project.xtask(["restart", "wbe"]).end().code(66);
    project.xtask(["ps"]).end().ok();
    let entries = project.xtask(["history", "--json"]).end().outcome()["entries"].clone();
    let told: Vec<_> =
        entries.as_array().unwrap().iter().map(|it| format!("{} {}", it["operation"], it["outcome"])).collect();
    assert_eq!(told, ["\"start\" \"ok\"", "\"restart\" \"not-found\""]);
    assert_eq!(
        project.xtask(["history", "--limit", "1", "--json"]).end().outcome()["entries"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn describe_shows_everything_but_the_password() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().file(".env.staging", "").compose(&format!(
        "services:{DATABASE}    volumes: ['data:/var/lib/postgresql/data']\n{}volumes: {{data: }}\n",
        sleeper("web", ", ports: ['127.0.0.1:@port:web@:80']"),
    ));
    project.xtask(["start"]).end().ok();
    project.xtask(["db-backup"]).end().ok();
    let text = project.xtask(["describe"]).end();
    text.ok().shows(&format!("http://localhost:{}", project.port("web"))).shows("postgres as postgres (service db)");
    text.shows(".dump (").shows(", verified").shows("development, staging").never_says("fixture-password");
    let all = project.xtask(["describe", "--json"]).end();
    all.never_says("fixture-password");
    let all = all.outcome();
    assert_eq!(all["services"][0]["containers"][0]["health"], "healthy", "{all}");
    assert_eq!(all["volumes"][0]["mounts"][0], "db:/var/lib/postgresql/data", "{all}");
    let addresses = project.xtask(["ip"]).end();
    addresses.ok().shows(&format!("{}_default", project.name()));
    let down = project.xtask(["describe"]).env("DOCKER_HOST", "unix:///nowhere.sock").end();
    down.ok().shows("unknown").shows("does not answer at unix:///nowhere.sock");
}

#[test]
fn init_writes_what_the_next_command_reads() {
    let project = TestProject::new().file(".gitignore", "/target\nbackups").compose("services: {web: {image: x}}");
    let dry = project.xtask(["init", "--dry-run"]).end();
    dry.ok().shows("# write [dir]/infra.toml".replace("[dir]", project.dir().to_str().unwrap()).as_str());
    assert!(!project.path("infra.toml").exists());
    project.xtask(["init"]).stdout("wrote [dir]/infra.toml\nadded to .gitignore: .env, .infra/\n").check();
    assert!(project.read("infra.toml").contains(&format!("name = \"{}\"", project.name())));
    assert_eq!(project.read(".gitignore"), "/target\nbackups\n.env\n.infra/\n");
    let before = project.read("infra.toml");
    project.xtask(["init"]).end().code(73).says("is there already");
    assert_eq!(project.read("infra.toml"), before);
    project.xtask(["tasks"]).end().ok();
}

#[test]
fn init_works_where_there_is_nothing_yet() {
    let project = TestProject::new();
    project.xtask(["ps"]).end().code(78).says("`cargo xtask init` writes an infra.toml");
    project.xtask(["init"]).end().ok();
    project.xtask(["ps"]).stdout("this environment has no services\n").check();
}

#[test]
fn f17_stop_says_when_postgres_was_killed() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:{DATABASE}    stop_signal: SIGKILL\n"));
    project.xtask(["start"]).end().ok();
    let ended = project.xtask(["stop", "--json"]).end();
    ended.ok().says("`db` was killed before it had shut down (exit code 137)");
    assert_eq!(ended.outcome()["unclean"][0], "db");
    let clean = TestProject::new().compose(&format!("services:{DATABASE}    stop_grace_period: 90s\n"));
    clean.xtask(["start"]).end().ok();
    clean.xtask(["stop", "--dry-run"]).end().ok().shows("stop --timeout 90").never_says("stopped");
    assert_eq!(clean.xtask(["stop", "--json"]).end().outcome()["unclean"].to_string(), "[]");
}

#[test]
fn db_shell_asks_a_database_by_its_url() {
    let Some(_postgres) = postgres() else { return };
    let server = infra_lib::postgres::TempDatabase::start().unwrap();
    let project = TestProject::new().file("infra.toml", "[database]\nurl = \"env:DATABASE_URL\"\n");
    let url = server.url();
    project
        .xtask(["db-shell", "-c", "select 6*7", "--", "-At"])
        .env("DATABASE_URL", url.expose())
        .stdout("42\n")
        .check();
    let verbose = project.xtask(["-v", "db-shell", "-c", "select 1"]).env("DATABASE_URL", url.expose()).end();
    verbose.ok().says("PGPASSWORD=***").never_says(server.password().expose());
    let gone = url.expose().replace(&server.port().to_string(), "1");
    project.xtask(["db-shell", "-c", "select 1"]).env("DATABASE_URL", gone).end().code(69);
    project.xtask(["db-shell"]).end().code(78).says("`[database] url`");
}

#[test]
fn a_dry_run_shows_and_claims_nothing() {
    let Some(_engine) = engine() else { return };
    let project = project(&[sleeper("web", "")]);
    for words in [&["setup", "--yes"][..], &["start"], &["scale", "web=2"]] {
        let ended = project.xtask(words.iter().copied().chain(["--dry-run"])).end();
        ended.ok().shows(" up -d").never_says("ready").never_says("warning");
        let json = project.xtask(words.iter().copied().chain(["--dry-run", "--json"])).end();
        assert_eq!(json.ok().json()["dry_run"], true);
    }
    project.xtask(["stop", "--dry-run"]).stdout("nothing was running\n").check();
    assert!(project.containers("").is_empty());
}

/// `make X` becomes `cargo xtask X`.
#[test]
fn make_spellings_reach_their_commands() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose("services: {app: {build: {context: ., target: dev}}}")
        .file("compose.prod.yml", "services: {app: {build: {target: prod}}}")
        .file("infra.toml", "[environments.production]\nfiles = ['compose.yml', 'compose.prod.yml']\n")
        .file("Dockerfile", "FROM @image@ AS dev\nFROM @image@ AS prod\n");
    let shows = |words: &[&str], command: &str| {
        project.xtask(words.iter().copied().chain(["--dry-run"])).end().ok().shows(command);
    };
    shows(&["rebuild"], " build --no-cache app");
    shows(&["rebuild", "app"], " build --no-cache app");
    shows(&["prod-build"], "/compose.prod.yml ");
    shows(&["prod-build"], &format!("-p {}-production ", project.name()));
    shows(&["prod-start"], " up -d");
    project.xtask(["prod-stop"]).stdout("nothing was running\n").check();
    project.xtask(["logs-app"]).check();
    project.xtask(["shell-app"]).end().code(69);
    project.xtask(["ip"]).stdout("no container is running\n").check();
    project.xtask(["clean-volumes", "--yes"]).end().ok();
}
