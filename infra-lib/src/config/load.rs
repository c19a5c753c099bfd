//! Reading `infra.toml`.

use camino::Utf8Path;

use super::{Config, ConfigError, Reference};
use crate::suggest::nearest;

/// The file's name.
pub(crate) const FILE_NAME: &str = "infra.toml";

impl Config {
    /// Reads `infra.toml` in `root`; a project without one has the default manifest.
    pub(crate) fn load(root: &Utf8Path) -> Result<Self, ConfigError> {
        let path = root.join(FILE_NAME);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }

    /// Reads a manifest from text; `path` is for messages.
    ///
    /// ```
    /// use infra_lib::Failure as _;
    ///
    /// let error = infra_lib::config::Config::parse("infra.toml".into(), "[databse]\n").unwrap_err();
    /// assert!(error.to_string().starts_with("infra.toml:1:2: unknown"));
    /// assert_eq!(error.hint().unwrap(), "did you mean `database`?");
    /// ```
    pub fn parse(path: &Utf8Path, text: &str) -> Result<Self, ConfigError> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let (line, column) = error.span().map_or((1, 1), |span| position(text, span.start));
            let message = without_value(error.message().lines().next().unwrap_or_default());
            ConfigError::Invalid { path: path.to_owned(), line, column, suggestion: suggestion(&message), message }
        })?;
        match manifest.stated_secret() {
            None => Ok(manifest),
            Some(key) => {
                let at = |line: &&str| {
                    line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
                };
                let line = text.lines().position(|line| at(&line)).map_or(1, |at| at + 1);
                let message = format!(
                    "`[database] {key}` contains a secret, and this file is committed; write `env:NAME`, `file:PATH` or `cmd:PROGRAM`"
                );
                Err(ConfigError::Invalid { path: path.to_owned(), line, column: 1, message, suggestion: None })
            }
        }
    }

    /// The key whose value in the file is a secret.
    fn stated_secret(&self) -> Option<&'static str> {
        let has_password = |url: &str| url.rsplit_once('@').is_some_and(|(user, _)| user.matches(':').count() > 1);
        let own = self.environments.values().filter_map(|settings| settings.database.as_ref());
        std::iter::once(&self.database).chain(own).find_map(|database| {
            if matches!(&database.password, Some(Reference::Literal(_))) {
                return Some("password");
            }
            matches!(&database.url, Some(Reference::Literal(url)) if has_password(url)).then_some("url")
        })
    }
}

/// Serde quotes what it found: "invalid type: string "hunter2", expected u32". The place is reported; the value may be a secret
/// that was put there by mistake.
fn without_value(message: &str) -> String {
    let shortened = ["invalid type: ", "invalid value: "].iter().find_map(|start| {
        let (found, expected) = message.strip_prefix(start)?.rsplit_once(", expected ")?;
        Some(format!("{start}{}, expected {expected}", found.split(' ').next()?))
    });
    shortened.unwrap_or_else(|| message.to_owned())
}

fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..offset.min(text.len())];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Serde words it as "unknown field `x`, expected one of `a`, `b`".
fn suggestion(message: &str) -> Option<String> {
    let mut words = message.split('`').skip(1).step_by(2);
    let unknown = words.next()?;
    message.starts_with("unknown").then(|| nearest(unknown, words).map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s02_a_secret_in_the_file_itself_is_refused_and_not_shown() {
        let wrong = |text: &str| Config::parse("infra.toml".into(), text).unwrap_err().to_string();
        for text in [
            "[database]\npassword = \"hunter22\"",
            "[database]\n  url = \"postgres://me:hunter22@h/x\"",
            "[environments.live.database]\nurl = \"postgres://me:hunter22@h/x\"",
        ] {
            let said = wrong(text);
            assert!(said.starts_with("infra.toml:2:1: `[database] ") && !said.contains("hunter22"), "{said}");
        }
        for text in
            ["[database]\npassword = \"env:X\"", "[database]\nurl = \"postgres://me@h/x\"", "[database]\nname = \"x\""]
        {
            assert!(Config::parse("infra.toml".into(), text).is_ok(), "{text}");
        }
    }
}
