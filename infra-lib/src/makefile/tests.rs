//! The module as a whole: what a Makefile becomes, and that no text stops it.

use super::*;
use crate::manifest::Manifest;

fn converted(text: &str) -> FromMakefile {
    let root = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(root.path()).unwrap();
    let made = of_text(root, &root.join("Makefile"), text);
    same_when_read(&made);
    made
}

/// What is written is read back as what was meant.
fn same_when_read(made: &FromMakefile) {
    let text = made.text(|_| false);
    let manifest = Manifest::parse("infra.toml".into(), &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(manifest.tasks.len(), made.tasks.len(), "{text}");
    for made in &made.tasks {
        assert_eq!(format!("{:?}", manifest.tasks[&made.name]), format!("{:?}", made.task), "{text}");
    }
}

fn task<'a>(made: &'a FromMakefile, name: &str) -> &'a crate::manifest::Task {
    let found = made.tasks.iter().find(|made| made.name == name);
    &found.unwrap_or_else(|| panic!("no task {name}: {made:#?}")).task
}

fn why<'a>(made: &'a FromMakefile, what: &str) -> &'a str {
    let found = made.left.iter().find(|left| left.what.contains(what));
    &found.unwrap_or_else(|| panic!("{what} is not told: {made:#?}")).why
}

fn command<'a>(made: &'a FromMakefile, target: &str) -> &'a str {
    let found = made.commands.iter().find(|now| now.target == target);
    &found.unwrap_or_else(|| panic!("{target} is no command: {made:#?}")).command
}

#[test]
fn a_recipe_in_two_places_is_two_tasks() {
    let made = converted(
        "test: lint ## Run it all\n\tdocker compose exec backend bun test\n\t@echo done\n\tdocker compose run --rm web npm test\nlint:\n\tgo vet\n",
    );
    let (first, last) = (task(&made, "test-1"), task(&made, "test"));
    assert_eq!((first.service.as_deref(), first.run.join(" ")), (Some("backend"), "bun test".to_owned()));
    assert_eq!((last.oneoff.as_deref(), &last.needs), (Some("web"), &vec!["lint".to_owned(), "test-1".to_owned()]));
    assert_eq!(last.describe.as_deref(), Some("Run it all"));
}

#[test]
fn lines_on_this_machine_are_one_script_that_stops_at_the_first_failure() {
    let made = converted("x:\n\tcd sub && ls\n\t-rm y\n\tgo vet ./...\n");
    assert_eq!(task(&made, "x").run, ["sh", "-c", "set -e\n(cd sub && ls)\n(rm y) || true\ngo vet ./..."]);
}

#[test]
fn a_name_alone_is_not_enough() {
    let made = converted(
        "build:\n\tgo build ./...\nclean:\n\trm -rf bin\nall: build\nstart:\n\tdocker compose up -d\nup:\n\tdocker compose up -d\ndeploy: down\n\t./x\ndown:\n\tdocker compose down -v\n",
    );
    assert_eq!(task(&made, "make-build").run, ["go", "build", "./..."]);
    assert_eq!(task(&made, "all").needs, ["make-build"]);
    assert_eq!(command(&made, "start"), "start");
    assert_eq!(command(&made, "up"), "start");
    assert_eq!(command(&made, "down"), "clean --volumes", "it is not a stop");
    assert!(why(&made, "deploy").contains("run by itself"));
}

#[test]
fn what_is_for_another_machine_is_not_done_here() {
    let made = converted(
        "db-backup:\n\tssh prod pg_dump shop > x.sql\ndump:\n\tdocker compose exec -T db pg_dump shop | gzip | aws s3 cp - s3://x\nupgrade:\n\tdocker compose exec backend alembic upgrade head\n",
    );
    assert_eq!(task(&made, "make-db-backup").run[2], "ssh prod pg_dump shop > x.sql");
    assert_eq!(command(&made, "dump"), "db-backup");
    assert!(made.commands[0].notes[0].contains("`aws`"), "{made:#?}");
    assert_eq!(command(&made, "upgrade"), "db-migrate", "its recipe says more than its name");
}

