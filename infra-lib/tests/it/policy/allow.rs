//! `[policy.allow]`

use super::good::with;
use super::{PRODUCTION, findings};
use crate::support::*;

fn allowing(line: &str) -> TestProject {
    let project = with("compose.yml", "user: \"70:70\"", "user: \"0\"");
    project.write("infra.toml", &format!("{}[policy.allow]\n{line}\n", project.read("infra.toml")));
    project
}

#[test]
fn a_finding_is_accepted_with_a_reason_for_all_or_for_one_service() {
    let Some(()) = compose() else { return };
    for line in ["user-root = \"it must\"", "\"user-root:db\" = \"it must\""] {
        let project = allowing(line);
        let ended = project.xtask(PRODUCTION).args(["policy", "--json"]).end();
        assert_eq!(findings(ended.ok()), Vec::<String>::new());
        let outcome = ended.outcome();
        assert_eq!((&outcome["findings"][0]["allowed"], &outcome["allowed"]), (&"it must".into(), &1.into()));
        project.xtask(PRODUCTION).arg("policy").stdout("0 errors, 0 warnings, 1 accepted in production\n").check();
    }
    let ended = allowing("\"user-root:web\" = \"it must\"").xtask(PRODUCTION).args(["policy", "--json"]).end();
    assert_eq!(findings(ended.code(2)), ["compose.yml:14 user-root error", "infra.toml:8 allow-unused warning"]);
}

#[test]
fn an_unknown_code_or_a_missing_reason_is_an_error_with_its_line() {
    let Some(()) = compose() else { return };
    let says = |line: &str, place: &str, hint: &str| {
        allowing(line).xtask(PRODUCTION).arg("policy").end().code(78).says(place).says(hint);
    };
    says("user-rot = \"it must\"", "infra.toml:8:1: `user-rot` is not a rule", "did you mean `user-root`?");
    says("\"user-rot:db\" = \"x\"", "infra.toml:8:1: `user-rot` is not a rule", "did you mean `user-root`?");
    says("user-root = \" \"", "infra.toml:8:1: `user-root` is allowed without a reason", "");
}
