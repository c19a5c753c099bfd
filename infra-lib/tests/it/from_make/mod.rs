//! Makefiles of a dozen styles, each turned into an infra.toml by the command line.

mod corpus;

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::*;

/// The Makefiles, with the targets that are commands from now on, the tasks, and what is reported as not converted.
const STYLES: &[Style] = &[
    Style {
        name: "social",
        text: include_str!("social.mk"),
        commands: "help=help start=start stop=stop logs=logs_-f logs-backend=logs_-f_backend build=build \
            rebuild=build_--no-cache clean-volumes=clean_--volumes db-migrate=db-migrate db-seed=db-seed \
            prod-start=-e_production_start prod-stop=-e_production_stop ps=ps shell-backend=shell_backend \
            shell-db=shell_db logs-frontend=logs_-f_frontend logs-db=logs_-f_db",
        tasks: "make-setup make-restart make-db-shell make-db-backup make-db-restore make-db-reset prod-build make-stats ip \
            make-health make-update test test-backend test-frontend lint check docs",
        left: &["target `clean`"],
    },
    Style {
        name: "go",
        text: include_str!("go.mk"),
        commands: "up=start migrate=db-migrate",
        tasks: "make-build bin-shopd test vet make-clean up migrate say image",
        left: &["target `release`"],
    },
    Style {
        name: "selfdoc",
        text: include_str!("selfdoc.mk"),
        commands: "help=help down=stop",
        tasks: "count greet up down",
        left: &[],
    },
    Style {
        name: "v1",
        text: include_str!("v1.mk"),
        commands: "dev-bg=start prod=-e_production_start bash=shell_web",
        tasks: "dev dev-bg down destroy psql manage pytest fresh reseed",
        left: &[],
    },
    Style { name: "crlf", text: include_str!("crlf.mk"), commands: "", tasks: "hello long", left: &[] },
    Style {
        name: "include",
        text: include_str!("include.mk"),
        commands: "",
        tasks: "first shared",
        left: &["include .env", "include local.mk", "include ../outside.mk", "include $(wildcard"],
    },
    Style {
        name: "patterns",
        text: include_str!("patterns.mk"),
        commands: "",
        tasks: "format",
        left: &[
            "target `all`",
            "target `app`",
            "target `%.o`",
            "target `$(OBJ)`",
            "target `.c.o`",
            "target `docs/%.html`",
        ],
    },
    Style {
        name: "recursive",
        text: include_str!("recursive.mk"),
        commands: "",
        tasks: "ci lint unit deploy",
        left: &["target `all`", "target `api`", "target `web`", "target `everything`"],
    },
    Style {
        name: "canned",
        text: include_str!("canned.mk"),
        commands: "",
        tasks: "plain",
        left: &["define compile", "define usage", "target `main`", "target `other`", "`$(eval", "`$(foreach"],
    },
    Style { name: "oneshell", text: include_str!("oneshell.mk"), commands: "", tasks: "state", left: &[] },
    Style {
        name: "several",
        text: include_str!("several.mk"),
        commands: "",
        tasks: "red green blue info prod-info unit twice order",
        left: &[
            "target `test`",
            "the recipe of `twice`",
            "target `a`",
            "target `b`",
            "target `loop-a`",
            "target `loop-b`",
            "target `lost`",
        ],
    },
    Style {
        name: "conditions",
        text: include_str!("conditions.mk"),
        commands: "",
        tasks: "replace",
        left: &[
            "include .env",
            "export of all",
            "`STAMP`",
            "target `check-env`",
            "target `publish`",
            "target `upload`",
            "target `login`",
            "target `stamp`",
            "target `only-ci`",
        ],
    },
    Style {
        name: "state",
        text: include_str!("state.mk"),
        commands: "",
        tasks: "wait stage tidy",
        left: &["target `space`", "target `reap`"],
    },
];

struct Style {
    name: &'static str,
    text: &'static str,
    /// `target=command`, with `_` for a space.
    commands: &'static str,
    tasks: &'static str,
    /// How each begins, in any order.
    left: &'static [&'static str],
}

fn project(style: &Style) -> TestProject {
    let project = TestProject::new().file("Makefile", style.text).file("common.mk", include_str!("common.mk"));
    let project = if style.name == "v1" {
        ["docker-compose.yml", "docker-compose.prod.yml"]
            .iter()
            .fold(project, |project, path| project.file(path, "services: {web: {image: '@image@'}}\n"))
    } else {
        project
    };
    let files = [("words", "one two three\n"), ("main.go", ""), ("go.mod", ""), ("sub/x", ""), ("web/x", "")];
    files.into_iter().fold(project, |project, (path, text)| project.file(path, text))
}

