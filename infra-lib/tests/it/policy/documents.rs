//! `docs/policy.md` against the rules.

use std::path::Path;

/// Each row is what the code says.
#[test]
fn every_rule_is_documented_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policy.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = infra_lib::policy::rules()
        .map(|rule| {
            let shown = |severity: Option<infra_lib::policy::Severity>| {
                severity.map_or("–".to_owned(), |severity| severity.to_string())
            };
            let (development, production) = (shown(rule.development), shown(rule.production));
            let (why, fix) = (rule.why.replace('|', "\\|"), rule.fix.replace('|', "\\|"));
            format!("| `{}` | {development} | {production} | {why} | {fix} |", rule.code)
        })
        .collect();
    assert_eq!(rows, expected);
}
