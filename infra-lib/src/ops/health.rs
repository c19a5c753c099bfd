//! `health`

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::config::Period;
use crate::exit::Exit;
use crate::probe::{Check, KINDS, Kind, Snapshot, Verdict, ask_all};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::{Listed, counted, millis, seconds, table};
use crate::schedule::job::HEALTH;
use crate::suggest;

/// Run all health checks in parallel and report problems.
///
/// Checks containers, addresses, the database by a real login, certificates, disks, memory, logs and whatever else the
/// project has. A failed check never hides another. Exits with 0 if healthy, even with warnings, and with 2 if not.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Health {
    /// Wait until healthy, up to S seconds [default: 60]; exits with 75 on timeout.
    #[cfg_attr(
        feature = "cli",
        arg(long, value_name = "S", num_args = 0..=1, require_equals = true, default_missing_value = "60", value_parser = patience)
    )]
    pub wait: Option<Period>,
    /// Repeat the checks until interrupted.
    #[cfg_attr(feature = "cli", arg(long, conflicts_with = "wait"))]
    pub watch: bool,
    /// How long to pause between rounds of --watch [default: 2s].
    #[cfg_attr(feature = "cli", arg(long, value_name = "TIME", requires = "watch"))]
    pub interval: Option<Period>,
    /// Run only these kinds of checks, such as container or postgres.
    #[cfg_attr(feature = "cli", arg(long, value_name = "KIND", value_delimiter = ','))]
    pub only: Vec<String>,
}

/// The result of `health`: all checks, and whether any failed.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct HealthReport {
    /// Whether no check failed.
    pub healthy: bool,
    /// The name of the environment that was checked.
    pub environment: String,
    /// How long all probes took together, in milliseconds: as long as the slowest of them.
    pub duration_ms: u64,
    /// Whether `--wait` waited in vain.
    pub timed_out: bool,
    /// What was found, the worst first.
    pub checks: Vec<Check>,
    /// What ended `--watch`.
    #[serde(skip)]
    signal: Option<i32>,
}

/// How often `--wait` looks.
const POLL: Duration = Duration::from_millis(500);
const SIGPIPE: i32 = 13;
/// The default pause between rounds of `--watch`.
const INTERVAL: Duration = Duration::from_secs(2);

impl Operation for Health {
    const NAME: &'static str = HEALTH;
    const GROUP: Group = Group::Lifecycle;
    const JOURNAL: bool = false;
    type Outcome = HealthReport;

    fn run(&self, project: &Project) -> Result<HealthReport> {
        let kinds = self.kinds()?;
        if self.watch {
            return self.watch(project, &kinds);
        }
        match self.wait {
            Some(time) => wait(project, &kinds, Instant::now() + time.duration()),
            None => run_probes(project, &kinds),
        }
    }
}

impl Health {
    fn kinds(&self) -> Result<Vec<&'static Kind>> {
        if self.only.is_empty() {
            return Ok(KINDS.iter().collect());
        }
        let known = |name: &String| {
            KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
                let hint = suggest::hint("kinds of checks", name, KINDS.iter().map(|kind| kind.name));
                Error::new(Exit::Usage, format!("unknown kind of check `{name}`")).with_hint(hint)
            })
        };
        self.only.iter().map(known).collect()
    }

    /// Ends when it is interrupted; what was seen last is the outcome.
    fn watch(&self, project: &Project, kinds: &[&'static Kind]) -> Result<HealthReport> {
        let pause = self.interval.map_or(INTERVAL, Period::duration);
        let mut last = None;
        loop {
            match run_probes(project, kinds) {
                Ok(report) => {
                    project.snapshot(&report);
                    last = Some(report);
                }
                // Interrupted in the middle: what was seen before counts.
                Err(_) if last.is_some() && project.cancel().signal().is_some() => {}
                Err(error) => return Err(error),
            }
            if project.cancel().sleep(pause).is_err()
                && let Some(report) = last
            {
                return Ok(HealthReport { signal: project.cancel().signal(), ..report });
            }
        }
    }
}

/// Looks once at everything.
fn run_probes(project: &Project, kinds: &[&Kind]) -> Result<HealthReport> {
    let began = Instant::now();
    let snapshot = Snapshot::take(project)?;
    let mut checks = ask_all(kinds.iter().copied(), &snapshot);
    checks.extend(snapshot.trouble.clone());
    for check in &mut checks {
        check.expand(project.commands());
    }
    // A probe that it interrupted is not a finding.
    project.cancel().check()?;
    // The kinds keep their order; within one, the slow ones come first.
    let place = |check: &Check| KINDS.iter().position(|kind| kind.name == check.kind);
    checks.sort_by_key(|check| (severity(check.status), place(check), std::cmp::Reverse(check.latency)));
    Ok(HealthReport {
        healthy: checks.iter().all(|check| check.status != Verdict::Fail),
        environment: project.environment().name.clone(),
        duration_ms: millis(began.elapsed()),
        timed_out: false,
        checks,
        signal: None,
    })
}

