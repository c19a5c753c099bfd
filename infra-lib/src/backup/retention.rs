//! Which backups are kept, and which may go.
//!
//! The words are those of `restic forget`. Days, ISO weeks, months and years are those of UTC; a count of days counts days
//! that have a backup, so that a week of holidays costs nothing; and an age is measured from the newest good backup, not
//! from the clock. The order is that of the sequence numbers, never that of files.
//!
//! A good backup is one that is verified and not suspect. Only good ones count, only good ones go, and each that goes is
//! older than [`FLOOR`] good ones that stay. Whatever looks odd, such as a clock that has jumped or a newest backup that
//! is not good, stops all of it: what is not removed today can be removed tomorrow.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::manifest::{Keep, Period};

/// How many good backups remain, whatever the policy and the clock say.
pub(crate) const FLOOR: usize = 3;

/// What is kept where nothing is stated: 30 days.
const DEFAULT_WITHIN: Period = Period::new(Duration::from_secs(30 * 24 * 3600));

/// How far two clocks may differ.
const DRIFT: SignedDuration = SignedDuration::from_hours(24);

/// How long a project may have slept before its clock is doubted.
const PAUSE: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What decides about a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Its name, which no other has.
    pub(crate) id: String,
    /// Its place in the order, whatever the clock said.
    pub(crate) sequence: u64,
    /// When it was made, says its manifest.
    pub(crate) created: Timestamp,
    /// Whether somebody gave it a name: it stays.
    pub(crate) labelled: bool,
    /// Whether it was read back whole.
    pub(crate) verified: bool,
    /// Whether it has shrunk suspiciously.
    pub(crate) suspect: bool,
}

impl Candidate {
    const fn is_good(&self) -> bool {
        self.verified && !self.suspect
    }

    fn date(&self) -> Date {
        self.created.to_zoned(TimeZone::UTC).date()
    }
}

/// What becomes of each backup, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Those that stay.
    pub(crate) kept: Vec<Kept>,
    /// Those that may go.
    pub(crate) removed: Vec<Candidate>,
    /// Why none may go, where something is odd.
    pub(crate) stopped: Option<String>,
}

/// A backup that stays, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The backup.
    pub(crate) backup: Candidate,
    /// Why: `last`, `daily 2026-11-20`, `weekly 2026-W47`, `monthly 2026-11`, `yearly 2026`, `within 30d`, `label`,
    /// `floor`, `not verified`, `suspect`. Empty where only [`Plan::stopped`] keeps it.
    pub(crate) reasons: Vec<String>,
}

/// There is no plan, since every number that the policy states is zero: a mistake, and not a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this policy would keep no backup at all")]
pub(crate) struct KeepsNothing;

/// Decides about all backups of one database. `now` only serves to find a wrong clock.
pub(crate) fn plan(keep: &Keep, candidates: &[Candidate], now: Timestamp) -> Result<Plan, KeepsNothing> {
    let within = within(keep)?;
    let mut newest_first: Vec<&Candidate> = candidates.iter().collect();
    newest_first.sort_by_key(|backup| std::cmp::Reverse((backup.sequence, backup.created, &backup.id)));
    let good: Vec<&Candidate> = newest_first.iter().copied().filter(|backup| backup.is_good()).collect();
    let rules = Rules { last: number(keep.last), within, buckets: buckets(keep, &good), good };

    let mut plan = Plan { stopped: odd(&newest_first, &rules.good, now), ..Plan::default() };
    for backup in newest_first {
        let reasons = rules.reasons(backup);
        if reasons.is_empty() && plan.stopped.is_none() {
            plan.removed.push(backup.clone());
        } else {
            plan.kept.push(Kept { backup: backup.clone(), reasons });
        }
    }
    Ok(plan)
}

/// The age below which all are kept.
fn within(keep: &Keep) -> Result<Option<Period>, KeepsNothing> {
    if *keep == Keep::default() {
        return Ok(Some(DEFAULT_WITHIN));
    }
    let within = keep.within.filter(|within| !within.duration().is_zero());
    let counts = [keep.last, keep.daily, keep.weekly, keep.monthly, keep.yearly];
    let keeps_some = within.is_some() || counts.iter().any(|count| count.is_some_and(|count| count > 0));
    if keeps_some { Ok(within) } else { Err(KeepsNothing) }
}

