//! What is kept, from examples and from random histories.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::*;

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// Good backups in this order, oldest first; the index of a time is its sequence number.
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

/// A backup at 03:00 on each of this many days, the last one on November 20.
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
    // 2026-11-15 is a Sunday; 2025-12-31 and 2026-01-01 are in the same ISO week.
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
    assert!(stopped(&moved(49, 10 * 365 * 24), NOON).unwrap().contains("dated in the future"));
    assert!(stopped(&backups, "2016-11-20T12:00:00Z").unwrap().contains("dated in the future"));
    assert!(stopped(&backups, "2036-11-20T12:00:00Z").unwrap().contains("over a year old"));
}

#[test]
fn a35_after_a_leap_forward_the_old_ones_stay_until_a_floor_of_new_ones_stands() {
    let old = nightly(50);
    let after =
        |new: usize| {
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

/// Histories with clock jumps, failed verifications and labels.
fn history() -> impl Strategy<Value = Vec<Candidate>> {
    // Most histories are calm: one in which retention stops shows nothing about removals.
    let calm = || 1_i64..300_000;
    let slips = prop_oneof![20 => calm(), 1 => -900_000_i64..0];
    let wild = prop_oneof![20 => calm(), 2 => 0_i64..3_000_000, 2 => -400_000_000_i64..400_000_000];
    let flags = (proptest::bool::weighted(0.1), proptest::bool::weighted(0.9), proptest::bool::weighted(0.05));
    let backup = |step: BoxedStrategy<i64>| (step, 1_u64..3, flags);
    let backups = |steps| proptest::collection::vec(backup(steps), 0..40);
    let backups = prop_oneof![3 => backups(calm().boxed()), 1 => backups(slips.boxed()), 1 => backups(wild.boxed())];
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
    (count(), count(), count(), count(), count(), within).prop_map(|(last, daily, weekly, monthly, yearly, within)| {
        Keep {
            last,
            daily,
            weekly,
            monthly,
            yearly,
            within: within.map(|seconds| Period::new(Duration::from_secs(seconds))),
        }
    })
}

/// The guarantees, checked independently of the implementation.
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

/// `INFRA_TEST_SCALE` multiplies the number of histories (100 makes 10^5); `INFRA_TEST_SEED` chooses others.
#[test]
fn a34_a35_a36_no_history_no_clock_and_no_policy_takes_the_last_good_ones() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let cases = u32::try_from(1000 * number("INFRA_TEST_SCALE").unwrap_or(1)).unwrap();
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number("INFRA_TEST_SEED").unwrap_or(20_260_101).to_le_bytes());
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
