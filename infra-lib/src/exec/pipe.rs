//! A named pipe through which a container's output comes to us, past the engine.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Result;
use crate::nonce;

/// A named pipe in a folder of ours; gone when dropped.
#[derive(Debug)]
pub(crate) struct Pipe(Utf8PathBuf);

impl Pipe {
    /// Makes one of this mode. A file system without pipes is no reason to fail: the slower way remains.
    #[cfg(target_os = "linux")]
    pub(crate) fn make(folder: &Utf8Path, mode: u32) -> Result<Option<Self>> {
        use rustix::fs::{CWD, FileType, Mode, chmod, mknodat};
        let path = folder.join(format!(".{}.pipe", nonce::hex_digits(16)?));
        if mknodat(CWD, path.as_std_path(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).is_err() {
            return Ok(None);
        }
        let pipe = Self(path);
        let is_private = mode == 0o600;
        let widened = is_private || chmod(pipe.path().as_std_path(), Mode::from_raw_mode(mode)).is_ok();
        Ok(widened.then_some(pipe))
    }

    /// Elsewhere, containers run under another kernel.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn make(_: &Utf8Path, _: u32) -> Result<Option<Self>> {
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
