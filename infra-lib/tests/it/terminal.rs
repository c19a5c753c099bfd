//! Words and suggestions at the terminal.

use crate::support::*;

fn web() -> TestProject {
    TestProject::new().compose(&format!("services: {{web: {{{SLEEPS}}}}}\n"))
}

#[test]
fn p30_other_programs_words_suggest_our_commands() {
    let project = web();
    for (word, meant) in [
        ("up", "start"),
        ("down", "stop"),
        ("psql", "db-shell"),
        ("dump", "db-backup"),
        ("migrate", "db-migrate"),
        ("desc", "describe"),
        ("db-res", "db-reset"),
    ] {
        project.xtask([word]).end().code(64).says(&format!("did you mean `{meant}`?"));
    }
    for (words, tip) in [(&["start", "-d"][..], "-- -d"), (&["logs", "--tail", "-3"], "-- -3")] {
        project.xtask(words.iter().copied()).end().code(64).never_says(tip);
    }
    project.xtask(["help"]).end().ok().shows("--project-dir DIR").shows("-e, --env NAME").shows("--dry-run");
}

#[test]
fn p30_a_missing_program_is_named_without_the_whole_path() {
    let project = web();
    let path = ["/nowhere/in/particular"; 9].join(":");
    let ended = project.xtask(["start"]).env("PATH", path).end();
    ended.code(69).never_says("/nowhere/in/particular");
    // That of cron is the cause.
    project.xtask(["start"]).env("PATH", "/nowhere").end().code(69).says("(/nowhere)");
}

#[test]
fn p30_doctor_names_no_limit_of_zero() {
    let Some(_engine) = engine() else { return };
    web().xtask(["doctor"]).end().never_says("0 B").shows("no service has a limit");
}

#[test]
fn p30_a_ctrl_c_at_a_question_is_an_interruption() {
    let Some(_engine) = engine() else { return };
    let Some(_script) = tool("script") else { return };
    let project = web();
    project.xtask(["start"]).end().ok();
    project.xtask(["clean"]).pty([("Continue?", "\u{3}")]).end().code(130);
    project.xtask(["clean"]).pty([("Continue?", "n")]).end().code(64);
    assert_eq!(project.state("web"), "running");
}

#[test]
fn p30_completion_offers_no_hidden_file_as_a_backup() {
    let project = web().file("backups/.infra-backups.json", "{}").file("backups/shop-x.json", "{}");
    let offered = project.xtask(["__complete", "db-restore", ""]).end().ok().stdout.clone();
    assert!(offered.contains("shop-x") && !offered.contains(".infra"), "{offered}");
}

#[test]
fn p30_a_wrong_type_in_infra_toml_is_explained() {
    let project = web().file("infra.toml", "[backup]\nkeep = 30\n");
    project.xtask(["describe"]).end().code(78).says("infra.toml:2").says("{ last = 3, daily = 30 }");
}

#[test]
fn p28_help_is_one_json_document() {
    let project = web().file("infra.toml", "[tasks.lint]\nhost = true\nrun = ['true']\n");
    for words in [&["--json", "help"][..], &["help", "--json"], &["--json", "--help"], &["start", "--help", "--json"]] {
        let help = project.xtask(words.iter().copied()).end().ok().outcome();
        let names = |list: &str| -> Vec<String> {
            help[list].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
        };
        assert!(names("commands").contains(&"db-backup".to_owned()), "{words:?}");
        assert!(names("global_options").contains(&"--dry-run".to_owned()));
        assert_eq!(names("tasks"), ["lint"]);
        let start = help["commands"].as_array().unwrap().iter().find(|it| it["name"] == "start").unwrap();
        assert!(start["options"].to_string().contains("--scale") && start["arguments"].to_string().contains("SERVICE"));
    }
}

