//! Finding this machine's PostgreSQL programs.

use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};

use crate::exec::{Invocation, Runner};
use crate::exit::Exit;
use crate::postgres::PostgresError;
use crate::project::error::{Error, Result};

use super::owner::Owner;

/// The programs needed to create and run a cluster.
const SERVER: [&str; 4] = ["initdb", "pg_ctl", "postgres", "pg_controldata"];

/// Folders with one subfolder per version: parent, prefix of the version's folder, and path below it.
const USUAL: [(&str, &str, &str); 9] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/opt/homebrew/opt", "libpq", "bin"),
    ("/usr/local/opt", "libpq", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// A folder of PostgreSQL programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Installation {
    /// The folder with the programs.
    pub(crate) bin: Utf8PathBuf,
    /// The major version, such as 16.
    pub(crate) major: u32,
}

impl Installation {
    /// The path of one of its programs.
    pub(crate) fn program(&self, name: &str) -> String {
        self.bin.join(name).into_string()
    }

    fn has(&self, programs: &[&str]) -> bool {
        programs.iter().all(|program| self.bin.join(program).is_file())
    }

    /// The server for a new cluster: the one on `PATH` if suitable, else the newest suitable one.
    pub(crate) fn for_new(runner: &Runner, wanted: &Requirement, owner: &Owner) -> Result<Self, PostgresError> {
        let usable = |found: &Self| found.has(&SERVER) && wanted.admits(found.major) && owner.may_enter(&found.bin);
        let found = all(runner, &SERVER);
        found.iter().find(|found| usable(found)).cloned().ok_or_else(|| {
            let versions = list(found.iter().filter(|found| found.has(&SERVER)));
            PostgresError::NotInstalled { looked_for: format!("a server {wanted}; {versions}") }
        })
    }

    /// The server for an existing cluster, which only works with its own major version.
    pub(crate) fn of_major(runner: &Runner, major: u32) -> Result<Self, PostgresError> {
        let mut found = all(runner, &SERVER);
        found.retain(|found| found.has(&SERVER));
        found.iter().find(|found| found.major == major).cloned().ok_or_else(|| PostgresError::NotInstalled {
            looked_for: format!("version {major}, which created the local database; {}", list(found.iter())),
        })
    }

    /// The installation of this version that has a client, else the newest: clients work with older servers, not with
    /// newer ones.
    pub(crate) fn with_client(runner: &Runner, tool: &str, major: Option<u32>) -> Result<Self, PostgresError> {
        let found = all(runner, &[tool]).into_iter().filter(|found| found.has(&[tool]));
        found.max_by_key(|found| (Some(found.major) == major, found.major)).ok_or_else(|| PostgresError::NotInstalled {
            looked_for: format!("`{tool}`, on PATH and in the usual places"),
        })
    }
}

/// All installations that have these programs, in order of preference.
fn all(runner: &Runner, programs: &[&str]) -> Vec<Installation> {
    let probe = programs[0];
    let mut folders: Vec<Utf8PathBuf> = on_path(runner, probe).into_iter().collect();
    let mut usual: Vec<Installation> = usual().filter_map(|bin| Installation::at(runner, &bin, probe)).collect();
    usual.sort_by_key(|found| std::cmp::Reverse(found.major));
    if folders.is_empty() && usual.is_empty() {
        let call = Invocation::new("pg_config").minimal_env().arg("--bindir");
        folders.extend(runner.read(&call).ok().map(|output| Utf8PathBuf::from(output.text())));
    }
    let mut found: Vec<Installation> = folders.iter().filter_map(|bin| Installation::at(runner, bin, probe)).collect();
    usual.retain(|one| !found.contains(one));
    found.extend(usual);
    found
}

impl Installation {
    fn at(runner: &Runner, bin: &Utf8Path, probe: &str) -> Option<Self> {
        if !bin.join(probe).is_file() {
            return None;
        }
        let named = bin.parent().and_then(Utf8Path::file_name).and_then(|name| name.parse().ok());
        let major = named.or_else(|| {
            let call = Invocation::new(bin.join(probe)).minimal_env().arg("--version");
            runner.read(&call).ok().and_then(|output| major_of(&output.text()))
        })?;
        Some(Self { bin: bin.to_owned(), major })
    }
}

