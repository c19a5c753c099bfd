//! The module as a whole: what a Makefile becomes.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::facts::{DatabaseFacts, Facts};
use super::read::from_text;
use super::report::FromMakefile;
use crate::config::Config;

/// Some of the commands.
const COMMANDS: &[&str] = &[
    "setup",
    "start",
    "stop",
    "restart",
    "scale",
    "build",
    "update",
    "ps",
    "logs",
    "stats",
    "shell",
    "exec",
    "health",
    "clean",
    "db-shell",
    "db-backup",
    "db-verify",
    "db-prune",
    "db-restore",
    "db-migrate",
    "db-seed",
    "db-reset",
    "backup",
    "restore",
    "volume-backup",
    "volume-restore",
    "df",
    "schedule",
    "init",
    "doctor",
    "env",
    "policy",
    "describe",
    "history",
    "tasks",
    "help",
    "completions",
];

fn facts(root: &Utf8Path) -> Facts<'_> {
    Facts {
        root,
        commands: COMMANDS,
        default_environment: "development",
        name: Some("shop"),
        files: vec!["compose.yml".to_owned()],
        services: BTreeSet::from(["db".to_owned(), "backend".to_owned()]),
        database: Some(DatabaseFacts { service: "db".to_owned(), user: "app".to_owned(), name: "shop".to_owned() }),
        variable: &|name| (name == "DB_USER").then(|| "app".to_owned()),
        interpolates: &|name| name == "TAG",
    }
}

pub(super) fn converted(text: &str) -> FromMakefile {
    let root = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(root.path()).unwrap();
    std::fs::create_dir(root.join("infra")).unwrap();
    for file in ["compose.yml", "a.yml", "b.yml", "infra/base.yml", "infra/prod.yml"] {
        std::fs::write(root.join(file), "services: {}\n").unwrap();
    }
    let made = from_text(&root.join("Makefile"), text, &facts(root));
    same_when_read(&made);
    made
}

/// What is written is read back as what was meant.
fn same_when_read(made: &FromMakefile) {
    let text = made.text(|_| false);
    let manifest = Config::parse("infra.toml".into(), &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(manifest.tasks.len(), made.tasks.len(), "{text}");
    let settings = Config { tasks: manifest.tasks.clone(), ..made.settings.clone() };
    assert_eq!(format!("{manifest:?}"), format!("{settings:?}"), "{text}");
    for made in &made.tasks {
        assert_eq!(format!("{:?}", manifest.tasks[&made.name]), format!("{:?}", made.task), "{text}");
    }
}

fn task<'a>(made: &'a FromMakefile, name: &str) -> &'a crate::config::Task {
    let found = made.tasks.iter().find(|made| made.name == name);
    &found.unwrap_or_else(|| panic!("no task {name}: {made:#?}")).task
}

fn why<'a>(made: &'a FromMakefile, what: &str) -> &'a str {
    let found = made.left.iter().find(|left| left.what.contains(what));
    &found.unwrap_or_else(|| panic!("{what} is not reported: {made:#?}")).why
}

fn command<'a>(made: &'a FromMakefile, target: &str) -> &'a str {
    let found = made.commands.iter().find(|now| now.target == target);
    &found.unwrap_or_else(|| panic!("{target} is not a command: {made:#?}")).command
}

#[test]
fn p23_a_recipe_of_several_lines_is_one_script() {
    let made = converted(
        "test: lint ## Run it all\n\tdocker compose exec backend bun test\n\t@echo done\n\tdocker compose run --rm web npm test\nlint:\n\tgo vet\n",
    );
    let test = task(&made, "test");
    assert_eq!((test.host, &test.needs), (true, &vec!["lint".to_owned()]));
    assert_eq!(
        test.run[2],
        "docker compose exec backend bun test || exit\necho done || exit\ndocker compose run --rm web npm test"
    );
    assert_eq!(test.describe.as_deref(), Some("Run it all"));
}

#[test]
fn lines_on_this_machine_are_one_script_that_stops_at_the_first_failure() {
    let made = converted("x:\n\tcd sub && ls\n\t-rm y\n\tgo vet ./...\n");
    assert_eq!(task(&made, "x").run, ["sh", "-c", "(cd sub && ls) || exit\nrm y || true\ngo vet ./..."]);
}

