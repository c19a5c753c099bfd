//! What can be wrong with `infra.toml`.

use crate::exit::Exit;
use crate::failure::Failure;
use camino::Utf8PathBuf;

/// Why `infra.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It says something that has no meaning here.
    #[error("{path}:{line}:{column}: {message}")]
    Invalid {
        /// The file.
        path: Utf8PathBuf,
        /// Its line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
        /// The nearest thing that would be right.
        suggestion: Option<String>,
    },
}

impl Failure for ConfigError {
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid { suggestion: Some(suggestion), .. } => Some(format!("did you mean `{suggestion}`?")),
            _ => None,
        }
    }
}
