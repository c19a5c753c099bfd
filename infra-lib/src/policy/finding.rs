//! Rules, and where they are broken.

use serde::Serialize;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Could be better.
    Info,
    /// Should be better.
    Warning,
    /// Must not be so: the check says no.
    Error,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A rule: what its finding is called, how much it weighs where, why there is such a rule, and the usual way out.
///
/// ```
/// use infra_lib::policy::{Severity, rules};
///
/// let rule = rules().find(|rule| rule.code == "database-port-published").unwrap();
/// assert_eq!((rule.development, rule.production), (Some(Severity::Warning), Some(Severity::Error)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The finding's name: what `[policy.allow]` and SARIF call it. It does not change.
    pub code: &'static str,
    /// Its weight in environments that are not production; none: it is not looked for.
    pub development: Option<Severity>,
    /// Its weight in production.
    pub production: Option<Severity>,
    /// Why there is such a rule.
    pub why: &'static str,
    /// What to do, usually.
    pub fix: &'static str,
}

/// A place in a file of the project.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Relative to the project; absolute where it is outside.
    pub(crate) file: String,
    /// From 1; none where it is about the file as a whole.
    pub(crate) line: Option<usize>,
}

/// A rule that is broken somewhere. It never holds a secret's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicyFinding {
    /// The rule.
    pub code: &'static str,
    /// How much it weighs in this environment.
    pub severity: Severity,
    /// The service, where it is about one.
    pub service: Option<String>,
    /// The file, relative to the project.
    pub file: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// What is so, as a lowercase fragment.
    pub message: String,
    /// Why that is not good.
    pub why: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// Why it is accepted, as `[policy.allow]` has it.
    pub allowed: Option<String>,
}

impl PolicyFinding {
    /// `compose.yml:12`.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}
