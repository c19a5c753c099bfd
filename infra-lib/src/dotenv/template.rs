//! A new `.env` from the project's template, with secrets of its own.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::{EditError, Entry, EnvFile, GenerateError, Generator, Quoting, is_placeholder};

/// A new environment file, and which of its values are new.
#[derive(Debug)]
#[non_exhaustive]
pub struct Filled {
    /// The file, not written yet.
    pub file: EnvFile,
    /// The keys that got a secret, in the order of the file.
    pub generated: Vec<String>,
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
/// empty or a placeholder, and appending those that the template lacks.
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
    let mut filled = Filled { file: template.at(path), generated: Vec::new(), kept: Vec::new() };
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
    for (key, generator) in generators {
        if template.entry(key).is_none() {
            filled.file.append(key, &generator.generate()?, None)?;
            filled.generated.push(key.clone());
        }
    }
    Ok(filled)
}

/// Whether the template leaves the value to be filled in. One that refers to others is made of theirs.
fn is_open(entry: &Entry) -> bool {
    let text = entry.template.expose();
    let refers = entry.quoting != Quoting::Single && text.contains('$');
    entry.template.is_empty() || !refers && is_placeholder(text)
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
    fn e01_what_the_template_lacks_is_appended_and_two_runs_differ() {
        let (one, two) = (filled("A=1", &["Z"]), filled("A=1", &["Z"]));
        assert!(one.file.text().starts_with("A=1\nZ="));
        assert_ne!(one.file.text(), two.file.text());
        assert!(!format!("{one:?}").contains(one.file.entry("Z").unwrap().template.expose()));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let template = EnvFile::parse(".env.example", b"A=\nA=\n").unwrap();
        let generators = BTreeMap::from([("A".to_owned(), Generator::default())]);
        assert!(matches!(fill(&template, ".env", &generators), Err(FillError::Edit(EditError::Duplicate { .. }))));
    }
}