fn style(name: &str) -> TestProject {
    let style = STYLES.iter().find(|style| style.name == name).unwrap();
    let project = project(style);
    project.xtask(["init", "--from", "Makefile"]).end().ok();
    project
}

fn names<'a>(list: &'a Value, key: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|item| item[key].as_str().unwrap()).collect()
}

#[test]
fn every_style_is_read_and_nothing_of_it_is_lost() {
    for style in STYLES {
        let project = project(style);
        let ended = project.xtask(["init", "--from", "Makefile", "--json"]).end();
        let outcome = ended.ok().json()["outcome"].clone();
        let made = &outcome["makefile"];
        let said = format!("{}: {made:#}", style.name);
        let commands: Vec<String> = style.commands.split_whitespace().map(|pair| pair.replace('_', " ")).collect();
        let all = made["commands"].as_array().unwrap();
        for pair in &commands {
            let (target, command) = pair.split_once('=').unwrap();
            assert!(all.iter().any(|now| now["target"] == target && now["command"] == command), "{pair}: {said}");
        }
        let mut tasks = names(&made["tasks"], "name");
        tasks.sort_unstable();
        let mut expected: Vec<&str> = style.tasks.split_whitespace().collect();
        expected.sort_unstable();
        assert_eq!(tasks, expected, "{said}");
        let left = names(&made["left"], "what");
        for what in style.left {
            assert!(left.iter().any(|left| left.starts_with(what)), "{what}: {said}");
        }
        // Each target is one of the three.
        let targets: std::collections::BTreeSet<&str> =
            names(&made["tasks"], "target").into_iter().chain(names(&made["commands"], "target")).collect();
        let gone = left.iter().filter(|what| what.starts_with("target `") && !what.contains("$(")).count();
        assert_eq!(made["targets"], targets.len() + gone, "{said}");
        // What was written is what the next command reads.
        let listed = project.xtask(["tasks", "--json"]).end().ok().json();
        let mut listed = names(&listed["outcome"]["tasks"], "name");
        listed.sort_unstable();
        assert_eq!(listed, expected, "{said}");
    }
}

#[test]
fn tasks_do_what_the_recipes_did() {
    let Some(_bash) = tool("bash") else { return };
    let runs = |style_name: &str, task: &str, out: &str| {
        let project = style(style_name);
        let ended = project.xtask([task]).env("GREETED", "you").end();
        assert_eq!((ended.exit, ended.stdout.as_str()), (0, out), "{style_name}: {task}: {ended}");
    };
    runs("crlf", "hello", "hello shop\n");
    runs("crlf", "long", "one-two\n");
    runs("selfdoc", "count", "3\n");
    runs("selfdoc", "greet", "hello you\n");
    runs("include", "first", "from the other file\nfirst\n");
    runs("several", "green", "colour green\n");
    runs("several", "prod-info", "environment: production\n");
    runs("several", "twice", "second\n");
    runs("several", "order", "unit\nordered\n");
    runs("oneshell", "state", "sub\nkept\n");
    runs("state", "wait", "try 1\ntry 2\ntry 3\n");
    runs("recursive", "ci", "all good\n");
    runs("go", "say", "shopd is a service\n");
}

/// A line that changes the folder does so for itself alone, and `-` lets a failure pass.
#[test]
fn each_line_has_a_shell_of_its_own() {
    let project = style("state");
    let staged = project.xtask(["stage"]).end();
    let folder = project.dir().file_name().unwrap().to_str().unwrap();
    assert_eq!((staged.exit, staged.stdout.as_str()), (0, format!("built\n{folder}\n").as_str()), "{staged}");
    let tidied = project.xtask(["tidy"]).end();
    assert_eq!((tidied.exit, tidied.stdout.as_str()), (0, "tidied\n"), "{tidied}");
}

/// The same recipe, by make and by us, where there is a make.
#[test]
fn make_and_the_tasks_say_the_same() {
    let (Some(make), Some(_bash)) = (tool("make"), tool("bash")) else { return };
    for (name, targets) in [
        ("crlf", &["hello"][..]),
        ("selfdoc", &["count", "greet"]),
        ("several", &["red", "blue", "info", "prod-info", "order", "twice"]),
        ("state", &["wait", "stage", "tidy"]),
        ("oneshell", &["state"]),
    ] {
        let project = style(name);
        for target in targets {
            let make = command(make.to_str().unwrap())
                .args(["-s", target])
                .env("GREETED", "you")
                .current_dir(project.dir())
                .output()
                .unwrap();
            let ours = project.xtask([*target]).env("GREETED", "you").end();
            assert_eq!(String::from_utf8(make.stdout).unwrap(), ours.stdout, "{name}: {target}");
            assert_eq!(make.status.code(), Some(ours.exit), "{name}: {target}");
        }
    }
}

