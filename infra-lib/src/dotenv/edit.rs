//! Changing one value of a file without changing any other byte.

use crate::exit::Exit;
use crate::failure::Failure;
use zeroize::Zeroizing;

use super::{DotenvError, EnvFile, Quoting, escape, interpolate};
use crate::fs::{WriteError, atomic};
use crate::secret::Secret;

/// Why a value could not be set. The file in memory and on disk is unchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum EditError {
    /// The key to change is not in the file.
    #[error("{key} is not in the file")]
    Missing {
        /// The key it is about.
        key: String,
    },
    /// The file contains the key more than once, so the change would be ambiguous.
    #[error("duplicate key {key} in lines {}", lines.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))]
    Duplicate {
        /// The key it is about.
        key: String,
        /// Its line numbers, from 1.
        lines: Vec<usize>,
    },
    /// The key to append is already in the file.
    #[error("{key} already exists in line {line}")]
    Exists {
        /// The key it is about.
        key: String,
        /// Its line number, from 1.
        line: usize,
    },
    /// The name is not valid for a variable.
    #[error("`{key}` is not a valid variable name")]
    BadKey {
        /// The name that was given.
        key: String,
    },
    /// The value has a NUL byte, or the resulting file could not be parsed.
    #[error("the value of {key} cannot be written to an environment file")]
    Unwritable {
        /// The key it is about.
        key: String,
    },
}

impl Failure for EditError {
    fn exit(&self) -> Exit {
        Exit::Config
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { key } => format!("add a line {key}= first"),
            Self::Duplicate { .. } => "keep one of the lines, and delete the rest".to_owned(),
            Self::Exists { .. } => "change the value that is there".to_owned(),
            Self::BadKey { .. } => "start with a letter or `_`; then letters, digits and `_`".to_owned(),
            Self::Unwritable { .. } => "encode the value (base64, hex)".to_owned(),
        })
    }
}

impl EnvFile {
    /// Replaces the value of `key`. Keeps its quotes if they fit the new value, and every other byte.
    ///
    /// # Errors
    ///
    /// [`EditError`] if the key is not there exactly once, or the value has a NUL byte.
    pub(crate) fn set(&mut self, key: &str, value: &Secret) -> Result<(), EditError> {
        let mut found = self.entries().iter().filter(|entry| entry.key == key);
        let entry = found.next().ok_or_else(|| EditError::Missing { key: key.to_owned() })?;
        let more: Vec<usize> = found.map(|entry| entry.line).collect();
        if !more.is_empty() {
            let lines = std::iter::once(entry.line).chain(more).collect();
            return Err(EditError::Duplicate { key: key.to_owned(), lines });
        }
        let separator = if entry.quoting == Quoting::Inherited { "=" } else { "" };
        let range = entry.value_range.clone();
        // Without a value before it, the comment would become the value.
        let comment = self.text()[range.end..].lines().next().is_some_and(|rest| !rest.trim().is_empty());
        let quoting = if comment && value.is_empty() { Quoting::Single } else { entry.quoting };
        let written = escape::encode(value.expose(), quoting);
        let text = [&self.text()[..range.start], separator, &written, &self.text()[range.end..]].concat();
        self.replace_text(Zeroizing::new(text), key, value)
    }