fn number(count: Option<u32>) -> usize {
    count.map_or(0, |count| usize::try_from(count).unwrap_or(usize::MAX))
}

/// What one database's policy comes to.
struct Rules<'a> {
    /// The good ones, newest first.
    good: Vec<&'a Candidate>,
    last: usize,
    within: Option<Period>,
    /// Each backup that is the newest of its day, week, month or year, and the name of that.
    buckets: Vec<(&'a Candidate, String)>,
}

impl Rules<'_> {
    /// Why a backup is kept; nothing if nothing says so.
    fn reasons(&self, backup: &Candidate) -> Vec<String> {
        let mut reasons: Vec<String> = Vec::new();
        let mut because = |holds: bool, why: &str| holds.then(|| reasons.push(why.to_owned()));
        let place = self.good.iter().position(|good| good.id == backup.id);
        because(backup.labelled, "label");
        because(!backup.verified, "not verified");
        because(backup.suspect, "suspect");
        because(place.is_some_and(|place| place < self.last), "last");
        for (newest, name) in &self.buckets {
            because(newest.id == backup.id, name);
        }
        if let (Some(within), Some(newest), Some(_)) = (self.within, self.good.first(), place) {
            let age = Duration::try_from(newest.created.duration_since(backup.created)).unwrap_or_default();
            because(age <= within.duration(), &format!("within {within}"));
        }
        because(place.is_some_and(|place| place < FLOOR), "floor");
        reasons
    }
}

/// The newest good backup of each of the latest days, weeks, months and years that have one.
fn buckets<'a>(keep: &Keep, good: &[&'a Candidate]) -> Vec<(&'a Candidate, String)> {
    type Kind = (Option<u32>, fn(Date) -> String);
    let kinds: [Kind; 4] = [
        (keep.daily, |date| format!("daily {date}")),
        (keep.weekly, |date| {
            let week = date.iso_week_date();
            format!("weekly {:04}-W{:02}", week.year(), week.week())
        }),
        (keep.monthly, |date| format!("monthly {:04}-{:02}", date.year(), date.month())),
        (keep.yearly, |date| format!("yearly {:04}", date.year())),
    ];
    let mut kept: Vec<(&Candidate, String)> = Vec::new();
    for (count, name) in kinds {
        let mut seen = BTreeSet::new();
        let named = good.iter().map(|&backup| (backup, name(backup.date())));
        kept.extend(named.filter(|(_, name)| seen.insert(name.clone())).take(number(count)));
    }
    kept
}

