//! Checking values: empty, well-known, weak or too old.

use super::check::{Expectations, place};
use super::finding::{Finding, FindingCode as Code};
use super::redact::url_password;
use super::strength::weakness;
use super::{Variable, is_marker, is_own_secret, is_placeholder, looks_secret};
use crate::report::Severity;

impl Expectations<'_> {
    /// The findings about the effective value of a variable.
    pub(super) fn variable(&self, variable: &Variable) -> Vec<Finding> {
        let (key, value) = (variable.key.as_str(), variable.value.expose());
        let rule = self.rules.get(key);
        let secret = looks_secret(key) || rule.is_some_and(|rule| rule.generate.is_some());
        let least = rule.and_then(|rule| rule.min_length);
        let mut findings = Vec::new();
        let mut note = |code, severity, message: &str, fix: &str| {
            findings.push(place(Finding::new(code, severity, message, fix).key(key), &variable.origin));
        };
        let is_ours = is_own_secret(key) || rule.is_some_and(|rule| rule.generate.is_some());
        let rotate = if is_ours {
            format!("generate a new one: `cargo xtask env rotate {key}`")
        } else {
            // A random text would only lock us out.
            "get a new one where it is issued, and write it here".to_owned()
        };
        let fresh = if secret { rotate.as_str() } else { "give it its own value" };
        if value.is_empty() {
            if rule.is_some_and(|rule| rule.generate.is_some()) {
                note(Code::Empty, Severity::Error, "is empty", "give it a value: `cargo xtask env fill`");
            } else if least.is_some() {
                // A value issued by another party may be missing in an unprotected environment.
                note(Code::Empty, self.grave(), "is empty", "fill in what its issuer gave out");
            } else if secret {
                note(Code::Empty, Severity::Warning, "is empty", "give it a value, or delete the line");
            }
            return findings;
        }
        let password = url_password(value).is_some_and(|range| is_placeholder(&value[range]));
        if is_marker(value) || password || secret && (is_placeholder(value) || self.is_public(key, value)) {
            note(Code::Placeholder, self.grave(), "is a placeholder that everyone knows", fresh);
        } else if let Some(why) = weakness(value, least).filter(|_| secret || least.is_some()) {
            // Breaking a rule is an error in every environment.
            let severity = if least.is_some() { Severity::Error } else { self.grave() };
            note(Code::Weak, severity, &why, fresh);
        }
        if let Some((code, message)) = self.age(key) {
            note(code, Severity::Warning, &message, &rotate);
        }
        findings
    }

    /// Whether a template, which is public, has exactly this value.
    fn is_public(&self, key: &str, value: &str) -> bool {
        let mut published = self.templates.iter().filter_map(|template| template.entry(key));
        published.any(|entry| entry.template.expose() == value)
    }

    fn age(&self, key: &str) -> Option<(Code, String)> {
        let limit = self.rules.get(key)?.rotate_every?;
        // A time in the future comes from a wrong clock.
        let made = self.rotated.get(key).filter(|&&made| made <= self.now);
        let Some(age) = made.and_then(|&made| self.now.duration_since(made).try_into().ok()) else {
            return Some((Code::AgeUnknown, format!("must be renewed every {limit}, but its age is not known")));
        };
        let age: std::time::Duration = age;
        let days = age.as_secs() / 86400;
        (age > limit.duration())
            .then(|| (Code::Overdue, format!("must be renewed every {limit}, but is {days} days old")))
    }
}
