//! Templates of env files.

use camino::{Utf8Path, Utf8PathBuf};

/// The usual endings of a template's name, most usual first.
const ENDINGS: [&str; 4] = [".example", ".sample", ".dist", ".template"];

/// The committed template of an env file: `.env.example` for `.env`, or the one that exists under another usual name,
/// such as `.env.sample` or `env.example`.
pub(crate) fn template_of(env_file: &Utf8Path) -> Utf8PathBuf {
    let named = |name: &str| env_file.with_file_name(name);
    let name = env_file.file_name().unwrap_or_default();
    // Some file managers hide a name that begins with a dot.
    let bare = name.strip_prefix('.').map(str::to_owned);
    let spellings = std::iter::once(name.to_owned()).chain(bare);
    let mut all = spellings.flat_map(|name| ENDINGS.map(|ending| named(&format!("{name}{ending}"))));
    all.find(|path| path.is_file()).unwrap_or_else(|| named(&format!("{name}{}", ENDINGS[0])))
}

/// The name of the env file that this file is a template of.
pub(crate) fn templated(name: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending))
}

/// Whether a file's name is that of a template.
pub(crate) fn is_template(name: &str) -> bool {
    templated(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p13_a_template_has_any_of_the_usual_names() {
        let dir = tempfile::tempdir().unwrap();
        let file = Utf8Path::from_path(dir.path()).unwrap().join(".env");
        assert_eq!(template_of(&file).file_name(), Some(".env.example"));
        for name in ["env.template", "env.example", ".env.dist", ".env.sample", ".env.example"] {
            std::fs::write(dir.path().join(name), "").unwrap();
            assert_eq!(template_of(&file).file_name(), Some(name), "the first of the usual names");
            assert!(is_template(name));
        }
        assert!(!is_template(".env") && templated(".env.production.sample") == Some(".env.production"));
    }
}
