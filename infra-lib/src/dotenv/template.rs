//! A new `.env` from the project's template, with secrets of its own.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use zeroize::Zeroizing;

use super::redact::url_password;
use super::{EditError, Entry, EnvFile, GenerateError, Generator, Quoting, is_placeholder};
use crate::Secret;

/// A new environment file, and which of its values are new.
#[derive(Debug)]
#[non_exhaustive]
pub struct Filled {
    /// The file, not written yet.
    pub file: EnvFile,
    /// The keys that got a secret, in the order of the file.
    pub generated: Vec<String>,
    /// The keys whose URL got such a secret as its password.
    pub followed: Vec<String>,
    /// The keys with a generator whose value in the template was a real one, and stayed.
    pub kept: Vec<String>,
}

/// Why a template could not be filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FillError {
    /// A value could not be put in.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// No secret could be drawn.
    #[error(transparent)]
    Generate(#[from] GenerateError),
}

impl FillError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Edit(error) => error.hint(),
            Self::Generate(error) => error.hint(),
        }
    }
}

/// Copies `template` byte for byte as the file at `path`, drawing a secret for each key of `generators` whose value is
/// empty or a placeholder. Keys that the template lacks are not added.
///
/// A URL whose password is the very placeholder that a secret has replaced gets that secret too: `DATABASE_URL` beside
/// `DB_PASSWORD`.
///
/// Nothing is written; [`EnvFile::save_new`] does that.
///
/// # Errors
///
/// [`FillError`] if a key stands in the template twice, or the system has no randomness.
///
/// ```
/// use std::collections::BTreeMap;
/// use infra_lib::dotenv::{EnvFile, Generator, fill};
///
/// let template = EnvFile::parse(".env.example", b"PORT=80\nJWT_SECRET=change_me # signs sessions\n")?;
/// let generators = BTreeMap::from([("JWT_SECRET".to_owned(), Generator::default())]);
/// let filled = fill(&template, ".env", &generators)?;
/// assert_eq!(filled.generated, ["JWT_SECRET"]);
/// assert!(filled.file.text().starts_with("PORT=80\nJWT_SECRET="));
/// assert!(!filled.file.text().contains("change_me"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn fill(
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

/// Puts the new secrets into the URLs that have the old placeholder for a password.
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

/// The generated key that had this placeholder; among several, the one password.
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

/// Whether the template leaves the value to be filled in. One that refers to others is made of theirs.
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
}