/// What is odd about these backups, so that none may go. Both lists are newest first.
fn odd(all: &[&Candidate], good: &[&Candidate], now: Timestamp) -> Option<String> {
    let newest = all.first()?;
    if !newest.is_good() {
        let what = if newest.suspect { "suspect" } else { "not verified" };
        return Some(format!("the newest backup, {}, is {what}", newest.id));
    }
    let mut earliest = *newest;
    for backup in all {
        if backup.created.duration_since(earliest.created) > DRIFT {
            return Some(format!(
                "a clock has jumped: {} was made after {}, and says {:.0}, which is before {:.0}",
                earliest.id, backup.id, earliest.created, backup.created
            ));
        }
        if backup.created < earliest.created {
            earliest = backup;
        }
    }
    let future = all.iter().find(|backup| backup.created.duration_since(now) > DRIFT);
    if let Some(backup) = future {
        return Some(format!(
            "{} is from the future ({:.0}), or this machine's clock is slow",
            backup.id, backup.created
        ));
    }
    if now.duration_since(newest.created) > PAUSE {
        return Some(format!("the newest backup, {}, is over a year old, or this machine's clock is fast", newest.id));
    }
    // After a long pause, or a clock that has leapt forward, the old ones stay until there is a floor of new ones.
    let leap = good.windows(2).take(FLOOR - 1).find(|pair| pair[0].created.duration_since(pair[1].created) > PAUSE);
    leap.map(|pair| {
        format!("{} was made over a year after {}, and too few have followed it to be sure", pair[0].id, pair[1].id)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    /// Good backups in this order, oldest first; a time's number is its sequence.
    fn made(times: &[&str]) -> Vec<Candidate> {
        let one = |(number, time): (usize, &&str)| Candidate {
            id: format!("b{number}"),
            sequence: number as u64,
            created: at(time),
            labelled: false,
            verified: true,
            suspect: false,
        };
        times.iter().enumerate().map(one).collect()
    }

    /// One at three o'clock on each of this many days, the last of them on the 20th of November.
    fn nightly(days: i64) -> Vec<Candidate> {
        let last = at("2026-11-20T03:00:00Z");
        let times: Vec<String> =
            (0..days).rev().map(|ago| (last - SignedDuration::from_hours(24 * ago)).to_string()).collect();
        made(&times.iter().map(String::as_str).collect::<Vec<_>>())
    }

    const NOON: &str = "2026-11-20T12:00:00Z";

    fn daily(count: u32) -> Keep {
        Keep { daily: Some(count), ..Keep::default() }
    }

    fn why(plan: &Plan) -> Vec<String> {
        plan.kept.iter().map(|kept| format!("{}: {}", kept.backup.id, kept.reasons.join(", "))).collect()
    }

    #[test]
    fn each_rule_says_what_it_keeps() {
        let times = [
            "2025-12-30T03:00:00Z",
            "2025-12-31T23:59:59Z",
            "2026-01-01T00:00:00Z",
            "2026-10-31T03:00:00Z",
            "2026-11-01T03:00:00Z",
            "2026-11-14T03:00:00Z",
            "2026-11-15T03:00:00Z",
            "2026-11-16T03:00:00Z",
            "2026-11-19T23:59:59Z",
            "2026-11-20T00:00:00Z",
            "2026-11-20T03:00:00Z",
        ];
        let backups = made(&times);
        let look = |keep: Keep| why(&plan(&keep, &backups, at(NOON)).unwrap());
        let floor = |rest: &[&str]| {
            let first = ["b10: floor", "b9: floor", "b8: floor"].iter();
            first.chain(rest).map(|&line| line.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(look(Keep { last: Some(1), ..Keep::default() }), ["b10: last, floor", "b9: floor", "b8: floor"]);
        assert_eq!(look(daily(2)), ["b10: daily 2026-11-20, floor", "b9: floor", "b8: daily 2026-11-19, floor"]);
        // The 15th of November is a Sunday; the 31st of December 2025 and the 1st of January 2026 share a week.
        assert_eq!(
            look(Keep { weekly: Some(9), ..Keep::default() })[1..],
            floor(&["b6: weekly 2026-W46", "b4: weekly 2026-W44", "b2: weekly 2026-W01"])[1..]
        );
        assert_eq!(
            look(Keep { monthly: Some(3), ..Keep::default() })[2..],
            floor(&["b3: monthly 2026-10", "b2: monthly 2026-01"])[2..]
        );
        assert_eq!(look(Keep { yearly: Some(2), ..Keep::default() })[3..], ["b1: yearly 2025"]);
        let week = Keep { within: Some("6d".parse().unwrap()), ..Keep::default() };
        assert_eq!(look(week)[3..], ["b7: within 6d", "b6: within 6d", "b5: within 6d"], "to the second");
    }

    #[test]
    fn where_nothing_is_stated_thirty_days_are_kept() {
        let plan = plan(&Keep::default(), &nightly(40), at(NOON)).unwrap();
        assert_eq!((plan.kept.len(), plan.removed.len(), plan.stopped), (31, 9, None));
    }

    #[test]
    fn a_day_without_a_backup_is_no_day() {
        let mut backups = nightly(100);
        backups.retain(|backup| backup.sequence % 2 == 1);
        assert_eq!(plan(&daily(7), &backups, at(NOON)).unwrap().kept.len(), 7);
    }

    #[test]
    fn a34_only_good_ones_count_and_only_good_ones_go() {
        let mut backups = nightly(10);
        backups[8].suspect = true;
        backups[5].verified = false;
        backups[1].labelled = true;
        let plan = plan(&daily(1), &backups, at(NOON)).unwrap();
        assert_eq!(
            why(&plan),
            ["b9: daily 2026-11-20, floor", "b8: suspect", "b7: floor", "b6: floor", "b5: not verified", "b1: label"]
        );
        assert_eq!(plan.removed.iter().map(|backup| backup.id.as_str()).collect::<Vec<_>>(), ["b4", "b3", "b2", "b0"]);
    }

    #[test]
    fn a30_a34_a_newest_backup_that_is_not_good_stops_it() {
        for (verified, suspect, word) in [(true, true, "suspect"), (false, false, "not verified")] {
            let mut backups = nightly(50);
            (backups[49].verified, backups[49].suspect) = (verified, suspect);
            let plan = plan(&daily(1), &backups, at(NOON)).unwrap();
            assert_eq!(plan.stopped, Some(format!("the newest backup, b49, is {word}")));
            assert!(plan.removed.is_empty() && plan.kept.len() == 50);
        }
    }

    #[test]
    fn a35_a_clock_that_has_jumped_stops_it_and_a_small_step_does_not() {
        let backups = nightly(50);
        let stopped = |backups: &[Candidate], now: &str| plan(&daily(1), backups, at(now)).unwrap().stopped;
        let moved = |number: usize, hours: i64| {
            let mut backups = backups.clone();
            backups[number].created += SignedDuration::from_hours(hours);
            backups
        };
        assert_eq!(stopped(&backups, NOON), None);
        assert_eq!(stopped(&moved(20, 47), NOON), None, "a clock may be set, and a zone misread");
        assert!(stopped(&moved(20, 49), NOON).unwrap().starts_with("a clock has jumped: b21 was made after b20"));
        for years in [-10, 10] {
            let jump = stopped(&moved(20, years * 365 * 24), NOON).unwrap();
            assert!(jump.starts_with("a clock has jumped"), "{jump}");
        }
        assert!(stopped(&moved(49, 10 * 365 * 24), NOON).unwrap().contains("from the future"));
        assert!(stopped(&backups, "2016-11-20T12:00:00Z").unwrap().contains("from the future"));
        assert!(stopped(&backups, "2036-11-20T12:00:00Z").unwrap().contains("over a year old"));
    }

    #[test]
    fn a35_after_a_leap_forward_the_old_ones_stay_until_a_floor_of_new_ones_stands() {
        let old = nightly(50);
        let after = |new: usize| {
            let mut backups = old.clone();
            backups.extend(nightly(60).split_off(50).into_iter().take(new).map(|backup| Candidate {
                created: backup.created + SignedDuration::from_hours(10 * 366 * 24),
                ..backup
            }));
            let now = backups.last().unwrap().created;
            plan(&Keep::default(), &backups, now).unwrap()
        };
        for new in 1..FLOOR {
            assert!(after(new).stopped.unwrap().contains("too few have followed"), "{new}");
        }
        assert_eq!((after(FLOOR).stopped, after(FLOOR).kept.len()), (None, FLOOR));
    }

    #[test]
    fn a36_a_policy_that_would_keep_nothing_is_refused() {
        let zeros = Keep { last: Some(0), within: Some(Period::new(Duration::ZERO)), ..daily(0) };
        for keep in [zeros, daily(0)] {
            assert_eq!(plan(&keep, &nightly(50), at(NOON)), Err(KeepsNothing));
        }
    }

    /// Histories in which clocks jump, verification fails, and names are given.
    fn history() -> impl Strategy<Value = Vec<Candidate>> {
        // Most histories are calm: where everything stops retention, nothing is shown about what it removes.
        let calm = || 1_i64..300_000;
        let slips = prop_oneof![20 => calm(), 1 => -900_000_i64..0];
        let wild = prop_oneof![20 => calm(), 2 => 0_i64..3_000_000, 2 => -400_000_000_i64..400_000_000];
        let flags = (proptest::bool::weighted(0.1), proptest::bool::weighted(0.9), proptest::bool::weighted(0.05));
        let backup = |step: BoxedStrategy<i64>| (step, 1_u64..3, flags);
        let backups = |steps| proptest::collection::vec(backup(steps), 0..40);
        let backups =
            prop_oneof![3 => backups(calm().boxed()), 1 => backups(slips.boxed()), 1 => backups(wild.boxed())];
        let start = prop_oneof![20 => Just(1_790_000_000_i64), 1 => -377_705_023_201_i64..=253_402_207_200];
        (start, backups).prop_map(|(mut second, backups)| {
            let mut sequence = 0;
            let mut one = |(number, (step, skip, (labelled, verified, suspect)))| {
                second = i64::clamp(second + step, -377_705_023_201, 253_402_207_200);
                sequence += skip;
                let created = Timestamp::from_second(second).unwrap();
                Candidate { id: format!("b{number}"), sequence, created, labelled, verified, suspect }
            };
            backups.into_iter().enumerate().map(&mut one).collect()
        })
    }

    fn policy() -> impl Strategy<Value = Keep> {
        let count = || proptest::option::weighted(0.4, prop_oneof![4 => 0_u32..10, 1 => Just(u32::MAX)]);
        let within = proptest::option::weighted(0.4, prop_oneof![0_u64..10_000_000, Just(u64::MAX)]);
        (count(), count(), count(), count(), count(), within).prop_map(
            |(last, daily, weekly, monthly, yearly, within)| Keep {
                last,
                daily,
                weekly,
                monthly,
                yearly,
                within: within.map(|seconds| Period::new(Duration::from_secs(seconds))),
            },
        )
    }

    /// The promises, judged without looking at how they are kept.
    fn holds(keep: &Keep, backups: &[Candidate], now: Timestamp) -> Result<(), TestCaseError> {
        let Ok(plan) = plan(keep, backups, now) else {
            prop_assert!(*keep != Keep::default());
            return Ok(());
        };
        let kept: Vec<Candidate> = plan.kept.iter().map(|kept| kept.backup.clone()).collect();
        let stays = |backup: &Candidate| kept.contains(backup);
        let goes = |backup: &Candidate| plan.removed.contains(backup);
        prop_assert_eq!(kept.len() + plan.removed.len(), backups.len());
        prop_assert!(backups.iter().all(|backup| stays(backup) != goes(backup)));

        let good: Vec<&Candidate> = backups.iter().filter(|backup| backup.verified && !backup.suspect).collect();
        prop_assert!(good.iter().rev().take(FLOOR).all(|backup| stays(backup)), "the floor");
        for gone in &plan.removed {
            prop_assert!(gone.verified && !gone.suspect && !gone.labelled);
            let newer = good.iter().filter(|backup| backup.sequence > gone.sequence && stays(backup)).count();
            prop_assert!(newer >= FLOOR);
        }

        let a_day = SignedDuration::from_hours(24);
        let jumps = backups.iter().enumerate().any(|(place, backup)| {
            backups[..place].iter().any(|earlier| earlier.created.duration_since(backup.created) > a_day)
        });
        let future = backups.iter().any(|backup| backup.created.duration_since(now) > a_day);
        let bad_newest = backups.last().is_some_and(|backup| !backup.verified || backup.suspect);
        prop_assert!(plan.removed.is_empty() || !(jumps || future || bad_newest));
        prop_assert!(plan.removed.is_empty() || plan.stopped.is_none());

        let reversed: Vec<Candidate> = backups.iter().rev().cloned().collect();
        prop_assert_eq!(&super::plan(keep, &reversed, now).unwrap(), &plan, "the order in a folder means nothing");
        prop_assert_eq!(super::plan(keep, &kept, now).unwrap().removed, [], "what remains is what the policy asks for");
        let more = Keep { last: Some(keep.last.unwrap_or(0).saturating_add(1)), ..keep.clone() };
        if *keep != Keep::default() {
            let removed = super::plan(&more, backups, now).unwrap().removed;
            prop_assert!(removed.iter().all(goes), "a policy that keeps more removes no other");
        }
        Ok(())
    }

    /// `INFRA_SWEEP_SCALE` multiplies how many histories there are (100 makes 10^5), `INFRA_SWEEP_SEED` chooses others.
    #[test]
    fn a34_a35_a36_no_history_no_clock_and_no_policy_takes_the_last_good_ones() {
        let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
        let cases = u32::try_from(1000 * number("INFRA_SWEEP_SCALE").unwrap_or(1)).unwrap();
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number("INFRA_SWEEP_SEED").unwrap_or(20_260_101).to_le_bytes());
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        let skew = prop_oneof![6 => 0_i64..200_000, 2 => -200_000_i64..0, 1 => -400_000_000_i64..400_000_000];
        let removals = std::cell::Cell::new(0_u32);
        runner
            .run(&(policy(), history(), skew), |(keep, backups, skew)| {
                let last = backups.last().map_or(Timestamp::UNIX_EPOCH, |backup| backup.created);
                let now = last.checked_add(SignedDuration::from_secs(skew)).unwrap_or(last);
                let removes = plan(&keep, &backups, now).is_ok_and(|plan| !plan.removed.is_empty());
                removals.set(removals.get() + u32::from(removes));
                holds(&keep, &backups, now)
            })
            .unwrap();
        let removals = removals.get();
        assert!(removals > cases / 5, "{removals} of {cases} histories removed anything: the others prove little");
    }
}
