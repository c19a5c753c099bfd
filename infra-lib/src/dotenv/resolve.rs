//! Resolving variables: the effective value and its origin.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use super::{
    DotenvError, Entry, EnvFile, InterpolateError, Quoting, contains_secret, interpolate, looks_secret, shown,
};
use crate::secret::Secret;

/// Where a value comes from.
///
/// ```
/// use infra_lib::ops::Origin;
/// assert_eq!(Origin::File { path: ".env".into(), line: 3 }.to_string(), ".env:3");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
#[non_exhaustive]
pub enum Origin {
    /// The environment of the calling process, which wins over every file.
    Shell,
    /// A line of an environment file.
    File {
        /// The path of the file.
        path: Utf8PathBuf,
        /// The line number, from 1.
        line: usize,
    },
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shell => f.write_str("shell"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
        }
    }
}

/// A key with its effective value. JSON has the value as it is shown, `Debug` a mask.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// The name of the variable.
    pub key: String,
    /// The value after interpolation.
    pub value: Secret,
    /// Where the value comes from.
    pub origin: Origin,
    /// The overridden values, highest precedence first.
    pub shadowed: Vec<Shadowed>,
}

/// A place whose value is overridden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Shadowed {
    /// Where the overridden value is.
    pub origin: Origin,
    /// Whether it equals the effective value.
    pub same: bool,
    #[serde(skip)]
    value: Secret,
}

/// A reference to a variable that is not set. Compose warns and uses an empty text.
///
/// The variable's name is not included: it may be part of a password that contains a `$`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub(crate) struct Unset {
    /// The key whose value refers to it.
    pub(crate) key: String,
    /// Where that key is defined.
    pub(crate) origin: Origin,
}

/// The variables of the environment files, in order of first appearance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Resolved {
    variables: Vec<Variable>,
    unset: Vec<Unset>,
    // A hash map would panic where the system has no randomness.
    #[serde(skip)]
    index: BTreeMap<String, usize>,
}

/// Resolves `files` in order: later ones override earlier ones, and the shell overrides all of them.
///
/// References are resolved from `shell`, then from the keys of earlier files, then from those already read from the
/// same file.
///
/// # Errors
///
/// [`DotenvError::Required`] for a `${NAME:?}` of a variable that is not set.
pub fn resolve(files: &[EnvFile], shell: impl Fn(&str) -> Option<String>) -> Result<Resolved, DotenvError> {
    let mut resolved = Resolved::default();
    for file in files {
        resolved.file(file, &shell)?;
    }
    for file in files {
        resolved.demands(file, &shell)?;
    }
    for variable in &mut resolved.variables {
        for shadowed in &mut variable.shadowed {
            shadowed.same = shadowed.value == variable.value;
        }
    }
    Ok(resolved)
}

impl Resolved {
    /// The variable of this name, if a file defines it.
    pub(crate) fn get(&self, key: &str) -> Option<&Variable> {
        self.index.get(key).map(|&at| &self.variables[at])
    }

    /// The value that Compose would use. It may be a secret.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.get(key).map(|variable| variable.value.expose())
    }

    /// All variables in order of first appearance.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The references to variables that are not set.
    pub(crate) fn unset(&self) -> &[Unset] {
        &self.unset
    }

    fn file(&mut self, file: &EnvFile, shell: &dyn Fn(&str) -> Option<String>) -> Result<(), DotenvError> {
        let mut read: BTreeMap<&str, Secret> = BTreeMap::new();
        let mut kept: Vec<(&Entry, Secret)> = Vec::new();
        let mut unset = Vec::new();
        for entry in file.entries() {
            let outer = |name: &str| shell(name).or_else(|| self.value(name).map(str::to_owned));
            let value = match entry.quoting {
                Quoting::Inherited => match outer(&entry.key) {
                    Some(value) => Secret::new(value),
                    None => continue,
                },
                Quoting::Single => entry.template.clone(),
                Quoting::Plain | Quoting::Double => {
                    let inner = |name: &str| read.get(name).map(|value| value.expose().to_owned());
                    let done = interpolate(entry.template.expose(), |name| outer(name).or_else(|| inner(name)))
                        .map_err(|error| unresolved(file, entry, &error))?;
                    if !done.unset.is_empty() {
                        unset.push(Unset { key: entry.key.clone(), origin: origin(file, entry) });
                    }
                    Secret::new(done.value.as_str())
                }
            };
            read.insert(&entry.key, value.clone());
            kept.push((entry, value));
        }
        self.unset.append(&mut unset);
        for (entry, value) in kept {
            self.put(&entry.key, value, origin(file, entry), shell);
        }
        Ok(())
    }

    /// Compose reads the files a second time, with what they said at first: the values stay, and what a `${NAME:?}`
    /// asks for must be there at the end too.
    fn demands(&self, file: &EnvFile, shell: &dyn Fn(&str) -> Option<String>) -> Result<(), DotenvError> {
        let lookup = |name: &str| shell(name).or_else(|| self.value(name).map(str::to_owned));
        for entry in file.entries().iter().filter(|entry| entry.quoting != Quoting::Single) {
            interpolate(entry.template.expose(), lookup).map_err(|error| unresolved(file, entry, &error))?;
        }
        Ok(())
    }

    fn put(&mut self, key: &str, value: Secret, origin: Origin, shell: &dyn Fn(&str) -> Option<String>) {
        let at = self.index.get(key).copied().unwrap_or_else(|| {
            let (value, origin, shadowed) = match shell(key) {
                Some(set) => (Secret::new(set), Origin::Shell, Vec::new()),
                None => (value.clone(), origin.clone(), Vec::new()),
            };
            self.index.insert(key.to_owned(), self.variables.len());
            self.variables.push(Variable { key: key.to_owned(), value, origin, shadowed });
            self.variables.len() - 1
        });
        let variable = &mut self.variables[at];
        if variable.origin == Origin::Shell {
            variable.shadowed.insert(0, Shadowed { origin, same: false, value });
        } else if variable.origin != origin {
            let value = std::mem::replace(&mut variable.value, value);
            let origin = std::mem::replace(&mut variable.origin, origin);
            variable.shadowed.insert(0, Shadowed { origin, same: false, value });
        }
    }
}

