//! Where the tests' time went, what they skipped and why they failed, as they have recorded it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Names the file into which tests write.
pub(crate) const VARIABLE: &str = "INFRA_TEST_RECORD";

/// How many of the slowest tests are shown.
const SLOWEST: usize = 20;

/// The report: seconds by group of tests, the slowest tests, how many were skipped and why, and what failed. Tests run at
/// the same time, so the seconds add up to more than the run took.
pub(crate) fn report(record: &str) -> String {
    let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut tests: Vec<(f64, &str)> = Vec::new();
    let mut skipped: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut failed: Vec<(&str, &str)> = Vec::new();
    for line in record.lines() {
        let mut fields = line.splitn(3, '\t');
        let (Some(what), Some(test), Some(value)) = (fields.next(), fields.next(), fields.next()) else { continue };
        match (what, value.parse::<f64>()) {
            ("took", Ok(seconds)) => {
                groups.entry(test.split("::").next().unwrap_or(test)).or_default().push(seconds);
                tests.push((seconds, test));
            }
            ("skipped", _) => skipped.entry(value).or_default().push(test),
            ("failed", _) => failed.push((test, value)),
            _ => {}
        }
    }
    let mut rows: Vec<(f64, &str, usize)> =
        groups.iter().map(|(group, seconds)| (seconds.iter().sum(), *group, seconds.len())).collect();
    rows.sort_by(|one, other| other.0.total_cmp(&one.0));
    tests.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut text = String::from("seconds  tests  group\n");
    for (seconds, group, count) in rows {
        let _ = writeln!(text, "{seconds:7.1}  {count:5}  {group}");
    }
    let _ = writeln!(text, "\nseconds  the slowest {SLOWEST} tests");
    for (seconds, test) in tests.iter().take(SLOWEST) {
        let _ = writeln!(text, "{seconds:7.1}  {test}");
    }
    let mut reasons: Vec<_> = skipped.into_iter().collect();
    reasons.sort_by_key(|(_, tests)| std::cmp::Reverse(tests.len()));
    text.push_str("\nskipped\n");
    for (why, tests) in &reasons {
        let _ = writeln!(text, "{:7}  {why}", tests.len());
    }
    if reasons.is_empty() {
        text.push_str("   none\n");
    }
    for (test, message) in failed {
        let _ = write!(text, "\nfailed: {test}\n{}\n", message.replace(" \u{23ce} ", "\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_added_up_by_group_and_what_was_skipped_by_reason() {
        let record = "took\tsetup::one\t1.5\ntook\thealth::slow\t20.25\ntook\tsetup::two\t2.5\n\
                      skipped\tops::a\tno engine\nskipped\tops::b\tno engine\nbroken\n\
                      failed\tsetup::one\tpanicked at \u{23ce} left: 1\n";
        let report = report(record);
        let expected = "seconds  tests  group\n   20.2      1  health\n    4.0      2  setup\n";
        assert!(report.starts_with(expected), "{report}");
        assert!(report.contains("   20.2  health::slow\n    2.5  setup::two\n    1.5  setup::one\n"), "{report}");
        assert!(
            report.ends_with("skipped\n      2  no engine\n\nfailed: setup::one\npanicked at\nleft: 1\n"),
            "{report}"
        );
    }
}
