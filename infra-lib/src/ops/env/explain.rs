//! `env explain`

use std::fmt;

use serde::Serialize;

use crate::dotenv::{self, Variable};
use crate::exec;
use crate::exit::Exit;
use crate::project::error::{Error, Result};
use crate::project::{Project, env_files};
use crate::report::table;
use crate::suggest::did_you_mean;

/// Where each value comes from.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct EnvExplanation {
    /// Each variable with its origins.
    pub variables: Vec<ExplainedVariable>,
    /// The secrets that Compose mounts as files, with the file that holds each.
    pub secrets: Vec<SecretOrigin>,
}

/// A variable with its origins.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ExplainedVariable {
    /// Its value is in here only as Compose's users may see it.
    #[serde(flatten)]
    pub variable: Variable,
    /// The value, or a mask.
    pub value: String,
    /// What `infra.toml` says that it is for.
    pub describe: Option<String>,
}

/// A secret of the compose files.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct SecretOrigin {
    /// Its name in the compose files.
    pub name: String,
    /// The file or variable that holds it.
    pub from: String,
}

pub(super) fn run(project: &Project, key: Option<&str>) -> Result<EnvExplanation> {
    let mut all = project.variables().variables().to_vec();
    let files = env_files::files(project)?;
    for own in env_files::service_files(project)? {
        all.extend(dotenv::beside(&files, &own, exec::inherited)?);
    }
    let wanted = |name: &str| key.is_none_or(|key| key == name);
    let variables: Vec<_> = all
        .iter()
        .filter(|variable| wanted(&variable.key))
        .map(|variable| ExplainedVariable {
            value: variable.shown().into_owned(),
            describe: project.config().env.get(&variable.key).and_then(|rule| rule.describe.clone()),
            variable: variable.clone(),
        })
        .collect();
    let secrets: Vec<_> = secrets(project).into_iter().filter(|secret| wanted(&secret.name)).collect();
    if let (Some(key), true) = (key, variables.is_empty() && secrets.is_empty()) {
        let error = Error::new(Exit::NotFound, format!("`{key}` is not in any env file of this environment"));
        return Err(match did_you_mean(key, all.iter().map(|variable| variable.key.as_str())) {
            Some(hint) => error.with_hint(hint),
            None => error,
        });
    }
    Ok(EnvExplanation { variables, secrets })
}

/// The compose files' own secrets. Where the files cannot be read there are none to explain.
fn secrets(project: &Project) -> Vec<SecretOrigin> {
    let Some(model) = project.has_services().then(|| project.model().ok()).flatten() else { return Vec::new() };
    let origin = |(name, secret): (&String, &crate::compose::SecretFile)| {
        let from = match (&secret.file, &secret.environment) {
            (Some(file), _) => file.to_string(),
            (None, Some(variable)) => format!("the variable {variable}"),
            (None, None) => "outside the project".to_owned(),
        };
        SecretOrigin { name: name.clone(), from }
    };
    model.secrets.iter().map(origin).collect()
}

impl fmt::Display for EnvExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables = self.variables.iter().map(|explained| {
            let hidden: Vec<_> = explained
                .variable
                .shadowed
                .iter()
                .map(|shadowed| format!("{}{}", shadowed.origin, if shadowed.same { " (same)" } else { "" }))
                .collect();
            let remark = match (&explained.describe, hidden.is_empty()) {
                (Some(describe), true) => describe.clone(),
                (Some(describe), false) => format!("{describe}; overrides {}", hidden.join(", ")),
                (None, true) => String::new(),
                (None, false) => format!("overrides {}", hidden.join(", ")),
            };
            [explained.variable.key.clone(), explained.value.clone(), explained.variable.origin.to_string(), remark]
        });
        let secrets = self.secrets.iter().map(|secret| {
            [secret.name.clone(), crate::secret::MASK.to_owned(), secret.from.clone(), "compose secret".to_owned()]
        });
        f.write_str(&table(["VARIABLE", "VALUE", "FROM", ""], variables.chain(secrets)))
    }
}