/// The folder of a program on `PATH`. Debian's `psql` there is a script that selects a version by its own rules; the
/// versions themselves are in the usual folders.
fn on_path(runner: &Runner, program: &str) -> Option<Utf8PathBuf> {
    let path = runner.find(program).ok()?.canonicalize().ok()?;
    let path = Utf8PathBuf::from_path_buf(path).ok()?;
    (path.file_name() == Some(program)).then(|| path.parent().map(Utf8Path::to_owned)).flatten()
}

fn usual() -> impl Iterator<Item = Utf8PathBuf> {
    USUAL.into_iter().flat_map(|(parent, prefix, below)| {
        let entries = Utf8Path::new(parent).read_dir_utf8().into_iter().flatten().flatten();
        let bins = entries.filter(move |entry| entry.file_name().starts_with(prefix));
        bins.map(move |entry| if below.is_empty() { entry.into_path() } else { entry.path().join(below) })
    })
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian …)`.
fn major_of(text: &str) -> Option<u32> {
    let version = text.split_once(") ").map_or(text, |(_, version)| version);
    version.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?.parse().ok()
}

fn list<'a>(found: impl Iterator<Item = &'a Installation>) -> String {
    let versions: Vec<String> = found.map(|found| format!("{} in {}", found.major, found.bin)).collect();
    if versions.is_empty() { "none is here".to_owned() } else { format!("here are {}", versions.join(", ")) }
}

/// The acceptable major versions: `>=15`, `16`, `>=15, <18`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Requirement(Vec<(Comparison, u32)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    AtLeast,
    Above,
    AtMost,
    Below,
    Exactly,
}

/// The oldest version that supports checksums and SCRAM passwords and is still in use.
const OLDEST: u32 = 12;

impl Requirement {
    /// Parses the version in `[database] local = { version = … }`.
    pub(crate) fn from_config(version: Option<&str>) -> Result<Self> {
        version.map_or(Ok(Self::default()), |text| {
            text.parse().map_err(|message: String| {
                Error::new(Exit::Config, format!("`version` of `[database] local` in infra.toml: {message}"))
            })
        })
    }

    pub(crate) fn admits(&self, major: u32) -> bool {
        major >= OLDEST
            && self.0.iter().all(|(comparison, limit)| match comparison {
                Comparison::AtLeast => major >= *limit,
                Comparison::Above => major > *limit,
                Comparison::AtMost => major <= *limit,
                Comparison::Below => major < *limit,
                Comparison::Exactly => major == *limit,
            })
    }
}

impl FromStr for Requirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        use Comparison::{Above, AtLeast, AtMost, Below, Exactly};
        let one = |part: &str| {
            let part = part.trim();
            let signs = [(">=", AtLeast), ("<=", AtMost), (">", Above), ("<", Below), ("=", Exactly), ("", Exactly)];
            let (comparison, version) = signs.into_iter().find_map(|(sign, c)| Some((c, part.strip_prefix(sign)?)))?;
            let major = version.trim().split('.').next()?.parse().ok()?;
            Some((comparison, major))
        };
        let parts: Option<Vec<_>> = text.split(',').map(one).collect();
        parts.map(Self).ok_or_else(|| format!("`{text}` is not a version; use 16, >=15 or >=15,<18"))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return write!(f, "of version {OLDEST} or newer");
        }
        let sign = |comparison: &Comparison| match comparison {
            Comparison::AtLeast => ">=",
            Comparison::Above => ">",
            Comparison::AtMost => "<=",
            Comparison::Below => "<",
            Comparison::Exactly => "=",
        };
        let parts: Vec<String> = self.0.iter().map(|(c, major)| format!("{}{major}", sign(c))).collect();
        write!(f, "of version {}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_read_and_held() {
        let admits = |text: &str, major| text.parse::<Requirement>().unwrap().admits(major);
        assert!(admits(">=15", 15) && admits(">=15", 18) && !admits(">=15", 14));
        assert!(admits("16", 16) && !admits("16", 17) && admits("=15.4", 15));
        assert!(admits(">= 15, < 18", 17) && !admits(">=15,<18", 18));
        assert!(!Requirement::default().admits(9));
        for text in ["", ">=", "latest", "15,", "~15"] {
            assert!(text.parse::<Requirement>().is_err(), "{text}");
        }
        assert_eq!(">=15,<18".parse::<Requirement>().unwrap().to_string(), "of version >=15, <18");
    }

    #[test]
    fn versions_are_read_from_what_programs_say() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major_of("psql (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("pg_ctl (PostgreSQL) 17devel"), Some(17));
        assert_eq!(major_of("nothing"), None);
    }
}
