//! How findings are told: to people, to programs, to code scanning.

use serde_json::{Value, json};

use super::PRODUCTION;
use super::good::{change, with};
use crate::support::*;

/// Two errors in two files, one of them accepted, and a warning.
fn several() -> TestProject {
    let project = with("compose.yml", "user: \"70:70\"", "privileged: true\n    user: \"0\"");
    change(&project, "web/Dockerfile", "USER 10001:10001", "USER node");
    project.write(
        "infra.toml",
        &format!("{}[policy.allow]\n\"user-root:db\" = \"it must\"\n", project.read("infra.toml")),
    );
    project
}

#[test]
fn people_read_places_reasons_and_a_way_out() {
    let Some(()) = compose() else { return };
    let text = "\
compose.yml:14: error: db: it is privileged (privileged)
  why: a privileged container is root on this machine
  fix: take `privileged` out, and add the one device or capability that is needed

web/Dockerfile:4: warning: web: it runs as `node`, which is a name (user-not-numeric)
  why: a name means what the image's passwd file says, which cannot be checked from outside
  fix: use numbers: `USER 10001:10001`

1 error, 1 warning, 1 accepted in production
";
    let ended = several().xtask(PRODUCTION).arg("policy").end();
    assert!(ended.code(2).stdout.starts_with(text), "{ended}");
}

#[test]
fn programs_read_everything() {
    let Some(()) = compose() else { return };
    let outcome = several().xtask(PRODUCTION).args(["policy", "--json"]).end().code(2).outcome();
    let counts = ["errors", "warnings", "infos", "allowed"].map(|key| outcome[key].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 0, 1]);
    let first = &outcome["findings"][0];
    for key in ["code", "severity", "service", "file", "line", "message", "why", "fix", "allowed"] {
        assert!(first.get(key).is_some(), "{key}: {first}");
    }
}

#[test]
fn code_scanning_reads_sarif() {
    let Some(()) = compose() else { return };
    let project = several();
    let ended = project.xtask(PRODUCTION).args(["policy", "--sarif", "out.sarif"]).end();
    ended.code(2);
    let sarif: Value = serde_json::from_str(&project.read("out.sarif")).unwrap();
    assert_eq!((&sarif["version"], sarif["runs"].as_array().unwrap().len()), (&"2.1.0".into(), 1));
    assert_eq!(sarif["$schema"], "https://json.schemastore.org/sarif-2.1.0.json");
    let run = &sarif["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(run["tool"]["driver"]["name"], "infra-lib");
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let at = &result["locations"][0]["physicalLocation"];
        assert!(at["artifactLocation"]["uri"].as_str().is_some_and(|uri| !uri.starts_with('/')), "{result}");
        assert!(at["region"]["startLine"].as_u64().is_some_and(|line| line > 0), "{result}");
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()), "{result}");
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()), "{result}");
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let suppressed: Vec<_> = results.iter().filter(|result| result.get("suppressions").is_some()).collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0]["suppressions"], json!([{"kind": "external", "justification": "it must"}]));

    let folder = project.xtask(PRODUCTION).args(["policy", "--sarif", "no/such/out.sarif"]).end();
    assert!([73, 74].contains(&folder.exit), "{folder}");
    project.xtask(PRODUCTION).args(["--dry-run", "policy", "--sarif", "dry.sarif"]).end().code(2);
    assert!(!project.path("dry.sarif").exists());
}
