//! Where a finding stands: overlays, anchors, `extends`, `include`, interpolated items.

use super::good::{change, good, with};
use super::{PRODUCTION, findings};
use crate::support::*;

#[track_caller]
fn found(project: &TestProject) -> Vec<String> {
    findings(&project.xtask(PRODUCTION).args(["policy", "--json"]).end())
}

#[test]
fn an_overlays_word_is_the_one_that_counts() {
    let Some(()) = compose() else { return };
    let project = with("infra.toml", "[\"compose.yml\"]", "[\"compose.yml\", \"prod.yml\"]").file(
        "prod.yml",
        "services:\n  db:\n    user: \"0\"\n    ports:\n      - 1.2.3.4:15432:5432\n  web:\n    healthcheck: {test: [NONE]}\n",
    );
    let expected = [
        "prod.yml:3 user-root error",
        "prod.yml:5 database-port-published error",
        "prod.yml:7 health-check-missing error",
    ];
    assert_eq!(found(&project), expected);
}

#[test]
fn what_is_merged_in_stands_in_its_anchor() {
    let Some(()) = compose() else { return };
    let project = with(
        "compose.yml",
        "    <<: *all\n    image: postgres",
        "    <<: *all\n    privileged: false\n    image: postgres",
    );
    change(&project, "compose.yml", "  restart: unless-stopped\n", "  privileged: true\n  restart: unless-stopped\n");
    assert_eq!(found(&project), ["compose.yml:2 privileged error"; 2], "of web and proxy");
}

#[test]
fn what_is_extended_or_included_stands_in_its_own_file() {
    let Some(()) = compose() else { return };
    let project = with(
        "compose.yml",
        "    <<: *all\n    image: nginx",
        "    extends: {file: common/base.yml, service: edge}\n    <<: *all\n    image: nginx",
    )
    .file("common/base.yml", "services:\n  edge:\n    cap_add:\n      - NET_ADMIN\n");
    change(&project, "compose.yml", "x-all:", "include:\n  - extra/cache.yml\nx-all:");
    project.write(
        "extra/cache.yml",
        "services:\n  cache:\n    image: redis:7.2\n    user: \"999\"\n    restart: always\n    read_only: true\n    cap_drop: [ALL]\n    \
         security_opt: [no-new-privileges]\n    logging: {driver: local}\n    mem_limit: 32m\n    cpus: 0.5\n    networks: [own]\n    \
         ports:\n      - \"6379:6379\"\n    healthcheck: {test: redis-cli ping}\nnetworks: {own: {internal: true}}\n",
    );
    let expected = [
        "common/base.yml:3 capability-dangerous error",
        "extra/cache.yml:3 image-no-digest info",
        "extra/cache.yml:14 database-port-published error",
    ];
    assert_eq!(found(&project), expected);
}

#[test]
fn an_item_is_found_behind_its_variables() {
    let Some(()) = compose() else { return };
    let project = with(
        "compose.yml",
        "    networks: [data, front]\n",
        "    networks: [data, front]\n    ports:\n      - 9000:9000\n      - ${BIND:-0.0.0.0}:${PORT:-3000}-3001:3000-3001\n",
    );
    change(&project, ".env.example", "#TAG", "BIND=\nPORT=\n#TAG");
    let port = |line: usize| format!("compose.yml:{line} port-published error");
    assert_eq!(found(&project), [port(29), port(30), port(30)]);
}

/// Others' profiles are not judged, and a job needs neither restart nor health check.
#[test]
fn only_what_is_on_is_judged_and_a_job_ends() {
    let Some(()) = compose() else { return };
    let job = "  job:\n    <<: *all\n    image: shop-web:1\n    build: ./web\n    restart: \"no\"\n    healthcheck: {disable: true}\n    networks: [data]\n";
    let waits = "    networks: [data, front]\n    depends_on: {job: {condition: service_completed_successfully}}\n";
    let project = with("compose.yml", "    networks: [data, front]\n", waits);
    change(&project, "compose.yml", "\nnetworks:\n", &format!("\n{job}\nnetworks:\n"));
    assert_eq!(found(&project), Vec::<String>::new());
    change(&project, "compose.yml", "service_completed_successfully", "service_started");
    assert_eq!(found(&project), ["compose.yml:45 restart-missing error", "compose.yml:46 health-check-missing error"]);
    change(
        &project,
        "compose.yml",
        waits.replace("service_completed_successfully", "service_started").as_str(),
        "    networks: [data, front]\n",
    );
    change(&project, "compose.yml", "  job:\n", "  job:\n    profiles: [tools]\n");
    assert_eq!(found(&project), Vec::<String>::new());
}

/// `protected` makes a production of any environment; `proxy` says who may publish.
#[test]
fn settings_decide_what_is_production_and_who_is_the_proxy() {
    let Some(()) = compose() else { return };
    let project = good();
    change(
        &project,
        "infra.toml",
        "[policy]",
        "[environments.development]\nprotected = true\n[policy]\nproxy = [\"web\"]",
    );
    let ended = project.xtask(["policy", "--json"]).end();
    assert_eq!(findings(ended.code(2)), ["compose.yml:35 port-published error", "compose.yml:36 port-published error"]);
}

/// A Dockerfile's name for a folder, or for an image that the compose file states.
#[test]
fn a_context_beside_the_first_is_no_image() {
    let Some(()) = compose() else { return };
    let project = with("web/Dockerfile", "COPY . .", "COPY --from=tools /a /b\nCOPY --from=other /a /b");
    let beside = "target: production, additional_contexts: {tools: ./tools, other: \"docker-image://busybox:latest\"}}";
    change(&project, "compose.yml", "target: production}", beside);
    assert_eq!(found(&project), ["web/Dockerfile:8 image-latest error"]);
}
