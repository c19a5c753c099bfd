//! What a machine may lack.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};

use super::engine::{IMAGE, try_docker};
use super::processes::command;

/// That there is an engine with the image that the tests use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EngineIsThere;

/// An engine that answers and has the tests' image.
#[track_caller]
pub(crate) fn engine() -> Option<EngineIsThere> {
    static THERE: OnceLock<Result<(), String>> = OnceLock::new();
    let there = THERE.get_or_init(|| {
        try_docker(["compose", "version"]).map_err(|error| format!("no Docker Compose: {error}"))?;
        try_docker(["version", "--format", "{{.Server.Version}}"]).map_err(|error| format!("no engine: {error}"))?;
        try_docker(["image", "inspect", IMAGE]).map_err(|_| format!("no image {IMAGE}"))?;
        Ok(())
    });
    found("engine", there.clone().map(|()| EngineIsThere))
}

/// An engine that has all of these images.
#[track_caller]
pub(crate) fn images(names: &[&str]) -> Option<EngineIsThere> {
    let engine = engine()?;
    let absent: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| try_docker(["image", "inspect", "--format", "{{.Id}}", name]).is_err())
        .collect();
    let there = if absent.is_empty() { Ok(engine) } else { Err(format!("no image {}", absent.join(", "))) };
    found("images", there)
}

/// The folder with `initdb` and the other programs of a PostgreSQL server.
#[track_caller]
pub(crate) fn postgres() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut dirs: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    dirs.sort();
    dirs.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let whole = |dir: &PathBuf| ["initdb", "pg_ctl", "postgres"].iter().all(|program| dir.join(program).is_file());
    found("postgres", dirs.into_iter().find(whole).ok_or_else(|| "no PostgreSQL server programs".to_owned()))
}

/// That users and crontabs can be made, and a cron daemon started.
#[track_caller]
pub(crate) fn cron() -> Option<()> {
    let missing = ["crontab", "cron", "useradd", "setpriv", "unshare"].iter().find(|name| which::which(name).is_err());
    let there = match missing {
        _ if !rustix::process::geteuid().is_root() => Err("only root can make users".to_owned()),
        Some(name) => Err(format!("no `{name}` on PATH")),
        None => Ok(()),
    };
    found("cron", there)
}

/// That file systems can be mounted.
#[track_caller]
pub(crate) fn mounts() -> Option<()> {
    let there = rustix::process::geteuid().is_root().then_some(()).ok_or("only root can mount".to_owned());
    found("mounts", there)
}

/// A program on `PATH`, such as `strace`.
#[track_caller]
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    found(name, which::which(name).map_err(|_| format!("no `{name}` on PATH")))
}

/// The program of `tests/interop`, which migrates as other people's do; it is built by whoever asks first.
#[track_caller]
pub(crate) fn interop() -> Option<PathBuf> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/Cargo.toml");
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/interop");
    let words = ["build", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir", target];
    let built = match command("cargo").args(words).output() {
        Ok(built) if built.status.success() => Ok(PathBuf::from(target).join("debug/interop")),
        Ok(built) => Err(String::from_utf8_lossy(&built.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    };
    found("interop", built)
}

/// Says once per test what it leaves out; where the machine was promised to have it, that is a failure.
#[track_caller]
fn found<T>(what: &str, there: Result<T, String>) -> Option<T> {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let why = match there {
        Ok(there) => return Some(there),
        Err(why) => why,
    };
    let required = std::env::var("INFRA_TEST_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name.trim() == what), "{what} is required, but: {why}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("{test}: left out, {why}\n");
    if TOLD.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(line.clone()) {
        // Not `eprintln!`, which the test runner hides for tests that pass.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    None
}
