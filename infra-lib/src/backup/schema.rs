//! The JSON Schema of a backup's manifest.

use schemars::schema_for;
use serde_json::json;

use super::BackupManifest;
use super::manifest::CHECKSUM;

/// The schema as formatted JSON, with a trailing newline.
pub fn json_schema() -> String {
    let mut schema = schema_for!(BackupManifest);
    if let Some(properties) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut) {
        let description = "SHA-256 of the rest of the manifest, as JSON without white space: an edited one is refused.";
        properties.insert(CHECKSUM.to_owned(), json!({"type": "string", "description": description}));
    }
    format!("{:#}\n", schema.as_value())
}
