//! Rules and their violations.

use serde::Serialize;

use crate::report::Severity;

/// A rule: its code, its severity per environment, its reason, and the usual fix.
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
    /// Its severity outside production; `None`: it is not checked there.
    pub development: Option<Severity>,
    /// Its severity in production.
    pub production: Option<Severity>,
    /// The reason for the rule.
    pub why: &'static str,
    /// How to fix it, usually.
    pub fix: &'static str,
}

/// A violation of a rule. It never contains a secret's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicyFinding {
    /// The code of the rule, such as `database-port-published`.
    pub code: &'static str,
    /// Its severity in this environment.
    pub severity: Severity,
    /// The service, if it is about one.
    pub service: Option<String>,
    /// The file, relative to the project.
    pub file: String,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The problem, as a lowercase fragment.
    pub message: String,
    /// Why that is a problem.
    pub why: &'static str,
    /// What to do about it.
    pub fix: &'static str,
    /// Why it is accepted, according to `[policy.allow]`.
    pub allowed: Option<String>,
}

impl PolicyFinding {
    /// `compose.yml:12`.
    pub(crate) fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}
