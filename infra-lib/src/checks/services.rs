//! Containers that do not run correctly, and why, according to their last log lines.

use crate::compose::log::log_lines;
use crate::compose::readiness::{Baseline, Verdict};
use crate::compose::{Container, Status};
use crate::probe::logs::is_error;
use crate::probe::{Check, Snapshot, one_line};

use super::log_patterns;

const KIND: &str = "service";

/// How far back the log of a running service is read, and how many lines.
const RECENT: &str = "5m";
const LINES: &str = "200";
/// How many of the last lines are searched for the cause of an exit.
const LAST_WORDS: &str = "60";

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    if let Some(status) = snapshot.project.local_status()
        && status.pid.is_none()
    {
        return vec![Check::skip(KIND, "local database", "does not run; `cargo xtask start` starts it")];
    }
    let Some(containers) = &snapshot.containers else { return Vec::new() };
    if containers.is_empty() {
        return vec![Check::skip(KIND, "all", "nothing runs; `cargo xtask start` starts it")];
    }
    let of_services = containers
        .iter()
        .filter(|container| !container.one_off && snapshot.services.contains_key(container.service.as_str()));
    std::thread::scope(|scope| {
        let asked: Vec<_> = of_services.map(|container| scope.spawn(move || examine(snapshot, container))).collect();
        asked.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

fn examine(snapshot: &Snapshot<'_>, container: &Container) -> Check {
    let looping = container.restart_count > 0 && !has_settled(snapshot, container);
    let baseline = if looping { Baseline::default() } else { Baseline::new(std::slice::from_ref(container)) };
    match baseline.judge(container, snapshot.now) {
        Verdict::Ready if container.status == Status::Running => running(snapshot, container),
        Verdict::Ready => Check::ok(KIND, &container.service, container.state()),
        // Without a health check, running is the best that is known.
        Verdict::NotYet(state) if container.status != Status::Created => Check::ok(KIND, &container.service, state),
        Verdict::NotYet(state) | Verdict::Failed(state) => broken(snapshot, container, &state),
    }
}

/// Whether it has run longer since its last restart than in a crash loop.
fn has_settled(snapshot: &Snapshot<'_>, container: &Container) -> bool {
    container.started.is_some_and(|started| snapshot.now.duration_since(started).as_secs() > 300)
}

fn broken(snapshot: &Snapshot<'_>, container: &Container, state: &str) -> Check {
    let service = &container.service;
    let state = state.trim_end_matches(&format!(": {}", container.error));
    if container.status == Status::Paused {
        return Check::fail(KIND, service, "paused").with_hint(format!("`docker unpause {}`", container.name));
    }
    if container.status == Status::Created && container.error.is_empty() {
        return Check::fail(KIND, service, state).with_hint(format!("`cargo xtask start {service}`"));
    }
    if container.out_of_memory || container.exit_code == 137 && container.restart_count > 0 {
        let detail = format!("{state}: it was ended for taking more memory than its limit");
        return Check::fail(KIND, service, detail)
            .with_hint(format!("raise the memory limit of `{service}` in the compose file (`cargo xtask stats` shows what it takes), or look for a leak"));
    }
    // What the engine says about a start that failed comes before anything that an earlier run logged.
    let said = match (container.error.is_empty(), container.health_output.is_empty()) {
        (false, _) => vec![container.error.clone()],
        (true, _) => last_words(snapshot, container),
    };
    let found = log_patterns::read(&said);
    let checked = vec![snapshot.clean(&container.health_output)];
    let found = found.or_else(|| log_patterns::read(&checked));
    if let Some((symptom, line)) = found {
        let detail = format!("{state}: {}: {}", symptom.cause, one_line(line));
        return Check::fail(KIND, service, detail).with_hint(symptom.cure_for(service));
    }
    let last = said.iter().rev().find(|line| !line.trim().is_empty()).map(|line| one_line(line));
    let detail = last.map_or_else(|| state.to_owned(), |line| format!("{state}: {line}"));
    let detail = match &checked[0][..] {
        "" => detail,
        health => format!("{detail}; its health check says: {}", one_line(health)),
    };
    Check::fail(KIND, service, detail).with_hint(format!("`cargo xtask logs {service}` shows the whole log"))
}

fn running(snapshot: &Snapshot<'_>, container: &Container) -> Check {
    let service = &container.service;
    let recent = lines(snapshot, container, &["--since", RECENT, "--tail", LINES]);
    let errors: Vec<String> = recent.into_iter().filter(|line| is_error(line)).collect();
    let state = container.state();
    match (log_patterns::read(&errors), errors.last()) {
        (Some((symptom, line)), _) => {
            Check::warn(KIND, service, format!("{state}, and it logs: {}: {}", symptom.cause, one_line(line)))
                .with_hint(symptom.cure_for(service))
        }
        (None, Some(last)) => Check::warn(KIND, service, format!("{state}, and it logs errors: {}", one_line(last)))
            .with_hint(format!("`cargo xtask logs --since {RECENT} {service}`")),
        (None, None) => Check::ok(KIND, service, state),
    }
}

fn last_words(snapshot: &Snapshot<'_>, container: &Container) -> Vec<String> {
    lines(snapshot, container, &["--tail", LAST_WORDS])
}

/// A container that was removed has no log.
fn lines(snapshot: &Snapshot<'_>, container: &Container, options: &[&str]) -> Vec<String> {
    log_lines(snapshot.project.runner(), &container.id, options).unwrap_or_default()
}
