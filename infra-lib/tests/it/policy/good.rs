//! The small project that all others are bad copies of.

use super::{PRODUCTION, errors, findings};
use crate::support::*;

const COMPOSE: &str = r#"x-all: &all
  restart: unless-stopped
  security_opt: [no-new-privileges:true]
  cap_drop: [ALL]
  read_only: true
  logging: {driver: json-file, options: {max-size: 10m, max-file: "3"}}
  deploy: {resources: {limits: {cpus: "0.5", memory: 64M}}}
  healthcheck: {test: [CMD, "true"]}

services:
  db:
    <<: *all
    image: postgres:16.4-alpine@sha256:5660c2cbfea50c7a9127d17dc4e48543eedd3d7a41a595a2dfa572471e37e64c
    user: "70:70"
    environment:
      POSTGRES_PASSWORD: ${DB_PASSWORD:?is not set}
    networks: [data]
    volumes:
      - pg:/var/lib/postgresql/data

  web:
    <<: *all
    image: shop-web:${TAG:-1.0}
    build: {context: ./web, target: production}
    environment:
      DATABASE_URL: postgres://shop:${DB_PASSWORD:?is not set}@db/shop
    networks: [data, front]

  proxy:
    <<: *all
    image: nginx:1.26@sha256:5660c2cbfea50c7a9127d17dc4e48543eedd3d7a41a595a2dfa572471e37e64c
    user: "101:101"
    networks: [front]
    ports:
      - 80:8080
      - 443:8443
    volumes:
      - ./nginx.conf:/etc/nginx/nginx.conf:ro

networks:
  front: {}
  data: {internal: true}
volumes:
  pg: {}
"#;

const DOCKERFILE: &str = "ARG NODE=node:20.20@sha256:5660c2cbfea50c7a9127d17dc4e48543eedd3d7a41a595a2dfa572471e37e64c
FROM ${NODE} AS base
WORKDIR /app
USER 10001:10001

FROM base AS production
COPY . .
ENV NODE_ENV=production
";

