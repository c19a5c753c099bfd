//! What visitors notice of deploys: nothing.

use super::bed::{Proxy, change, deployed, only, serves, visit};
use crate::support::*;

fn replaces_without_a_gap(proxy: Proxy) {
    let Some(project) = deployed(proxy) else { return };
    let worker = project.container("worker");
    let edge = project.container("proxy");
    change(&project, "RELEASE=two DELAY=1.5");
    let visitors = visit(&project);
    let ended = project.xtask(["deploy", "--json"]).limit(BUILD).end();
    let answers = visitors.end();
    only(&answers, &["one", "two"]);
    let outcome = ended.ok().outcome();
    assert_eq!((&outcome["outcome"], &outcome["deploy"]), (&"live".into(), &2.into()), "{outcome}");
    serves(&project, "two");
    // One image, two services: the worker was replaced too, the proxy was not touched.
    assert_ne!(project.container("worker"), worker);
    assert_eq!(project.container("proxy"), edge);
    // Nothing is left to do: neither for us nor for Compose.
    let before = project.containers("");
    project.xtask(["deploy"]).limit(BUILD).end().ok().shows("nothing to do");
    project.xtask(["start"]).end().ok();
    assert_eq!(project.containers(""), before);
    let released = project.xtask(["releases", "--json"]).end().ok().outcome();
    let id = released["releases"][1]["id"].as_str().unwrap().to_owned();
    let files = [
        format!(".infra/releases/development/{id}/files/compose.yml"),
        ".infra/deploys/development/2.compose.json".to_owned(),
    ];
    let files = files.iter().flat_map(|file| ["-f".to_owned(), project.path(file).to_str().unwrap().to_owned()]);
    let stack = ["compose", "-p", project.name(), "--project-directory", project.dir().to_str().unwrap()];
    docker(stack.into_iter().map(str::to_owned).chain(files).chain(["up".to_owned(), "-d".to_owned()]));
    assert_eq!(project.containers(""), before);

    let visitors = visit(&project);
    project.xtask(["rollback"]).end().ok().shows("is live after");
    only(&visitors.end(), &["one", "two"]);
    serves(&project, "one");
    // There is nothing before the first release.
    project.xtask(["rollback"]).end().code(66).says("no earlier release");
    project.xtask(["releases"]).end().ok().shows("(live)");
    project.xtask(["health"]).end().ok();
    let tags = || docker(["image", "ls", "-q", "--filter", &format!("reference=infra/{}-*", project.name())]);
    assert!(!tags().is_empty());
    project.xtask(["clean", "--images", "--yes"]).end().ok();
    assert_eq!(tags(), "", "no tag of a release is left");
    project.xtask(["rollback"]).end().code(66);
}

#[test]
fn h14_h17_behind_nginx() {
    replaces_without_a_gap(Proxy::Nginx);
}

#[test]
fn h14_h17_behind_caddy() {
    replaces_without_a_gap(Proxy::Caddy);
}

#[test]
fn h01_h19_a_bad_release_answers_nobody_and_the_old_one_stays() {
    let Some(project) = deployed(Proxy::Nginx) else { return };
    let visitors = visit(&project);
    for bad in ["RELEASE=bad BROKEN=1", "RELEASE=bad CRASH=1"] {
        change(&project, bad);
        project.xtask(["deploy"]).limit(BUILD).end().code(1).shows("what ran before runs again").shows("backend");
        serves(&project, "one");
    }
    only(&visitors.end(), &["one"]);
    // The web is fine and the worker is not: all go back.
    project.write("app/no-worker", "");
    change(&project, "RELEASE=bad");
    project.xtask(["deploy"]).limit(BUILD).end().code(1).shows("worker");
    serves(&project, "one");
    assert_eq!((project.containers("backend").len(), project.state("worker")), (1, "running".into()));
    std::fs::remove_file(project.path("app/no-worker")).unwrap();
    change(&project, "RELEASE=two");
    project.xtask(["deploy"]).limit(BUILD).end().ok();
    serves(&project, "two");
}

#[test]
fn h18_h24_replicas_stay_and_a_slow_request_ends() {
    let Some(project) = deployed(Proxy::Nginx) else { return };
    project.xtask(["scale", "backend=3"]).end().ok();
    change(&project, "RELEASE=two");
    let url = format!("http://127.0.0.1:{}/slow", project.port("web"));
    let slow = std::thread::spawn(move || super::bed::answer(&url));
    project.write(
        "infra.toml",
        &project.read("infra.toml").replace("proxy = \"proxy\"", "proxy = \"proxy\"\ndrain = \"6s\""),
    );
    super::bed::commit(&project);
    let visitors = visit(&project);
    project.xtask(["deploy"]).limit(BUILD).end().ok();
    only(&visitors.end(), &["one", "two"]);
    assert_eq!((project.containers("backend").len(), slow.join().unwrap()), (3, "one".into()));
}
