//! What a command or a target's name stands for among our commands.

use super::compose::{ComposeCall, compose_call};
use super::recipe::Step;

/// Every word that is a command of ours. A test holds it to the command line.
pub(super) const COMMANDS: &[&str] = &[
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
    "df",
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
    "schedule",
    "init",
    "doctor",
    "env",
    "policy",
    "describe",
    "history",
    "tasks",
    "completions",
    "help",
];

/// Those that can be asked for by name alone, and come to an end by themselves.
const ALONE: &[&str] = &[
    "setup",
    "start",
    "stop",
    "restart",
    "build",
    "update",
    "ps",
    "stats",
    "df",
    "health",
    "clean",
    "db-backup",
    "db-migrate",
    "db-seed",
    "db-reset",
    "backup",
    "doctor",
    "describe",
];

/// Names that many Makefiles use, and the command that each means.
const NAMES: &[(&str, &str)] = &[
    ("up", "start"),
    ("run-all", "start"),
    ("down", "stop"),
    ("reload", "restart"),
    ("bootstrap", "setup"),
    ("rebuild", "build --no-cache"),
    ("pull", "update"),
    ("upgrade", "update"),
    ("status", "ps"),
    ("top", "stats"),
    ("clean-volumes", "clean --volumes"),
    ("clean-all", "clean --all"),
    ("nuke", "clean --all"),
    ("prune", "clean --all"),
    ("ip", "describe --addresses"),
    ("healthcheck", "health"),
    ("health-check", "health"),
    ("psql", "db-shell"),
    ("backup-db", "db-backup"),
    ("dump", "db-backup"),
    ("restore-db", "db-restore"),
    ("migrate", "db-migrate"),
    ("migrate-up", "db-migrate up"),
    ("db-migrate-down", "db-migrate down"),
    ("migrate-down", "db-migrate down"),
    ("db-rollback", "db-migrate down"),
    ("migrate-status", "db-migrate status"),
    ("seed", "db-seed"),
    ("reset-db", "db-reset"),
    ("prod-build", "-e production build"),
    ("prod-start", "-e production start"),
    ("prod-up", "-e production start"),
    ("prod-stop", "-e production stop"),
    ("prod-down", "-e production stop"),
    ("prod-logs", "-e production logs"),
];

/// Whether no task can have this name, since a command has it.
pub(super) fn is_taken(name: &str) -> bool {
    COMMANDS.contains(&name)
}

