//! A named pipe that brings a container's output to us without passing through the engine.

use camino::{Utf8Path, Utf8PathBuf};

use crate::hex::{self, RandomError};

/// A named pipe in a private folder. Dropping this removes it.
#[derive(Debug)]
pub(crate) struct Pipe(Utf8PathBuf);

impl Pipe {
    /// Creates a named pipe with this mode. Returns `None` if the file system does not support it; the caller then
    /// uses the slower way.
    #[cfg(target_os = "linux")]
    pub(crate) fn make(folder: &Utf8Path, mode: u32) -> Result<Option<Self>, RandomError> {
        use rustix::fs::{CWD, FileType, Mode, chmod, mknodat};
        let path = folder.join(format!(".{}.pipe", hex::random_digits(16)?));
        if mknodat(CWD, path.as_std_path(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).is_err() {
            return Ok(None);
        }
        let pipe = Self(path);
        let is_private = mode == 0o600;
        let widened = is_private || chmod(pipe.path().as_std_path(), Mode::from_raw_mode(mode)).is_ok();
        Ok(widened.then_some(pipe))
    }

    /// On other systems, containers run under a different kernel.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn make(_: &Utf8Path, _: u32) -> Result<Option<Self>, RandomError> {
        Ok(None)
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.0
    }

    pub(crate) fn name(&self) -> &str {
        self.0.file_name().unwrap_or_default()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
