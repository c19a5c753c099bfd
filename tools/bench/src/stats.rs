//! What a number of measurements says.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

/// Times of the same thing, in the order in which they were taken. A difference of two times can be negative.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64());
    }

    /// The middle one, in seconds; of an even number of them, the mean of the two in the middle.
    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        let upper = sorted.len() / 2;
        match (sorted.get(upper), sorted.len() % 2) {
            (None, _) => f64::NAN,
            (Some(middle), 1) => *middle,
            (Some(above), _) => f64::midpoint(sorted[upper - 1], *above),
        }
    }

    /// What each took longer than what was measured in the same round: what slows a whole round down falls out.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(mine, theirs)| mine - theirs).collect())
    }

    pub(crate) fn json(&self) -> Value {
        let round = |seconds: f64| (seconds * 1e6).round() / 1e3;
        json!({"median_ms": round(self.median()), "samples_ms": self.0.iter().map(|&it| round(it)).collect::<Vec<_>>()})
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// The median, and from where to where the single ones went: `87 ms (82–95)`.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorted = self.sorted();
        let (Some(least), Some(most)) = (sorted.first(), sorted.last()) else { return f.write_str("-") };
        let median = self.median();
        let (scale, digits, unit) = if median.abs() < 1.0 { (1e3, 0, "ms") } else { (1.0, 2, "s") };
        let number = |seconds: f64| {
            let text = format!("{:.digits$}", seconds * scale);
            if text == "-0" { "0".to_owned() } else { text }
        };
        write!(f, "{} {unit}", number(median))?;
        if sorted.len() > 1 { write!(f, " ({}–{})", number(*least), number(*most)) } else { Ok(()) }
    }
}

/// How many times as long the old way took as ours: `2.1×`.
pub(crate) fn ratio(old: &Samples, ours: &Samples) -> f64 {
    old.median() / ours.median()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(milliseconds: &[u64]) -> Samples {
        let mut samples = Samples::default();
        for &time in milliseconds {
            samples.push(Duration::from_millis(time));
        }
        samples
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn the_median_is_the_middle_in_any_order() {
        assert!(close(samples(&[30]).median(), 0.030));
        assert!(close(samples(&[30, 10, 20]).median(), 0.020));
        assert!(close(samples(&[40, 10, 20, 30]).median(), 0.025));
        assert!(samples(&[]).median().is_nan());
    }

    #[test]
    fn a_single_slow_one_does_not_move_it() {
        assert!(close(samples(&[10, 9000, 11, 12, 10]).median(), 0.011));
    }

    #[test]
    fn differences_are_taken_within_a_round() {
        // The second round was slow for both, and in the third ours happened to be the quicker one.
        let own = samples(&[110, 510, 95]).minus(&samples(&[100, 500, 100]));
        assert!(close(own.median(), 0.010));
        assert_eq!(own.to_string(), "10 ms (-5–10)");
        // What was not measured in every round counts as far as it was.
        assert!(close(samples(&[30, 1]).minus(&samples(&[10])).median(), 0.020));
    }

    #[test]
    fn figures_have_the_unit_that_suits_them() {
        assert_eq!(samples(&[12, 9, 15]).to_string(), "12 ms (9–15)");
        assert_eq!(samples(&[1234, 900, 2000]).to_string(), "1.23 s (0.90–2.00)");
        assert_eq!(samples(&[7]).to_string(), "7 ms");
        assert_eq!(samples(&[]).to_string(), "-");
        assert_eq!(samples(&[3]).minus(&samples(&[3])).to_string(), "0 ms");
    }

    #[test]
    fn a_ratio_above_one_is_a_gain() {
        assert!(close(ratio(&samples(&[300, 200, 100]), &samples(&[50, 100, 150])), 2.0));
    }

    #[test]
    fn every_single_figure_is_kept() {
        let json = samples(&[2, 1]).json();
        assert_eq!(json, serde_json::json!({"median_ms": 1.5, "samples_ms": [2.0, 1.0]}));
    }
}