/// Whether a task may need this command: it asks for nothing, and comes to an end.
pub(super) fn stands_alone(command: &[String]) -> bool {
    matches!(command, [word] if ALONE.contains(&word.as_str()))
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// The command that a target of this name means, if its recipe has to do with what we do.
pub(super) fn by_name(name: &str) -> Option<Vec<String>> {
    if is_taken(name) && !["exec", "env", "init", "completions", "tasks", "schedule"].contains(&name) {
        return Some(words(name));
    }
    if let Some((_, line)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(words(line));
    }
    let (command, service) = name.split_once('-')?;
    (["logs", "shell"].contains(&command) && !service.is_empty()).then(|| vec![command.to_owned(), service.to_owned()])
}

/// The command of ours that does what a step does.
pub(super) fn by_step(step: &Step) -> Option<Vec<String>> {
    if super::risk::is_remote(&step.text) {
        return None;
    }
    match &step.words {
        Some(command) => by_words(command),
        None => by_text(&step.text),
    }
}

fn by_words(command: &[String]) -> Option<Vec<String>> {
    if let Some(call) = compose_call(command) {
        let found = by_compose(&call)?;
        let environment = call.environment.iter().flat_map(|name| ["-e".to_owned(), name.clone()]);
        return Some(environment.chain(found).collect());
    }
    let all: Vec<&str> = command.iter().map(String::as_str).collect();
    let script = all[0].rsplit('/').next().unwrap_or_default();
    let line = match &all[..] {
        ["docker", "stats", ..] => "stats",
        ["docker", "system", "df", ..] => "df",
        ["docker", "ps", ..] => "ps",
        ["cp", from, ..] if from.contains(".env") => "setup",
        ["bash" | "sh", path, ..] => return by_script(path.rsplit('/').next().unwrap_or_default()),
        _ if super::risk::reaches_beyond(&step_text(command)) => "clean --all",
        _ if script.rsplit_once('.').is_some_and(|(_, kind)| kind == "sh") => return by_script(script),
        _ => return by_text(&command.join(" ")),
    };
    Some(words(line))
}

fn step_text(command: &[String]) -> String {
    command.join(" ")
}

/// Scripts whose name says what they are for.
fn by_script(name: &str) -> Option<Vec<String>> {
    let parts = [
        ("backup", "db-backup"),
        ("restore", "db-restore"),
        ("health", "health"),
        ("setup", "setup"),
        ("migrate", "db-migrate"),
        ("seed", "db-seed"),
    ];
    parts.iter().find(|(part, _)| name.contains(part)).map(|(_, line)| words(line))
}

fn by_compose(call: &ComposeCall) -> Option<Vec<String>> {
    let services = |command: &str, with_value: &[&str]| {
        Some([command].iter().chain(&call.names(with_value)).map(|word| (*word).to_owned()).collect())
    };
    let one = |line: &str| Some(words(line));
    match call.command.as_str() {
        "up" if call.has(&["--scale"]) => {
            let mut args = call.args.iter();
            let mut found = words("start");
            while let Some(arg) = args.next() {
                if arg == "--scale" {
                    found.extend(["--scale".to_owned(), args.next()?.clone()]);
                }
            }
            Some(found)
        }
        "up" => services("start", &["--wait-timeout", "-t", "--timeout"]),
        "start" => services("start", &[]),
        "stop" | "kill" => services("stop", &["-t", "--timeout", "-s", "--signal"]),
        "down" if call.has(&["-v", "--volumes"]) && call.has(&["--rmi"]) => one("clean --all"),
        "down" if call.has(&["-v", "--volumes"]) => one("clean --volumes"),
        "down" if call.has(&["--rmi"]) => one("clean --images"),
        "down" => one("stop"),
        "rm" => one("clean"),
        "restart" => services("restart", &["-t", "--timeout"]),
        "build" if call.has(&["--no-cache"]) => {
            services("build", &["--target", "--build-arg"]).map(|mut found: Vec<String>| {
                found.insert(1, "--no-cache".to_owned());
                found
            })
        }
        "build" => services("build", &["--target", "--build-arg"]),
        "pull" => services("update", &[]),
        "ps" => one("ps"),
        "top" | "stats" => one("stats"),
        "logs" => services("logs", &["-n", "--tail", "--since", "--until"]),
        "exec" => {
            let (service, command) = call.inside()?;
            let text = command.join(" ");
            match command {
                [shell] if ["sh", "bash", "ash", "/bin/sh", "/bin/bash"].contains(&shell.as_str()) => {
                    Some(vec!["shell".to_owned(), service.to_owned()])
                }
                [psql, rest @ ..]
                    if psql == "psql"
                        && !rest.iter().any(|word| ["-c", "-f", "--command", "--file"].contains(&word.as_str())) =>
                {
                    one("db-shell")
                }
                _ => by_text(&text),
            }
        }
        "run" => by_text(&call.inside()?.1.join(" ")),
        _ => None,
    }
}

/// What a piece of shell has in it that tells what it is for.
fn by_text(text: &str) -> Option<Vec<String>> {
    let has = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    let line = match () {
        () if super::risk::reaches_beyond(text) => "clean --all",
        () if has(&["pg_dump"]) => "db-backup",
        () if has(&["pg_restore"]) || has(&["psql"]) && has(&[" < ", "gunzip", "zcat"]) => "db-restore",
        () if has(&["run seed", "db seed", "db:seed", "seed.ts", "seed.js"]) => "db-seed",
        () if has(&["NetworkSettings", "IPAddress"]) => "describe --addresses",
        () if has(&["pg_isready"]) => "health",
        () if has(&["cp .env", "openssl rand"]) => "setup",
        () => super::migrating::command(text)?,
    };
    Some(words(line))
}

/// Whether a recipe has to do with the stack at all: a `build` that compiles a program is no `build` of ours.
pub(super) fn is_ours(text: &str) -> bool {
    const SIGNS: [&str; 17] = [
        "docker",
        "compose",
        "psql",
        "pg_",
        "postgres",
        "backup",
        "restore",
        "migrat",
        "seed",
        ".env",
        "health",
        "curl ",
        "MAKEFILE_LIST",
        "$(DC)",
        "$(COMPOSE)",
        "setup.sh",
        "podman",
    ];
    SIGNS.iter().any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::makefile::recipe::plain;

    fn found(text: &str) -> Option<String> {
        let step = Step {
            number: 1,
            text: text.to_owned(),
            words: plain(text),
            may_fail: false,
            is_talk: false,
            makes: Vec::new(),
        };
        by_step(&step).map(|words| words.join(" "))
    }

    #[cfg(feature = "cli")]
    #[test]
    fn the_words_are_those_of_the_command_line() {
        let known: std::collections::BTreeSet<String> = crate::cli::command_names().into_iter().collect();
        assert_eq!(COMMANDS.iter().map(|word| (*word).to_owned()).collect::<std::collections::BTreeSet<_>>(), known);
    }

    #[test]
    fn recipes_are_known_by_what_they_do() {
        for (text, command) in [
            ("docker compose up -d", "start"),
            ("docker-compose up -d --build backend", "start backend"),
            (
                "docker compose -f docker-compose.prod.yml up -d --scale backend=3",
                "-e production start --scale backend=3",
            ),
            ("docker compose down", "stop"),
            ("docker compose down -v", "clean --volumes"),
            ("docker compose build --no-cache", "build --no-cache"),
            ("docker compose logs -f --tail=100 backend", "logs backend"),
            ("docker compose exec backend sh", "shell backend"),
            ("docker compose exec db psql -U a -d b", "db-shell"),
            ("docker compose exec -T db pg_dump -U a b > x.sql", "db-backup"),
            ("cat x.sql | docker compose exec -T db psql < y", "db-restore"),
            ("docker compose exec backend npm run migrate", "db-migrate"),
            ("docker compose exec backend npm run migrate:status", "db-migrate status"),
            ("docker compose exec backend npm run migrate:rollback", "db-migrate down"),
            ("./scripts/health-check.sh", "health"),
            ("docker stats --no-stream", "stats"),
        ] {
            assert_eq!(found(text).as_deref(), Some(command), "{text}");
        }
        for text in [
            "go build ./...",
            "docker compose exec backend npm run migrate:fresh",
            "ssh prod docker compose up -d",
            "docker compose exec backend bun test",
            "docker compose config",
            "curl -f http://x",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
