//! File systems that are soon full.

use std::path::{Path, PathBuf};

use super::processes::command;

/// A file system in memory, in a folder; gone when dropped. Only root can have one, see [`mounts`](super::mounts).
#[derive(Debug)]
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// Makes the folder and mounts it, with options such as `size=4m` or `nr_inodes=10`.
    #[track_caller]
    pub(crate) fn tmpfs(path: PathBuf, options: &str) -> Self {
        std::fs::create_dir_all(&path).unwrap();
        mount(&["-t", "tmpfs", "-o", &format!("mode=0700,{options}"), "none"], &path);
        Self(path)
    }

    /// Gives it other options: `ro`, `size=64m`.
    #[track_caller]
    pub(crate) fn change(&self, options: &str) {
        mount(&["-o", &format!("remount,{options}")], &self.0);
    }
}

#[track_caller]
fn mount(words: &[&str], path: &Path) {
    let output = command("mount").args(words).arg(path).output().unwrap();
    assert!(output.status.success(), "mount {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a process that a failed test has left must not keep it.
        let _ = command("umount").arg("-l").arg(&self.0).output();
    }
}
