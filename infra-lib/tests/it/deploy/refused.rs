//! What is refused before anything is touched.

use super::bed::{Proxy, change, commit, deployed, git, project, serves};
use crate::support::*;

#[test]
fn h04_h10_h39_what_cannot_be_found_again_is_not_deployed() {
    let Some(project) = deployed(Proxy::Nginx) else { return };
    let containers = project.containers("");
    project.write("app/release", "RELEASE=two");
    project.xtask(["deploy"]).end().code(77).says("not committed").says("--allow-dirty");
    project.xtask(["deploy", "20200101T000000Z-abcdefa"]).end().code(66).says("has no release");
    project.xtask(["rollback", "20200101T000000Z-abcdefa"]).end().code(66);
    commit(&project);
    let releases = |project: &TestProject| project.xtask(["releases", "--json"]).end().ok().outcome();
    let first = releases(&project)["releases"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(project.containers(""), containers);

    project.xtask(["deploy"]).limit(BUILD).end().ok();
    project.xtask(["deploy", &first]).end().code(77).says("is older than").says("rollback");
    // Nor after one that failed.
    change(&project, "RELEASE=bad CRASH=1");
    project.xtask(["deploy"]).limit(BUILD).end().code(1);
    project.xtask(["deploy", &first]).end().code(77).says("is older than");
    // A damaged file is noticed before anything is done.
    let file = project.path(&format!(".infra/releases/development/{first}/files/compose.yml"));
    std::fs::write(&file, "services: {}\n").unwrap();
    project.xtask(["rollback"]).end().code(65).says("is damaged");
    project.xtask(["releases"]).end().code(2).shows("compose.yml");
    serves(&project, "two");
}

#[test]
fn h22_h44_what_cannot_run_twice_or_lacks_its_data_is_78() {
    if !stack_can_run(&["python:3.13-slim", "nginx:alpine"]) || tool("git").is_none() {
        return;
    }
    let project = project(Proxy::Nginx);
    let whole = project.read("compose.yml");
    for (change, words) in [
        ("expose: ['3000'], container_name: fixed-name", "fixed name"),
        ("expose: ['3000'], ports: ['127.0.0.1:@port:app@:3000']", "port of the host"),
        ("expose: ['3000', '3001']", "its port is not known"),
        ("expose: ['3000'], volumes: ['./data:/data']", "does not exist"),
    ] {
        project.write("compose.yml", &whole.replace("expose: ['3000']", change));
        commit(&project);
        let wanted = project.xtask(["deploy"]).limit(BUILD).end();
        wanted.code(78).says(words);
        assert!(project.containers("").is_empty(), "{words}");
    }
    // The proxy's own configuration says whether it uses the route.
    project.write("compose.yml", &whole);
    project.write("proxy/config", "server { listen 80; location / { proxy_pass http://127.0.0.1:9; } }\n");
    commit(&project);
    project.xtask(["deploy"]).limit(BUILD).end().code(78).shows("does not use the route").shows("resolver 127.0.0.11");
    assert!(project.containers("").is_empty());
}

#[test]
fn h25_h32_a_release_has_its_images_and_files_to_itself() {
    let Some(project) = deployed(Proxy::Nginx) else { return };
    change(&project, "RELEASE=two");
    project.xtask(["deploy"]).limit(BUILD).end().ok();
    // The checkout goes on; what runs does not.
    project.write("proxy/config", "broken");
    project.write("compose.yml", "services: {}\n");
    project.write("infra.toml", "[deploy]\n");
    project.xtask(["restart", "proxy"]).end().ok();
    serves(&project, "two");
    project.xtask(["rollback"]).end().ok();
    serves(&project, "one");
    git(&project, &["checkout", "-q", "."]);
    // An image that is gone is noticed first.
    let described = project.xtask(["releases", "--json"]).end().ok().outcome();
    let two = &described["releases"][1];
    let (id, image) = (two["id"].as_str().unwrap(), two["images"]["backend"]["id"].as_str().unwrap());
    docker(["image", "rm", "-f", image]);
    let containers = project.containers("");
    project.xtask(["deploy", id]).end().code(66).shows("is gone");
    assert_eq!(project.containers(""), containers);
}
