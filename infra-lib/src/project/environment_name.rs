//! Environment names: one canonical form for each, whatever the abbreviation.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Serialize;

use crate::config::{Config, FILE_NAME};
use crate::exit::Exit;
use crate::project::error::{Error, Result};

/// The usual environments with their abbreviations, canonical form first.
const USUAL: [&[&str]; 4] = [
    &["production", "prod", "prd"],
    &["development", "dev", "devel", "develop"],
    &["staging", "stage", "stg"],
    &["testing", "test", "tst"],
];

/// The name of an environment in its canonical form: `prod` is `production`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct EnvironmentName(String);

impl EnvironmentName {
    /// Converts a name to its canonical form.
    pub(crate) fn from_text(text: &str) -> Self {
        let usual = USUAL.iter().find(|names| names.iter().any(|name| name.eq_ignore_ascii_case(text)));
        Self(usual.map_or(text, |names| names[0]).to_owned())
    }

    /// Parses a name that a user typed.
    ///
    /// # Errors
    ///
    /// If the name cannot be part of a file name.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.is_empty() || !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
            let message = format!("`{text}` cannot be an environment's name: letters, digits, `_` and `-` only");
            return Err(Error::new(Exit::Usage, message));
        }
        Ok(Self::from_text(text))
    }

    /// All spellings of the name, canonical form first.
    pub(crate) fn spellings(&self) -> Vec<&str> {
        match USUAL.iter().find(|names| names[0] == self.0) {
            Some(names) => names.to_vec(),
            None => vec![&self.0],
        }
    }

    /// Whether a text is a spelling of this environment.
    pub(crate) fn is(&self, text: &str) -> bool {
        Self::from_text(text) == *self
    }

    /// Whether it is one of the environments that most projects have.
    pub(crate) fn is_usual(&self) -> bool {
        USUAL.iter().any(|names| names[0] == self.0)
    }

    /// Whether it is the production environment.
    pub(crate) fn is_production(&self) -> bool {
        self.0 == USUAL[0][0]
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// The canonical form of a name that was recorded under an abbreviation.
pub(crate) fn canonical(text: &str) -> String {
    EnvironmentName::from_text(text).into_string()
}

/// Reads `infra.toml` and converts its environment names to their canonical form.
///
/// # Errors
///
/// If the file is invalid, or if two tables are for the same environment.
pub(crate) fn load_manifest(root: &Utf8Path) -> Result<Config> {
    let mut manifest = Config::load(root)?;
    let mut environments = BTreeMap::new();
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    for (name, settings) in std::mem::take(&mut manifest.environments) {
        if let Some(other) = written.insert(canonical(&name), name.clone()) {
            let message =
                format!("{FILE_NAME}: `[environments.{other}]` and `[environments.{name}]` are the same environment");
            return Err(Error::new(Exit::Config, message).with_hint("merge them into one of the two"));
        }
        environments.insert(canonical(&name), settings);
    }
    manifest.environments = environments;
    manifest.project.default_environment = manifest.project.default_environment.as_deref().map(canonical);
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p07_each_abbreviation_is_the_environment_that_it_stands_for() {
        let name = |text| EnvironmentName::parse(text).map(EnvironmentName::into_string).ok();
        for (text, canonical) in [
            ("prod", "production"),
            ("Production", "production"),
            ("PROD", "production"),
            ("dev", "development"),
            ("stg", "staging"),
            ("stage", "staging"),
            ("test", "testing"),
            ("ci", "ci"),
            ("product", "product"),
        ] {
            assert_eq!(name(text).as_deref(), Some(canonical), "{text}");
        }
        assert_eq!((name(""), name("../x")), (None, None));
        assert!(EnvironmentName::from_text("prd").is_production() && !EnvironmentName::from_text("ci").is_production());
        assert_eq!(EnvironmentName::from_text("ci").spellings(), ["ci"]);
    }
}
