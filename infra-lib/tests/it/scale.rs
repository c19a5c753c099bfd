//! The number of containers of a service, which only a command about that service changes.

use std::collections::BTreeMap;

use crate::support::*;

/// `web` depends on `app`, `app` on `db`; an optional dependency is off.
fn project() -> TestProject {
    TestProject::new().compose(&format!(
        "services:\n  db: {{{SLEEPS}}}\n  app: {{{SLEEPS}, depends_on: [db]}}\n  \
         web: {{{SLEEPS}, depends_on: {{app: {{condition: service_healthy}}, tools: {{condition: service_started, required: false}}}}, volumes: ['media:/data']}}\n  \
         tools: {{{SLEEPS}, profiles: [tools]}}\nvolumes: {{media: {{}}}}\n"
    ))
}

/// The containers of each service, by id.
fn all(project: &TestProject) -> BTreeMap<&'static str, Vec<String>> {
    ["db", "app", "web", "tools"]
        .into_iter()
        .map(|service| {
            let mut ids = project.containers(service);
            ids.sort();
            (service, ids)
        })
        .collect()
}

fn started(project: &TestProject, service: &str) -> Vec<String> {
    let look = |id: &String| docker(["inspect", "-f", "{{.Id}} {{.State.StartedAt}}", id]);
    let mut all: Vec<String> = project.containers(service).iter().map(look).collect();
    all.sort();
    all
}

#[test]
fn p26_a_command_about_one_service_changes_no_other() {
    let Some(_engine) = engine() else { return };
    let project = project();
    project.xtask(["start"]).end().ok();
    project.xtask(["scale", "db=3"]).end().ok().shows("db: 1 -> 3");
    let db = started(&project, "db");
    assert_eq!(db.len(), 3);
    project.xtask(["scale", "app=2"]).end().ok().shows("app: 1 -> 2");
    assert_eq!((started(&project, "db"), project.containers("app").len()), (db.clone(), 2));
    let app = started(&project, "app");

    for words in [
        &["scale", "web=2"][..],
        &["scale", "web=1"],
        &["restart", "web"],
        &["start", "web"],
        &["stop", "web"],
        &["start", "web"],
    ] {
        project.xtask(words.iter().copied()).end().ok();
        assert_eq!((started(&project, "db"), started(&project, "app")), (db.clone(), app.clone()), "{words:?}");
    }
    // One that has no container gets one, and nothing else changes.
    docker(["rm", "-f", &project.container("web")]);
    project.xtask(["restart", "web"]).end().ok();
    assert_eq!(
        (project.state("web"), started(&project, "db"), started(&project, "app")),
        ("running".into(), db.clone(), app.clone())
    );
    project.xtask(["volume-backup", "media"]).end().ok();
    project.xtask(["volume-restore", "media", "latest", "--yes"]).end().ok();
    assert_eq!((project.state("web"), started(&project, "db"), started(&project, "app")), ("running".into(), db, app));
    assert!(project.containers("tools").is_empty());
}

#[test]
fn p26_a_one_off_changes_no_other_service() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose(&format!(
            "services:\n  db: {{{SLEEPS}}}\n  job: {{image: @image@, depends_on: {{db: {{condition: service_healthy}}}}, profiles: [jobs], entrypoint: [sh, -c]}}\n"
        ))
        .file("infra.toml", "[tasks.report]\noneoff = \"job\"\nrun = [\"echo reported\"]\n");
    // What it needs is started first.
    project.xtask(["report"]).end().ok().shows("reported");
    assert_eq!(project.state("db"), "running");
    project.xtask(["scale", "db=3"]).end().ok();
    let db = started(&project, "db");
    project.xtask(["report"]).end().ok().shows("reported");
    assert_eq!(started(&project, "db"), db);
}

#[test]
fn p26_scale_neither_starts_nor_recreates_what_the_service_depends_on() {
    let Some(_engine) = engine() else { return };
    let project = project();
    let ended = project.xtask(["scale", "app=2"]).end();
    ended.ok().shows("app: 0 -> 2").says("`app` depends on `db`, which does not run; `cargo xtask start db` starts it");
    let now = all(&project);
    assert_eq!((now["db"].len(), now["app"].len(), now["web"].len()), (0, 2, 0));
    // The containers are what a plain `docker compose up` would have made: it leaves the first as it is.
    let app = project.containers("app");
    project.xtask(["start"]).end().ok();
    let now = all(&project);
    assert_eq!((now["db"].len(), now["app"].len(), now["web"].len()), (1, 1, 1), "`start` goes by the compose files");
    assert!(app.contains(&now["app"][0]), "not created again");
    project.xtask(["scale", "app=0"]).end().ok().shows("app: 1 -> 0");
    let after = all(&project);
    assert_eq!((&after["db"], &after["web"]), (&now["db"], &now["web"]));
    // Several at once, in the order of their dependencies.
    project.xtask(["scale", "web=2", "app=2"]).end().ok().shows("app: 0 -> 2").shows("web: 1 -> 2");
    assert_eq!(all(&project)["db"], now["db"]);
}
