//! The binary under test.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use super::processes::command;

/// The path of `examples/xtask.rs`, built. `cargo test --test it` alone does not build examples, and a stale one would
/// test yesterday's code; so Cargo is asked once per run, which takes a tenth of a second when nothing changed.
pub(crate) fn xtask() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| std::env::var_os("INFRA_TEST_XTASK").map_or_else(|| example("xtask"), PathBuf::from))
}

/// The path of one of the examples, built.
pub(crate) fn example(name: &str) -> PathBuf {
    // <target>/[<triple>/]<profile>/deps/it-<hash>
    let test = std::env::current_exe().unwrap();
    let profile_dir = test.parent().and_then(Path::parent).unwrap();
    let profile = match profile_dir.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let mut build = command(env!("CARGO"));
    build
        .args(["build", "--quiet", "--package", env!("CARGO_PKG_NAME"), "--example", name, "--profile", profile])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null());
    if let Some(target) = profile_dir.ancestors().find(|dir| dir.join("CACHEDIR.TAG").is_file()) {
        build.arg("--target-dir").arg(target);
    }
    let output = build.output().expect("cargo starts");
    assert!(output.status.success(), "the xtask example does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let executable = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    executable
        .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .next_back()
        .expect("cargo names the executable")
}
