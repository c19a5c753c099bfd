//! One deliberately bad copy for each code.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use super::good::{change, good, with};
use super::{PRODUCTION, findings};
use crate::support::*;

/// What is changed, and what is then found: file, from, to, finding.
type Case = (&'static str, &'static str, &'static str, &'static str);

const YML: &str = "compose.yml";
const DB: &str = "    networks: [data]\n";
const WEB: &str = "    networks: [data, front]\n";

const CASES: &[Case] = &[
    (
        YML,
        "${DB_PASSWORD:?is not set}\n    networks: [data]",
        "${DB_PASSWORD:-hunter2}\n    networks: [data]",
        "compose.yml:16 secret-default error",
    ),
    (YML, "${DB_PASSWORD:?is not set}@db", "${DB_PASSWORD-hunter2}@db", "compose.yml:26 secret-default error"),
    (YML, "${DB_PASSWORD:?is not set}\n", "k3Vt0Zq9_xW2LmB7yRfA\n", "compose.yml:16 secret-committed error"),
    (YML, "shop:${DB_PASSWORD:?is not set}@db", "shop:hunter2@db", "compose.yml:26 secret-committed error"),
    (".env", "k3Vt0Zq9_xW2LmB7yRfAk3Vt0Zq9_xW2LmB7yRfA", "changeme", ".env:1 secret-weak error"),
    ("web/Dockerfile", "NODE_ENV=production", "API_TOKEN=abc", "web/Dockerfile:8 secret-in-dockerfile error"),
    ("web/Dockerfile", "WORKDIR /app", "ARG NPM_TOKEN", "web/Dockerfile:3 secret-in-dockerfile error"),
    (
        YML,
        "postgres:16.4-alpine@sha256:5660c2cbfea50c7a9127d17dc4e48543eedd3d7a41a595a2dfa572471e37e64c",
        "postgres:latest",
        "compose.yml:13 image-latest error",
    ),
    (YML, "shop-web:${TAG:-1.0}", "shop-web", "compose.yml:23 image-latest error"),
    (
        "web/Dockerfile",
        "node:20.20@sha256:5660c2cbfea50c7a9127d17dc4e48543eedd3d7a41a595a2dfa572471e37e64c",
        "node",
        "web/Dockerfile:2 image-latest error",
    ),
    ("web/Dockerfile", "COPY . .", "COPY --from=busybox:stable /a /b", "web/Dockerfile:7 image-unversioned warning"),
    (
        "web/Dockerfile",
        "@sha256:5660c2cbfea50c7a9127d17dc4e48543eedd3d7a41a595a2dfa572471e37e64c",
        "",
        "web/Dockerfile:2 image-no-digest info",
    ),
    (
        YML,
        DB,
        "    networks: [data]\n    ports:\n      - 127.0.0.1:${TAG:-5432}:5432\n",
        "compose.yml:19 database-port-published error",
    ),
    (
        YML,
        WEB,
        "    networks: [data, front]\n    ports:\n      - {target: 3000, published: 3000}\n",
        "compose.yml:29 port-published error",
    ),
    (
        YML,
        WEB,
        "    networks: [data, front]\n    volumes:\n      - pg:/x\n      - ./web:/app:ro\n",
        "compose.yml:30 source-mount error",
    ),
    (YML, "nginx.conf:ro", "nginx.conf", "compose.yml:38 bind-writable warning"),
    (
        YML,
        WEB,
        "    networks: [data, front]\n    volumes: [\"/var/run/docker.sock:/var/run/docker.sock:ro\"]\n",
        "compose.yml:28 docker-socket error",
    ),
    (YML, "user: \"70:70\"", "user: root", "compose.yml:14 user-root error"),
    ("web/Dockerfile", "USER 10001:10001", "USER 0", "web/Dockerfile:4 user-root error"),
    ("web/Dockerfile", "USER 10001:10001\n", "", "web/Dockerfile:5 user-root error"),
    (YML, "    user: \"101:101\"\n", "", "compose.yml:29 user-unstated warning"),
    ("web/Dockerfile", "USER 10001:10001", "USER node", "web/Dockerfile:4 user-not-numeric warning"),
    ("infra.toml", "min-uid = 70", "min-uid = 101", "compose.yml:14 user-uid-low error"),
    (
        YML,
        "user: \"70:70\"",
        "user: \"70:70\"\n    read_only: false",
        "compose.yml:15 root-filesystem-writable warning",
    ),
    (YML, "user: \"70:70\"", "user: \"70:70\"\n    security_opt: []", "compose.yml:15 new-privileges error"),
    (YML, "user: \"70:70\"", "user: \"70:70\"\n    cap_drop: [NET_RAW]", "compose.yml:15 capabilities-kept warning"),
    (
        YML,
        "user: \"70:70\"",
        "user: \"70:70\"\n    cap_add: [CAP_SYS_ADMIN]",
        "compose.yml:15 capability-dangerous error",
    ),
    (YML, "user: \"70:70\"", "user: \"70:70\"\n    privileged: true", "compose.yml:15 privileged error"),
    (
        YML,
        "user: \"70:70\"",
        "user: \"70:70\"\n    security_opt: [no-new-privileges:true, seccomp:unconfined]",
        "compose.yml:15 security-unconfined error",
    ),
    (
        YML,
        "    networks: [front]\n    ports:\n      - 80:8080\n      - 443:8443\n",
        "    network_mode: host\n",
        "compose.yml:33 host-network error",
    ),
    (YML, "user: \"70:70\"", "user: \"70:70\"\n    pid: host", "compose.yml:15 host-namespace error"),
    (
        YML,
        "user: \"70:70\"",
        "user: \"70:70\"\n    deploy: {resources: {limits: {memory: 64M}}}",
        "compose.yml:15 cpu-limit-missing error",
    ),
    (
        YML,
        "user: \"70:70\"",
        "user: \"70:70\"\n    deploy:\n      resources:\n        limits: {cpus: \"1\"}",
        "compose.yml:17 memory-limit-missing error",
    ),
    (
        YML,
        "user: \"70:70\"",
        "user: \"70:70\"\n    healthcheck: {disable: true}",
        "compose.yml:15 health-check-missing error",
    ),
    (YML, "user: \"70:70\"", "user: \"70:70\"\n    restart: \"no\"", "compose.yml:15 restart-missing error"),
    (
        YML,
        "user: \"70:70\"",
        "user: \"70:70\"\n    logging: {driver: json-file}",
        "compose.yml:15 log-rotation-missing error",
    ),
    (YML, DB, "    networks: [data, front]\n", "compose.yml:17 database-network-open error"),
    (YML, "      - 443:8443\n", "", "compose.yml:34 tls-missing error"),
    (YML, "@db/shop", "@db.example.org/shop", "compose.yml:26 database-tls error"),
    (YML, "user: \"70:70\"", "user: ${DB_UID:-70}", "compose.yml:14 variable-undocumented error"),
    ("web/.dockerignore", "!src", "!.git", "web/.dockerignore dockerignore-incomplete error"),
    (
        "infra.toml",
        "min-uid = 70\n",
        "min-uid = 70\n[policy.allow]\nprivileged = \"why\"\n",
        "infra.toml:8 allow-unused warning",
    ),
];

