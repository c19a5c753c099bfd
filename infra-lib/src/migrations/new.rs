//! Creates files for a new migration.

use std::fs::OpenOptions;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::file::Migration;
use super::layout::Layout;
use super::tools::sqlx::Sqlx;

/// Writes the files in the project's layout. Never overwrites an existing file.
pub(crate) fn new(project: &Project, name: &str) -> Result<Vec<Utf8PathBuf>> {
    let layout = Layout::for_new(project)?;
    let name = plain(name)?;
    let files = if layout.dir.is_dir() { Sqlx::read(&layout.dir)? } else { Vec::new() };
    let new = Sqlx::new_files(&layout.dir, &files, &name);
    for path in &new {
        if path.exists() {
            return Err(Error::new(Exit::CannotCreate, format!("{path} already exists")));
        }
        project.runner().apply(format_args!("write {path}"), || -> Result<()> {
            let dir = path.parent().unwrap_or(&layout.dir);
            std::fs::create_dir_all(dir).map_err(Error::file("create", dir))?;
            // With the default mode, so that a container's user can read it.
            OpenOptions::new().write(true).create_new(true).open(path).map_err(Error::file("create", path.clone()))?;
            Ok(())
        })?;
    }
    Ok(new)
}

/// The name with only letters, digits and underscores, which every tool accepts.
fn plain(name: &str) -> Result<String> {
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let plain = plain.trim_matches('_').to_lowercase();
    if plain.is_empty() {
        return Err(Error::new(
            Exit::Usage,
            format!("`{name}` has no letter or digit that a file could be named after"),
        ));
    }
    Ok(plain)
}

/// The next number, with the same width, if versions are numbered; otherwise the time.
pub(super) fn next_version(files: &[Migration], dir: &Utf8Path) -> String {
    let stamp = Timestamp::now().strftime("%Y%m%d%H%M%S").to_string();
    let Some(last) = files.last() else { return stamp };
    let next = last.version.first().saturating_add(1);
    // A number this large is a timestamp.
    if last.version.first() >= 1_000_000_000 {
        // For two in the same second, or after a date in the future.
        return next.max(stamp.parse().unwrap_or(next)).to_string();
    }
    let name = last.up.path.strip_prefix(dir).unwrap_or(&last.up.path).as_str();
    let width = name.chars().take_while(char::is_ascii_digit).count();
    format!("{next:0width$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::Version;

    #[test]
    fn numbers_go_on_as_they_were() {
        let next = |name: &str, number: i64| {
            let up = crate::migrations::file::Script {
                path: format!("m/{name}").into(),
                sql: String::new(),
                in_transaction: true,
            };
            let version = Version::number(number, number.to_string());
            next_version(&[Migration { version, description: String::new(), up, down: None }], "m".into())
        };
        assert_eq!(next("0009_x.sql", 9), "0010");
        assert_eq!(next("9_x.sql", 9), "10");
        assert_eq!(next("99990101000000_x.sql", 99_990_101_000_000), "99990101000001");
        assert_eq!(next("20200101000000_x.sql", 20_200_101_000_000).len(), 14);
        assert_eq!(next_version(&[], "m".into()).len(), 14);
    }

    #[test]
    fn a_name_becomes_one_that_every_tool_takes() {
        assert_eq!(plain("Add users' e-mail!").unwrap(), "add_users__e_mail");
        assert_eq!(plain("../../etc").unwrap(), "etc");
        assert_eq!(plain("--").unwrap_err().exit(), Exit::Usage);
    }
}
