//! `logs`

mod line;
mod local;
mod since;

use std::fmt;

use serde::Serialize;

use crate::cancel::Cancelled;
use crate::compose::Container;
use crate::exec::ExecError;
use crate::exit::Exit;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::project::{DatabaseAxis, Project};

pub use line::LogLine;
use line::Names;
pub use since::LogsSince;

/// Show the logs of the services.
///
/// Lines of all services and of a local database are sorted by time. Known secrets are masked.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Logs {
    /// Only these services; a local database is called `database`.
    #[cfg_attr(feature = "cli", arg(value_name = "SERVICE"))]
    pub services: Vec<String>,
    /// Follow the log until Ctrl-C.
    #[cfg_attr(feature = "cli", arg(short, long))]
    pub follow: bool,
    /// Show only the last N lines of each container.
    #[cfg_attr(feature = "cli", arg(short = 'n', long, value_name = "N"))]
    pub tail: Option<usize>,
    /// Show only newer lines: a duration such as 10m, or a time such as 2026-01-31T08:00.
    #[cfg_attr(feature = "cli", arg(long, value_name = "T"))]
    pub since: Option<LogsSince>,
    /// Show only lines that contain this text.
    #[cfg_attr(feature = "cli", arg(long, value_name = "P"))]
    pub grep: Option<String>,
    /// Show the time of each line.
    #[cfg_attr(feature = "cli", arg(short, long))]
    pub timestamps: bool,
}

/// What was logged, unless it was followed.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct LogsReport {
    /// The lines, in the order of their time.
    pub lines: Vec<LogLine>,
    #[serde(skip)]
    followed: bool,
    /// The signal that ended following.
    #[serde(skip)]
    signal: Option<i32>,
}

impl Operation for Logs {
    const NAME: &'static str = "logs";
    const GROUP: Group = Group::Lifecycle;
    const JOURNAL: bool = false;
    type Outcome = LogsReport;

    fn run(&self, project: &Project) -> Result<LogsReport> {
        for service in self.service_names(project) {
            project.known_service(service)?;
        }
        // An engine that does not answer is known before anything is followed.
        let containers = if self.asks_compose(project) { project.containers()? } else { Vec::new() };
        if containers.is_empty() && self.asks_compose(project) {
            // Compose would read the files again, and report in its own words what they lack.
            project.model()?;
        }
        let mut report = LogsReport { lines: Vec::new(), followed: self.follow, signal: None };
        let ended = if self.follow {
            self.follow(project, containers)
        } else {
            let mut keep = |line| report.lines.push(line);
            self.of_local_database(project, &mut keep).and_then(|()| self.of_services(project, containers, &mut keep))
        };
        match ended {
            // That is how following ends.
            Err(ExecError::Cancelled(Cancelled { signal })) if self.follow => report.signal = Some(signal),
            ended => ended.map_err(|error| project.compose().explain(error))?,
        }
        report.lines.sort_by_key(|line| line.time);
        Ok(report)
    }
}

impl Logs {
    /// The services that were named, without the local database, which is none of Compose's.
    fn service_names(&self, project: &Project) -> Vec<&String> {
        let is_local = project.database_axis() == DatabaseAxis::Local;
        self.services.iter().filter(|name| !is_local || *name != local::SHORT).collect()
    }

    /// Naming only the local database leaves nothing to ask Compose about.
    fn asks_compose(&self, project: &Project) -> bool {
        project.has_services() && (self.services.is_empty() || !self.service_names(project).is_empty())
    }

    /// Both at once, each line as it comes.
    fn follow(&self, project: &Project, containers: Vec<Container>) -> Result<(), ExecError> {
        let show = |line: LogLine| project.data(&line);
        std::thread::scope(|scope| {
            let local = scope.spawn(|| self.of_local_database(project, show));
            let services = self.of_services(project, containers, show);
            let local = local.join().unwrap_or(Ok(()));
            services.and(local)
        })
    }

    fn of_local_database(&self, project: &Project, mut take: impl FnMut(LogLine)) -> Result<(), ExecError> {
        if !self.services.is_empty() && !self.services.iter().any(|name| name == local::SHORT) {
            return Ok(());
        }
        local::lines(project, self.tail, self.follow, self.timestamps, |line| {
            let recent = self.since.is_none_or(|since| line.time.is_none_or(|time| time >= since.moment()));
            if recent && self.wants(&line) {
                take(line);
            }
        })
    }

    fn of_services(
        &self,
        project: &Project,
        containers: Vec<Container>,
        mut take: impl FnMut(LogLine),
    ) -> Result<(), ExecError> {
        if !self.asks_compose(project) {
            return Ok(());
        }
        let names = Names::for_containers(project, containers, self.timestamps);
        let mut call = project.compose().call_all(["logs", "--no-color", "--timestamps"]);
        if self.follow {
            call = call.arg("--follow");
        }
        if let Some(tail) = self.tail {
            call = call.arg(format!("--tail={tail}"));
        }
        if let Some(since) = self.since {
            call = call.arg(format!("--since={}", since.moment()));
        }
        project.runner().lines(&call.args(self.service_names(project)), |_, text| {
            match names.parse(text) {
                Some(line) if self.wants(&line) => take(line),
                Some(_) => {}
                None if text.is_empty() => {}
                None => project.note(text),
            }
            Ok(())
        })
    }

    fn wants(&self, line: &LogLine) -> bool {
        self.grep.as_ref().is_none_or(|text| line.line.contains(text))
    }
}

impl Outcome for LogsReport {
    fn exit(&self) -> Exit {
        match self.signal {
            // A closed pipe: the reader has seen enough.
            None | Some(13) => Exit::Ok,
            Some(signal) => Exit::Signal(u8::try_from(signal).unwrap_or(0)),
        }
    }

    fn is_streamed(&self) -> bool {
        self.followed
    }
}

impl fmt::Display for LogsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}
