//! What the local database's server has logged.

use jiff::Timestamp;

use crate::exec::{ExecError, Invocation};
use crate::project::Project;

use super::line::LogLine;

/// What it is called on the command line.
pub(super) const SHORT: &str = "database";
/// Its name among the services.
const NAME: &str = "database (local)";

/// Splits off the time that begins a message; the lines that follow in the same message have none.
fn parse(text: &str) -> Option<(Timestamp, &str)> {
    let (stamp, line) = text.split_once(" UTC ")?;
    let (date, time) = stamp.split_once(' ')?;
    Some((format!("{date}T{time}Z").parse().ok()?, line))
}

/// Hands over the last lines, or all, and goes on with what comes if it is to be followed.
pub(super) fn lines(
    project: &Project,
    tail: Option<usize>,
    follow: bool,
    timestamps: bool,
    mut take: impl FnMut(LogLine),
) -> Result<(), ExecError> {
    let Some(status) = project.local_status() else { return Ok(()) };
    let mut last = None;
    let mut hand_over = |text: &str| {
        let (time, line) = parse(text).map_or((None, text), |(time, line)| (Some(time), line));
        last = time.or(last);
        take(LogLine::of_server(NAME, last, line, timestamps));
    };
    if !follow {
        project.local_log_tail(tail).iter().for_each(|text| hand_over(text));
        return Ok(());
    }
    let from = tail.map_or("+1".to_owned(), |count| count.to_string());
    let call = Invocation::new("tail").minimal_env().args(["-n", &from, "-F", status.log.as_str()]);
    project.runner().lines(&call, |_, text| {
        hand_over(text);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_message_is_read() {
        let (time, line) = parse("2026-11-21 06:10:25.239 UTC [5524] LOG:  ready").unwrap();
        assert_eq!((time.to_string().as_str(), line), ("2026-11-21T06:10:25.239Z", "[5524] LOG:  ready"));
        assert!(parse("\tLINE 2: x UTC y").is_none());
    }
}
