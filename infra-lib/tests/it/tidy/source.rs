//! The files that the rules read.

use std::fs;
use std::path::{Path, PathBuf};

/// Where Rust is, below the repository.
pub(super) const SOURCES: [&str; 3] = ["infra-lib/src", "xtask/src", "tools"];

/// The repository.
pub(super) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    assert!(files(&root.join("infra-lib/src"), "rs").len() > 150, "the sources were not found");
    root.to_owned()
}

/// All files with this extension, without what is built or fetched.
pub(super) fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> =
        fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !["target", "node_modules"].contains(&name.as_str()) {
            found.extend(files(&path, extension));
        } else if path.is_file() && path.extension().is_some_and(|is| is == extension) {
            found.push(path);
        }
    }
    found
}

/// All sources.
pub(super) fn sources(root: &Path) -> Vec<Source> {
    SOURCES.iter().flat_map(|dir| below(root, dir)).collect()
}

/// The Rust files below a folder.
pub(super) fn below(root: &Path, dir: &str) -> Vec<Source> {
    files(&root.join(dir), "rs").iter().map(|path| Source::read(root, path)).collect()
}

/// A file of Rust.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Below the repository.
    pub(super) path: String,
    pub(super) text: String,
    /// How many lines come before its tests.
    pub(super) length: usize,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let lines: Vec<&str> = text.lines().collect();
        let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].contains("mod tests {"));
        let length = if path.ends_with("/tests.rs") { 0 } else { tests.unwrap_or(lines.len()) };
        Self { path, text, length }
    }

    /// Its lines before the tests, with numbers from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().take(self.length).enumerate().map(|(number, line)| (number + 1, line))
    }

    /// Its code: no tests and no comments.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// Runs a rule on each case: a path, what the file holds, and the one finding it must lead to; empty: none.
pub(super) fn try_rule(rule: impl Fn(&Path) -> Vec<String>, cases: &[(&str, &str, &str)]) {
    for (path, text, finding) in cases {
        let holder = tempfile::tempdir().unwrap();
        let file = holder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        let found = rule(holder.path());
        let as_expected = match &found[..] {
            [] => finding.is_empty(),
            [only] => !finding.is_empty() && only.contains(finding),
            _ => false,
        };
        assert!(as_expected, "{path}: {text:.60}: expected `{finding}`, found {found:?}");
    }
}
