//! Finding the project that a folder belongs to.

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::default_files;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::manifest;

/// The nearest ancestor with an `infra.toml`, else with a compose file.
pub(crate) fn root(start: &std::path::Path) -> Result<Utf8PathBuf> {
    let start = std::path::absolute(start).and_then(|path| path.canonicalize());
    let start = start.map_err(|source| {
        Error::new(Exit::Config, format!("the project's folder cannot be entered: {source}"))
            .with_hint("check the path given with -C")
    })?;
    let start = Utf8PathBuf::from_path_buf(start).map_err(|path| {
        Error::new(Exit::Config, format!("the path {} is not valid UTF-8", path.display()))
            .with_hint("Compose cannot be told about such a folder; move the project to another one")
    })?;
    let nearest = |has: fn(&Utf8Path) -> bool| start.ancestors().find(|dir| has(dir)).map(Utf8Path::to_owned);
    nearest(|dir| dir.join(manifest::FILE_NAME).is_file())
        .or_else(|| nearest(|dir| !default_files(dir).is_empty()))
        .ok_or_else(|| {
            Error::new(
                Exit::Config,
                format!("no project at {start}: neither it nor a folder above has an infra.toml or a compose file"),
            )
            .with_hint("go into the project's folder or name it with -C; `cargo xtask init` writes an infra.toml")
        })
}
