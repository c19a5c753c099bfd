//! I04: what cron mails.

use super::*;

#[test]
fn i04_a_failure_is_at_most_twenty_lines() {
    let Some(_engine) = engine() else { return };
    // Many warnings, many findings, many failures: each at its worst.
    let targets = (0..40).map(|n| format!("[health.web{n}]\ntcp = \"127.0.0.1:1\"\n"));
    let hidden = HIDDEN.map(|name| format!("[tasks.{name}]\nhost = true\nrun = [\"true\"]\n"));
    let weak = (0..40).map(|n| format!("A{n}_PASSWORD=changeme\n"));
    let project = TestProject::new()
        .compose("services: {}\n")
        .file("infra.toml", &targets.chain(hidden).collect::<String>())
        .file(".env", &weak.collect::<String>());
    for line in ["-q health --only tcp", "-q tasks", "-q env check"] {
        let ended = project.xtask(line.split(' ')).cron().end();
        let lines = ended.stdout.lines().count() + ended.stderr.lines().count();
        assert!(lines <= 20, "{lines} lines: {ended}");
    }
    let ended = project.xtask(["-q", "health", "--only", "tcp"]).end();
    ended.code(2).shows("FAIL  tcp web").shows("more lines, shown without --quiet").shows("40 failures");
    project.xtask(["health", "--only", "tcp"]).end().code(2).shows("web39").never_says("more lines");
    let ended = project.xtask(["-q", "tasks"]).end();
    assert!(ended.ok().stderr.ends_with("warning: there is more, shown without --quiet\n"), "{ended}");
    assert_eq!(project.xtask(["tasks"]).end().stderr.lines().count(), HIDDEN.len());
}

/// Tasks that a command hides, each of which is a warning.
const HIDDEN: [&str; 6] = ["start", "stop", "ps", "logs", "df", "stats"];
