//! What one look at one thing found.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::report::printable;

/// One look at one thing: a health probe's answer, or one of `doctor`'s checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// What was looked at: `port`, `http`, `disk`…
    pub kind: &'static str,
    /// Which one: a service, an address, a file.
    pub target: String,
    /// How it looks.
    pub status: Verdict,
    /// What was found, in a few words.
    pub detail: String,
    /// The way out, where something should be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// How long the answer took, where that says something, in milliseconds.
    #[serde(rename = "latency_ms", skip_serializing_if = "Option::is_none", serialize_with = "milliseconds")]
    pub latency: Option<Duration>,
}

/// How one thing looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Not looked at, because something else is missing or it does not apply.
    Skip,
    /// It works, and somebody should look at it.
    Warn,
    /// It does not work.
    Fail,
}

impl Check {
    /// As it should be.
    pub fn ok(kind: &'static str, target: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(kind, target, Verdict::Ok, detail)
    }

    /// Not looked at, and why.
    pub fn skip(kind: &'static str, target: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(kind, target, Verdict::Skip, why)
    }

    /// It works, and somebody should look at it.
    pub fn warn(kind: &'static str, target: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(kind, target, Verdict::Warn, detail)
    }

    /// It does not work.
    pub fn fail(kind: &'static str, target: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(kind, target, Verdict::Fail, detail)
    }

    fn new(kind: &'static str, target: impl Into<String>, status: Verdict, detail: impl Into<String>) -> Self {
        Self { kind, target: target.into(), status, detail: detail.into(), hint: None, latency: None }
    }

    /// Adds the way out.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds how long the answer took.
    #[must_use]
    pub fn took(mut self, latency: Duration) -> Self {
        self.latency = Some(latency);
        self
    }
}

/// Checks as lines, each with its way out, and what they amount to.
pub(crate) struct Listed<'a>(pub(crate) &'a [Check]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in self.0 {
            let line = format!("{:<4}  {} {}: {}", check.status, check.kind, check.target, check.detail);
            writeln!(f, "{}", printable(&line))?;
            if let Some(hint) = &check.hint {
                writeln!(f, "      -> {}", printable(hint))?;
            }
        }
        let count = |status| self.0.iter().filter(|check| check.status == status).count();
        match (count(Verdict::Fail), count(Verdict::Warn)) {
            (0, 0) => write!(f, "nothing is wrong"),
            (0, warnings) => write!(f, "nothing is broken; {warnings} to look at"),
            (failures, warnings) => write!(f, "{failures} broken, {warnings} to look at"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        })
    }
}

#[expect(clippy::ref_option, clippy::cast_possible_truncation, reason = "serde's signature; no probe takes centuries")]
fn milliseconds<S: serde::Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_some(&(time.as_millis() as u64)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_as_json_has_the_documented_keys() {
        let check = Check::fail("port", "web", "8080 is taken").with_hint("stop it").took(Duration::from_millis(7));
        assert_eq!(
            serde_json::to_string(&check).unwrap(),
            r#"{"kind":"port","target":"web","status":"fail","detail":"8080 is taken","hint":"stop it","latency_ms":7}"#
        );
        assert!(Verdict::Fail > Verdict::Warn && Verdict::Warn > Verdict::Ok);
    }
}