fn severity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => 0,
        Verdict::Warn => 1,
        Verdict::Ok => 2,
        Verdict::Skip => 3,
    }
}

/// Looks until nothing fails or the time is over; at what can only advise just once, at the end.
fn wait(project: &Project, kinds: &[&'static Kind], until: Instant) -> Result<HealthReport> {
    let deciding: Vec<&Kind> = kinds.iter().copied().filter(|kind| !kind.advises).collect();
    loop {
        let report = run_probes(project, &deciding)?;
        if report.healthy || Instant::now() >= until {
            let mut report = run_probes(project, kinds)?;
            report.timed_out = !report.healthy;
            if report.healthy || Instant::now() >= until {
                return Ok(report);
            }
        }
        let failed = report.checks.iter().filter(|check| check.status == Verdict::Fail);
        let failed: Vec<_> = failed.map(|check| format!("{} {}", check.kind, check.target)).collect();
        project.waiting(format_args!("waiting for {}", failed.join(", ")));
        project.cancel().sleep(POLL.min(until.saturating_duration_since(Instant::now())))?;
    }
}

/// A number of seconds, or a length of time such as `2m`.
#[cfg(feature = "cli")]
fn patience(text: &str) -> Result<Period, String> {
    match text.parse() {
        Ok(seconds) => Ok(Period::new(Duration::from_secs(seconds))),
        Err(_) => text.parse(),
    }
}

impl HealthReport {
    fn count(&self, status: Verdict) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }
}

impl Outcome for HealthReport {
    fn exit(&self) -> Exit {
        match (self.signal, self.healthy, self.timed_out) {
            // With a closed pipe the reader has seen enough.
            (Some(SIGPIPE), _, _) | (None, true, _) => Exit::Ok,
            (Some(signal), _, _) => Exit::Signal(u8::try_from(signal).unwrap_or(0)),
            (None, false, true) => Exit::TempFail,
            (None, false, false) => Exit::CheckFailed,
        }
    }

    fn is_streamed(&self) -> bool {
        self.signal.is_some()
    }

    fn brief(&self) -> String {
        let failed = self.checks.iter().filter(|check| check.status == Verdict::Fail).cloned().collect::<Vec<_>>();
        Listed(&failed).to_string()
    }

    fn next(&self) -> Vec<String> {
        if self.healthy {
            return Vec::new();
        }
        let nothing_runs = self.checks.iter().any(|check| check.detail == "nothing is running");
        if nothing_runs {
            return vec!["cargo xtask start".to_owned(), "cargo xtask doctor".to_owned()];
        }
        vec!["cargo xtask logs".to_owned(), "cargo xtask doctor".to_owned()]
    }
}

impl fmt::Display for HealthReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.checks.iter().map(|check| {
            let latency = check.latency.filter(|time| time.as_millis() > 0);
            let latency = latency.map_or_else(String::new, |time| format!("{} ms", time.as_millis()));
            [check.status.to_string(), check.kind.to_owned(), check.target.clone(), latency, check.detail.clone()]
        });
        writeln!(f, "{}", table(["STATUS", "KIND", "TARGET", "TIME", "FOUND"], rows))?;
        let hints: Vec<_> = self.checks.iter().filter_map(|check| Some((check, check.hint.as_ref()?))).collect();
        if !hints.is_empty() {
            writeln!(f)?;
        }
        for (check, hint) in hints {
            writeln!(f, "{} {}: {hint}", check.kind, check.target)?;
        }
        let word = match (self.healthy, self.timed_out) {
            (true, _) => "healthy",
            (false, true) => "still not healthy: timed out",
            (false, false) => "not healthy",
        };
        let took = seconds(Duration::from_millis(self.duration_ms));
        write!(
            f,
            "\n{word}: {} ok, {} failed, {}, {} skipped, in {took}",
            self.count(Verdict::Ok),
            self.count(Verdict::Fail),
            counted(self.count(Verdict::Warn), "warning"),
            self.count(Verdict::Skip),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "cli")]
    fn waiting_takes_seconds_or_a_length_of_time() {
        let seconds = |text| patience(text).map(|period| period.duration().as_secs());
        assert_eq!((seconds("90"), seconds("2m")), (Ok(90), Ok(120)));
        assert!(seconds("soon").is_err());
    }

    #[test]
    fn an_unknown_kind_is_usage_and_suggests() {
        let error = Health { only: vec!["contaner".to_owned()], ..Health::default() }.kinds().err().unwrap();
        assert_eq!((error.exit(), error.hint().as_deref()), (Exit::Usage, Some("did you mean `container`?")));
    }

    #[test]
    fn the_worst_decides() {
        let report = |healthy, timed_out| HealthReport {
            healthy,
            timed_out,
            environment: String::new(),
            duration_ms: 0,
            checks: vec![],
            signal: None,
        };
        let codes =
            [(true, false), (false, false), (false, true)].map(|(healthy, late)| report(healthy, late).exit().code());
        assert_eq!(codes, [0, 2, 75]);
    }
}
