//! Which backups are kept, and which are removed.
//!
//! The terms are those of `restic forget`. Days, ISO weeks, months and years are in UTC. A count of days counts only
//! days with a backup, so a week without backups does not use it up. An age is measured from the newest good backup,
//! not from the clock. The order is that of the sequence numbers, never that of the files.
//!
//! A good backup is verified and not suspect. Only good backups count, only good ones are removed, and at least
//! [`FLOOR`] newer good ones remain for each one removed. Anything unusual, such as a clock that jumped or a newest
//! backup that is not good, stops retention altogether: what is not removed today can be removed tomorrow.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config::{Keep, Period};

/// Number of good backups that always remain, regardless of policy and clock.
pub(crate) const FLOOR: usize = 3;

/// Age below which backups are kept if no policy is configured: 30 days.
const DEFAULT_WITHIN: Period = Period::new(Duration::from_secs(30 * 24 * 3600));

/// How far two clocks may differ.
const DRIFT: SignedDuration = SignedDuration::from_hours(24);

/// Gap between backups after which the clock is doubted.
const PAUSE: SignedDuration = SignedDuration::from_hours(366 * 24);

/// The facts about a backup that retention depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The backup's unique name.
    pub(crate) id: String,
    /// Creation order, independent of the clock.
    pub(crate) sequence: u64,
    /// The creation time in the manifest.
    pub(crate) created: Timestamp,
    /// Whether it has a label, which always keeps it.
    pub(crate) labelled: bool,
    /// Whether it was read back completely.
    pub(crate) verified: bool,
    /// Whether it is suspiciously small.
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

/// The decision about each backup, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The backups that are kept.
    pub(crate) kept: Vec<Kept>,
    /// The backups that may be removed.
    pub(crate) removed: Vec<Candidate>,
    /// Why nothing may be removed, if retention was stopped.
    pub(crate) stopped: Option<String>,
}

/// A backup that is kept, with the reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The backup that is kept.
    pub(crate) backup: Candidate,
    /// The reasons: `last`, `daily 2026-11-20`, `weekly 2026-W47`, `monthly 2026-11`, `yearly 2026`, `within 30d`,
    /// `label`, `floor`, `not verified`, `suspect`. Empty if only [`Plan::stopped`] keeps it.
    pub(crate) reasons: Vec<String>,
}

/// Error: every number in the policy is zero, which is assumed to be a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this policy would keep no backup at all")]
pub(crate) struct KeepsNothing;

/// Decides about all backups of one database. `now` is used only to detect a wrong clock.
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

/// The age below which all backups are kept.
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

/// The policy applied to the backups of one database.
struct Rules<'a> {
    /// The good backups, newest first.
    good: Vec<&'a Candidate>,
    last: usize,
    within: Option<Period>,
    /// The newest backup of each day, week, month or year, with that period's name.
    buckets: Vec<(&'a Candidate, String)>,
}

impl Rules<'_> {
    /// The reasons to keep a backup; empty if no rule keeps it.
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

/// An anomaly in these backups that forbids any removal. Both lists are newest first.
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
                "a clock has jumped: {} was made after {}, but is dated {:.0}, before {:.0}",
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
            "{} is dated in the future ({:.0}), or this machine's clock is slow",
            backup.id, backup.created
        ));
    }
    if now.duration_since(newest.created) > PAUSE {
        return Some(format!("the newest backup, {}, is over a year old, or this machine's clock is fast", newest.id));
    }
    // After a long pause or a clock jump forward, old backups stay until there are FLOOR new ones.
    let leap = good.windows(2).take(FLOOR - 1).find(|pair| pair[0].created.duration_since(pair[1].created) > PAUSE);
    leap.map(|pair| {
        format!("{} was made over a year after {}, and too few have followed it to be sure", pair[0].id, pair[1].id)
    })
}

#[cfg(test)]
mod tests;
