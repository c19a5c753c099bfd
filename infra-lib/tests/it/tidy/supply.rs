//! Where dependencies come from, and what the lints of every package forbid.

use toml::{Table, Value};

use super::source::root;

fn read(path: &str) -> Table {
    std::fs::read_to_string(root().join(path)).unwrap().parse().unwrap()
}

#[test]
fn s40_every_dependency_is_locked_with_a_checksum_from_one_registry() {
    let lock = read("Cargo.lock");
    let mut registries = std::collections::BTreeSet::new();
    for package in lock["package"].as_array().unwrap() {
        // Packages of this workspace have no source.
        if let Some(source) = package.get("source").and_then(Value::as_str) {
            assert!(source.starts_with("registry+") && package.get("checksum").is_some(), "{package}");
            registries.insert(source);
        }
    }
    assert_eq!(registries.len(), 1, "{registries:?}");
    let deny = read("deny.toml");
    for key in ["unknown-registry", "unknown-git"] {
        assert_eq!(deny["sources"][key].as_str(), Some("deny"), "{key}");
    }
}

#[test]
fn s41_every_package_forbids_unsafe_code_and_panics() {
    let workspace = read("Cargo.toml");
    let lints = &workspace["workspace"]["lints"];
    assert_eq!(lints["rust"]["unsafe_code"].as_str(), Some("forbid"));
    for lint in ["unwrap_used", "expect_used", "print_stdout", "print_stderr", "exit"] {
        // CI makes errors of warnings.
        assert_eq!(lints["clippy"][lint].as_str(), Some("warn"), "{lint}");
    }
    for member in workspace["workspace"]["members"].as_array().unwrap() {
        let package = read(&format!("{}/Cargo.toml", member.as_str().unwrap()));
        assert_eq!(package["lints"]["workspace"].as_bool(), Some(true), "{member}");
        assert!(package["package"].get("build").is_none(), "{member} has a build script");
    }
}
