//! Deploys that are killed: the next run ends with exactly one release.

use super::bed::{Proxy, change, deployed, only, serves, visit};
use crate::support::*;

/// The steps at which a deploy of a routed service is killed, and the release that the next run ends with.
const POINTS: [(&str, &str); 15] = [
    ("images:intent", "one"),
    ("images:done", "one"),
    ("backup:done", "one"),
    ("migrate:done", "one"),
    ("create:intent", "one"),
    ("create:done", "one"),
    ("ready:intent", "one"),
    ("ready:done", "one"),
    ("switch:intent", "one"),
    ("switch:done", "one"),
    ("replace:done", "one"),
    ("stop:intent", "two"),
    ("stop:done", "two"),
    ("watch:done", "two"),
    ("live:done", "two"),
];

#[test]
fn h03_killed_at_a_step_there_is_one_release_afterwards() {
    let points = sample(&POINTS, 3);
    let Some(project) = deployed(Proxy::Nginx) else { return };
    let mut serving = "one".to_owned();
    for (number, (point, ends_with)) in points.into_iter().enumerate() {
        let next = format!("r{number}");
        change(&project, &format!("RELEASE={next}"));
        let visitors = visit(&project);
        let killed = project.xtask(["deploy"]).env("INFRA_DEPLOY_CRASH", point).limit(BUILD).end();
        killed.code(137);
        let newest =
            (1..100).take_while(|n| project.path(&format!(".infra/deploys/development/{n}.jsonl")).exists()).last();
        let journal = project.read(&format!(".infra/deploys/development/{}.jsonl", newest.unwrap()));
        let (step, mark) = point.split_once(':').unwrap();
        let last = journal.lines().last().unwrap();
        assert!(last.contains(&format!("\"step\":\"{step}\",\"mark\":\"{mark}\"")), "{point}: {last}");
        // Whatever takes the stack's lock applies the rule first.
        if *step == *"live" {
            // It was over, but for what it replaced.
            project.xtask(["deploy"]).limit(BUILD).end().ok().shows("nothing to do");
        } else {
            project.xtask(["start"]).limit(BUILD).end().ok().says("was interrupted at");
        }
        only(&visitors.end(), &[&serving, &next]);
        if ends_with == "two" {
            serving = next;
        }
        serves(&project, &serving);
        let containers = project.xtask(["ps", "--json"]).end().ok().outcome();
        let backends = containers["services"].as_array().unwrap().iter().filter(|row| row["service"] == "backend");
        assert_eq!(backends.count(), 1, "{point}: {containers}");
        project.xtask(["health"]).end().ok();
    }
}

#[test]
fn h02_h40_one_deploy_at_a_time_and_a_signal_undoes_it() {
    let Some(project) = deployed(Proxy::Nginx) else { return };
    change(&project, "RELEASE=two DELAY=8");
    let visitors = visit(&project);
    let running = project.xtask(["deploy", "-v"]).limit(BUILD).spawn();
    running.until("starting backend beside");
    project.xtask(["deploy", "--no-build"]).end().code(75).says("`deploy`, process");
    project.xtask(["start"]).end().code(75);
    running.signal(rustix::process::Signal::TERM);
    running.wait().code(143).says("undone");
    only(&visitors.end(), &["one"]);
    serves(&project, "one");
    assert_eq!(project.containers("backend").len(), 1);
}
