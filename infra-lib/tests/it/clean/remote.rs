//! An engine elsewhere.

use super::*;

#[test]
fn g09_a_remote_engine_is_left_alone() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["start"]).end().ok();
    let remote = remote_engine();
    let refused = |call: Call| {
        call.end().code(77).says("not on this machine").says("hint: ");
    };
    refused(project.xtask(["clean", "--all", "--yes"]).env("DOCKER_HOST", &remote));
    // By a context of Docker's, chosen by a variable or by `docker context use`.
    let config = tempfile::tempdir().unwrap();
    context(config.path(), &remote);
    let with_config = || project.xtask(["clean", "--all", "--yes"]).env("DOCKER_CONFIG", config.path());
    refused(with_config().env("DOCKER_CONTEXT", "far"));
    let chosen = r#"{"currentContext":"far"}"#;
    std::fs::write(config.path().join("config.json"), chosen).unwrap();
    refused(with_config());
    assert_eq!(project.state("web"), "running");
    // The one that setup has recorded is this project's, wherever it is.
    project.xtask(["setup", "--yes", "--no-start"]).env("DOCKER_HOST", &remote).end().ok();
    project.xtask(["clean", "--yes"]).env("DOCKER_HOST", &remote).end().ok();
    assert!(project.containers("").is_empty());
}

/// A context `far` in a configuration folder, as `docker context create` writes it.
fn context(config: &Path, host: &str) {
    // The folder's name is the SHA-256 of the context's.
    use sha2::Digest as _;
    let id = sha2::Sha256::digest(b"far").iter().fold(String::new(), |id, byte| id + &format!("{byte:02x}"));
    let dir = config.join("contexts/meta").join(id);
    std::fs::create_dir_all(&dir).unwrap();
    let meta = serde_json::json!({
        "Name": "far", "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": false}}
    });
    std::fs::write(dir.join("meta.json"), meta.to_string()).unwrap();
}
