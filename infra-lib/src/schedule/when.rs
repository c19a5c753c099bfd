//! Schedules: when a job runs.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::error::InvalidWhen;
use super::field::{DAY, Field, HOUR, MINUTE, MONTH, WEEKDAY};
use crate::config::Period;

/// A schedule in the machine's time zone: the five fields of a cron expression, or words.
///
/// The words are `hourly`, `daily 02:30`, `weekly sun 04:00`, `monthly 1 03:00` and `every 5m`.
///
/// ```
/// use infra_lib::ops::When;
///
/// let when: When = "weekly sun 04:00".parse()?;
/// assert_eq!(when.to_string(), "0 4 * * 0");
/// assert_eq!("*/10 8-18 * * mon-fri".parse::<When>()?.to_string(), "*/10 8-18 * * 1-5");
/// assert!("0 25 * * *".parse::<When>().is_err());
/// # Ok::<(), infra_lib::ops::InvalidWhen>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct When {
    text: String,
    /// Minute, hour, day of the month, month, day of the week.
    fields: [Field; 5],
}

/// The longest time between two leap days, at the turn of a century, in days.
const EIGHT_YEARS: usize = 8 * 366;

impl FromStr for When {
    type Err = InvalidWhen;

    fn from_str(text: &str) -> Result<Self, InvalidWhen> {
        let wrong = |why| InvalidWhen { text: text.to_owned(), why };
        let when = Self::fields(&expression(text).map_err(wrong)?).map_err(wrong)?;
        if days_before(date(2104, 12, 31)).any(|day| when.is_on(day)) {
            Ok(when)
        } else {
            Err(wrong("no such day in any year".to_owned()))
        }
    }
}

impl When {
    fn fields(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = words[..] else {
            return Err("five fields make a time: minute, hour, day of the month, month, day of the week".to_owned());
        };
        let parsed = [(&MINUTE, minute), (&HOUR, hour), (&DAY, day), (&MONTH, month), (&WEEKDAY, weekday)]
            .map(|(kind, text)| Field::parse(kind, text));
        let [minute, hour, day, month, weekday] = parsed;
        let parts = [minute?, hour?, day?, month?, weekday?];
        let text = parts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join(" ");
        Ok(Self { text, fields: parts.map(|(field, _)| field) })
    }

    fn is_on(&self, date: Date) -> bool {
        let [_, _, day, month, weekday] = self.fields;
        let is_day = day.has(date.day().unsigned_abs());
        let is_weekday = weekday.has(date.weekday().to_sunday_zero_offset().unsigned_abs());
        // Cron's own rule: if both day fields are limited, either one is enough.
        let fits = if day.is_open || weekday.is_open { is_day && is_weekday } else { is_day || is_weekday };
        month.has(date.month().unsigned_abs()) && fits
    }

    /// The last due time at or before this moment.
    pub(crate) fn last_due(&self, moment: &Zoned) -> Option<Timestamp> {
        let [minutes, hours, ..] = self.fields;
        let times = |date: Date| {
            let all = (0..24).rev().flat_map(|hour| (0..60).rev().map(move |minute| (hour, minute)));
            let due = all.filter(move |(hour, minute): &(i8, i8)| {
                hours.has(hour.unsigned_abs()) && minutes.has(minute.unsigned_abs())
            });
            due.filter_map(move |(hour, minute)| date.at(hour, minute, 0, 0).to_zoned(moment.time_zone().clone()).ok())
        };
        let days = days_before(moment.date()).filter(|day| self.is_on(*day));
        days.flat_map(times).map(|due| due.timestamp()).find(|due| *due <= moment.timestamp())
    }

    /// The time between two runs around this moment.
    pub(crate) fn interval(&self, moment: &Zoned) -> Option<SignedDuration> {
        let last = self.last_due(moment)?;
        let before = last.checked_sub(SignedDuration::from_secs(1)).ok()?;
        let before = self.last_due(&before.to_zoned(moment.time_zone().clone()))?;
        Some(last.duration_since(before))
    }
}

fn days_before(date: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(date), |date| date.yesterday().ok()).take(EIGHT_YEARS)
}

/// Converts a schedule in words to five cron fields.
fn expression(text: &str) -> Result<String, String> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Ok(match words[..] {
        ["hourly" | "@hourly"] => "0 * * * *".to_owned(),
        ["daily" | "@daily" | "@midnight"] => "0 0 * * *".to_owned(),
        ["daily", time] => format!("{} * * *", clock(time)?),
        ["@weekly"] => "0 0 * * 0".to_owned(),
        ["weekly", day, time] => format!("{} * * {}", clock(time)?, WEEKDAY.number(day)? % 7),
        ["@monthly"] => "0 0 1 * *".to_owned(),
        ["monthly", day, time] => format!("{} {} * *", clock(time)?, DAY.number(day)?),
        ["@yearly" | "@annually"] => "0 0 1 1 *".to_owned(),
        ["every", period] => every(period)?,
        ["weekly", ..] => return Err("write `weekly sun 04:00`".to_owned()),
        ["monthly", ..] => return Err("write `monthly 1 03:00`".to_owned()),
        ["@reboot"] => return Err("a start of the machine is not a time".to_owned()),
        _ => text.to_owned(),
    })
}