const MANIFEST: &str = "[environments.production]
files = [\"compose.yml\"]
env-files = [\".env\"]

[policy]
min-uid = 70
";

/// Everything as it should be.
pub(super) fn good() -> TestProject {
    TestProject::new()
        .compose(COMPOSE)
        .file("web/Dockerfile", DOCKERFILE)
        .file("web/.dockerignore", "*\n!src\n")
        .file("nginx.conf", "events {}\n")
        .file("infra.toml", MANIFEST)
        .file(".env.example", "# The database's password, generated.\nDB_PASSWORD=\n#TAG=1.0\n")
        .file(".env", "DB_PASSWORD=k3Vt0Zq9_xW2LmB7yRfAk3Vt0Zq9_xW2LmB7yRfA\n")
}

/// The good project with one text in one of its files replaced.
#[track_caller]
pub(super) fn with(file: &str, from: &str, to: &str) -> TestProject {
    let project = good();
    change(&project, file, from, to);
    project
}

#[track_caller]
pub(super) fn change(project: &TestProject, file: &str, from: &str, to: &str) {
    let text = project.read(file);
    assert!(text.contains(from), "{file} lacks {from:?}");
    project.write(file, &text.replacen(from, to, 1));
}

#[test]
fn a_good_project_has_no_finding() {
    let Some(()) = compose() else { return };
    let project = good();
    let ended = project.xtask(PRODUCTION).args(["policy", "--json"]).end();
    assert_eq!(findings(ended.ok()), Vec::<String>::new(), "{ended}");
    let outcome = ended.outcome();
    assert_eq!((&outcome["production"], &outcome["environment"]), (&true.into(), &"production".into()));
    project.xtask(PRODUCTION).arg("policy").stdout("0 errors, 0 warnings in production\n").check();
    project.xtask(["policy"]).stdout("0 errors, 0 warnings in development, with the rules for development\n").check();
}

/// A build server has no env files: their templates are judged.
#[test]
fn a_checkout_without_env_files_is_judged_by_their_templates() {
    let Some(()) = compose() else { return };
    let project = good();
    std::fs::remove_file(project.path(".env")).unwrap();
    let ended = project.xtask(PRODUCTION).arg("policy").end();
    ended.ok().shows("their templates were checked");
    change(&project, "compose.yml", "    networks: [data]\n", "    networks: [data]\n    ports: [\"5432:5432\"]\n");
    project.xtask(PRODUCTION).arg("policy").end().code(2).shows("compose.yml:18: error: db: port 5432");
    std::fs::remove_file(project.path(".env.example")).unwrap();
    project.xtask(PRODUCTION).arg("policy").end().code(78).says(".env").says("is missing");
}

/// A service's own env file, and a Dockerfile beside its context, as some projects have them.
#[test]
fn a_services_own_env_file_has_a_template_too() {
    let Some(()) = compose() else { return };
    let project = with(
        "compose.yml",
        "build: {context: ./web, target: production}",
        "build: {context: ./web/src/.., dockerfile: ../Dockerfile.web, target: production}\n    env_file: [web/.env, web/.env.example]",
    );
    project.write("web/src/a", "");
    std::fs::rename(project.path("web/Dockerfile"), project.path("Dockerfile.web")).unwrap();
    project.write("web/.env.example", "JWT_SECRET=\n");
    let policy = || project.xtask(PRODUCTION).args(["policy", "--json"]).end();
    let ended = policy();
    assert_eq!(findings(ended.ok()), Vec::<String>::new(), "{ended}");
    assert_eq!(ended.outcome()["remarks"].as_array().unwrap().len(), 1, "{ended}");
    project.write("web/.env", "# signs\nJWT_SECRET=changeme\n");
    change(&project, "Dockerfile.web", "USER 10001:10001", "USER root");
    let ended = policy();
    assert_eq!(
        findings(ended.code(2)),
        ["Dockerfile.web:4 user-root error", "web/.env:2 secret-weak error"],
        "{ended}"
    );
    std::fs::remove_file(project.path("web/.env")).unwrap();
    std::fs::remove_file(project.path("web/.env.example")).unwrap();
    change(&project, "compose.yml", ", web/.env.example]", "]");
    change(&project, "Dockerfile.web", "USER root", "USER 10001");
    assert_eq!(findings(policy().ok()), Vec::<String>::new(), "one without a template has nothing to say");
}

/// Variables of services that are off are documented where those are on.
#[test]
fn variables_of_services_that_are_off_need_no_word() {
    let Some(()) = compose() else { return };
    let tools = "  tools:\n    profiles: [tools]\n    image: ${TOOLS_IMAGE:-tools:1}\n";
    let project = with("compose.yml", "\nnetworks:\n", &format!("\n{tools}\nnetworks:\n"));
    project.xtask(PRODUCTION).arg("policy").end().ok();
    change(&project, "compose.yml", "    profiles: [tools]\n", "");
    let ended = project.xtask(PRODUCTION).args(["policy", "--json"]).end();
    assert!(findings(&ended).contains(&"compose.yml:41 variable-undocumented error".to_owned()), "{ended}");
}

/// What a Dockerfile copies from may be a folder that the build is given, or an image under another name.
#[test]
fn a_named_context_is_an_image_only_where_it_says_so() {
    let Some(()) = compose() else { return };
    let project = with(
        "compose.yml",
        "build: {context: ./web, target: production}",
        "build: {context: ./web, target: production, additional_contexts: {tools: ./tools}}",
    );
    let policy = || project.xtask(PRODUCTION).args(["policy", "--json"]).end();
    change(&project, "web/Dockerfile", "COPY . .\n", "COPY . .\nCOPY --from=tools a b\n");
    assert_eq!(findings(policy().ok()), Vec::<String>::new());
    change(&project, "compose.yml", "tools: ./tools", "tools: docker-image://busybox:latest");
    assert_eq!(errors(&policy()), ["image-latest".to_owned()].into());
}
