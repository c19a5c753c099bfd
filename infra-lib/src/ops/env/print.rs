//! `env print`

use std::fmt;

use serde::Serialize;

use crate::project::Project;

/// The variables as Compose sees them.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct EnvPrinted {
    /// Each with its value; a secret is masked.
    pub variables: Vec<PrintedVariable>,
}

/// A variable with the value that Compose sees.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct PrintedVariable {
    /// The variable's name, such as `POSTGRES_USER`.
    pub key: String,
    /// Its value, or a mask.
    pub value: String,
    /// Whether it is masked.
    pub secret: bool,
}

pub(super) fn run(project: &Project) -> EnvPrinted {
    let variables = project.variables().variables().iter().map(|variable| PrintedVariable {
        key: variable.key.clone(),
        value: variable.shown().into_owned(),
        secret: variable.is_secret(),
    });
    EnvPrinted { variables: variables.collect() }
}

impl fmt::Display for EnvPrinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> =
            self.variables.iter().map(|variable| format!("{}={}", variable.key, variable.value)).collect();
        f.write_str(&lines.join("\n"))
    }
}
