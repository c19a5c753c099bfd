//! The environment variables that a child inherits.

use std::ffi::{OsStr, OsString};

/// The caller's variables that a child inherits, before its invocation adds others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inherit {
    /// All except those that could redirect the child. For Compose, whose files may use any variable.
    Caller,
    /// Only those a program needs to start. For PostgreSQL's tools, which read dozens of variables.
    Minimal,
}

/// Prefixes of variables that change a child's behaviour without appearing in the project's files.
const HOSTILE_PREFIXES: [&str; 4] = ["PG", "COMPOSE_", "LD_", "DYLD_"];
const HOSTILE: [&str; 5] = ["BASH_ENV", "ENV", "IFS", "CDPATH", "INFRA_JOB"];
const MINIMAL: [&str; 5] = ["PATH", "HOME", "USER", "LOGNAME", "SSL_CERT_FILE"];

impl Inherit {
    pub(super) fn select(self, vars: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
        vars.filter(|(key, _)| match self {
            Self::Caller => !is_hostile(key),
            Self::Minimal => MINIMAL.iter().any(|name| key == name),
        })
        .collect()
    }
}

/// A variable of the caller, if Compose inherits it, so that we resolve variables like Compose does.
pub(crate) fn inherited(key: &str) -> Option<String> {
    if is_hostile(OsStr::new(key)) { None } else { std::env::var(key).ok() }
}

fn is_hostile(key: &OsStr) -> bool {
    let Some(key) = key.to_str() else { return true };
    HOSTILE.contains(&key) || HOSTILE_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(inherit: Inherit) -> Vec<String> {
        let vars = ["PATH", "TAG", "DOCKER_HOST", "PGHOST", "COMPOSE_FILE", "LD_PRELOAD", "BASH_ENV", "IFS", "HOME"];
        let vars = vars.iter().map(|key| (OsString::from(key), OsString::from("x")));
        inherit.select(vars).into_iter().map(|(key, _)| key.into_string().unwrap()).collect()
    }

    #[test]
    fn compose_keeps_what_files_may_use() {
        assert_eq!(keys(Inherit::Caller), ["PATH", "TAG", "DOCKER_HOST", "HOME"]);
    }

    #[test]
    fn postgres_gets_a_minimum() {
        assert_eq!(keys(Inherit::Minimal), ["PATH", "HOME"]);
    }
}