    /// Appends a key at the end of the file, below `comment`, with the file's line ends.
    ///
    /// # Errors
    ///
    /// [`EditError`] if the key already exists or is not a valid name, or if the value has a NUL byte.
    pub(crate) fn append(&mut self, key: &str, value: &Secret, comment: Option<&str>) -> Result<(), EditError> {
        if let Some(entry) = self.entry(key) {
            return Err(EditError::Exists { key: key.to_owned(), line: entry.line });
        }
        let mut name = key.bytes();
        let starts = name.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if !starts || !name.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(EditError::BadKey { key: key.to_owned() });
        }
        let end = if self.first_crlf().is_some() { "\r\n" } else { "\n" };
        let mut text = Zeroizing::new(self.text().to_owned());
        if !text.trim_start_matches('\u{feff}').is_empty() && !text.ends_with('\n') {
            text.push_str(end);
        }
        for line in comment.unwrap_or_default().lines() {
            let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            text.extend(["# ", line.trim_end(), end]);
        }
        text.extend([key, "=", &escape::encode(value.expose(), Quoting::Plain), end]);
        self.replace_text(text, key, value)
    }

    /// Replaces the file on disk atomically, readable by its owner only.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; the old file is then unchanged.
    pub(crate) fn save(&self) -> Result<(), WriteError> {
        atomic::replace(self.path(), self.text().as_bytes())
    }

    /// Creates the file on disk, which must not exist yet.
    ///
    /// # Errors
    ///
    /// [`WriteError`], with [`WriteError::already_exists`] if the file exists; it is not changed.
    pub(crate) fn save_new(&self) -> Result<(), WriteError> {
        atomic::create_new(self.path(), self.text().as_bytes())
    }

    /// Replaces the text if it parses as the same file with `value` for `key`.
    fn replace_text(&mut self, text: Zeroizing<String>, key: &str, value: &Secret) -> Result<(), EditError> {
        let unwritable = |_: Option<DotenvError>| EditError::Unwritable { key: key.to_owned() };
        let new = Self::parse(self.path(), text.as_bytes()).map_err(|error| unwritable(Some(error)))?;
        if !new.says(key, value) || !self.same_besides(&new, key) {
            return Err(unwritable(None));
        }
        *self = new.with_mode_of(self);
        Ok(())
    }

    fn says(&self, key: &str, value: &Secret) -> bool {
        self.entry(key).is_some_and(|entry| match entry.quoting {
            Quoting::Single => entry.template == *value,
            // Independent of variables: the value has no references.
            _ => interpolate(entry.template.expose(), |_| None).is_ok_and(|read| *read.value == value.expose()),
        })
    }

    fn same_besides(&self, other: &Self, key: &str) -> bool {
        let besides = |file: &'_ Self| -> Vec<(String, Secret)> {
            let others = file.entries().iter().filter(|entry| entry.key != key);
            others.map(|entry| (entry.key.clone(), entry.template.clone())).collect()
        };
        besides(self) == besides(other)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(text: &str) -> EnvFile {
        EnvFile::parse(".env", text.as_bytes()).unwrap()
    }

    #[test]
    fn only_the_value_changes() {
        for (before, value, after) in [
            ("A=1 # c\r\nB=2", "x", "A=x # c\r\nB=2"),
            ("A='1' # c\n", "it's", "A='it\\'s' # c\n"),
            ("A=\"1\n2\"\n", "$3", "A=\"\\$3\"\n"),
            ("A=   \n", "x", "A=x   \n"),
            ("A= 1\n", " x", "A= ' x'\n"),
            ("\u{feff}export A : 1\n", "x", "\u{feff}export A : x\n"),
            ("A\nB=2\n", "x", "A=x\nB=2\n"),
            ("A=1\nB=2\n", "", "A=\nB=2\n"),
            ("A=# c\n", "x", "A=x\n"),
            ("A=1 # c\n", "", "A='' # c\n"),
        ] {
            let mut file = file(before);
            file.set("A", &Secret::new(value)).unwrap();
            assert_eq!(file.text(), after, "{before:?}");
        }
    }

    #[test]
    fn what_cannot_be_edited_stays_as_it_is() {
        let mut file = file("A=1\nB=2\nA=3\n");
        let secret = Secret::new("x");
        assert!(matches!(file.set("A", &secret), Err(EditError::Duplicate { lines, .. }) if lines == [1, 3]));
        assert!(matches!(file.set("C", &secret), Err(EditError::Missing { .. })));
        assert!(matches!(file.set("B", &Secret::new("\0")), Err(EditError::Unwritable { .. })));
        assert!(matches!(file.append("B", &secret, None), Err(EditError::Exists { line: 2, .. })));
        for key in ["", "1A", "A B", "\u{e9}", "A=", "a-b", "export A"] {
            assert!(matches!(file.append(key, &secret, None), Err(EditError::BadKey { .. })), "{key}");
        }
        assert_eq!(file.text(), "A=1\nB=2\nA=3\n");
    }

    #[test]
    fn a_comment_cannot_become_a_line_of_its_own() {
        let mut file = file("\u{feff}");
        file.append("A", &Secret::new("1"), Some("one\rB=2\ntwo\n")).unwrap();
        assert_eq!(file.text(), "\u{feff}# one B=2\n# two\nA=1\n");
    }

    /// Values made of special characters.
    fn value() -> impl Strategy<Value = String> {
        let special = proptest::sample::select("a0 ${}'\"\\#=:-?+`;\n\r\t\u{a0}".chars().collect::<Vec<_>>());
        let c = prop_oneof![9 => special, 1 => any::<char>().prop_filter("NUL", |&c| c != '\0')];
        proptest::collection::vec(c, 0..12).prop_map(String::from_iter)
    }

    /// Valid files made of valid lines.
    fn text() -> impl Strategy<Value = String> {
        let ends = proptest::sample::select(vec!["\n", "\r\n", "\n\n# c\n", " # c\n"]);
        let line = (0..5_u8, proptest::sample::select(vec!["=", ":", " = "]), 0..4_u8, value(), ends);
        let styles = [Quoting::Plain, Quoting::Single, Quoting::Double, Quoting::Plain];
        proptest::collection::vec(line, 0..8).prop_map(move |lines| {
            let mut text = String::new();
            for (key, separator, style, value, end) in lines {
                let written = match style {
                    3 => Zeroizing::new(value.replace('\n', " ")),
                    _ => escape::encode(&value, styles[usize::from(style)]),
                };
                let line = format!("K{key}{separator}{}{end}", &*written);
                if EnvFile::parse("", line.as_bytes()).is_ok() {
                    text.push_str(&line);
                }
            }
            text
        })
    }

    proptest! {
        #[test]
        fn any_value_can_be_set_in_any_style(value in value(), style in 0..4_u8) {
            let style = [Quoting::Plain, Quoting::Single, Quoting::Double, Quoting::Inherited][usize::from(style)];
            let text = format!("A={}\n", &*escape::encode(&value, style));
            prop_assert!(file(&text).says("A", &Secret::new(value)), "{text:?}");
        }

        #[test]
        fn set_changes_that_entry_and_no_other_byte(text in text(), key in 0..5_u8, value in value()) {
            let before = file(&text);
            let mut after = before.clone();
            let key = format!("K{key}");
            match after.set(&key, &Secret::new(value.clone())) {
                Ok(()) => {
                    let range = before.entry(&key).unwrap().value_range.clone();
                    let (head, tail) = (&text[..range.start], &text[range.end..]);
                    prop_assert!(after.text().starts_with(head) && after.text().ends_with(tail));
                    prop_assert!(after.says(&key, &Secret::new(value)) && before.same_besides(&after, &key));
                }
                Err(EditError::Missing { .. }) => prop_assert!(before.entry(&key).is_none()),
                Err(EditError::Duplicate { lines, .. }) => prop_assert!(lines.len() > 1),
                Err(error) => prop_assert!(false, "{error}: {text:?}"),
            }
        }

        #[test]
        fn append_leaves_what_is_there(text in text(), value in value(), comment in ".*") {
            let before = file(&text);
            let mut after = before.clone();
            after.append("NEW", &Secret::new(value.clone()), Some(&comment)).unwrap();
            prop_assert!(after.text().starts_with(&text) && after.text().ends_with('\n'));
            prop_assert!(after.says("NEW", &Secret::new(value)) && before.same_besides(&after, "NEW"));
            prop_assert_eq!(after.entries().len(), before.entries().len() + 1);
        }

        #[test]
        fn any_bytes_are_read_or_refused_with_a_place(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = EnvFile::parse("", &bytes);
        }

        #[test]
        fn any_text_of_special_characters_is_read_or_refused(text in r#"[aA_1=: #'"\\$\{\}\n\r\t\-?+\u{feff}\u{a0}é]{0,60}"#) {
            if let Ok(file) = EnvFile::parse("", text.as_bytes()) {
                for entry in file.entries() {
                    prop_assert_eq!(&file.text()[entry.key_range.clone()], &entry.key);
                    prop_assert!(entry.key_range.end <= entry.value_range.start);
                    prop_assert!(entry.value_range.end <= text.len());
                }
                prop_assert_eq!(file.text(), text);
            }
        }
    }

    #[test]
    fn one_value_changes_and_every_other_byte_stays() {
        let mut file = EnvFile::parse(".env", b"# the port\r\nPORT = 80 # http\r\nPASSWORD=\"x\"\r\n").unwrap();
        file.set("PORT", &Secret::new("8080")).unwrap();
        file.set("PASSWORD", &Secret::new("pa$s")).unwrap();
        assert_eq!(file.text(), "# the port\r\nPORT = 8080 # http\r\nPASSWORD=\"pa\\$s\"\r\n");
    }

    #[test]
    fn a_line_is_appended_with_its_comment() {
        let mut file = EnvFile::parse(".env", b"A=1").unwrap();
        file.append("JWT_SECRET", &Secret::new("x y"), Some("signs sessions")).unwrap();
        assert_eq!(file.text(), "A=1\n# signs sessions\nJWT_SECRET=x y\n");
    }

    #[test]
    fn a_new_file_is_private_and_replaces_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = camino::Utf8Path::from_path(folder.path()).unwrap().join(".env");
        EnvFile::parse(&path, b"A=1\n").unwrap().save_new().unwrap();
        assert!(EnvFile::parse(&path, b"A=2\n").unwrap().save_new().unwrap_err().already_exists());
        assert_eq!(EnvFile::read(&path).unwrap().mode(), Some(0o600));
    }
}
