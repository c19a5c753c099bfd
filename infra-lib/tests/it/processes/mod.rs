//! How commands behave as processes: for cron, for their callers, and when they are ended.

mod children;
mod cron;
mod signals;

use std::time::Duration;

use crate::support::*;

/// A stack that is up in a second: a service, and a database.
fn shop() -> TestProject {
    TestProject::new().compose(&format!("services:\n  web: {{{SLEEPS}}}{DATABASE}"))
}

/// A stack of one service that is up at once.
fn one() -> TestProject {
    TestProject::new().compose(&format!("services:\n  web: {{{SLEEPS}}}\n"))
}

/// A stack that is never ready, whose start waits for its second service in Compose itself.
fn never_ready() -> TestProject {
    let never = "image: @image@, entrypoint: [sleep, infinity], init: true, \
                 healthcheck: {test: [CMD, 'false'], start_period: 300s, interval: 300s}";
    TestProject::new().compose(&format!(
        "services:\n  db: {{{never}}}\n  web: {{{SLEEPS}, depends_on: {{db: {{condition: service_healthy}}}}}}\n"
    ))
}

#[track_caller]
fn wait_for_state(project: &TestProject, service: &str, state: &str) {
    wait_until(&format!("{service} is {state}"), Duration::from_secs(40), || match project.state(service) {
        found if found == state => Ok(()),
        found => Err(found),
    });
}
