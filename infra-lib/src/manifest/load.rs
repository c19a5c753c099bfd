//! Reading `infra.toml`.

use camino::Utf8Path;

use super::{Manifest, ManifestError};
use crate::suggest::nearest;

/// The file's name.
pub const FILE_NAME: &str = "infra.toml";

impl Manifest {
    /// Reads `infra.toml` in `root`; a project without one has the default manifest.
    pub fn load(root: &Utf8Path) -> Result<Self, ManifestError> {
        let path = root.join(FILE_NAME);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&path, &text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ManifestError::Read { path, source }),
        }
    }

    /// Reads a manifest from text; `path` is for messages.
    ///
    /// ```
    /// let error = infra_lib::manifest::Manifest::parse("infra.toml".into(), "[databse]\n").unwrap_err();
    /// assert!(error.to_string().starts_with("infra.toml:1:2: unknown"));
    /// assert_eq!(error.hint().unwrap(), "did you mean `database`?");
    /// ```
    pub fn parse(path: &Utf8Path, text: &str) -> Result<Self, ManifestError> {
        toml::from_str(text).map_err(|error| {
            let (line, column) = error.span().map_or((1, 1), |span| position(text, span.start));
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            ManifestError::Invalid { path: path.to_owned(), line, column, suggestion: suggestion(&message), message }
        })
    }
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
