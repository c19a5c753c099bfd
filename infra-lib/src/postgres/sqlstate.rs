//! Parsing the server's errors as psql shows them with `VERBOSITY verbose`: `psql:<stdin>:3: ERROR:  42P01: relation
//! …`. The severity is localised; the five characters after it are the SQLSTATE, which is the same in every language.

/// The object is in use by another session.
pub(crate) const OBJECT_IN_USE: &str = "55006";
/// A lock could not be acquired in time.
pub(crate) const LOCK_NOT_AVAILABLE: &str = "55P03";
/// The disk of the server is full.
pub(crate) const DISK_FULL: &str = "53100";
/// The role lacks the required privilege.
pub(crate) const INSUFFICIENT_PRIVILEGE: &str = "42501";

/// The SQLSTATE in a line, and the message after it.
pub(crate) fn of_line(line: &str) -> Option<(&str, &str)> {
    let is_state =
        |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let mut rest = line;
    while let Some((_, after)) = rest.split_once(":  ") {
        match after.split_once(": ") {
            Some((state, message)) if is_state(state) => return Some((state, message)),
            _ => rest = after,
        }
    }
    None
}

/// The first error in a text that may also contain notices, which have SQLSTATE classes 00, 01 and 02.
pub(crate) fn of_text(text: &str) -> Option<(&str, &str)> {
    text.lines().filter_map(of_line).find(|(state, _)| !["00", "01", "02"].contains(&&state[..2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d27_the_state_is_found_in_every_language() {
        for severity in ["ERROR", "FEHLER", "ОШИБКА", "错误", "ERREUR"] {
            let line = format!("psql:<stdin>:3: {severity}:  42P01: so: und so");
            assert_eq!(of_line(&line), Some(("42P01", "so: und so")));
        }
        assert_eq!(of_line("HINT:  Try: that"), None);
        assert_eq!(
            of_text("psql:<stdin>:1: HINWEIS:  00000: x\npsql:<stdin>:2: FEHLER:  55006: y\n"),
            Some(("55006", "y"))
        );
    }
}