#[test]
fn p25_start_shows_the_addresses_of_what_runs_as_they_are_published() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "services:\n  web: {{{SLEEPS}, ports: ['[::1]:@port:web@:5432']}}\n  other: {{{SLEEPS}, ports: ['127.0.0.1:@port:other@:80']}}\n"
    ));
    let ended = project.xtask(["start", "web"]).end();
    ended.ok().shows(&format!("[::1]:{}", project.port("web"))).never_says(&project.port("other").to_string());
}

#[test]
fn p24_the_old_scripts_pass_on_what_they_are_given() {
    let Some(_engine) = engine() else { return };
    let shims = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/shims");
    let project = TestProject::new()
        .file("docker/compose.yml", &format!("services: {{web: {{{SLEEPS}}}}}\n"))
        .file("infra.toml", "[compose]\nfiles = [\"docker/compose.yml\"]\n[environments.production]\n")
        .file("scripts/x", "");
    for name in ["stop.sh", "restart.sh"] {
        std::fs::copy(shims.join(name), project.path("scripts").join(name)).unwrap();
    }
    let call = |words: &[&str]| {
        let program = project.xtask([""; 0]).program().display().to_string();
        let script = project.path("scripts").join(words[0]);
        let words = [script.to_str().unwrap()].into_iter().chain(words[1..].iter().copied()).map(str::to_owned);
        project.xtask(words.collect::<Vec<_>>()).of("sh").env("XTASK", format!("{program} --dry-run -v")).end()
    };
    let name = |ended: &Ended| format!("{}{}", ended.stdout, ended.stderr);
    let production = "docker-production";
    for words in [&["stop.sh", "production"][..], &["restart.sh", "web", "production"]] {
        let ended = call(words);
        assert!(ended.exit == 0 && name(&ended).contains(production), "{ended}");
    }
    for words in [&["stop.sh"][..], &["restart.sh", "web"]] {
        let ended = call(words);
        assert!(ended.exit == 0 && !name(&ended).contains(production), "{ended}");
    }
}

#[test]
fn p25_what_clean_would_remove_and_what_stays_is_said() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!(
            "services: {{web: {{{SLEEPS}, volumes: ['./data:/d', 'kept:/v']}}}}\nvolumes: {{kept: {{}}}}\n"
        ))
        .file("data/x", "");
    project.xtask(["start"]).end().ok();
    let volume = format!("volume {}_kept", project.name());
    project.xtask(["clean", "--volumes"]).no_tty().end().code(64).says(&volume).says("web-1");
    project.xtask(["clean", "--volumes", "--yes"]).end().ok().shows("left alone: the folder data");
}

#[test]
fn p25_a_fresh_checkout_and_a_bad_project_name_are_explained() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services: {{web: {{{SLEEPS}, env_file: x.env}}}}\n"));
    project.xtask(["logs"]).end().code(78).says("x.env").says("hint: ").never_says("COMPOSE_ANSI");
    let project = web().file(".env", "A=1\nCOMPOSE_PROJECT_NAME=Bad.Name\n");
    project.xtask(["ps"]).end().code(78).says(".env:2").says("Bad.Name").says("`badname`");
}

#[test]
fn p16_advice_is_given_only_where_it_is_right() {
    let Some(git) = tool("git") else { return };
    let text =
        "EMAIL_HOST_PASSWORD=change_me\nANON_KEY=change_me\nDB_PASSWORD=change_me\nCOMPOSE_PROJECT_NAME=@name@\n";
    let project = TestProject::new()
        .file(
            "infra.toml",
            "[compose]\nservices = \"none\"\n[environments.development]\nenv-files = [\"env/dev.env\"]\n",
        )
        .file("env/dev.env", text);
    let check = project.xtask(["env", "check"]).end();
    check.shows("env rotate DB_PASSWORD").shows("where it is issued");
    check.never_says("rotate ANON_KEY").never_says("rotate EMAIL_HOST_PASSWORD").never_says("COMPOSE_PROJECT_NAME");
    for words in [&["init", "-q"][..], &["add", "-f", "env/dev.env"]] {
        project.xtask(words.iter().copied()).of(&git).end().ok();
    }
    project.xtask(["doctor"]).end().never_says("env/dev.env: is not ignored");
}
