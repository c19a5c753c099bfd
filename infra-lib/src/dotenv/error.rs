//! Why a `.env` cannot be read: always the place, never the value.

use camino::Utf8PathBuf;

/// Why an environment file could not be read or resolved.
///
/// No variant holds a value of the file, so neither the message nor `Debug` can leak one.
///
/// ```
/// use infra_lib::dotenv::EnvFile;
///
/// let error = EnvFile::parse(".env", b"A=1\nB=\"hunter2\n").unwrap_err();
/// assert_eq!(error.to_string(), ".env:2:3: the quote that opens here is never closed");
/// assert!(!format!("{error:?}").contains("hunter2"));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DotenvError {
    /// There is no such file.
    #[error("{path} does not exist")]
    NotFound {
        /// The file.
        path: Utf8PathBuf,
    },
    /// A folder, pipe or device stands where the file should be.
    #[error("{path} is not a regular file")]
    NotAFile {
        /// The file.
        path: Utf8PathBuf,
    },
    /// The file is larger than any environment file is.
    #[error("{path} is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        path: Utf8PathBuf,
        /// The most that is read.
        limit: u64,
    },
    /// The file could not be opened or read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file does not say one thing to every reader.
    #[error("{path}:{line}:{column}: {cause}")]
    Syntax {
        /// The file.
        path: Utf8PathBuf,
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
        /// What is wrong there.
        cause: SyntaxCause,
    },
    /// The value asks, by `${NAME:?}`, for a variable that is not set.
    #[error("{path}:{line}: {key} requires a variable that is not set")]
    Required {
        /// The file.
        path: Utf8PathBuf,
        /// The line of the key, from 1.
        line: usize,
        /// The key whose value asks.
        key: String,
    },
}

/// What is wrong at one place of an environment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxCause {
    /// A byte 0, written plainly or as an escape.
    #[error("a NUL byte cannot be part of an environment")]
    Nul,
    /// Bytes that are not UTF-8.
    #[error("the file is not UTF-8 here")]
    NotUtf8,
    /// A quote without its end.
    #[error("the quote that opens here is never closed")]
    UnterminatedQuote,
    /// Something other than a comment after the closing quote.
    #[error("text follows the closing quote")]
    TextAfterQuote,
    /// A space within the name.
    #[error("a key cannot contain a space")]
    SpaceInKey,
    /// A character that no name may have.
    #[error("a key cannot contain this character")]
    BadKeyCharacter,
    /// Nothing before the separator.
    #[error("a key is missing here")]
    EmptyKey,
    /// A line without `=`.
    #[error("a `=` is missing in this line")]
    NoSeparator,
    /// `${` without a name and an end that Compose understands.
    #[error("the value has a `${{` that is no valid reference")]
    InvalidReference,
    /// References nested beyond any sense.
    #[error("the value nests its references too deeply")]
    NestedTooDeep,
}

impl DotenvError {
    /// What to do about it.
    ///
    /// ```
    /// use infra_lib::dotenv::EnvFile;
    ///
    /// let error = EnvFile::parse(".env", b"A KEY=1\n").unwrap_err();
    /// assert!(error.hint().unwrap().contains("letters, digits"));
    /// ```
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotFound { .. } => "run `setup` to create it, or name another with --env".to_owned(),
            Self::NotAFile { path } => {
                format!("make {path} a plain file: it is read more than once")
            }
            Self::TooLarge { .. } => "keep large data in a file of its own and its path in the environment".to_owned(),
            Self::Read { .. } => return None,
            Self::Syntax { cause, .. } => cause.hint().to_owned(),
            Self::Required { key, .. } => {
                format!("set the variable that {key} refers to, above it in the file or in the shell")
            }
        };
        Some(hint)
    }
}

impl SyntaxCause {
    /// What to do about it.
    ///
    /// ```
    /// use infra_lib::dotenv::SyntaxCause;
    /// assert!(SyntaxCause::InvalidReference.hint().contains("$$"));
    /// ```
    pub fn hint(self) -> &'static str {
        match self {
            Self::Nul => "remove it, or encode the value (base64, hex)",
            Self::NotUtf8 => "save the file as UTF-8, or encode the value (base64, hex)",
            Self::UnterminatedQuote => "close it, or write a quote that is part of the value as \\\" or \\'",
            Self::TextAfterQuote => {
                "put each key on a line of its own, and write a quote within the value as \\\" or \\'"
            }
            Self::SpaceInKey | Self::BadKeyCharacter => {
                "a key has letters, digits and `_`; quote a value of several lines, start a comment with `#`"
            }
            Self::EmptyKey => "write KEY=value, or delete the line",
            Self::NoSeparator => "write KEY=value, or start the line with `#`",
            Self::InvalidReference => "write `$$` for a dollar sign, or put the value in single quotes",
            Self::NestedTooDeep => "spell the default out in fewer steps",
        }
    }
}
