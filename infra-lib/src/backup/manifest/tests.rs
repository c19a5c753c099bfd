//! Manifests that were edited, and their file names.

use super::*;

#[test]
fn a33_an_edited_manifest_is_refused_and_unknown_keys_are_not() {
    let text = BackupManifest::example().to_text().unwrap();
    assert_eq!(BackupManifest::parse("x.json", &text).unwrap().sequence, 7);
    let edited = String::from_utf8(text).unwrap().replace("\"bytes\": 3", "\"bytes\": 4");
    let error = BackupManifest::parse("x.json", edited.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("changed after it was written"), "{error}");

    let mut later: Value = serde_json::from_slice(&BackupManifest::example().to_text().unwrap()).unwrap();
    let keys = later.as_object_mut().unwrap();
    keys.shift_remove(CHECKSUM);
    keys.insert("moon".into(), "full".into());
    let sum = checksum(&later).unwrap();
    later.as_object_mut().unwrap().insert(CHECKSUM.into(), sum.into());
    assert_eq!(BackupManifest::parse("x.json", later.to_string().as_bytes()).unwrap().sequence, 7);

    later["schema"] = 2.into();
    let error = BackupManifest::parse("x.json", later.to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, BackupError::Schema { schema: 2, .. }), "{error}");
}

#[test]
fn b12_a_manifest_names_no_file_elsewhere() {
    for file in ["../x", "/etc/passwd", "", ".hidden", "a/b"] {
        let mut manifest = BackupManifest::example();
        file.clone_into(&mut manifest.file);
        assert!(BackupManifest::parse("x.json", &manifest.to_text().unwrap()).is_err(), "{file}");
    }
}
