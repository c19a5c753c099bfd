//! One line of a log.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::compose::Container;
use crate::project::Project;

/// A line of a service's log.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LogLine {
    /// The service that logged the line; `database (local)` for a local database.
    pub service: String,
    /// The container's name; for a local database, the same as `service`.
    pub container: String,
    /// When it was logged.
    pub time: Option<Timestamp>,
    /// The line, known secrets masked.
    pub line: String,
    #[serde(skip)]
    look: Look,
}

/// How lines are shown.
#[derive(Debug, Clone, Copy)]
struct Look {
    width: usize,
    timestamps: bool,
}

/// The containers by the names that Compose gives them in logs: without the project's.
pub(super) struct Names {
    by_short: BTreeMap<String, (String, String)>,
    prefix: String,
    look: Look,
}

impl Names {
    pub(super) fn for_containers(project: &Project, containers: Vec<Container>, timestamps: bool) -> Self {
        let prefix = format!("{}-", project.name());
        // Reading the model also teaches the runner which values of the compose files are secret. It is not needed
        // otherwise, nor is every container: a line that names an unknown one is shown all the same.
        let _ = project.model();
        let by_short: BTreeMap<_, _> = containers
            .into_iter()
            .map(|it| (it.name.strip_prefix(&prefix).unwrap_or(&it.name).to_owned(), (it.service, it.name)))
            .collect();
        let width = by_short.keys().map(String::len).max().unwrap_or(0);
        Self { by_short, prefix, look: Look { width, timestamps } }
    }

    /// Reads `web-1  | 2026-01-31T08:00:00.123456789Z text`.
    pub(super) fn parse(&self, text: &str) -> Option<LogLine> {
        // Compose 2.26 clears the line of a terminal that is not there.
        let text = text.trim_start_matches("\x1b[2K");
        let (short, rest) = text.split_once(" | ").or_else(|| text.strip_suffix(" |").map(|short| (short, "")))?;
        let short = short.trim();
        if short.is_empty() || short.contains(' ') {
            return None;
        }
        let (service, container) = self.by_short.get(short).cloned().unwrap_or_else(|| {
            // It was made after we had asked.
            let service = short.rsplit_once('-').map_or(short, |(service, _)| service);
            (service.to_owned(), format!("{}{short}", self.prefix))
        });
        let (stamp, line) = rest.split_once(' ').unwrap_or((rest, ""));
        let (time, line) = match stamp.parse() {
            Ok(time) => (Some(time), line),
            Err(_) => (None, rest),
        };
        Some(LogLine { service, container, time, line: line.to_owned(), look: self.look })
    }
}

impl LogLine {
    /// A line of a server that is in no container.
    pub(super) fn of_server(name: &str, time: Option<Timestamp>, line: &str, timestamps: bool) -> Self {
        let look = Look { width: name.len(), timestamps };
        Self { service: name.to_owned(), container: name.to_owned(), time, line: line.to_owned(), look }
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.container.rsplit_once(&format!("-{}-", self.service));
        let short = short.map_or_else(|| self.container.clone(), |(_, number)| format!("{}-{number}", self.service));
        write!(f, "{short:width$} | ", width = self.look.width)?;
        if let (true, Some(time)) = (self.look.timestamps, self.time) {
            write!(f, "{time:.3} ")?;
        }
        f.write_str(&coloured(&self.line))
    }
}

/// The line with its colours, but without what would move the cursor or talk to the terminal.
fn coloured(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let colour = rest.strip_prefix("\x1b[").and_then(|after| {
            let end = after.find(|c: char| !c.is_ascii_digit() && c != ';')?;
            (after[end..].starts_with('m')).then_some(2 + end + 1)
        });
        let length = colour.unwrap_or_else(|| rest.chars().next().map_or(0, char::len_utf8));
        let (control, after) = rest.split_at(length);
        if colour.is_some() {
            out.push_str(control);
        } else {
            out.extend(control.chars().flat_map(char::escape_default));
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let by_short = BTreeMap::from([
            ("web-1".to_owned(), ("web".to_owned(), "shop-web-1".to_owned())),
            ("fixed".to_owned(), ("db".to_owned(), "fixed".to_owned())),
        ]);
        Names { by_short, prefix: "shop-".to_owned(), look: Look { width: 5, timestamps: false } }
    }

    #[test]
    fn compose_prefixes_are_read() {
        let line = names().parse("web-1  | 2026-01-31T08:00:00.5Z a | b").unwrap();
        assert_eq!(
            (line.service.as_str(), line.container.as_str(), line.line.as_str()),
            ("web", "shop-web-1", "a | b")
        );
        assert_eq!(line.time.unwrap().to_string(), "2026-01-31T08:00:00.5Z");
        assert_eq!(line.to_string(), "web-1 | a | b");
        assert_eq!(names().parse("\x1b[2Kfixed  | 2026-01-31T08:00:00.5Z").unwrap().to_string(), "fixed | ");
        assert_eq!(names().parse("my-job-2 | 2026-01-31T08:00:00Z x").unwrap().service, "my-job");
        assert!(names().parse("web-1 exited with code 0").is_none());
    }

    #[test]
    fn s38_colours_stay_and_cursor_moves_do_not() {
        assert_eq!(coloured("\x1b[1;31mred\x1b[0m \x1b[2Jx\x07\ty"), "\x1b[1;31mred\x1b[0m \\u{1b}[2Jx\\u{7}\ty");
    }
}
