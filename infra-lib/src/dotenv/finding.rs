//! Findings about environment files.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::DotenvError;
use crate::failure::Failure as _;
use crate::report::Severity;

/// A finding about an environment file. It never contains a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of the finding.
    pub code: FindingCode,
    /// Whether it is an error.
    pub severity: Severity,
    /// The key it is about, if any.
    pub key: Option<String>,
    /// The file it is about, if any.
    pub path: Option<Utf8PathBuf>,
    /// The line numbers in that file, from 1.
    pub lines: Vec<usize>,
    /// The message, a lowercase fragment.
    pub message: String,
    /// How to fix the problem.
    pub fix: String,
}

/// The kind of a finding; its name in JSON is in kebab case.
///
/// ```
/// use infra_lib::ops::EnvFindingCode;
/// assert_eq!(serde_json::to_string(&EnvFindingCode::UnsetReference)?, "\"unset-reference\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingCode {
    /// The file cannot be read.
    Malformed,
    /// The template or a rule has the key, but no file does.
    Missing,
    /// A file has the key, but the template does not.
    Extra,
    /// A file contains the key more than once.
    Duplicate,
    /// A line names a key without `=`.
    NoValue,
    /// The value refers to a variable that is not set.
    UnsetReference,
    /// The value of a secret is empty.
    Empty,
    /// A secret is short, or easily guessed.
    Weak,
    /// A value is a placeholder or well-known.
    Placeholder,
    /// A secret is older than its rule allows.
    Overdue,
    /// A secret has a maximum age, but its age is unknown.
    AgeUnknown,
    /// Other programs read the value differently.
    Ambiguous,
    /// The key affects programs outside the project.
    Dangerous,
    /// The file is readable by group or others.
    Readable,
    /// The file has Windows line ends (CRLF).
    Crlf,
    /// The file begins with a byte order mark.
    Bom,
}

impl Finding {
    pub(super) fn new(
        code: FindingCode,
        severity: Severity,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let (message, fix) = (message.into(), fix.into());
        Self { code, severity, key: None, path: None, lines: Vec::new(), message, fix }
    }

    pub(super) fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    pub(super) fn at(mut self, path: impl Into<Utf8PathBuf>, lines: impl IntoIterator<Item = usize>) -> Self {
        self.path = Some(path.into());
        self.lines.extend(lines);
        self
    }
}

impl std::fmt::Display for Finding {
    /// `path:line: KEY message`, as far as they are known.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}")?;
            for (n, line) in self.lines.iter().enumerate() {
                write!(f, "{}{line}", if n == 0 { ':' } else { ',' })?;
            }
            f.write_str(": ")?;
        }
        if let Some(key) = &self.key {
            write!(f, "{key} ")?;
        }
        f.write_str(&self.message)
    }
}

/// A file that cannot be read becomes a finding.
impl From<&DotenvError> for Finding {
    fn from(error: &DotenvError) -> Self {
        let fix = error.hint().unwrap_or_default();
        match error {
            DotenvError::Syntax { path, line, column, cause } => {
                let message = format!("{cause} (column {column})");
                Self::new(FindingCode::Malformed, Severity::Error, message, fix).at(path, [*line])
            }
            DotenvError::Required { path, line, key } => {
                let message = "requires a variable that is not set";
                Self::new(FindingCode::UnsetReference, Severity::Error, message, fix).key(key).at(path, [*line])
            }
            other => Self::new(FindingCode::Malformed, Severity::Error, other.to_string(), fix),
        }
    }
}
