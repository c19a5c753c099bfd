//! Numbers in manifests that no backup of ours has.

use sha2::Digest as _;

use super::*;

/// Puts a number into a manifest.
type Change = fn(&mut Value, u64);

/// Changes a manifest, and signs it as its writer would.
fn forge(file: &std::path::Path, change: impl FnOnce(&mut Value)) {
    let path = file.with_extension("json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().shift_remove("checksum");
    change(&mut manifest);
    let sum = sha2::Sha256::digest(serde_json::to_vec(&manifest).unwrap());
    manifest["checksum"] = sum.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")).into();
    std::fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
}

#[test]
fn d36_numbers_of_a_manifest_that_are_too_large_are_refused() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(&name, "CREATE TABLE goods AS SELECT 1 AS a; CREATE TABLE more AS SELECT 2 AS b;");
    let (_, first) = back_up(&project);
    let good = std::fs::read(first.with_extension("json")).unwrap();
    let file = first.file_name().unwrap().to_str().unwrap().to_owned();
    let changes: [Change; 6] = [
        |manifest, number| manifest["sequence"] = number.into(),
        |manifest, number| manifest["bytes"] = number.into(),
        |manifest, number| manifest["duration_ms"] = number.into(),
        |manifest, number| manifest["globals"]["bytes"] = number.into(),
        |manifest, number| manifest["database"]["size"] = number.into(),
        |manifest, number| {
            for table in manifest["tables"].as_array_mut().unwrap() {
                table["rows"] = number.into();
            }
        },
    ];
    for change in changes {
        for number in [u64::MAX, u64::MAX / 2 + 1] {
            std::fs::write(first.with_extension("json"), &good).unwrap();
            forge(&first, |manifest| change(manifest, number));
            for words in [
                &["db-verify", file.as_str()][..],
                &["db-restore", &file, "--yes"],
                &["db-restore", &file, "--into", "x"],
            ] {
                project.xtask(words).end().code(65).says("is out of range").never_says("panicked");
            }
        }
        for words in [&["db-backup", "--list"][..], &["db-prune"], &["health"], &["db-backup"]] {
            let ended = project.xtask(words).end();
            assert_ne!(ended.exit, 101, "{ended}");
        }
    }
}
