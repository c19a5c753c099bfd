//! How a service runs: its limits, health check, restarts and logs.

use serde_json::Value;

use crate::compose::Service;

use super::context::{Context, Findings};
use super::finding::Rule;
use crate::report::Severity;

const CPU: Rule = Rule {
    code: "cpu-limit-missing",
    development: None,
    production: Some(Severity::Error),
    why: "one runaway service takes CPU time from all others",
    fix: "`deploy: {resources: {limits: {cpus: \"1.0\"}}}`",
};
const MEMORY: Rule = Rule {
    code: "memory-limit-missing",
    development: None,
    production: Some(Severity::Error),
    why: "one service that leaks memory makes the kernel kill another",
    fix: "`deploy: {resources: {limits: {memory: 512M}}}`",
};
const HEALTH: Rule = Rule {
    code: "health-check-missing",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "without one, a service that hangs counts as ready, and a deployment as done",
    fix: "`healthcheck:` of the service, or HEALTHCHECK in its Dockerfile",
};
const RESTART: Rule = Rule {
    code: "restart-missing",
    development: None,
    production: Some(Severity::Error),
    why: "after a crash or a reboot it stays down until someone starts it",
    fix: "`restart: unless-stopped`",
};
const LOGS: Rule = Rule {
    code: "log-rotation-missing",
    development: None,
    production: Some(Severity::Error),
    why: "Docker keeps every line, until the disk is full and the database stops",
    fix: "`logging: {driver: json-file, options: {max-size: 10m, max-file: \"3\"}}`",
};

pub(super) const RULES: &[Rule] = &[CPU, MEMORY, HEALTH, RESTART, LOGS];

pub(super) fn check(context: &Context<'_>, found: &mut Findings) {
    for (name, service) in context.services() {
        let limits = service.deploy.get("resources").and_then(|resources| resources.get("limits"));
        let limit = |key: &str, short: &str| {
            limits.and_then(|limits| limits.get(key)).is_some_and(is_some)
                || service.rest.get(short).is_some_and(is_some)
        };
        let limits_place = || context.sources.place(name, &["deploy", "resources", "limits"]);
        if !limit("cpus", "cpus") {
            found.add(&CPU, name, limits_place(), "it may use every processor");
        }
        if !limit("memory", "mem_limit") {
            found.add(&MEMORY, name, limits_place(), "it may use all memory");
        }
        // A job ends: it needs neither a health check nor a restart.
        if !context.is_job(name) {
            if !is_checked(context, name, service) {
                found.add(&HEALTH, name, context.sources.place(name, &["healthcheck"]), "it has no health check");
            }
            let policy = service.deploy.get("restart_policy").and_then(|policy| policy.get("condition"));
            let restarts = match (service.restart.as_deref(), policy.and_then(Value::as_str)) {
                (Some(restart), _) => !matches!(restart, "" | "no"),
                (None, condition) => {
                    service.deploy.get("restart_policy").is_some_and(is_some) && condition != Some("none")
                }
            };
            if !restarts {
                found.add(&RESTART, name, context.sources.place(name, &["restart"]), "it is not restarted");
            }
        }
        if !rotates(service) {
            found.add(&LOGS, name, context.sources.place(name, &["logging"]), "its log grows without a limit");
        }
    }
}

/// Zero means unlimited.
fn is_some(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !matches!(text.as_str(), "" | "0"),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    }
}

fn is_checked(context: &Context<'_>, name: &str, service: &Service) -> bool {
    match &service.healthcheck {
        Some(check) if check.disable || is_none(&check.test) => false,
        Some(check) if !check.test.is_null() => true,
        _ => {
            let built = context.built(name);
            built.is_some_and(|built| built.chain().iter().find_map(|stage| stage.checked).unwrap_or(false))
        }
    }
}

/// `test: [NONE]`
fn is_none(test: &Value) -> bool {
    test.as_array().and_then(|words| words.first()).and_then(Value::as_str) == Some("NONE")
}

/// Whether old lines are removed: Docker's default driver needs an option, `local` needs none, others send lines away.
fn rotates(service: &Service) -> bool {
    let logging = service.rest.get("logging");
    let driver = logging.and_then(|logging| logging.get("driver")).and_then(Value::as_str).unwrap_or("json-file");
    let has = |key: &str| logging.and_then(|logging| logging.get("options")?.get(key)).is_some_and(is_some);
    driver != "json-file" || has("max-size") && has("max-file")
}
