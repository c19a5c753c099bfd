//! Finding the project that a folder belongs to.

use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::identity;
use crate::config::{self, Config};
use crate::exit::Exit;
use crate::project::error::{Error, Result};

use super::nearby::Nearby;

/// The nearest ancestor with an `infra.toml`, else with a compose file; or the folder that this `infra.toml` points
/// to.
pub(crate) fn root(start: &Path) -> Result<Utf8PathBuf> {
    find(&absolute(start)?)
}

/// Like `root`, but accepts a folder that is not a project yet, and prefers a compose file in the folder itself.
pub(super) fn root_or_folder(start: &Path) -> Result<Utf8PathBuf> {
    let start = absolute(start)?;
    if has_compose(&start) && !has_manifest(&start) {
        return Ok(start);
    }
    Ok(find(&start).ok().or_else(|| Some(Nearby::search(&start)?.folder)).unwrap_or(start))
}

fn absolute(start: &Path) -> Result<Utf8PathBuf> {
    let found = std::path::absolute(start).and_then(|path| path.canonicalize());
    let start = found.map_err(|source| {
        Error::new(Exit::Config, format!("the project's folder {} cannot be entered: {source}", start.display()))
            .with_hint("check the path given with -C")
    })?;
    Utf8PathBuf::from_path_buf(start).map_err(|path| {
        Error::new(Exit::Config, format!("the path {} is not valid UTF-8", path.display()))
            .with_hint("move the project to another folder: Compose does not support this path")
    })
}

fn find(start: &Utf8Path) -> Result<Utf8PathBuf> {
    let nearest = |has: fn(&Utf8Path) -> bool| start.ancestors().find(|dir| has(dir)).map(Utf8Path::to_owned);
    match nearest(has_manifest) {
        Some(root) => follow(root),
        None => nearest(has_compose).ok_or_else(|| match Nearby::search(start) {
            Some(nearby) => nearby.error(start, false),
            None => Error::new(
                Exit::Config,
                format!("no project at {start}: neither it nor a folder above has an infra.toml or a compose file"),
            )
            .with_hint("go into the project's folder or name it with -C; `cargo xtask init` writes an infra.toml"),
        }),
    }
}

/// The compose file that `init` writes to the infra.toml of a folder in which `docker compose` finds none.
///
/// # Errors
///
/// If there are several, and none is the obvious one.
pub(super) fn elsewhere(root: &Utf8Path) -> Result<Option<Utf8PathBuf>> {
    if has_manifest(root) || has_compose(root) {
        return Ok(None);
    }
    let Some(nearby) = Nearby::below(root) else { return Ok(None) };
    nearby.choice().cloned().map(Some).ok_or_else(|| nearby.error(root, false))
}

fn has_manifest(dir: &Utf8Path) -> bool {
    dir.join(config::FILE_NAME).is_file()
}

fn has_compose(dir: &Utf8Path) -> bool {
    identity::has_project(dir)
}

/// Follows the `infra.toml` of a repository that only names the project's folder.
fn follow(root: Utf8PathBuf) -> Result<Utf8PathBuf> {
    let Some(dir) = Config::load(&root)?.project.dir else { return Ok(root) };
    let target = root.join(&dir);
    if has_manifest(&target) || has_compose(&target) {
        return Ok(target);
    }
    Err(Error::new(
        Exit::Config,
        format!(
            "{root}/infra.toml says that the project is in {dir}, which has neither an infra.toml nor a compose file"
        ),
    ))
}
