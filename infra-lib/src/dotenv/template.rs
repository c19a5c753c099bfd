//! Creating a `.env` from the project's template, with new secrets.

use crate::exit::Exit;
use crate::failure::Failure;
use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use zeroize::Zeroizing;

use super::redact::url_password;
use super::{EditError, Entry, EnvFile, GenerateError, Generator, Quoting, is_placeholder};
use crate::secret::Secret;

/// A new environment file, and which of its values were generated.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) struct Filled {
    /// The file, not yet written to disk.
    pub(crate) file: EnvFile,
    /// The keys with a generated secret, in the order of the file.
    pub(crate) generated: Vec<String>,
    /// The keys with a URL whose password was replaced by such a secret.
    pub(crate) followed: Vec<String>,
    /// The keys with a generator whose value in the template was not a placeholder and was kept.
    pub(crate) kept: Vec<String>,
}

/// Why a template could not be filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum FillError {
    /// A value could not be set.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A secret could not be generated.
    #[error(transparent)]
    Generate(#[from] GenerateError),
}

impl Failure for FillError {
    fn exit(&self) -> Exit {
        match self {
            Self::Edit(error) => error.exit(),
            Self::Generate(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Edit(error) => error.hint(),
            Self::Generate(error) => error.hint(),
        }
    }
}

/// Copies `template` byte for byte as the file at `path`, and generates a secret for each key in `generators` whose
/// value is empty or a placeholder. Keys that are not in the template are not added.
///
/// A URL whose password is a placeholder replaced elsewhere gets the same secret, such as `DATABASE_URL` with
/// `DB_PASSWORD`.
///
/// Writes nothing to disk; use [`EnvFile::save_new`] for that.
///
/// # Errors
///
/// [`FillError`] if the template contains a key twice, or the system provides no random bytes.
pub(crate) fn fill(
    template: &EnvFile,
    path: impl Into<Utf8PathBuf>,
    generators: &BTreeMap<String, Generator>,
) -> Result<Filled, FillError> {
    let mut filled = Filled { file: template.at(path), generated: Vec::new(), followed: Vec::new(), kept: Vec::new() };
    for entry in template.entries() {
        let Some(generator) = generators.get(&entry.key) else {
            continue;
        };
        if is_open(entry) {
            filled.file.set(&entry.key, &generator.generate()?)?;
            filled.generated.push(entry.key.clone());
        } else {
            filled.kept.push(entry.key.clone());
        }
    }
    follow(template, &mut filled)?;
    Ok(filled)
}

/// Replaces the passwords of URLs that use a replaced placeholder.
fn follow(template: &EnvFile, filled: &mut Filled) -> Result<(), FillError> {
    for entry in template.entries() {
        let text = entry.template.expose();
        let Some(range) = url_password(text).filter(|_| !refers(entry)) else { continue };
        let Some(source) = source(template, filled, &text[range.clone()]) else { continue };
        let Some(secret) = filled.file.entry(source).map(|source| source.template.expose()) else { continue };
        let url = Zeroizing::new([&text[..range.start], &percent_encoded(secret), &text[range.end..]].concat());
        filled.file.set(&entry.key, &Secret::new(url.as_str()))?;
        filled.followed.push(entry.key.clone());
    }
    Ok(())
}

/// The generated key that had this placeholder; of several, the only password.
fn source<'a>(template: &'a EnvFile, filled: &Filled, placeholder: &str) -> Option<&'a str> {
    let had = |entry: &&Entry| entry.template.expose() == placeholder && filled.generated.contains(&entry.key);
    let all: Vec<&str> = template.entries().iter().filter(had).map(|entry| entry.key.as_str()).collect();
    let passwords: Vec<&str> = all.iter().copied().filter(|key| key.contains("PASS")).collect();
    match (&all[..], &passwords[..]) {
        ([one], _) | (_, [one]) => Some(one),
        _ => None,
    }
}

fn percent_encoded(secret: &str) -> Zeroizing<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encoded = secret.bytes().map(|byte| match byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    Zeroizing::new(encoded.collect())
}

fn refers(entry: &Entry) -> bool {
    entry.quoting != Quoting::Single && entry.template.expose().contains('$')
}

/// Whether the value is empty or a placeholder. A value with references is not.
fn is_open(entry: &Entry) -> bool {
    entry.template.is_empty() || !refers(entry) && is_placeholder(entry.template.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, keys: &[&str]) -> Filled {
        let template = EnvFile::parse(".env.example", template.as_bytes()).unwrap();
        let generators = keys.iter().map(|&key| (key.to_owned(), Generator::default())).collect();
        fill(&template, ".env", &generators).unwrap()
    }

    #[test]
    fn only_open_values_change() {
        let template = "\u{feff}# top\r\nA=\r\nB='change_me' # b\r\nC=${B}\r\nD=Zm9vYmFyYmF6cXV4\r\nE=change_me\r\n";
        let filled = filled(template, &["A", "B", "C", "D"]);
        assert_eq!((filled.generated.join(","), filled.kept.join(",")), ("A,B".to_owned(), "C,D".to_owned()));
        let a = filled.file.entry("A").unwrap().template.expose();
        let b = filled.file.entry("B").unwrap().template.expose();
        assert_ne!(a, b);
        let expected = template.replacen("A=", &format!("A={a}"), 1).replacen("change_me", b, 1);
        assert_eq!(filled.file.text(), expected);
        assert_eq!(filled.file.path(), ".env");
    }

    #[test]
    fn e01_two_runs_differ_and_no_debug_shows_a_secret() {
        let (one, two) = (filled("A=\n", &["A", "Z"]), filled("A=\n", &["A", "Z"]));
        assert_ne!(one.file.text(), two.file.text());
        assert_eq!(one.file.entry("Z"), None);
        assert!(!format!("{one:?}").contains(one.file.entry("A").unwrap().template.expose()));
    }

    #[test]
    fn a_url_follows_the_password_that_it_repeats() {
        let text = "U=postgres://app:change_me@db/app # same\nDB_PASSWORD=change_me\nJWT_SECRET=change_me\n\
            V=redis://:other@r\nW=http://${X}:change_me@h\n";
        let filled = filled(text, &["DB_PASSWORD", "JWT_SECRET"]);
        let value = |key: &str| filled.file.entry(key).unwrap().template.expose().to_owned();
        assert_eq!(value("U"), format!("postgres://app:{}@db/app", value("DB_PASSWORD")));
        assert_eq!((filled.followed.join(","), value("V")), ("U".to_owned(), "redis://:other@r".to_owned()));
        assert_eq!(&*percent_encoded("a+/=b"), "a%2B%2F%3Db");
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let template = EnvFile::parse(".env.example", b"A=\nA=\n").unwrap();
        let generators = BTreeMap::from([("A".to_owned(), Generator::default())]);
        assert!(matches!(fill(&template, ".env", &generators), Err(FillError::Edit(EditError::Duplicate { .. }))));
    }

    #[test]
    fn a_generated_value_replaces_the_placeholder() {
        let template = EnvFile::parse(".env.example", b"PORT=80\nJWT_SECRET=change_me # signs sessions\n").unwrap();
        let generators = BTreeMap::from([("JWT_SECRET".to_owned(), Generator::default())]);
        let filled = fill(&template, ".env", &generators).unwrap();
        assert_eq!(filled.generated, ["JWT_SECRET"]);
        assert!(filled.file.text().starts_with("PORT=80\nJWT_SECRET="));
        assert!(!filled.file.text().contains("change_me"));
    }
}
