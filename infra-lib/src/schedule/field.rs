//! Parsing one of the five fields of a cron expression.

use std::ops::RangeInclusive;

/// The kind of a field: its name, range and names of values.
pub(super) struct Kind {
    name: &'static str,
    range: RangeInclusive<u8>,
    /// Names for the numbers, starting with the first.
    names: &'static [&'static str],
}

pub(super) const MINUTE: Kind = Kind { name: "minute", range: 0..=59, names: &[] };
pub(super) const HOUR: Kind = Kind { name: "hour", range: 0..=23, names: &[] };
pub(super) const DAY: Kind = Kind { name: "day of the month", range: 1..=31, names: &[] };
pub(super) const MONTH: Kind = Kind {
    name: "month",
    range: 1..=12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
/// Days of the week; Sunday is 0 and 7.
pub(super) const WEEKDAY: Kind =
    Kind { name: "day of the week", range: 0..=7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// The numbers at which a field allows a job to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    set: u64,
    /// Whether it begins with `*`. Then the other day field decides alone.
    pub(super) is_open: bool,
}

impl Field {
    pub(super) fn has(self, number: impl Into<u64>) -> bool {
        self.set & 1 << number.into() != 0
    }

    /// Parses a field. Also returns its text with names replaced by numbers, since not every cron knows names.
    pub(super) fn parse(kind: &Kind, text: &str) -> Result<(Self, String), String> {
        let mut field = Self { set: 0, is_open: text.starts_with('*') };
        let parts = text.split(',').map(|part| field.add(kind, part)).collect::<Result<Vec<_>, _>>();
        let parts = parts.map_err(|why| format!("`{text}` is not valid as {}: {why}", kind.name))?;
        Ok((field, parts.join(",")))
    }

    /// Adds one item of the list: `*`, `5`, `1-5`, `*/10`, `10-20/2`.
    fn add(&mut self, kind: &Kind, part: &str) -> Result<String, String> {
        let (span, step) = part.split_once('/').map_or((part, None), |(span, step)| (span, Some(step)));
        let every = step.map_or(Ok(1), |step| digits(step).filter(|step| *step > 0).ok_or("a step is a number from 1"));
        let every = every?;
        let (first, last, text) = match span.split_once('-') {
            _ if span == "*" => (*kind.range.start(), *kind.range.end(), span.to_owned()),
            Some((first, last)) => {
                let (first, last) = (kind.number(first)?, kind.number(last)?);
                (first, last, format!("{first}-{last}"))
            }
            None if step.is_some() => return Err("a step follows `*` or a range".to_owned()),
            None => kind.number(span).map(|number| (number, number, number.to_string()))?,
        };
        if first > last {
            return Err(format!("{first} comes after {last}"));
        }
        for number in (first..=last).step_by(every.into()) {
            self.set |= 1 << if kind.name == WEEKDAY.name { number % 7 } else { number };
        }
        Ok(step.map_or(text.clone(), |step| format!("{text}/{step}")))
    }
}

impl Kind {
    pub(super) fn number(&self, text: &str) -> Result<u8, String> {
        let word = text.to_ascii_lowercase();
        let named = self.names.iter().position(|name| *name == word).and_then(|at| u8::try_from(at).ok());
        let number = named.map(|at| at + self.range.start()).or_else(|| digits(text));
        number.filter(|number| self.range.contains(number)).ok_or_else(|| {
            let (first, last) = self.range.clone().into_inner();
            format!("`{text}` is not within {first}-{last}")
        })
    }
}

fn digits(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