#[test]
fn a_task_in_a_service_runs_there() {
    let Some(_engine) = engine() else { return };
    let makefile = "up:\n\tdocker compose up -d\nwhere: up ## Say where it runs\n\t@docker compose exec -T web cat /marker\nonce:\n\tdocker compose run --rm tool fresh\n";
    let project = TestProject::new().file("Makefile", makefile).compose(&format!(
        "services: {{web: {{{SLEEPS}, volumes: ['./marker:/marker:ro']}},
            tool: {{image: @image@, entrypoint: [echo], profiles: [tools]}}}}"
    ));
    project.write("marker", "inside\n");
    project.xtask(["init", "--from", "Makefile"]).end().ok().shows("start");
    project.xtask(["help"]).end().ok().shows("Say where it runs");
    let ended = project.xtask(["where"]).end();
    ended.ok().shows("inside");
    project.xtask(["once"]).end().ok().shows("fresh");
}

#[test]
fn neither_make_nor_a_recipe_is_run() {
    let makefile =
        "X := $(shell touch ran-1)\nY != touch ran-2\n$(eval Z := $(shell touch ran-3))\nall:\n\ttouch ran-4\n";
    let project = TestProject::new().file("Makefile", makefile);
    let fakes = Fakes::new();
    project.xtask(["init", "--from", "Makefile"]).env("PATH", fakes.path_without(&["make", "sh"])).end().ok();
    let files =
        std::fs::read_dir(project.dir()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.filter(|name| name.starts_with("ran-")).count(), 0);
}

#[test]
fn a_dry_run_shows_and_an_existing_file_stays() {
    let project = TestProject::new().file("Makefile", "greet:\n\techo hello\nother:\n\techo other\n");
    let dry = project.xtask(["init", "--from", "Makefile", "--dry-run"]).end();
    dry.ok().shows("would write").shows("[tasks.greet]").shows("run = [\"echo\", \"hello\"]");
    assert!(!project.path("infra.toml").exists() && !project.path(".gitignore").exists());
    let before = "[tasks.greet]\nhost = true\nrun = [\"echo\", \"mine\"]\n";
    project.write("infra.toml", before);
    let again = project.xtask(["init", "--from", "Makefile"]).end();
    let text = again.code(73).stdout.clone();
    assert!(text.contains("[tasks.other]") && !text.contains("[tasks.greet]"), "{text}");
    assert_eq!(project.read("infra.toml"), before);
    project.xtask(["greet"]).end().ok().shows("mine");
}

#[test]
fn b08_what_is_no_makefile_is_refused() {
    let project = TestProject::new().file("folder/x", "").file("binary", "a\0b");
    for (path, code) in [("nowhere", 66), ("folder", 64), ("/dev/zero", 64), ("binary", 65)] {
        project.xtask(["init", "--from", path]).end().code(code);
        assert!(!project.path("infra.toml").exists(), "{path}");
    }
}

/// Secrets that stand in a Makefile do not get into a file that is committed, nor on the screen.
#[test]
fn s02_secrets_stay_where_they_are() {
    let project = project(STYLES.iter().find(|style| style.name == "conditions").unwrap());
    let ended = project.xtask(["init", "--from", "Makefile", "-v"]).end();
    ended.ok();
    let everything = format!("{}{}{}", ended.stdout, ended.stderr, project.read("infra.toml"));
    assert!(!everything.contains("hunter2"), "{everything}");
}

#[test]
fn a_long_makefile_takes_no_longer_than_reading_it() {
    let mut text = String::from(".PHONY: all\nall: t0\n");
    for at in 0..300 {
        let _ = write!(text, "## Number {at}\nt{at}: t{}\n\t@echo {at}\n\tdocker compose exec web true {at}\n", at + 1);
    }
    text += "t300:\n\ttrue\n";
    let project = TestProject::new().file("Makefile", &text);
    // The first call builds the program.
    project.xtask(["help"]).end().ok();
    let ended = project.xtask(["init", "--from", "Makefile"]).end();
    assert!(ended.ok().took.as_secs() < 20, "{ended}");
    let tasks = project.xtask(["tasks", "--json"]).end().ok().json();
    assert_eq!(tasks["outcome"]["tasks"].as_array().unwrap().len(), 302);
}
