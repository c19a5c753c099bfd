//! The binary under test.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use super::processes::unchecked;

/// The path of `examples/xtask.rs`, built. `cargo test --test it` alone does not build examples, and a stale one would
/// test yesterday's code; so Cargo is asked once per run, which takes a tenth of a second when nothing changed.
pub(crate) fn xtask() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| std::env::var_os("INFRA_TEST_XTASK").map_or_else(|| example("xtask"), PathBuf::from))
}

/// The path of one of the examples, built.
pub(crate) fn example(name: &str) -> PathBuf {
    let profile_dir = profile_dir();
    let profile = match profile_dir.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let mut build = unchecked(env!("CARGO"));
    build
        .args(["build", "--quiet", "--package", env!("CARGO_PKG_NAME"), "--example", name, "--profile", profile])
        .arg("--message-format=json-render-diagnostics")
        .arg("--target-dir")
        .arg(target_dir())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null());
    let output = build.output().expect("cargo starts");
    assert!(output.status.success(), "the xtask example does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let executable = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    executable
        .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .next_back()
        .expect("cargo names the executable")
}

/// The folder below which Cargo has built this test. Cargo marks it only where it has made it itself.
pub(crate) fn target_dir() -> PathBuf {
    let profile = profile_dir();
    let marked = profile.ancestors().find(|dir| dir.join("CACHEDIR.TAG").is_file());
    marked.or(profile.parent()).unwrap().to_owned()
}

/// `<target>/[<triple>/]<profile>`, of `<profile>/deps/it-<hash>`.
fn profile_dir() -> PathBuf {
    std::env::current_exe().unwrap().parent().and_then(Path::parent).unwrap().to_owned()
}
