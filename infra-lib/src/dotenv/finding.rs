//! What a look at the environment files has found.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::DotenvError;

/// One thing to know about an environment file. It never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of thing.
    pub code: FindingCode,
    /// Whether it stops.
    pub severity: Severity,
    /// The key, where it is about one.
    pub key: Option<String>,
    /// The file, where it is about one.
    pub path: Option<Utf8PathBuf>,
    /// The lines in that file, from 1.
    pub lines: Vec<usize>,
    /// What is so, as a lowercase fragment.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// Whether a finding stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Warning,
    /// Not to go on with.
    Error,
}

/// The kind of a finding; its name in JSON is in kebab case.
///
/// ```
/// use infra_lib::dotenv::FindingCode;
/// assert_eq!(serde_json::to_string(&FindingCode::UnsetReference)?, "\"unset-reference\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingCode {
    /// The file cannot be read.
    Malformed,
    /// The template or a rule has the key, the files have not.
    Missing,
    /// The files have the key, the template has not.
    Extra,
    /// The key stands in one file more than once.
    Duplicate,
    /// A line names a key without `=`.
    NoValue,
    /// The value refers to a variable that is set nowhere.
    UnsetReference,
    /// A secret is empty.
    Empty,
    /// A secret is short, or easily guessed.
    Weak,
    /// A value is the one that a template or a tutorial has.
    Placeholder,
    /// A secret is older than its rule allows.
    Overdue,
    /// A secret has a rule for its age, and its age is not known.
    AgeUnknown,
    /// Other readers of the file read something else.
    Ambiguous,
    /// The key changes what programs do that have nothing to do with the project.
    Dangerous,
    /// Others than the owner may read the file.
    Readable,
    /// Lines end as on Windows.
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

/// A file that cannot be read is a finding of its own.
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
