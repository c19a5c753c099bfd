//! `policy --images`: what scanners say, and what histories show. The scanners are fakes that print what their
//! documentation says they do; the history of an image is read from a real one as well.

use super::good::{change, good};
use super::{PRODUCTION, findings};
use crate::support::*;

/// Docker as it is, but that it has every image, each with this history; without Docker Scout unless `scout` says otherwise.
fn docker(fakes: Fakes, history: &str, scout: &str) -> Fakes {
    let script = format!(
        "case \"$1 $2\" in\n  \"image inspect\") echo '[{{\"Id\":\"sha256:1\"}}]' ;;\n  \"history --no-trunc\") cat <<'END'\n{history}\nEND\n  \
         ;;\n  \"scout \"*) {scout} ;;\n  *) exec \"$REAL\" \"$@\" ;;\nesac"
    );
    fakes.program("docker", &script)
}

const CLEAN: &str = r#"{"CreatedBy":"COPY . . # buildkit","ID":"x"}"#;

const TRIVY: &str = r#"case "$*" in
  *shop-web*) echo '{"SchemaVersion":2,"Results":[{"Target":"a","Vulnerabilities":[{"VulnerabilityID":"CVE-2026-1","PkgName":"zlib","InstalledVersion":"1","FixedVersion":"2","Severity":"CRITICAL"},{"VulnerabilityID":"CVE-2026-2","PkgName":"zlib","FixedVersion":"2","Severity":"HIGH"}]}]}' ;;
  *) echo '{"SchemaVersion":2,"Results":[{"Target":"a"}]}' ;;
esac"#;

const SCOUT: &str = r#"case "$*" in
  *version*) echo v1.15 ;;
  *shop-web*) echo '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"docker scout","rules":[{"id":"CVE-2026-3","properties":{"cvssV3_severity":"HIGH"}}]}},"results":[{"ruleId":"CVE-2026-3"}]}]}' ;;
  *) echo '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"docker scout"}},"results":[]}]}' ;;
esac"#;

#[track_caller]
fn images(fakes: &Fakes) -> Ended {
    let path = fakes.path_without(&["trivy"]);
    good().xtask(PRODUCTION).args(["policy", "--images", "--json"]).env("PATH", path).end()
}

#[test]
fn a_scanner_is_asked_where_there_is_one() {
    let Some(()) = compose() else { return };
    let fakes = docker(Fakes::new().program("trivy", TRIVY), CLEAN, "exit 1");
    let ended = images(&fakes);
    assert_eq!(findings(ended.code(2)), ["compose.yml:23 image-vulnerable error"], "{ended}");
    ended.shows("2 vulnerabilities that a newer version fixes, 1 critical: CVE-2026-1, CVE-2026-2");
    let asked = fakes.calls().into_iter().filter(|call| call.argv[0] == "trivy").count();
    assert_eq!(asked, 3, "each image once");

    let ended = images(&docker(Fakes::new(), CLEAN, SCOUT));
    assert_eq!(findings(ended.code(2)), ["compose.yml:23 image-vulnerable error"], "{ended}");
    ended.shows("CVE-2026-3");
}

#[test]
fn without_a_scanner_that_is_said_and_one_that_fails_is_an_error() {
    let Some(()) = compose() else { return };
    let ended = images(&docker(Fakes::new(), CLEAN, "exit 1"));
    assert_eq!(findings(ended.ok()), Vec::<String>::new());
    ended.shows("neither Trivy nor Docker Scout was found");
    let broken = Fakes::new().program("trivy", "echo 'FATAL no database' >&2; exit 1");
    images(&docker(broken, CLEAN, "exit 1")).code(1).says("no database");
    let babbling = Fakes::new().program("trivy", "echo no json");
    images(&docker(babbling, CLEAN, "exit 1")).code(1).says("trivy");
}

#[test]
fn s02_a_secret_in_a_history_is_found_and_not_shown() {
    let Some(()) = compose() else { return };
    let history = r#"{"CreatedBy":"RUN |1 NPM_TOKEN=npm_canary77 /bin/sh -c npm ci # buildkit","ID":"x"}"#;
    let fakes = docker(Fakes::new(), history, "exit 1");
    for more in [&["--json"][..], &["-v"]] {
        let path = fakes.path_without(&["trivy"]);
        let ended = good().xtask(PRODUCTION).args(["policy", "--images"]).args(more).env("PATH", path).end();
        ended.code(2).shows("has a value of NPM_TOKEN").shows("secret-in-image").never_says("npm_canary77");
    }
}

/// A real image, built here.
#[test]
fn s02_a_real_images_history_is_read() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose("services: {web: {build: ., image: '@name@:1', init: true}}\n")
        .file(
            "Dockerfile",
            &format!("FROM {IMAGE}\nARG NPM_TOKEN\nENV API_TOKEN=canary4711\nRUN echo \"$NPM_TOKEN\" >/dev/null\n"),
        )
        .file(".dockerignore", "*\n");
    let looked =
        || project.xtask(["policy", "--images", "--json"]).env("PATH", Fakes::new().path_without(&["trivy"])).end();
    looked().ok().shows("is not on this machine");
    project.xtask(["build"]).end().ok();
    let ended = looked();
    let of_image: Vec<_> = findings(ended.ok()).into_iter().filter(|it| it.contains("secret-in-image")).collect();
    assert_eq!(of_image, ["compose.yml:1 secret-in-image warning"], "{ended}");
    ended.shows("has a value of API_TOKEN").never_says("canary4711");
    project.write("infra.toml", "[policy.allow]\nsecret-in-image = \"a test\"\n");
    assert!(findings(&looked()).iter().all(|it| !it.contains("secret-in-image")));
    change(&project, "infra.toml", "secret-in-image", "image-vulnerable");
    project.xtask(["-e", "production", "policy"]).end().code(78);
}
