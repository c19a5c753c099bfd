//! Files that a Makefile includes.

use std::io::Read as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::exit::Exit;
use crate::project::error::{Error, Result};

/// No Makefile that people write is longer.
const LONGEST: u64 = 4 * 1024 * 1024;
/// Files inside of files.
const DEEPEST: usize = 8;
/// Files in all: with some that include each other, eight levels would be very many.
const MOST: usize = 64;

/// The folder below which files are read.
#[derive(Debug)]
pub(super) struct Files {
    root: Utf8PathBuf,
    left: std::cell::Cell<usize>,
}

/// What became of one.
pub(super) enum Included {
    Text(String),
    Not(String),
}

impl Files {
    pub(super) fn new(root: &Utf8Path) -> Self {
        Self { root: root.to_owned(), left: std::cell::Cell::new(MOST) }
    }

    /// The text of an included file, if it is one that can be read without make.
    pub(super) fn read(&self, path: &str, depth: usize) -> Included {
        let not = |why: &str| Included::Not(why.to_owned());
        if path.contains(['$', '*', '?', '[']) {
            return not("only make knows its name");
        }
        if is_env_file(path) {
            return not(
                "an env file is not read here, since secrets are in it; Compose and our commands read it by themselves",
            );
        }
        if depth >= DEEPEST || self.left.get() == 0 {
            return not("too many files include each other");
        }
        self.left.set(self.left.get() - 1);
        let inside = (self.root.join(path).canonicalize_utf8().ok())
            .zip(self.root.canonicalize_utf8().ok())
            .filter(|(file, root)| file.starts_with(root));
        match inside.map(|(file, _)| text(&file)) {
            Some(Ok(text)) => Included::Text(text),
            Some(Err(error)) => Included::Not(error.to_string()),
            None => not("no such file in the project's folder"),
        }
    }
}

/// Whether a file holds variables of the environment.
pub(super) fn is_env_file(path: &str) -> bool {
    let path = Utf8Path::new(path);
    path.file_name().is_some_and(|name| name.starts_with(".env")) || path.extension() == Some("env")
}

/// A file's text. Devices and pipes are refused, since reading one may never end.
pub(super) fn text(path: &Utf8Path) -> Result<String> {
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::new(Exit::NotFound, format!("the file {path} does not exist")));
        }
        Err(error) => return Err(Error::file("read", path)(error)),
    };
    if !meta.is_file() {
        return Err(Error::new(Exit::Usage, format!("{path} is not a file")));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(Error::file("read", path))?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(Error::file("read", path))?;
    if bytes.len() as u64 > LONGEST || bytes.contains(&0) {
        return Err(Error::new(Exit::BadData, format!("{path} is not a Makefile"))
            .with_hint("it is binary, or longer than 4 MiB"));
    }
    // Somebody's name in Latin-1 in a comment is no reason to stop; a command with such bytes is not converted.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