#[test]
fn g03_what_prunes_is_no_task() {
    let made = converted("clean:\n\tdocker system prune -af --volumes\nspace:\n\tx && docker volume prune -f\n");
    assert_eq!(command(&made, "clean"), "clean");
    assert!(why(&made, "space").contains("other projects"));
    assert!(!made.text(|_| false).contains("run ="));
}

#[test]
fn circles_and_what_depends_on_them_are_told() {
    let made = converted("a: b\n\tx\nb: a\n\ty\nc: a\n\tz\nd:\n\tw\n");
    for name in ["`a`", "`b`", "`c`"] {
        assert!(why(&made, name).contains("circle"));
    }
    assert_eq!(made.tasks.len(), 1);
}

#[test]
fn conditions_patterns_and_functions_are_told() {
    let made = converted(
        "ifdef CI\nF = -x\nendif\na:\n\tgo test $(F)\nb:\n\techo x$(shell date) y | cat\n%.o: %.c\n\tcc\nc:\nifdef X\n\tgo\nendif\ninclude $(wildcard *.mk)\ninclude none.mk\ndefine canned\n\tx\nendef\nd:\n\t$(canned)\n$(info hi)\ne::\n\tx\nf g &: h\n\tx\n",
    );
    assert!(why(&made, "`a`").contains("depends on a condition"));
    assert!(why(&made, "`b`").contains("`shell`"));
    assert!(why(&made, "%.o").contains("pattern"));
    assert!(why(&made, "`c`").contains("condition"));
    assert!(why(&made, "none.mk").contains("no such file"));
    assert!(why(&made, "define canned").contains("not converted"));
    assert!(why(&made, "`d`").contains("canned"));
    assert!(why(&made, "info").contains("make"));
    assert!(why(&made, "`e`").contains("::"));
    assert!(why(&made, "`f`").contains("&:"));
    assert!(made.tasks.is_empty(), "{made:#?}");
}

/// Thousands of targets, each of which needs the next: neither the stack nor the time runs out.
#[test]
fn a_huge_makefile_is_no_hardship() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for at in 0..5_000 {
        let _ = write!(text, "t{at}: t{}\n\tgo run ./{at}\n", at + 1);
    }
    text.push_str("t5000:\n\ttrue\n");
    let began = std::time::Instant::now();
    let root = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(root.path()).unwrap();
    let made = of_text(root, &root.join("Makefile"), &text);
    assert_eq!(made.tasks.len(), 5_001);
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

proptest::proptest! {
    #[test]
    fn no_text_stops_it(text in "(?s).{0,200}") {
        converted(&text);
    }

    #[test]
    fn no_makefile_stops_it(parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..60)) {
        converted(&parts.concat());
    }
}

const PARTS: &[&str] = &[
    "\n",
    "\n\t",
    "a",
    "b:",
    ": a",
    "$(",
    ")",
    "${",
    "}",
    "$",
    "$$",
    "=",
    ":=",
    "?=",
    "+=",
    "!=",
    "::",
    "&:",
    "\\\n",
    "#",
    "## doc",
    "%",
    ";",
    "|",
    "ifdef X\n",
    "else\n",
    "endif\n",
    "define d\n",
    "endef\n",
    "include x\n",
    ".PHONY: a",
    ".RECIPEPREFIX = >\n",
    "\n>",
    ".ONESHELL:\n",
    "docker compose exec a b",
    "docker compose up -d",
    "$(MAKE) a",
    "@",
    "-",
    "'",
    "\"",
    "'''",
    "\u{1}",
    "é",
    "\r\n",
    "export ",
    "a b c",
    "start",
    "build",
    "clean",
    "\n\tcd x && y",
    "<",
    "*",
    "docker compose -f",
    "docker compose exec",
    "--scale",
];