#[test]
fn p23_the_recipe_decides_and_not_the_name() {
    let made = converted(
        "build:\n\tgo build ./...\nclean:\n\trm -rf bin\nall: build\nstart:\n\tdocker compose up -d\nup:\n\tdocker compose up -d\ndeploy: down\n\t./x\ndown:\n\tdocker compose down -v\nstop:\n\tdocker compose restart web\nhealth:\n\t./health.sh\nsetup:\n\tcp .env.example .env\nupdate:\n\tgit pull\nrelease:\n\tdocker compose pull\nbackup:\n\t./backup-db.sh\nstats:\n\tdocker stats\n",
    );
    assert_eq!(task(&made, "make-build").run, ["go", "build", "./..."]);
    assert_eq!(task(&made, "all").needs, ["make-build"]);
    assert_eq!(command(&made, "start"), "start");
    assert_eq!(command(&made, "up"), "start");
    assert_eq!(command(&made, "down"), "clean --volumes", "it is not a stop");
    assert_eq!(task(&made, "deploy").needs, ["down"]);
    assert_eq!(task(&made, "down").run, ["docker", "compose", "down", "-v"], "what another target needs");
    assert_eq!(command(&made, "stop"), "restart web");
    assert_eq!(command(&made, "release"), "update");
    for name in ["clean", "health", "setup", "update", "backup", "stats"] {
        assert!(task(&made, &format!("make-{name}")).host, "{name}");
    }
}

#[test]
fn p23_a_built_in_is_exactly_one_call_with_known_options() {
    for (recipe, expected) in [
        ("docker compose up -d web db", "start web db"),
        ("docker compose down", "stop"),
        ("docker compose down --volumes", "clean --volumes"),
        ("docker compose logs -f --tail=100 backend", "logs -f --tail 100 backend"),
        ("docker compose build --no-cache web", "build --no-cache web"),
        ("docker compose pull", "update"),
        ("docker compose ps", "ps"),
        ("@echo one; sleep 1\n\tdocker compose restart\n\t@printf 'two; three\\n'", "restart"),
        ("docker compose exec db psql -U app -d shop", "db-shell"),
        ("docker compose exec db psql -U app shop", "db-shell"),
        ("docker compose exec db psql -U $(DB_USER) shop", "db-shell"),
        ("docker compose exec -T db pg_dump -U app shop > x.sql", "db-backup"),
        (
            "@mkdir -p backups\n\tdocker compose exec -T db pg_dump -U app shop | gzip > backups/$$(date +%F).gz",
            "db-backup",
        ),
    ] {
        assert_eq!(command(&converted(&format!("x:\n\t{recipe}\n")), "x"), expected, "{recipe}");
    }
    for recipe in [
        "docker compose up",
        "docker compose up -d --build",
        "docker compose up -d --force-recreate web",
        "docker compose build --pull",
        "docker compose down --volumes web",
        "docker compose down --rmi local",
        "docker compose pull web",
        "docker compose logs --since 5m",
        "docker compose restart $(SERVICE)",
        "docker compose pull\n\tdocker compose up -d",
        "docker compose down && docker compose up -d",
        "docker compose up -d\n\tnpm install",
        "docker compose exec db psql -U other -d shop",
        "docker compose exec db psql -U app -d other",
        "docker compose exec db psql -U app -d shop -c 'select 1'",
        "docker compose exec -T db psql -U app shop < x.sql",
        "docker compose exec -T db pg_dump -U app shop -t users > x.sql",
        "docker compose exec -T db pg_dump -U app shop | gzip | aws s3 cp - s3://x",
        "docker compose exec -T db pg_dumpall -U app > x.sql",
        "docker volume rm shop_data",
        "./scripts/backup.sh",
        "cp .env.example .env",
        "COMPOSE_PROFILES=a docker compose up -d",
        "ssh prod docker compose up -d",
        "-docker compose down",
    ] {
        let made = converted(&format!("x:\n\t{recipe}\n"));
        assert!(made.commands.is_empty(), "{recipe}: {:?}", made.commands);
        task(&made, "x");
    }
}

