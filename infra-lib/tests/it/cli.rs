//! The command line itself: help, bad usage, typos, global options, completion.

use std::process::Stdio;

use crate::support::*;

fn project() -> TestProject {
    TestProject::new()
        .compose("services:\n  web:\n    image: x\n  worker: {image: x}\n")
        .file("infra.toml", "[environments.staging]\nprofiles = ['x']\n[tasks.test-web]\nhost = true\nrun = ['true']\n")
}

#[test]
fn a_bare_call_shows_the_help_and_succeeds() {
    let project = project();
    let bare = project.xtask([""; 0]).end();
    bare.ok().shows("Lifecycle\n  setup ").shows("Database\n").shows("General\n").shows("Tasks\n  test-web ");
    assert!(bare.stderr.is_empty());
    for words in [&["help"][..], &["--help"], &["-h"]] {
        assert_eq!(project.xtask(words.iter().copied()).end().ok().stdout, bare.stdout, "{words:?}");
    }
    let order: Vec<_> = ["Lifecycle", "Database", "General", "Tasks"].map(|title| bare.stdout.find(title)).into();
    assert!(order.is_sorted(), "{bare}");
    assert!(bare.stdout.lines().all(|line| line.chars().count() <= 80), "{bare}");
}

#[test]
fn help_works_where_there_is_no_project() {
    let nowhere = TestProject::new();
    nowhere.xtask(["help"]).end().ok().shows("Lifecycle\n");
    nowhere.xtask(["help", "stop"]).end().ok().shows("Usage: cargo xtask stop [OPTIONS] [SERVICE]...");
    nowhere.xtask(["stop", "--help"]).end().ok().shows("Global options:");
    nowhere.xtask(["--version"]).end().ok().shows("xtask ");
    nowhere.xtask(["completions", "bash"]).end().ok().shows("complete -o default -F");
    nowhere.xtask(["stop"]).end().code(78).says("no project at");
}

#[test]
fn bad_usage_is_64_and_a_typo_suggests() {
    let project = project();
    let typo = |word: &str, meant: &str| {
        let hint = format!("error: unknown command or task `{word}`\nhint: did you mean `{meant}`?\n");
        project.xtask([word]).stderr(hint).code(64).check();
    };
    typo("strat", "start");
    typo("db-shel", "db-shell");
    typo("test-wbe", "test-web");
    typo("rebiuld", "rebuild");
    typo("prod-strat", "prod-start");
    typo("hlep", "help");
    project.xtask(["frobnicate"]).end().code(64).says("`cargo xtask help` lists the commands");
    project.xtask(["stop", "--al"]).end().code(64).says("unexpected argument '--al'");
    project.xtask(["-q", "stop", "-v"]).end().code(64).says("cannot be used together");
    project.xtask(["-q", "-v", "stop"]).end().code(64);
    project.xtask(["-e", "staging"]).end().code(64).says("missing command");
    project.xtask(["env", "frob"]).end().code(64).says("unrecognized subcommand 'frob'");
    let error = project.xtask(["--json", "strat"]).end().code(64).error();
    assert_eq!((&error["code"], &error["hint"]), (&"usage".into(), &"did you mean `start`?".into()));
    let error = project.xtask(["stop", "--json", "--al"]).end().code(64).error();
    assert_eq!(error["code"], "usage");
}

#[test]
fn a_task_cannot_take_a_built_ins_name() {
    let project = TestProject::new().file(
        "infra.toml",
        "[tasks.tasks]\nhost = true\nrun = ['false']\n[tasks.help]\nhost = true\nrun = ['false']\n",
    );
    let told = project.xtask(["tasks"]).end();
    told.ok()
        .says("the task `tasks` in infra.toml is not available")
        .says("the task `help` in infra.toml is not available");
    project.xtask(["help"]).end().ok().shows("Lifecycle");
}

/// What the shell would offer for a line, by running the script in a real bash as readline would.
fn offered(project: &TestProject, line: &str) -> Vec<String> {
    let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
    let function = if line.starts_with("cargo") { "_xtask_cargo" } else { "_xtask" };
    let script = format!(
        "source completions.bash; COMP_WORDS=({}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); {function} x y z; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" ")
    );
    let output = bash(project, &script);
    output.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn bash(project: &TestProject, script: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the shell that is completed in, not a child of the library's")]
    let mut command = std::process::Command::new("bash");
    command.args(["--norc", "--noprofile", "-c", script]).current_dir(project.dir()).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "completion is silent: {script}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_commands_options_environments_tasks_and_services() {
    let Some(_bash) = tool("bash") else { return };
    let project = project().file(".env", "API_TOKEN=x\n");
    let script = project.xtask(["completions", "bash"]).end().ok().stdout.clone();
    project.write("completions.bash", &script);
    let offers = |line: &str, words: &[&str]| assert_eq!(offered(&project, line), words, "{line}");
    offers("cargo xtask sta", &["start", "stats"]);
    offers("cargo xtask test", &["test-web"]);
    offers("cargo xtask stop ", &["web", "worker"]);
    offers("cargo xtask -q logs -f web wo", &["worker"]);
    offers("cargo +nightly xtask restart we", &["web"]);
    offers("xtask -e s", &["staging"]);
    offers("xtask --env = s", &["staging"]);
    offers("xtask start --ti", &["--timeout"]);
    offers("xtask scale wor", &["worker="]);
    offers("xtask --color a", &["auto", "always"]);
    offers("xtask completions f", &["fish"]);
    offers("xtask help rest", &["restart", "restore"]);
    offers("xtask env ro", &["rotate"]);
    offers("xtask exec web -- l", &[]);
    offers("xtask frobnicate ", &[]);
    assert!(offered(&project, "cargo xta").contains(&"xtask".to_owned()));
}

#[test]
fn completion_is_silent() {
    let project = project();
    project.xtask(["__complete", "stop", ""]).stdout("web\nworker\n").check();
    project.write("infra.toml", "broken [");
    project.xtask(["__complete", "stop", ""]).check();
    project.xtask(["__complete", "tas"]).end().ok().shows("tasks\t");
    TestProject::new().xtask(["__complete", "stop", ""]).check();
    project.xtask(["__complete"]).check();
}

#[test]
fn zsh_and_fish_take_their_scripts() {
    let project = project();
    for (shell, check) in [("zsh", "-n"), ("fish", "--no-execute")] {
        let Some(program) = tool(shell) else { continue };
        let script = project.xtask(["completions", shell]).end().ok().stdout.clone();
        project.write("script", &script);
        #[expect(clippy::disallowed_methods, reason = "the shell that is completed in, not a child of the library's")]
        let output = std::process::Command::new(program).arg(check).arg(project.path("script")).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// I04: what cron would mail.
#[test]
fn i04_quiet_success_prints_nothing() {
    let project = project();
    project.xtask(["-q", "tasks"]).check();
    let error = project.xtask(["-q", "shell", "wbe"]).end();
    assert!(error.stderr.lines().count() <= 20 && error.stdout.is_empty(), "{error}");
}
