//! SARIF 2.1.0, which code scanning reads.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{PolicyFinding, Severity, rules};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Findings as one run. Accepted ones are there too, suppressed with their reason.
pub(crate) fn sarif(findings: &[PolicyFinding]) -> Value {
    let all: Vec<_> = rules().collect();
    let described: Vec<Value> = all
        .iter()
        .map(|rule| {
            let weight = rule.production.or(rule.development).unwrap_or(Severity::Info);
            json!({
                "id": rule.code,
                "shortDescription": {"text": rule.why},
                "help": {"text": rule.fix},
                "defaultConfiguration": {"level": level(weight)},
            })
        })
        .collect();
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let mut location = json!({"artifactLocation": {"uri": uri(&finding.file), "uriBaseId": "%SRCROOT%"}});
            // Viewers need a line; a finding about a complete file is reported at its first one.
            location["region"] = json!({"startLine": finding.line.unwrap_or(1)});
            let subject = finding.service.as_ref().map(|service| format!("{service}: ")).unwrap_or_default();
            let mut result = json!({
                "ruleId": finding.code,
                "ruleIndex": all.iter().position(|rule| rule.code == finding.code),
                "level": level(finding.severity),
                "message": {"text": format!("{subject}{}: {}. {}", finding.message, finding.why, finding.fix)},
                "locations": [{"physicalLocation": location}],
            });
            if let Some(reason) = &finding.allowed {
                result["suppressions"] = json!([{"kind": "external", "justification": reason}]);
            }
            result
        })
        .collect();
    json!({
        "version": "2.1.0",
        "$schema": SCHEMA,
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": described,
            }},
            "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "the project's folder"}}},
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A path as a relative URI: other characters are written as `%XX`.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
