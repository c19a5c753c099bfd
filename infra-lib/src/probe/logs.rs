//! Recent errors in the services' logs.

use jiff::SignedDuration;

use crate::compose::log::log_lines;
use crate::report::counted;

use super::{Check, Probe, Snapshot, one_line};

pub(crate) const KIND: &str = "logs";

/// One container's log.
struct Log {
    service: String,
    container: String,
    /// Since when, as Docker reads it.
    since: String,
}

/// How far back.
const RECENT: SignedDuration = SignedDuration::from_mins(5);
/// More lines than this are not read: counting them would only take longer.
const MOST_LINES: &str = "20000";

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let logs = snapshot.running().map(|(_, container)| {
        // The last lines of an earlier run are ignored. The first lines of this run may be older than the
        // moment that the engine gives for its start.
        let recent = snapshot.now - RECENT;
        let since = container.finished.map_or(recent, |finished| finished.max(recent));
        Box::new(Log { service: container.service.clone(), container: container.id.clone(), since: since.to_string() })
            as Box<dyn Probe>
    });
    logs.collect()
}

impl Probe for Log {
    fn target(&self) -> String {
        self.service.clone()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let options = ["--since", &self.since, "--tail", MOST_LINES];
        let read = log_lines(snapshot.project.runner(), &self.container, &options);
        let errors = read.map(|lines| lines.into_iter().filter(|line| is_error(line)).collect::<Vec<_>>());
        vec![match errors.as_ref().map(|errors| (errors.last(), errors.len())) {
            Err(error) => Check::skip(KIND, &self.service, one_line(&error.to_string())),
            Ok((None, _)) => Check::ok(KIND, &self.service, "no errors in the last 5 minutes"),
            Ok((Some(last), count)) => {
                let errors = counted(count, "error");
                let last = one_line(&without_colours(last));
                Check::warn(KIND, &self.service, format!("{errors} in the last 5 minutes; last: {last}"))
                    .with_hint(format!("`cargo xtask logs --since 5m {}`", self.service))
            }
        }]
    }
}

/// Words with which a line says that it is one, as they are, or small behind a `level` or in brackets.
const LEVELS: [&str; 7] = ["ERROR", "FATAL", "PANIC", "CRITICAL", "CRIT", "EMERG", "ALERT"];
/// What PostgreSQL logs for clients that connect too early, and when it shuts down: these are not errors.
const HARMLESS: [&str; 3] = [
    "the database system is starting up",
    "the database system is not yet accepting",
    "terminating connection due to administrator command",
];
/// How far into a line its level can be.
const HEAD: usize = 160;

/// Whether a log line reports an error.
pub(crate) fn is_error(line: &str) -> bool {
    let line = without_colours(line);
    let line = line.trim();
    if HARMLESS.iter().any(|text| line.contains(text)) {
        return false;
    }
    if let Some(json) = line.find('{').and_then(|at| serde_json::from_str::<serde_json::Value>(&line[at..]).ok()) {
        return json_level(&json);
    }
    let head = line.char_indices().nth(HEAD).map_or(line, |(end, _)| &line[..end]);
    let starts =
        ["panic:", "Error:", "error:", "fatal:", "Traceback (most recent call last)", "Uncaught ", "Unhandled "];
    if starts.iter().any(|start| head.starts_with(start)) {
        return true;
    }
    let words = head.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    if words.clone().any(|word| LEVELS[..4].contains(&word)) {
        return true;
    }
    let lower = head.to_ascii_lowercase();
    LEVELS.iter().any(|level| {
        let level = level.to_ascii_lowercase();
        ["level=", "level=\"", "severity=", "["].iter().any(|before| {
            lower.match_indices(&format!("{before}{level}")).any(|(at, found)| {
                let after = lower[at + found.len()..].chars().next();
                after.is_none_or(|c| !c.is_ascii_alphanumeric())
            })
        })
    })
}

/// `"level":"error"`, or 50 and more, which is what pino writes for it.
fn json_level(json: &serde_json::Value) -> bool {
    ["level", "severity", "lvl", "levelname", "@l", "log.level"].iter().filter_map(|key| json.get(key)).any(|level| {
        match level {
            serde_json::Value::Number(number) => number.as_u64().is_some_and(|level| level >= 50),
            serde_json::Value::String(text) => LEVELS.contains(&text.to_ascii_uppercase().as_str()),
            _ => false,
        }
    })
}

/// Without the sequences that colour a terminal.
fn without_colours(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\x1b[") {
        out.push_str(&rest[..at]);
        let sequence = &rest[at + 2..];
        let end = sequence.find(|c: char| c.is_ascii_alphabetic()).map_or(sequence.len(), |end| end + 1);
        rest = &sequence[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_from_the_rest() {
        for line in [
            "2026-11-21 06:02:00 UTC [1] FATAL:  password authentication failed for user \"app\"",
            "2026-11-21 06:02:00.000 UTC [77] ERROR:  relation \"x\" does not exist at character 15",
            "2026/11/21 06:02:00 [error] 29#29: *1 connect() failed (111: Connection refused)",
            "2026/11/21 06:02:00 [crit] 29#29: no live upstreams",
            r#"{"level":50,"time":1,"msg":"boom"}"#,
            r#"api | {"level":"ERROR","msg":"boom"}"#,
            r#"{"severity":"critical"}"#,
            "time=\"2026\" level=error msg=\"boom\"",
            "\x1b[31mERROR\x1b[0m boom",
            "Error: connect ECONNREFUSED 10.0.0.2:5432",
            "panic: runtime error: index out of range",
            "Traceback (most recent call last):",
            "ERROR:    Application startup failed. Exiting.",
        ] {
            assert!(is_error(line), "{line}");
        }
        for line in [
            "GET /errors/ERROR_LOG 200",
            "10.0.0.1 - - \"GET /error HTTP/1.1\" 404 153",
            r#"{"level":30,"msg":"no ERROR here"}"#,
            r#"{"level":"info","error":null}"#,
            "level=info msg=\"errors=0\"",
            "level=errorless",
            "LOG:  database system is ready to accept connections",
            "[1] FATAL:  the database system is starting up",
            "0 errors, 0 warnings",
            "",
        ] {
            assert!(!is_error(line), "{line}");
        }
    }
}
