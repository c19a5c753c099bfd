//! Migrations written in Python, of Alembic and Django.
//!
//! Only assignments at the start of a line are read, as the tools' own templates write them. The tool itself decides
//! what is pending.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::files::{File, digits, read};
use crate::exit::Exit;
use crate::migrations::file;
use crate::project::error::{Error, Result};

/// The strings assigned to a name at the start of a line; `None` without such a line.
fn assigned(text: &str, name: &str) -> Option<Vec<String>> {
    let line = text.lines().find_map(|line| {
        let rest = line.strip_prefix(name)?;
        let (hint, value) = rest.split_once('=')?;
        (hint.trim().is_empty() || hint.trim_start().starts_with(':')).then_some(value)
    })?;
    let value = line.split('#').next().unwrap_or_default();
    let quote = if value.contains('"') { '"' } else { '\'' };
    Some(value.split(quote).skip(1).step_by(2).map(str::to_owned).collect())
}

/// Whether a Python file is an Alembic revision.
pub(super) fn is_revision(text: &str) -> bool {
    assigned(text, "revision").is_some_and(|names| names.len() == 1) && assigned(text, "down_revision").is_some()
}

pub(super) fn alembic(dir: &Utf8Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for path in file::files(&dir.join("versions"))?.into_iter().filter(|path| path.extension() == Some("py")) {
        let text = read(&path)?;
        if path.file_name() == Some("__init__.py") {
            continue;
        }
        let revision = assigned(&text, "revision").and_then(|names| names.into_iter().next());
        let (Some(revision), Some(after)) = (revision, assigned(&text, "down_revision")) else {
            return Err(Error::new(Exit::Config, format!("{path} has no line `revision = …` and `down_revision = …`")));
        };
        let stem = path.file_stem().unwrap_or_default();
        let description = stem.strip_prefix(revision.as_str()).unwrap_or(stem).to_owned();
        files.push(File { after, ..File::new(&revision, &description, path.clone()) });
    }
    Ok(parents_first(files))
}

/// Sorts files after the ones that they depend on.
fn parents_first(mut files: Vec<File>) -> Vec<File> {
    let (mut sorted, mut seen): (Vec<File>, BTreeSet<String>) = (Vec::new(), BTreeSet::new());
    let all: BTreeSet<String> = files.iter().map(|file| file.key.clone()).collect();
    loop {
        let is_next = |file: &File, seen: &BTreeSet<String>| {
            file.after.iter().all(|key| seen.contains(key) || !all.contains(key))
        };
        let Some(index) = files.iter().position(|file| is_next(file, &seen)) else { break };
        let file = files.remove(index);
        seen.insert(file.key.clone());
        sorted.push(file);
    }
    // Alembic itself reports cycles.
    sorted.extend(files);
    sorted
}

/// Folders that do not contain apps of the project.
const FOREIGN: [&str; 3] = ["node_modules", "site-packages", "venv"];

/// Maximum depth of app folders.
const DEPTH: usize = 4;

/// The migrations of every app below the folder of manage.py.
pub(super) fn django(dir: &Utf8Path) -> Result<Vec<File>> {
    let base = dir.ancestors().find(|above| above.join("manage.py").is_file()).unwrap_or(dir);
    let mut files = Vec::new();
    collect(base, DEPTH, &mut files)?;
    Ok(files)
}

fn collect(dir: &Utf8Path, depth: usize, files: &mut Vec<File>) -> Result<()> {
    let is_app = dir.file_name() == Some("migrations");
    let app = dir.parent().and_then(Utf8Path::file_name).unwrap_or_default();
    let mut before: Vec<String> = Vec::new();
    for path in file::files(dir)? {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if depth > 0 && !name.starts_with('.') && !FOREIGN.contains(&name) {
                collect(&path, depth - 1, files)?;
            }
        } else if is_app && is_migration(&path)? {
            let stem = path.file_stem().unwrap_or_default();
            let key = format!("{app}.{stem}");
            let file = File { after: before.clone(), ..File::new(&key, digits(stem).1, path.clone()) };
            before = vec![key];
            files.push(file);
        }
    }
    Ok(())
}

fn is_migration(path: &Utf8PathBuf) -> Result<bool> {
    let is_python = path.extension() == Some("py") && !path.file_name().is_some_and(|name| name.starts_with("__"));
    Ok(is_python && read(path)?.lines().any(|line| line.starts_with("class Migration(")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_read_as_alembic_writes_them() {
        let old = "\"\"\"x\n\nRevision ID: 1\n\"\"\"\nrevision = 'ab12'\ndown_revision = None\n";
        assert_eq!(
            (assigned(old, "revision"), assigned(old, "down_revision")),
            (Some(vec!["ab12".into()]), Some(vec![]))
        );
        let new = "revision: str = \"cd34\"  # no's\ndown_revision: Union[str, Sequence[str], None] = ('a', 'b')\n";
        assert_eq!(assigned(new, "revision").unwrap(), ["cd34"]);
        assert_eq!(assigned(new, "down_revision").unwrap(), ["a", "b"]);
        assert!(is_revision(old) && is_revision(new) && !is_revision("revisions = ['x']\n"));
    }
}
