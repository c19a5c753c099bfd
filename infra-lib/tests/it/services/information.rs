//! What is told of services: lists, logs, figures and history.

use super::*;

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
    assert!(unread.stderr.is_empty() && began.elapsed() < Duration::from_secs(60), "{unread}");
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
    project.xtask(["history"]).stdout("no operation has been recorded yet\n").check();
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
