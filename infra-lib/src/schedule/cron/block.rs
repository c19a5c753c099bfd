//! Our block of lines in the user's crontab.

use crate::schedule::ScheduleError;
use crate::schedule::record::Record;

use super::line::{Place, line};

const BEGIN: &str = "# BEGIN infra schedule:";
const END: &str = "# END infra schedule:";

/// A crontab split into our block and the rest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// All other lines, byte for byte.
    outside: Vec<u8>,
    /// The offset of our block in them.
    at: usize,
    /// Our block with its marker lines, if present.
    pub(crate) ours: Option<Vec<u8>>,
}

/// The crontab lines of a record's jobs, between marker lines.
pub(crate) fn block(place: &Place<'_>, record: &Record) -> Result<String, ScheduleError> {
    let name = name(place)?;
    let lines = record.jobs.iter().map(|planned| line(place, planned, &record.variables));
    let lines = lines.collect::<Result<Vec<_>, _>>()?.join("\n");
    Ok(format!("{BEGIN} {name}\n{lines}\n{END} {name}\n"))
}

/// The name of the block: the checkout and the environment. The project's name is only for readers.
fn name(place: &Place<'_>) -> Result<String, ScheduleError> {
    let Place { project, environment, root, .. } = place;
    if root.as_str().chars().any(char::is_control) {
        let why = "a line end or another control character";
        return Err(ScheduleError::Unfit { what: format!("{:?}", root.as_str()), why });
    }
    Ok(format!("{environment} of {project} in {root}"))
}

/// Splits a crontab into our block and the rest.
pub(crate) fn split(crontab: &[u8], place: &Place<'_>) -> Result<Split, ScheduleError> {
    let mut split = Split { outside: Vec::new(), at: 0, ours: None };
    let mut open: Option<String> = None;
    for line in crontab.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let begins = is_mark(&text, BEGIN, place);
        let ends = is_mark(&text, END, place);
        if begins != open.is_none() && (begins || ends) {
            return Err(damaged(&text));
        }
        if begins {
            open = Some(text.trim_end().to_owned());
            if split.ours.is_none() {
                split.at = split.outside.len();
            }
        }
        if open.is_some() {
            split.ours.get_or_insert_default().extend_from_slice(line);
        } else {
            split.outside.extend_from_slice(line);
        }
        if ends {
            open = None;
        }
    }
    match open {
        Some(mark) => Err(damaged(&mark)),
        None => Ok(split),
    }
}

fn damaged(mark: &str) -> ScheduleError {
    ScheduleError::Damaged { mark: mark.trim_end().to_owned() }
}

/// Whether the line is this marker of this checkout and environment, whatever the project's name was then.
fn is_mark(line: &str, mark: &str, place: &Place<'_>) -> bool {
    let Some(name) = line.strip_prefix(mark).and_then(|rest| rest.strip_prefix(' ')) else { return false };
    let name = name.strip_suffix('\n').unwrap_or(name);
    let parts = name.split_once(" of ").and_then(|(environment, rest)| Some((environment, rest.split_once(" in ")?)));
    parts.is_some_and(|(environment, (_, root))| environment == place.environment && root == place.root)
}

impl Split {
    /// The crontab with our block replaced by this one.
    pub(crate) fn with(&self, block: &str) -> Vec<u8> {
        let (before, after) = match self.ours {
            Some(_) => self.outside.split_at(self.at),
            None => (&self.outside[..], &[][..]),
        };
        let mut text = before.to_vec();
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        text.extend_from_slice(block.as_bytes());
        text.extend_from_slice(after);
        text
    }

    /// The crontab with our block removed.
    pub(crate) fn without(self) -> Vec<u8> {
        self.outside
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place<'a>(environment: &'a str, root: &'a str) -> Place<'a> {
        Place { project: "shop", environment, root: root.into(), program: "/p".into() }
    }

    fn text(place: &Place<'_>) -> String {
        let name = name(place).unwrap();
        format!("{BEGIN} {name}\n* * * * * true\n{END} {name}\n")
    }

    #[test]
    fn each_checkout_and_environment_has_lines_of_its_own() {
        let places =
            [("development", "/srv/shop"), ("production", "/srv/shop"), ("production", "/srv/a in b"), ("x", "/srv")];
        let places = places.map(|(environment, root)| place(environment, root));
        let mut crontab = b"MAILTO=me\n".to_vec();
        for place in &places {
            crontab = split(&crontab, place).unwrap().with(&text(place));
        }
        for place in &places {
            let found = split(&crontab, place).unwrap();
            assert_eq!(found.ours.as_deref(), Some(text(place).as_bytes()));
            assert_eq!(found.with(&text(place)), crontab, "written again, it is the same");
        }
        for place in &places {
            crontab = split(&crontab, place).unwrap().without();
        }
        assert_eq!(crontab, b"MAILTO=me\n");
    }

    #[test]
    fn a_project_that_was_renamed_keeps_its_lines() {
        let old = Place { project: "old", ..place("x", "/srv") };
        assert!(split(text(&old).as_bytes(), &place("x", "/srv")).unwrap().ours.is_some());
    }

    #[test]
    fn a_mark_without_the_other_changes_nothing() {
        let place = place("x", "/srv");
        let name = name(&place).unwrap();
        for crontab in
            [format!("{BEGIN} {name}\n1\n"), format!("1\n{END} {name}\n"), format!("{BEGIN} {name}\n{BEGIN} {name}\n")]
        {
            assert!(matches!(split(crontab.as_bytes(), &place), Err(ScheduleError::Damaged { .. })), "{crontab}");
        }
    }

    proptest! {
        #[test]
        fn what_is_not_ours_stays_byte_for_byte(before in "[ -~\u{80}-\u{ff}\n]{0,80}\n", after in prop::collection::vec(any::<u8>(), 0..80)) {
            let place = place("x", "/srv/a b");
            let ours = text(&place);
            let crontab = [before.as_bytes(), ours.as_bytes(), &after].concat();
            let found = split(&crontab, &place).unwrap();
            prop_assert_eq!(found.with("new\n"), [before.as_bytes(), b"new\n", &after].concat());
            prop_assert_eq!(found.without(), [before.as_bytes(), &after].concat());
        }
    }
}