/// Converts `02:30` to the minute and hour fields.
fn clock(text: &str) -> Result<String, String> {
    let (hour, minute) = text.split_once(':').ok_or_else(|| format!("`{text}` is not a time of day; use 02:30"))?;
    Ok(format!("{} {}", MINUTE.number(minute)?, HOUR.number(hour)?))
}

fn every(text: &str) -> Result<String, String> {
    let seconds = text.parse::<Period>()?.duration().as_secs();
    let divides = |unit, whole: u64| seconds.is_multiple_of(unit) && seconds > 0 && whole.is_multiple_of(seconds);
    Ok(match seconds {
        60 => "* * * * *".to_owned(),
        3600 => "0 * * * *".to_owned(),
        86_400 => "0 0 * * *".to_owned(),
        _ if divides(60, 3600) => format!("*/{} * * * *", seconds / 60),
        _ if divides(3600, 86_400) => format!("0 */{} * * *", seconds / 3600),
        _ => {
            return Err(
                "cron restarts its count each hour and each day: use minutes that divide 60, or hours that divide 24"
                    .to_owned(),
            );
        }
    })
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for When {
    type Error = InvalidWhen;

    fn try_from(text: String) -> Result<Self, InvalidWhen> {
        text.parse()
    }
}

impl From<When> for String {
    fn from(when: When) -> Self {
        when.text
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn fields(text: &str) -> String {
        text.parse::<When>().unwrap_or_else(|error| panic!("{text}: {error}")).to_string()
    }

    #[test]
    fn words_become_fields() {
        for (words, expected) in [
            ("hourly", "0 * * * *"),
            ("daily", "0 0 * * *"),
            ("daily 02:30", "30 2 * * *"),
            ("Weekly Sun 04:00", "0 4 * * 0"),
            ("weekly 7 4:05", "5 4 * * 0"),
            ("monthly 31 23:59", "59 23 31 * *"),
            ("every 1m", "* * * * *"),
            ("every 5m", "*/5 * * * *"),
            ("every 1h", "0 * * * *"),
            ("every 6h", "0 */6 * * *"),
            ("every 1d", "0 0 * * *"),
            ("@weekly", "0 0 * * 0"),
            ("  30   2 * *  * ", "30 2 * * *"),
            ("0 0 1,15 jan-mar MON", "0 0 1,15 1-3 1"),
            ("0-30/10,45 */2 * * *", "0-30/10,45 */2 * * *"),
            ("0 0 29 2 *", "0 0 29 2 *"),
        ] {
            assert_eq!(fields(words), expected, "{words}");
        }
    }

    #[test]
    fn what_cron_would_not_do_is_an_error_that_says_why() {
        for (text, why) in [
            ("", "five fields"),
            ("30 2 * *", "five fields"),
            ("60 2 * * *", "`60` is not valid as minute: `60` is not within 0-59"),
            ("0 24 * * *", "0-23"),
            ("0 0 0 * *", "1-31"),
            ("0 0 * 13 *", "1-12"),
            ("0 0 * * 8", "0-7"),
            ("0 0 * * mo", "`mo` is not within"),
            ("5/10 * * * *", "follows `*` or a range"),
            ("*/0 * * * *", "a number from 1"),
            ("30-10 * * * *", "30 comes after 10"),
            ("+5 * * * *", "0-59"),
            ("1,,2 * * * *", "0-59"),
            ("0 0 31 2 *", "no such day"),
            ("every 7m", "divide 60"),
            ("every 90m", "divide"),
            ("every 30s", "divide"),
            ("every soon", "not a duration"),
            ("daily 25:00", "0-23"),
            ("daily noon", "use 02:30"),
            ("weekly", "weekly sun 04:00"),
            ("@reboot", "not a time"),
        ] {
            let error = text.parse::<When>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn i10_the_last_time_it_was_due() {
        // A Saturday.
        let now = date(2026, 11, 21).at(11, 7, 30, 0).to_zoned(TimeZone::UTC).unwrap();
        for (text, due, hours) in [
            ("*/5 * * * *", "2026-11-21T11:05:00Z", 0),
            ("7 * * * *", "2026-11-21T11:07:00Z", 1),
            ("daily 02:30", "2026-11-21T02:30:00Z", 24),
            ("daily 12:00", "2026-11-20T12:00:00Z", 24),
            ("weekly sun 04:00", "2026-11-15T04:00:00Z", 168),
            ("0 0 13 * 5", "2026-11-20T00:00:00Z", 168),
            ("0 0 13 * *", "2026-11-13T00:00:00Z", 31 * 24),
            ("0 0 29 2 *", "2024-02-29T00:00:00Z", 35_064),
        ] {
            let when: When = text.parse().unwrap();
            assert_eq!(when.last_due(&now).unwrap().to_string(), due, "{text}");
            assert_eq!(when.interval(&now).unwrap().as_hours(), hours, "{text}");
        }
    }
}
