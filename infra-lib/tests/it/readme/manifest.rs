//! `docs/infra-toml.md` and `docs/backups.md` against the schemas, which are generated from the types that read the files.

use std::collections::BTreeSet;

use infra_lib::config::Config;
use serde_json::Value;

use super::markdown::{document, root, spans};

/// The dotted keys below a schema, one level of tables by `NAME`.
fn keys(schema: &Value, node: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    let node = match node["$ref"].as_str().or_else(|| node["anyOf"][0]["$ref"].as_str()) {
        Some(reference) => &schema["$defs"][reference.rsplit('/').next().unwrap()],
        None => node,
    };
    for (key, below) in node["properties"].as_object().into_iter().flatten() {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        found.insert(path.clone());
        keys(schema, below, &path, found);
    }
    if let below @ Value::Object(_) = &node["additionalProperties"]
        && below["type"] != "string"
    {
        keys(schema, below, &format!("{prefix}.*"), found);
    }
}

#[test]
fn every_key_of_the_manifest_is_documented_and_every_documented_key_is_one() {
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join("docs/infra.schema.json")).unwrap()).unwrap();
    let mut known = BTreeSet::new();
    keys(&schema, &schema, "", &mut known);
    // The sections themselves are the headings, and an environment's own database has the keys of `[database]`.
    known.retain(|key| key.contains('.') && !key.starts_with("environments.*.database."));

    let mut documented = BTreeSet::new();
    for table in document("docs/infra-toml.md").tables() {
        let Some(section) = table.heading.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { continue };
        let path = section.replace(".NAME", ".*").replace(".KEY", ".*");
        for row in table.rows {
            documented.insert(format!("{path}.{}", spans(&row[0])[0]));
            let header = section.replace("NAME", "x").replace("KEY", "X");
            for example in spans(&row[3]) {
                let text = format!("[{header}]\n{example}\n");
                let parsed = Config::parse("infra.toml".into(), &text);
                assert!(parsed.is_ok(), "[{section}] `{example}`: {}", parsed.unwrap_err());
            }
        }
    }
    assert_eq!(documented, known);
}

#[test]
fn every_key_of_a_backups_manifest_is_documented_and_every_documented_key_is_one() {
    let text = std::fs::read_to_string(root().join("docs/backup.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let mut tables = document("docs/backups.md").tables();
    tables.retain(|table| table.heading == "The manifest");
    let documented = |nr: usize| tables[nr].rows.iter().map(|row| spans(&row[0])[0].clone()).collect::<BTreeSet<_>>();
    let known = |node: &Value| node["properties"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(documented(0), known(&schema));
    assert_eq!(documented(1), known(&schema["$defs"]["DatabaseFacts"]));
}
