//! Exposed secrets: defaults, values in committed files, values that can be guessed, build arguments.

use crate::dotenv::{EnvFile, FindingCode, is_marker, is_placeholder, looks_secret};
use crate::project::env_files::findings;
use crate::project::error::Result;

use crate::compose::sources::Place;

use super::context::{Context, Findings};
use super::finding::Rule;
use crate::dotenv::references::{HOLE, literal, references};
use crate::report::Severity;

const DEFAULT: Rule = Rule {
    code: "secret-default",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "if the variable is not set, everyone who has this file knows the secret",
    fix: "write `${NAME:?is not set}`, and let `cargo xtask setup` generate a value",
};
const COMMITTED: Rule = Rule {
    code: "secret-committed",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "the file is committed, and its history keeps the secret",
    fix: "write `${NAME:?is not set}`, put the value into an env file, and generate a new one",
};
const WEAK: Rule = Rule {
    code: "secret-weak",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "a placeholder, a template's value or a short secret is easy to guess",
    fix: "generate a new one: `cargo xtask env rotate KEY`",
};
const READABLE: Rule = Rule {
    code: "env-file-readable",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "every user and every program of this machine can read the secrets in it",
    fix: "`chmod 600` the file",
};
const DOCKERFILE: Rule = Rule {
    code: "secret-in-dockerfile",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "ENV and ARG stay in the image and in its history, where `docker history` shows them",
    fix: "pass it at run time in the environment, or to one RUN with `--mount=type=secret`",
};

pub(super) const RULES: &[Rule] = &[DEFAULT, COMMITTED, WEAK, READABLE, DOCKERFILE];

pub(super) fn check(context: &Context<'_>, found: &mut Findings) -> Result<()> {
    for (text, place) in context.sources.texts(&|_| true) {
        for reference in references(text).iter().filter(|reference| looks_secret(reference.name)) {
            if reference.default().is_some_and(is_stated) {
                default(found, reference.name, place.clone());
            }
        }
        if has_password(text) {
            found.add(&COMMITTED, None, place.clone(), "this line has a URL with its password");
        }
        if references(text).iter().any(|reference| reference.default().is_some_and(has_password)) {
            found.add(&DEFAULT, None, place, "the default here is a URL with its password");
        }
    }
    for service in context.sources.services() {
        for definition in context.sources.definitions(&service) {
            for keys in [&["environment"][..], &["build", "args"]] {
                for (key, value, line) in context.sources.pairs(definition, keys) {
                    let place = context.sources.line(definition, line);
                    pair(found, &key, &value, place);
                }
            }
        }
    }
    for built in context.services().keys().filter_map(|name| context.built(name)) {
        for assignment in built.file.assignments.iter().filter(|it| looks_secret(&it.key)) {
            // An ARG without a value gets one on the command line of the build, which is then in the history.
            if assignment.is_arg || is_stated(&assignment.value) {
                let keyword = if assignment.is_arg { "ARG" } else { "ENV" };
                let message = format!("{keyword} {} is a secret by its name", assignment.key);
                found.add(&DOCKERFILE, None, context.place(&built.path, assignment.line), message);
            }
        }
    }
    values(context, found)
}

/// A variable of a container, or an argument of a build, as written.
fn pair(found: &mut Findings, key: &str, value: &str, place: Place) {
    if !looks_secret(key) {
        return;
    }
    let shape = literal(value);
    if !shape.contains(HOLE) && is_stated(value) {
        found.add(&COMMITTED, None, place, format!("this line has the value of {key}"));
    } else if let Some(reference) =
        references(value).iter().find(|reference| reference.default().is_some_and(is_stated))
    {
        default(found, reference.name, place);
    }
}

fn default(found: &mut Findings, name: &str, place: Place) {
    found.add(&DEFAULT, None, place, format!("{name} has a default, and is a secret"));
}

/// Whether a text is a literal value: not empty, not only a reference to another variable, and more than a switch.
fn is_stated(value: &str) -> bool {
    let shape = literal(value);
    let shape = shape.trim();
    let own = shape.trim_matches(HOLE);
    !own.is_empty()
        && !matches!(own.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "null" | "~")
        && !own.starts_with("/run/secrets/")
}

/// Whether a text has a URL with a password that is written out. What follows the host, as an `@` in a command that asks
/// an address, is none.
fn has_password(text: &str) -> bool {
    let shape = literal(text);
    shape.match_indices("://").any(|(at, found)| {
        let rest = &shape[at + found.len()..];
        let end = rest.find(|c: char| c.is_whitespace() || "/?#'\"".contains(c)).unwrap_or(rest.len());
        let password = rest[..end].rsplit_once('@').and_then(|(user, _)| Some(user.split_once(':')?.1));
        password.is_some_and(|password| !password.is_empty() && !password.contains(HOLE))
    })
}

/// The values of the env files, as `env check` checks them, including `env_file` of services.
fn values(context: &Context<'_>, found: &mut Findings) -> Result<()> {
    for named in context.sources.env_files() {
        if named.path.is_file() && !context.project.environment().env_files.contains(&named.path) {
            own_file(context, found, &EnvFile::read(&named.path)?);
        }
    }
    if context.project.expect_env_file().is_err() {
        return Ok(());
    }
    for finding in findings(context.project)? {
        let (rule, message) = match (finding.code, &finding.key) {
            (FindingCode::Placeholder | FindingCode::Weak, Some(key)) => (&WEAK, format!("{key} {}", finding.message)),
            (FindingCode::Readable, _) => (&READABLE, finding.message.clone()),
            _ => continue,
        };
        let file = finding.path.as_ref().map_or_else(|| "the shell".to_owned(), ToString::to_string);
        found.add(rule, None, Place { file, line: finding.lines.first().copied() }, message);
    }
    Ok(())
}

fn own_file(context: &Context<'_>, found: &mut Findings, file: &EnvFile) {
    if file.mode().is_some_and(|mode| mode & 0o077 != 0) {
        found.add(&READABLE, None, context.place(file.path(), None), "is readable by group or others");
    }
    for entry in file.entries() {
        let value = entry.template.expose();
        let guessed = looks_secret(&entry.key) && is_placeholder(value) || is_marker(value);
        if guessed && !value.is_empty() && !value.contains('$') {
            let message = format!("{} is a placeholder that everyone knows", entry.key);
            found.add(&WEAK, None, context.place(file.path(), entry.line), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_told_from_a_reference_and_a_switch() {
        for value in ["changeme", "${A}-x", "p$$w"] {
            assert!(is_stated(value), "{value}");
        }
        for value in ["", "${A}", "${A:-}", "${A}${B}", "true", "/run/secrets/db"] {
            assert!(!is_stated(value), "{value}");
        }
        assert!(has_password("postgres://me:hunter2@db/x") && has_password("redis://:hunter2@${HOST}"));
        assert!(!has_password("postgres://${U:-u}:${P:?a:b@c}@db/x") && !has_password("http://localhost:80/a@b"));
    }
}
