//! Why a `.env` cannot be read. Errors contain the location, never the value.

use crate::exit::Exit;
use crate::failure::Failure;
use camino::Utf8PathBuf;

/// Why an environment file could not be read or resolved.
///
/// No variant holds a value of the file, so neither the message nor `Debug` can leak one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DotenvError {
    /// The file does not exist.
    #[error("{path} does not exist")]
    NotFound {
        /// The path of the file.
        path: Utf8PathBuf,
    },
    /// The path is a folder, pipe or device.
    #[error("{path} is not a regular file")]
    NotAFile {
        /// The path of the file.
        path: Utf8PathBuf,
    },
    /// The file exceeds the maximum size.
    #[error("{path} is larger than {limit} bytes")]
    TooLarge {
        /// The path of the file.
        path: Utf8PathBuf,
        /// The maximum size in bytes.
        limit: u64,
    },
    /// The file could not be opened or read.
    #[error("cannot read {path}")]
    Read {
        /// The path of the file.
        path: Utf8PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The syntax is invalid or ambiguous.
    #[error("{path}:{line}:{column}: {cause}")]
    Syntax {
        /// The path of the file.
        path: Utf8PathBuf,
        /// The line number, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong at this position.
        cause: SyntaxCause,
    },
    /// The value requires a variable with `${NAME:?}` that is not set.
    #[error("{path}:{line}: {key} requires a variable that is not set")]
    Required {
        /// The path of the file.
        path: Utf8PathBuf,
        /// The line number of the key, from 1.
        line: usize,
        /// The key with this value.
        key: String,
    },
}

/// A syntax error in an environment file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SyntaxCause {
    /// A NUL byte, literal or escaped.
    #[error("a NUL byte cannot be part of an environment")]
    Nul,
    /// Bytes that are not valid UTF-8.
    #[error("the file is not UTF-8 here")]
    NotUtf8,
    /// A quote that is never closed.
    #[error("the quote that opens here is never closed")]
    UnterminatedQuote,
    /// Something other than a comment after the closing quote.
    #[error("text follows the closing quote")]
    TextAfterQuote,
    /// A space within the name.
    #[error("a key cannot contain a space")]
    SpaceInKey,
    /// A character that is invalid in a name.
    #[error("a key cannot contain this character")]
    BadKeyCharacter,
    /// No name before the separator.
    #[error("a key is missing here")]
    EmptyKey,
    /// A line without `=`.
    #[error("a `=` is missing in this line")]
    NoSeparator,
    /// An invalid `${…}`: the name or the closing brace is missing.
    #[error("the value has a `${{` that is not a valid reference")]
    InvalidReference,
    /// References that are nested too deeply.
    #[error("the value nests its references too deeply")]
    NestedTooDeep,
}

impl Failure for DotenvError {
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NotFound { .. } => "run `cargo xtask setup` to create it, or name another with --env".to_owned(),
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
    /// How to fix the problem.
    pub(crate) fn hint(self) -> &'static str {
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
