//! `psql` and `pg_dump` in the database's own container.

use super::arguments;
use super::compose::{ComposeCall, compose_call};
use super::contexts::{Contexts, Place};
use super::facts::Facts;
use super::output::parts;
use super::recipe::plain;

/// Whether these words are psql for people, on the project's database as the user that we take.
pub(super) fn is_shell(service: &str, words: &[String], facts: &Facts<'_>) -> bool {
    words.first().is_some_and(|program| program == "psql") && is_ours(service, &words[1..], &[], facts)
}

/// The file that a dump of the project's database is written to: `exec db pg_dump … [| gzip] > FILE`.
pub(super) fn dump_file(text: &str, contexts: &Contexts, facts: &Facts<'_>) -> Option<String> {
    let [left, file] = parts(text, |char| char == '>')?[..] else { return None };
    let file = file.trim();
    let dump = match parts(left, |char| char == '|')?[..] {
        [dump] => dump,
        [dump, pack] if matches!(plain(pack)?[..].first()?.as_str(), "gzip" | "pigz") => dump,
        _ => return None,
    };
    let call = compose_call(&plain(dump.trim())?)?;
    let (service, words) = call.inside().filter(|_| call.command == "exec")?;
    let (program, args) = words.split_first()?;
    let is_whole = ["-Fc", "-Fp", "--format=custom", "--clean", "--if-exists", "-c", "--no-owner", "-O", "-x", "-v"];
    let is_dump = program == "pg_dump"
        && contexts.place(&call.options) == Place::Base
        && is_ours(service, args, &is_whole, facts)
        && !file.is_empty()
        && parts(file, |char| char.is_whitespace() || ";&|<".contains(char))?.len() == 1;
    is_dump.then(|| file.to_owned())
}

/// Whether the arguments name our database and our user, and nothing beyond that.
fn is_ours(service: &str, args: &[String], flags: &[&str], facts: &Facts<'_>) -> bool {
    let Some(database) = facts.database.as_ref().filter(|database| database.service == service) else { return false };
    let (mut user, mut name, mut names) = (None, None, Vec::new());
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        let (option, value) = match arg.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value)),
            _ if arg.starts_with("-U") && arg.len() > 2 => ("-U", Some(&arg[2..])),
            _ if arg.starts_with("-d") && arg.len() > 2 => ("-d", Some(&arg[2..])),
            _ => (arg, None),
        };
        let mut value = || value.or_else(|| args.next());
        match option {
            "-U" | "--username" => user = value(),
            "-d" | "--dbname" => name = value(),
            "-h" | "--host" if value().is_some_and(|host| ["localhost", "127.0.0.1"].contains(&host)) => {}
            "-p" | "--port" if value() == Some("5432") => {}
            _ if flags.contains(&arg) => {}
            _ if arg.starts_with('-') => return false,
            _ => names.push(arg),
        }
    }
    let name = match (name, &names[..]) {
        (Some(name), []) => Some(name),
        (None, [name]) => Some(*name),
        (None, []) => user,
        _ => return false,
    };
    let is = |given: Option<&str>, ours: &str| {
        given.is_some_and(|given| match arguments::whole(given) {
            Some(variable) => (facts.variable)(variable).is_some_and(|value| value == ours),
            None => given == ours,
        })
    };
    is(user, &database.user) && is(name, &database.name)
}

/// `exec SERVICE sh`, for people.
pub(super) fn is_plain_shell(call: &ComposeCall) -> Option<&str> {
    let (service, words) = call.inside().filter(|_| call.command == "exec")?;
    let [shell] = words else { return None };
    ["sh", "bash", "ash", "/bin/sh", "/bin/bash"].contains(&shell.as_str()).then_some(service)
}
