//! What a test needs that a machine may lack. A guard declares the need: without it, the test's calls do not get at it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::declared::{ENGINE, POSTGRES, SERVERS, current, declare, on_path};
use super::engine::{IMAGE, ask_docker};
use super::processes::unchecked;
use super::record;

/// That there is an engine with the image that the tests use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EngineIsThere;

/// Docker Compose, without an engine: calls get an address where none listens.
#[track_caller]
pub(crate) fn compose() -> Option<()> {
    static THERE: OnceLock<Result<(), String>> = OnceLock::new();
    let there = THERE.get_or_init(|| {
        ask_docker(["compose", "version"]).map(drop).map_err(|error| format!("no Docker Compose: {error}"))
    });
    found("compose", there.clone(), || on_path(|name| name.starts_with("docker")))
}

/// An engine that answers and has the tests' image, and Compose.
#[track_caller]
pub(crate) fn engine() -> Option<EngineIsThere> {
    static THERE: OnceLock<Result<(), String>> = OnceLock::new();
    compose()?;
    let there = THERE.get_or_init(|| {
        ask_docker(["version", "--format", "{{.Server.Version}}"]).map_err(|error| format!("no engine: {error}"))?;
        ask_docker(["image", "inspect", IMAGE]).map_err(|_| format!("no image {IMAGE}"))?;
        Ok(())
    });
    found("engine", there.clone().map(|()| EngineIsThere), || vec![ENGINE.to_owned()])
}

/// An engine that has all of these images.
#[track_caller]
pub(crate) fn images(names: &[&str]) -> Option<EngineIsThere> {
    let engine = engine()?;
    let absent: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| ask_docker(["image", "inspect", "--format", "{{.Id}}", name]).is_err())
        .collect();
    let there = if absent.is_empty() { Ok(engine) } else { Err(format!("no image {}", absent.join(", "))) };
    found("images", there, Vec::new)
}

/// The folder with `initdb` and the other programs of a PostgreSQL server.
#[track_caller]
pub(crate) fn postgres() -> Option<PathBuf> {
    let debian = std::fs::read_dir(SERVERS).into_iter().flatten().flatten();
    let mut dirs: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    dirs.sort();
    dirs.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let complete = |dir: &PathBuf| ["initdb", "pg_ctl", "postgres"].iter().all(|program| dir.join(program).is_file());
    let there = dirs.into_iter().find(complete).ok_or_else(|| "no PostgreSQL server programs".to_owned());
    let others = ["psql", "postgres", "initdb", "createdb", "dropdb", "createuser", "dropuser", "vacuumdb"];
    let names = || on_path(|name| name.starts_with("pg_") || others.contains(&name));
    found("postgres", there, || names().into_iter().chain([POSTGRES.to_owned()]).collect())
}

/// Fails unless the running test has declared PostgreSQL.
#[track_caller]
pub(super) fn declared_postgres() -> PathBuf {
    assert!(current().contains(POSTGRES), "the test uses PostgreSQL without the guard `postgres()`");
    postgres().expect("it was there when it was declared")
}

/// That users and crontabs can be made, and a cron daemon started.
#[track_caller]
pub(crate) fn cron() -> Option<()> {
    let programs = ["crontab", "cron", "useradd", "userdel", "setpriv", "unshare"];
    let there = match programs.iter().find(|name| which::which(name).is_err()) {
        _ if !rustix::process::geteuid().is_root() => Err("only root can make users".to_owned()),
        Some(name) => Err(format!("no `{name}` on PATH")),
        None => Ok(()),
    };
    found("cron", there, || programs.map(str::to_owned).into())
}

/// That file systems can be mounted.
#[track_caller]
pub(crate) fn mounts() -> Option<()> {
    let there = rustix::process::geteuid().is_root().then_some(()).ok_or("only root can mount".to_owned());
    found("mounts", there, || ["mount", "umount"].map(str::to_owned).into())
}

/// A program on `PATH`, such as `strace`.
#[track_caller]
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let there = which::which(name).map_err(|_| format!("no `{name}` on PATH"));
    // Programs from npm are scripts.
    found(name, there, || vec![name.to_owned(), "node".to_owned()])
}

/// A Python that has Django, in the environment of `alembic`.
#[track_caller]
pub(crate) fn django() -> Option<PathBuf> {
    let alembic = which::which("alembic").map(|path| path.canonicalize().unwrap_or(path));
    let there = alembic.map_err(|_| "no `alembic` on PATH".to_owned()).and_then(|path| {
        let dir = path.parent().map(PathBuf::from).unwrap_or_default();
        if dir.join("django-admin").is_file() {
            Ok(dir.join("python3"))
        } else {
            Err(format!("no Django in {}", dir.display()))
        }
    });
    found("django", there, || vec!["alembic".to_owned()])
}

/// The program of `tests/interop`, which migrates as other people's do; it is built by the first test that needs it.
#[track_caller]
pub(crate) fn interop() -> Option<PathBuf> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/Cargo.toml");
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/interop");
    let words = ["build", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir", target];
    let built = match unchecked("cargo").args(words).output() {
        Ok(built) if built.status.success() => Ok(PathBuf::from(target).join("debug/interop")),
        Ok(built) => Err(String::from_utf8_lossy(&built.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    };
    found("interop", built, Vec::new)
}

/// Declares what was found. What was not found is reported once per test, which is skipped; where the machine was
/// promised to have it, that is a failure.
#[track_caller]
fn found<T>(what: &str, there: Result<T, String>, declares: impl FnOnce() -> Vec<String>) -> Option<T> {
    record::begin();
    let why = match there {
        Ok(there) => {
            declare(declares());
            return Some(there);
        }
        Err(why) => why,
    };
    let required = std::env::var("INFRA_TEST_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name.trim() == what), "{what} is required, but: {why}");
    skip(&why);
    None
}

/// Reports, once, that the running test is skipped.
pub(super) fn skip(why: &str) {
    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("{test}: skipped, {why}\n");
    if REPORTED.lock().unwrap_or_else(PoisonError::into_inner).insert(line.clone()) {
        record::skipped(&test, why);
        // Not `eprintln!`, which the test runner hides for tests that pass.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}
