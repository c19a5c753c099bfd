//! The result of a single check.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::plain::printable;
use super::table::counted;
use crate::report::command::CommandPrefix;

/// The result of one check: a health probe, or one of `doctor`'s checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// The kind of the check: `port`, `http`, `disk`…
    pub kind: &'static str,
    /// What was checked: a service, an address, a file.
    pub target: String,
    /// The result of the check.
    pub status: Verdict,
    /// The finding, in a few words.
    pub detail: String,
    /// How to fix the problem, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The response time, if meaningful. In JSON, in milliseconds.
    #[serde(rename = "latency_ms", skip_serializing_if = "Option::is_none", serialize_with = "milliseconds")]
    pub latency: Option<Duration>,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Verdict {
    /// No problem was found.
    Ok,
    /// Not checked, because a prerequisite is missing or it does not apply.
    Skip,
    /// It works, but needs attention.
    Warn,
    /// It does not work.
    Fail,
}

impl Check {
    /// A passed check with what was found.
    pub(crate) fn ok(kind: &'static str, target: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(kind, target, Verdict::Ok, detail)
    }

    /// A skipped check with the reason.
    pub(crate) fn skip(kind: &'static str, target: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(kind, target, Verdict::Skip, why)
    }

    /// A check of something that works but needs attention.
    pub(crate) fn warn(kind: &'static str, target: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(kind, target, Verdict::Warn, detail)
    }

    /// A failed check with the reason.
    pub(crate) fn fail(kind: &'static str, target: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(kind, target, Verdict::Fail, detail)
    }

    fn new(kind: &'static str, target: impl Into<String>, status: Verdict, detail: impl Into<String>) -> Self {
        Self { kind, target: target.into(), status, detail: detail.into(), hint: None, latency: None }
    }

    /// Adds a hint on how to fix the problem.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Expands the commands in the hint and the detail to what the caller would type.
    pub(crate) fn expand(&mut self, commands: &CommandPrefix) {
        self.detail = commands.expand(&self.detail).into_owned();
        self.hint = self.hint.take().map(|hint| commands.expand(&hint).into_owned());
    }

    /// Adds the response time.
    #[must_use]
    pub(crate) fn took(mut self, latency: Duration) -> Self {
        self.latency = Some(latency);
        self
    }
}

/// Displays checks as lines with their hints, followed by a summary.
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
            (0, 0) => write!(f, "no problems"),
            (0, warnings) => write!(f, "no failures, {}", counted(warnings, "warning")),
            (failures, warnings) => {
                write!(f, "{}, {}", counted(failures, "failure"), counted(warnings, "warning"))
            }
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
