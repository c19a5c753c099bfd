//! Values that name another value.

use std::fmt;
use std::str::FromStr;

use crate::units::serialize_as_text;

/// Where a value comes from: never the value itself, since `infra.toml` is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reference {
    /// `env:NAME`: a variable of the project's env files, or of the caller's environment, which wins.
    Env(String),
    /// `file:PATH`: the content of a file, without its last line end.
    File(String),
    /// `cmd:PROGRAM ARG…`: what a program prints, without the last line end. No shell is involved.
    Command(Vec<String>),
    /// The value itself, for names that are no secret, such as a database's.
    Literal(String),
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.split_once(':') {
            Some(("env", name)) => Self::Env(name.to_owned()),
            Some(("file", path)) => Self::File(path.to_owned()),
            Some(("cmd", words)) => Self::Command(
                shlex::split(words)
                    .filter(|words| !words.is_empty())
                    .ok_or("`cmd:` needs a program, with its quotes closed")?,
            ),
            _ => Self::Literal(text.to_owned()),
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
            Self::Command(words) => write!(f, "cmd:{}", words.join(" ")),
            Self::Literal(text) => f.write_str(text),
        }
    }
}

serialize_as_text!(Reference);
