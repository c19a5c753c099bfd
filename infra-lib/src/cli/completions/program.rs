//! Which program a shell runs when a key is pressed: the one that the command line being typed would run, and only if
//! it belongs to the user. The folder may be another user's, and it must not bring a program of its own.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

/// The hidden word by which scripts ask.
const ASK: &str = "__completer";

/// Cargo's folder for what it builds, if the user has said so.
const TARGET: [&str; 2] = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"];

/// The path of the program to run, if a script asks: after the hidden word comes `cargo`, or the path of the program that
/// was typed. Nothing where there is none to run.
pub(in crate::cli) fn asked(words: &[OsString]) -> Option<String> {
    let (ask, typed) = words.get(1..)?.split_first()?;
    if ask != ASK {
        return None;
    }
    let typed = typed.first().map(PathBuf::from).unwrap_or_default();
    let found = std::env::current_exe().ok().and_then(|this| find(&typed, &this));
    Some(found.map(|program| program.to_string_lossy().into_owned()).unwrap_or_default())
}

/// `this` is the program that has printed the script. It completes `cargo xtask` where the workspace has built none.
fn find(typed: &Path, this: &Path) -> Option<PathBuf> {
    if typed.as_os_str().is_empty() {
        return Some(this.to_owned());
    }
    if typed != Path::new("cargo") {
        let typed = std::path::absolute(typed).ok()?;
        let is_this = typed.canonicalize().is_ok_and(|path| this.canonicalize().is_ok_and(|this| path == this));
        return (is_this || belongs_to_user(&typed)).then_some(typed);
    }
    let dir = std::env::current_dir().ok()?;
    let target = TARGET.iter().find_map(std::env::var_os).map(|target| dir.join(target));
    let built = built(&dir, target, Path::new(this.file_name()?));
    built.filter(|program| belongs_to_user(program)).or_else(|| Some(this.to_owned()))
}

/// What `cargo xtask` has built for the workspace around this folder. Cargo is not asked: a `rust-toolchain.toml` in the
/// folder decides which one would run.
fn built(dir: &Path, target: Option<PathBuf>, name: &Path) -> Option<PathBuf> {
    let root = workspace(dir)?;
    let target = target.unwrap_or_else(|| root.join("target"));
    let profiles = ["debug", "release"].map(|profile| target.join(profile).join(name));
    profiles.into_iter().find(|program| program.is_file())
}

/// The folder of Cargo's workspace: that of the nearest manifest with a `[workspace]`, or else of the nearest manifest.
fn workspace(dir: &Path) -> Option<&Path> {
    let mut packages = dir.ancestors().filter(|dir| dir.join("Cargo.toml").is_file()).peekable();
    let nearest = packages.peek().copied();
    let has_workspace = |dir: &&Path| {
        let text = std::fs::read_to_string(dir.join("Cargo.toml")).unwrap_or_default();
        text.parse::<toml::Table>().is_ok_and(|manifest| manifest.contains_key("workspace"))
    };
    packages.find(has_workspace).or(nearest)
}

/// Whether this is a file of the user's that no one else can write, replace or redirect.
fn belongs_to_user(program: &Path) -> bool {
    let user = geteuid().as_raw();
    let Ok(real) = program.canonicalize() else { return false };
    let is_users = real.metadata().is_ok_and(|about| about.is_file() && about.uid() == user);
    is_users && program.ancestors().chain(real.ancestors()).all(|path| is_safe(path, user))
}

/// Whether this is the user's or root's, and no one else may write to it. In a sticky folder such as `/tmp` others can
/// only add files.
fn is_safe(path: &Path, user: u32) -> bool {
    path.symlink_metadata().is_ok_and(|about| {
        let sticky = about.is_dir() && about.mode() & 0o1000 != 0;
        let closed = about.is_symlink() || sticky || about.mode() & 0o022 == 0;
        closed && [0, user].contains(&about.uid())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_found_as_cargo_does() {
        let holder = tempfile::tempdir().unwrap();
        let root = holder.path();
        std::fs::create_dir_all(root.join("member/src")).unwrap();
        let package = "[package]\nname = \"x\" # [workspace]\n";
        std::fs::write(root.join("member/Cargo.toml"), package).unwrap();
        assert_eq!(workspace(&root.join("member/src")), Some(&*root.join("member")));
        assert_eq!(workspace(root), None);
        std::fs::write(root.join("Cargo.toml"), "[workspace]\nmembers = [\"member\"]\n").unwrap();
        assert_eq!(workspace(&root.join("member/src")), Some(root));
    }
}