#[test]
fn p23_one_call_in_a_service_is_a_task_there() {
    let made = converted(
        "a:\n\tdocker compose exec -T web npm test\nb:\n\tdocker compose run --rm web npm test $(ARGS)\nc:\n\tdocker compose exec -u root web id\nd:\n\tdocker compose exec -e A=b web id\ne:\n\tdocker compose exec -w /x web ls $(DIR) -l\n",
    );
    assert_eq!(task(&made, "a").service.as_deref(), Some("web"));
    assert_eq!(
        (task(&made, "b").oneoff.as_deref(), task(&made, "b").run.join(" ")),
        (Some("web"), "npm test".to_owned())
    );
    assert_eq!(task(&made, "c").run, ["docker", "compose", "exec", "-u", "root", "web", "id"]);
    assert!(task(&made, "d").host);
    assert_eq!(task(&made, "e").run[2], "docker compose exec -w /x web ls ${DIR} -l");
}

#[test]
fn p23_migrations_and_seeds_are_carried_over() {
    let made = converted(
        "upgrade:\n\tdocker compose exec backend alembic upgrade head\nrollback:\n\tdocker compose exec backend alembic downgrade -1\nmigrate-status:\n\tdocker compose exec backend alembic current\nseed:\n\tdocker compose exec backend python seed.py\nreset: upgrade seed\n",
    );
    let migrations = &made.settings.migrations;
    assert_eq!(migrations.service.as_deref(), Some("backend"));
    assert_eq!(
        (migrations.up.join(" "), migrations.down.join(" ")),
        ("alembic upgrade head".to_owned(), "alembic downgrade -1".to_owned())
    );
    assert_eq!(migrations.seeds.command, ["python", "seed.py"]);
    assert_eq!((command(&made, "upgrade"), command(&made, "rollback")), ("db-migrate", "db-migrate down"));
    assert_eq!((command(&made, "migrate-status"), command(&made, "seed")), ("db-migrate status", "db-seed"));
    assert_eq!(task(&made, "reset").needs, ["db-migrate", "db-seed"]);
    let two = converted(
        "migrate:\n\tdocker compose exec backend alembic upgrade head\ndb-migrate:\n\tdocker compose exec api npm run migrate\nmigrate-down:\n\tdocker compose exec api npm run migrate:down\n",
    );
    assert!(two.commands.is_empty() && two.settings.migrations.up.is_empty(), "{two:#?}");
    assert_eq!(task(&two, "make-db-migrate").service.as_deref(), Some("api"));
}

#[test]
fn p23_deploy_release_and_rollback_are_no_commands_by_name() {
    let made =
        converted("deploy:\n\t./deploy.sh\nrelease:\n\tgit push\nrollback:\n\tdocker service rollback shop_api\n");
    assert!(made.commands.is_empty());
    for name in ["deploy", "release", "rollback"] {
        assert!(task(&made, name).host);
    }
    assert!(made.settings.migrations.down.is_empty());
}

#[test]
fn p23_what_precedes_every_call_is_carried_over() {
    let made = converted(
        "DC = docker compose -p store -f infra/base.yml --env-file .env.local --profile web\nup:\n\t$(DC) up -d\nprod:\n\t$(DC) -f infra/prod.yml up -d\ndown:\n\t$(DC) down\ntools:\n\t$(DC) --profile tools up -d\n",
    );
    assert_eq!((command(&made, "up"), command(&made, "down")), ("start", "stop"));
    assert_eq!(command(&made, "prod"), "-e production start");
    assert!(task(&made, "tools").host);
    let Config { project, compose, environments, .. } = &made.settings;
    assert_eq!((project.name.as_deref(), compose.files.len()), (Some("store"), 1));
    assert_eq!(environments["development"].profiles, ["web"]);
    assert_eq!(environments["development"].env_files, [".env.local"]);
    assert_eq!(environments["production"].files, ["infra/base.yml", "infra/prod.yml"]);
    assert_eq!(environments["production"].project_name.as_deref(), Some("store"));
}