#[track_caller]
fn has_exactly(project: &TestProject, expected: &str) {
    let ended = project.xtask(PRODUCTION).args(["policy", "--json"]).end();
    assert_eq!(findings(&ended), [expected], "{ended}");
    ended.code(if expected.ends_with(" error") { 2 } else { 0 }).never_says("hunter2").never_says("k3Vt0Zq9");
}

#[test]
fn s33_each_bad_copy_has_exactly_its_finding() {
    let Some(()) = compose() else { return };
    let mut wrong = Vec::new();
    for (file, from, to, expected) in CASES {
        let ended = with(file, from, to).xtask(PRODUCTION).args(["policy", "--json"]).end();
        if findings(&ended) != [*expected] {
            wrong.push((expected, findings(&ended)));
        }
        ended.code(if expected.ends_with(" error") { 2 } else { 0 }).never_says("hunter2").never_says("k3Vt0Zq9");
    }
    assert!(wrong.is_empty(), "expected and found: {wrong:#?}");
}

/// What a file's absence, mode or place in git says.
#[test]
fn s06_s09_what_no_text_shows_is_found_too() {
    let (Some(()), Some(_git)) = (compose(), tool("git")) else { return };
    let project = good();
    std::fs::set_permissions(project.path(".env"), PermissionsExt::from_mode(0o644)).unwrap();
    has_exactly(&project, ".env env-file-readable error");

    let project = good();
    std::fs::remove_file(project.path("web/.dockerignore")).unwrap();
    has_exactly(&project, "compose.yml:24 dockerignore-missing error");

    let project = good();
    change(&project, "web/.dockerignore", "!src", "!.env.production");
    has_exactly(&project, "web/.dockerignore dockerignore-incomplete error");

    let Some(_git) = tool("git") else { return };
    let project = good();
    let git = |words: &[&str]| {
        let done = command("git").arg("-C").arg(project.dir()).args(words).output().unwrap();
        assert!(done.status.success(), "{words:?}: {done:?}");
    };
    git(&["init", "--quiet"]);
    has_exactly(&project, ".env env-file-not-ignored error");
    git(&["add", "--force", ".env"]);
    has_exactly(&project, ".env env-file-tracked error");
    git(&["rm", "--quiet", "--cached", ".env"]);
    project.write(".gitignore", ".env\n");
    project.xtask(PRODUCTION).arg("policy").end().ok();
}

/// Every code has a bad copy here, or there.
#[test]
fn every_code_is_tried() {
    let mut tried: BTreeSet<&str> = CASES.iter().map(|(.., expected)| expected.split(' ').nth(1).unwrap()).collect();
    // Those of `images.rs`.
    tried.extend(["image-vulnerable", "secret-in-image"]);
    tried.extend(["env-file-readable", "dockerignore-missing", "env-file-not-ignored", "env-file-tracked"]);
    assert_eq!(tried, infra_lib::policy::rules().map(|rule| rule.code).collect());
}

/// In development most is silent, and nothing but a committed secret stops.
#[test]
fn development_is_quieter() {
    let Some(()) = compose() else { return };
    for (file, from, to, expected) in CASES {
        let code = expected.split(' ').nth(1).unwrap();
        let rule = infra_lib::policy::rules().find(|rule| rule.code == code).unwrap();
        // A port on this machine's loopback is no finding in development.
        let to = to.replace("127.0.0.1:${TAG:-5432}", "5432");
        let ended = with(file, from, &to).xtask(["policy", "--json"]).end();
        let severities: Vec<_> =
            findings(ended.ok()).iter().map(|it| it.rsplit(' ').next().unwrap().to_owned()).collect();
        let wanted: Vec<_> = rule.development.iter().map(ToString::to_string).collect();
        assert_eq!(severities, wanted, "{expected}: {ended}");
    }
}