impl Variable {
    /// The value for display, masked if it is a secret.
    pub(crate) fn shown(&self) -> std::borrow::Cow<'_, str> {
        shown(&self.key, self.value.expose())
    }

    /// Whether the name suggests a secret.
    pub(crate) fn is_secret(&self) -> bool {
        looks_secret(&self.key) || contains_secret(self.value.expose())
    }
}

impl Serialize for Variable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Variable", 4)?;
        fields.serialize_field("key", &self.key)?;
        fields.serialize_field("value", &self.shown())?;
        fields.serialize_field("origin", &self.origin)?;
        fields.serialize_field("shadowed", &self.shadowed)?;
        fields.end()
    }
}

fn origin(file: &EnvFile, entry: &Entry) -> Origin {
    Origin::File { path: file.path().to_owned(), line: entry.line }
}

fn unresolved(file: &EnvFile, entry: &Entry, error: &InterpolateError) -> DotenvError {
    let (path, line) = (file.path().to_owned(), entry.line);
    match error {
        InterpolateError::Required { .. } => DotenvError::Required { path, line, key: entry.key.clone() },
        // The parser has already rejected the rest.
        other => DotenvError::Syntax { path, line, column: 1, cause: other.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure as _;

    fn files(texts: &[&str]) -> Vec<EnvFile> {
        let numbered = texts.iter().enumerate();
        numbered.map(|(n, text)| EnvFile::parse(format!("f{n}"), text.as_bytes()).unwrap()).collect()
    }

    #[test]
    fn e06_every_shadowed_place_is_told() {
        let files = files(&["A=1\nB=1\n", "A=2\nA=3\nB=1\n", "B\n"]);
        let shell = |name: &str| (name == "A").then(|| "3".to_owned());
        let resolved = resolve(&files, shell).unwrap();
        let told = |key: &str| {
            let variable = resolved.get(key).unwrap();
            let shadowed = variable.shadowed.iter().map(|place| format!("{} {}", place.origin, place.same));
            let shadowed: Vec<_> = shadowed.collect();
            format!("{} {}: {}", variable.value.expose(), variable.origin, shadowed.join(", "))
        };
        assert_eq!(told("A"), "3 shell: f1:2 true, f1:1 false, f0:1 false");
        assert_eq!(told("B"), "1 f2:1: f1:3 true, f0:2 true");
        assert_eq!(resolved.get("C"), None);
    }

    #[test]
    fn names_are_looked_up_in_the_shell_then_in_earlier_files_then_above() {
        let files = files(&["A=old\nB=old\nC=$C\n", "A=new\nB=new\nX=$A $B $D\nD=1\nE=$D\n"]);
        let resolved = resolve(&files, |name| (name == "B").then(|| "shell".to_owned())).unwrap();
        assert_eq!(resolved.value("X"), Some("old shell "));
        assert_eq!((resolved.value("A"), resolved.value("E")), (Some("new"), Some("1")));
        let unset: Vec<_> = resolved.unset().iter().map(|unset| unset.origin.to_string()).collect();
        assert_eq!(unset, ["f0:3", "f1:3"]);
    }

    #[test]
    fn what_is_required_must_be_there_at_the_end_too() {
        let lost = files(&["A=1\nB=${A:?}\n", "A=\n"]);
        assert_eq!(resolve(&lost, |_| None).unwrap_err().to_string(), "f0:2: B requires a variable that is not set");
        let kept = resolve(&lost, |name| (name == "A").then(|| "shell".to_owned())).unwrap();
        assert_eq!(kept.value("B"), Some("shell"));
    }

    #[test]
    fn s02_nothing_shows_a_value() {
        let files = files(&["API_TOKEN=canary\nURL=http://u:canary@h\nN=${NONE:?canary}\n"]);
        let error = resolve(&files, |_| None).unwrap_err();
        assert_eq!(error.to_string(), "f0:3: N requires a variable that is not set");
        let resolved = resolve(&files, |name| (name == "NONE").then(|| "canary".to_owned())).unwrap();
        let json = serde_json::to_string(&resolved.variables()[..2]).unwrap();
        for text in [format!("{resolved:?}{files:?}{error:?}{:?}", error.hint()), json] {
            assert!(!text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn the_last_file_wins_and_the_shell_over_all() {
        let files = [
            EnvFile::parse(".env", b"TAG=1\nPORT=80\nAPI_TOKEN=abc\nURL=postgres://${HOST:-localhost}/$TAG\n").unwrap(),
            EnvFile::parse(".env.production", b"TAG=2\n").unwrap(),
        ];
        let resolved = resolve(&files, |name| (name == "PORT").then(|| "8080".to_owned())).unwrap();
        let tag = resolved.get("TAG").unwrap();
        assert_eq!((tag.shown().as_ref(), tag.origin.to_string()), ("2", ".env.production:1".to_owned()));
        assert_eq!(tag.shadowed[0].origin.to_string(), ".env:1");
        assert_eq!(resolved.get("PORT").unwrap().origin, Origin::Shell);
        assert_eq!(resolved.get("API_TOKEN").unwrap().shown(), "***");
        assert_eq!(resolved.value("URL"), Some("postgres://localhost/1"));
    }
}