#[test]
fn p23_a_profile_of_some_calls_is_an_environment_and_a_missing_file_is_none() {
    let made = converted(
        "up:\n\tdocker compose up -d\nprod:\n\tdocker compose --profile production up -d\ntools:\n\tdocker compose --profile tools up -d\ntest:\n\tdocker compose -f test.yml up -d\n",
    );
    let production = &made.settings.environments["production"];
    assert_eq!(
        (&production.files[..], &production.profiles[..]),
        (&["compose.yml".into()][..], &["production".to_owned()][..])
    );
    assert_eq!((command(&made, "up"), command(&made, "prod")), ("start", "-e production start"));
    assert!(task(&made, "tools").host && task(&made, "test").host);
}

#[test]
fn p23_exported_variables_of_compose_are_carried_over_and_others_kept() {
    let made = converted(
        "export COMPOSE_FILE = a.yml:b.yml\nexport COMPOSE_PROJECT_NAME = store\nup:\n\tdocker compose up -d\nx:\n\tgo test\n",
    );
    assert_eq!(command(&made, "up"), "start");
    assert_eq!(made.settings.compose.files, ["a.yml", "b.yml"]);
    assert_eq!(made.settings.project.name.as_deref(), Some("store"));
    assert!(task(&made, "x").run[2].contains("export COMPOSE_PROJECT_NAME=store\n"));
    let made = converted("export TAG = 7\nup:\n\tdocker compose up -d\n");
    assert_eq!(task(&made, "up").run, ["sh", "-c", "export TAG=7\ndocker compose up -d"]);
}

#[test]
fn p23_a_variable_of_both_branches_has_the_value_that_applies_here() {
    let made = converted(
        "ENV ?= dev\nifeq ($(ENV),prod)\nDC = docker compose -f prod.yml\nelse\nDC = docker compose\nendif\nup:\n\t$(DC) up -d\nifeq ($(shell git rev-parse HEAD),x)\nA = 1\nelse\nA = 2\nendif\nb:\n\tgo $(A)\n",
    );
    assert_eq!(command(&made, "up"), "start");
    assert!(made.commands[0].notes[0].contains("condition"), "{made:#?}");
    assert!(why(&made, "`b`").contains("condition"));
}

#[test]
fn p23_arguments_are_left_to_the_shell() {
    let made =
        converted("include .env\nload:\n\tgunzip -c $(FILE) | docker compose exec -T db psql -U '$(DB_USER)' shop\n");
    let load = task(&made, "load");
    assert!(
        load.run[2].contains("gunzip -c ${FILE} | docker compose exec -T db psql -U ''\"${DB_USER}\"'' shop"),
        "{load:?}"
    );
    assert!(load.run[2].contains("[ ! -f ./.env ] || { set -a; . ./.env; set +a; }"));
    let notes = made.tasks[0].notes.join("\n");
    assert!(notes.contains("db-restore"), "{notes}");
}

#[test]
fn p23_make_in_a_recipe_is_what_it_makes() {
    let made =
        converted("a:\n\t$(MAKE) b\n\tgo vet\n\t$(MAKE) b\nb: c\n\tgo test\nc:\n\tgo build\nd:\n\t$(MAKE) b c\n");
    assert_eq!(task(&made, "a").needs, ["b"]);
    assert_eq!(task(&made, "a").run[2], "go vet || exit\ngo build || exit\ngo test");
    assert_eq!(task(&made, "d").needs, ["b", "c"]);
}

#[test]
fn g03_what_prunes_is_no_task() {
    let made = converted(
        "clean:\n\tdocker system prune -af --volumes\nspace:\n\tx && docker volume prune -f\nall:\n\tgo x\n\t$(MAKE) space\n",
    );
    for name in ["`clean`", "`space`"] {
        assert!(why(&made, name).contains("other projects"));
    }
    assert!(why(&made, "`all`").contains("space") || why(&made, "`all`").contains("other projects"));
    assert!(!made.text(|_| false).contains("run ="));
}

#[test]
fn cycles_and_what_depends_on_them_are_reported() {
    let made = converted("a: b\n\tx\nb: a\n\ty\nc: a\n\tz\nd:\n\tw\n");
    for name in ["`a`", "`b`", "`c`"] {
        assert!(why(&made, name).contains("depends on itself"));
    }
    assert_eq!(made.tasks.len(), 1);
}

#[test]
fn conditions_patterns_and_functions_are_reported() {
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
    let made = from_text(&root.join("Makefile"), &text, &facts(root));
    assert_eq!(made.tasks.len(), 5_001);
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
