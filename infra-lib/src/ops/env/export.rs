//! `env export`

use std::fmt;

use serde::Serialize;

use crate::exec::at_stdout;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};

/// The variables with their values, for other programs.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct EnvExported {
    /// Each with its value, secrets included.
    pub variables: Vec<ExportedVariable>,
}

/// A variable with its real value.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ExportedVariable {
    /// The variable's name, such as `POSTGRES_USER`.
    pub key: String,
    /// The value as it is, also of a secret.
    pub value: String,
}

const DATABASE_URL: &str = "DATABASE_URL";

/// The document of `--json`.
#[derive(Serialize)]
struct Document<'a> {
    schema: u8,
    operation: &'static str,
    outcome: &'a EnvExported,
}

/// Prints the values itself: text for people is masked and escaped on its way, and these must stay as they are.
pub(super) fn run(project: &Project) -> Result<EnvExported> {
    if at_stdout() && !project.is_consent_given() {
        let message = "`env export` prints secrets, and its output is a terminal";
        return Err(Error::new(Exit::Usage, message)
            .with_hint("use `eval \"$(cargo xtask env export)\"`, or add --yes to see the values"));
    }
    let mut variables: Vec<ExportedVariable> = Vec::new();
    for variable in project.variables().variables() {
        if is_name(&variable.key) {
            variables.push(ExportedVariable { key: variable.key.clone(), value: variable.value.expose().to_owned() });
        } else {
            project.warn(format_args!("{} is left out: a shell does not take this name", variable.key));
        }
    }
    let own = variables.iter().position(|variable| variable.key == DATABASE_URL && !variable.value.is_empty());
    if own.is_none_or(|at| is_in_stack(project, &variables[at].value))
        && let Some(value) = database_url(project)
    {
        variables.retain(|variable| variable.key != DATABASE_URL);
        variables.push(ExportedVariable { key: DATABASE_URL.to_owned(), value });
    }
    let exported = EnvExported { variables };
    project.data(&Lines(&exported));
    Ok(exported)
}

/// The URL for programs on this machine.
fn database_url(project: &Project) -> Option<String> {
    match project.database().and_then(|database| database.login_here(project)) {
        Ok(login) => Some(login.url().expose().to_owned()),
        Err(error) => {
            project.note(format_args!("{DATABASE_URL} is left out: {error}"));
            None
        }
    }
}

/// Whether a URL names a service, which only other services can reach.
fn is_in_stack(project: &Project, url: &str) -> bool {
    let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let Some(host) = host.filter(|_| project.has_services()) else { return false };
    project.model().is_ok_and(|model| model.services.contains_key(&host))
}

fn is_name(key: &str) -> bool {
    !key.starts_with(|c: char| c.is_ascii_digit()) && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What is printed: lines for a shell, or the document.
struct Lines<'a>(&'a EnvExported);

impl Serialize for Lines<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        Document { schema: 1, operation: "env", outcome: self.0 }.serialize(serializer)
    }
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |value: &str| format!("'{}'", value.replace('\'', "'\\''"));
        let line = |variable: &ExportedVariable| format!("export {}={}", variable.key, quoted(&variable.value));
        f.write_str(&self.0.variables.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

impl fmt::Display for EnvExported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lines(self).fmt(f)
    }
}
