//! Interpolating `$NAME` and `${NAME:-default}` exactly like Compose.

use zeroize::Zeroizing;

/// The maximum depth of nested defaults, which limits the stack.
const DEPTH: usize = 32;

/// A text with its references replaced.
///
/// `Debug` does not show the text, since it may hold a secret.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) struct Interpolated {
    /// The text with references replaced.
    pub(crate) value: Zeroizing<String>,
    /// The variables without a default that are not set; each was replaced by an empty text.
    pub(crate) unset: Vec<String>,
}

impl std::fmt::Debug for Interpolated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interpolated").finish_non_exhaustive()
    }
}

/// Why references could not be replaced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum InterpolateError {
    /// An invalid `${…}`: the name or the closing brace is missing.
    #[error("a `${{` is not a valid reference")]
    Invalid,
    /// `${NAME:?}` or `${NAME?}` of a variable that is not set.
    #[error("required variable {name} is missing a value")]
    Required {
        /// The name of the variable.
        name: String,
    },
    /// Defaults are nested too deeply.
    #[error("references are nested more than {DEPTH} deep")]
    TooDeep,
}

impl InterpolateError {
    /// How to fix the problem.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Invalid => "write `$$` for a dollar sign".to_owned(),
            Self::Required { name } => {
                format!("set {name} in the environment file or in the shell")
            }
            Self::TooDeep => "spell the default out in fewer steps".to_owned(),
        }
    }
}

/// Replaces the references in `template` as Compose does, in environment files and in compose files alike.
///
/// `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`, `${NAME?message}`,
/// `${NAME:+replacement}`, `${NAME+replacement}`, nested in each other, and `$$` for a dollar sign. References in a
/// variable's value are not replaced.
///
/// # Errors
///
/// [`InterpolateError`], also for errors in an unused default, since Compose evaluates it first.
pub(crate) fn interpolate(
    template: &str,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Interpolated, InterpolateError> {
    let mut evaluation = Evaluation { lookup: &lookup, unset: Vec::new() };
    let value = evaluation.text(template, 0)?;
    Ok(Interpolated { value, unset: evaluation.unset })
}

/// Checks the syntax of the references, whether or not the variables are set.
pub(super) fn validate(template: &str) -> Result<(), InterpolateError> {
    interpolate(template, |_| Some("set".to_owned())).map(drop)
}

struct Evaluation<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    unset: Vec<String>,
}

impl Evaluation<'_> {
    fn text(&mut self, template: &str, depth: usize) -> Result<Zeroizing<String>, InterpolateError> {
        if depth > DEPTH {
            return Err(InterpolateError::TooDeep);
        }
        let mut out = Zeroizing::new(String::with_capacity(template.len()));
        let mut rest = template;
        while let Some(dollar) = rest.find('$') {
            out.push_str(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                out.push('$');
                rest = after;
            } else if let Some(braced) = rest.strip_prefix('{') {
                let length = self.braced(braced, depth, &mut out)?;
                rest = &braced[length..];
            } else {
                let name = &rest[..name_length(rest)];
                if name.is_empty() {
                    out.push('$');
                } else {
                    out.push_str(&self.plain(name));
                }
                rest = &rest[name.len()..];
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn plain(&mut self, name: &str) -> Zeroizing<String> {
        let value = (self.lookup)(name).unwrap_or_else(|| {
            self.unset.push(name.to_owned());
            String::new()
        });
        Zeroizing::new(value)
    }

    /// Evaluates the text after `${`, and returns its length including the closing brace.
    fn braced(&mut self, text: &str, depth: usize, out: &mut String) -> Result<usize, InterpolateError> {
        let name = &text[..name_length(text)];
        let rest = &text[name.len()..];
        if name.is_empty() {
            return Err(InterpolateError::Invalid);
        }
        if rest.starts_with('}') {
            out.push_str(&self.plain(name));
            return Ok(name.len() + 1);
        }
        let (or_empty, operator) = match rest.strip_prefix(':') {
            Some(after) => (true, after),
            None => (false, rest),
        };
        let Some(operand) = operator.strip_prefix(['-', '+', '?']) else {
            return Err(InterpolateError::Invalid);
        };
        let end = closing(text).ok_or(InterpolateError::Invalid)?;
        let start = text.len() - operand.len();
        let operand = self.text(text.get(start..end).ok_or(InterpolateError::Invalid)?, depth + 1)?;
        let value = (self.lookup)(name).map(Zeroizing::new);
        let counts = value.as_ref().is_some_and(|value| !(or_empty && value.is_empty()));
        match operator.as_bytes()[0] {
            b'-' if !counts => out.push_str(&operand),
            b'+' if counts => out.push_str(&operand),
            b'?' if !counts => {
                return Err(InterpolateError::Required { name: name.to_owned() });
            }
            _ => out.push_str(value.as_ref().map_or("", |value| value.as_str())),
        }
        Ok(end + 1)
    }
}

/// Compose matches names without regard to case, which to Unicode includes the long s and the Kelvin sign.
fn name_length(text: &str) -> usize {
    let letter = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '\u{17f}' | '\u{212a}');
    let mut end = 0;
    for c in text.chars() {
        if !(letter(c) || end > 0 && c.is_ascii_digit()) {
            break;
        }
        end += c.len_utf8();
    }
    end
}

/// The offset in the line where the reference opened before `text` ends: at the matching brace, or else at the last
/// brace. Like Compose, skips the character after an opening brace.
fn closing(text: &str) -> Option<usize> {
    let line = text.split('\n').next().unwrap_or_default();
    let mut open = 1_usize;
    let mut bytes = line.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        if byte == b'}' {
            open -= 1;
            if open == 0 {
                return Some(at);
            }
        } else if byte == b'{' {
            open += 1;
            bytes.next();
        }
    }
    line.rfind('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(template: &str) -> Result<String, InterpolateError> {
        let lookup = |name: &str| match name {
            "A" => Some("a".to_owned()),
            "E" => Some(String::new()),
            "D" => Some("$A${".to_owned()),
            _ => None,
        };
        interpolate(template, lookup).map(|done| done.value.to_string())
    }

    #[test]
    fn the_grammar_is_that_of_compose() {
        for (template, value) in [
            ("$A ${A} $AB ${A}B", "a a  aB"),
            ("$$A $1 $ $", "$A $1 $ $"),
            ("$$$A", "$a"),
            ("${U:-d}${E:-d}${A:-d}", "dda"),
            ("${U-d}${E-d}${A-d}", "da"),
            ("${U:+r}${E:+r}${A:+r}", "r"),
            ("${U+r}${E+r}${A+r}", "rr"),
            ("${A:?m}${A?m}${E?m}", "aa"),
            ("${U:-${V:-${A}}}", "a"),
            ("${U:-${V:-x}y}z", "xyz"),
            ("${U:-a}}", "a}"),
            ("${U:-{a}", "{a"),
            ("${U:-{}} x}", "{}} x"),
            ("${U:-{x}}", "{x}"),
            ("${U:-a:?b-c}", "a:?b-c"),
            ("$D", "$A${"),
            ("${U:-$$A}", "$A"),
            ("a}b", "a}b"),
        ] {
            assert_eq!(read(template).as_deref(), Ok(value), "{template}");
        }
    }

    #[test]
    fn what_compose_refuses_is_refused() {
        for template in ["${", "${}", "${A", "${1}", "${A/b/c}", "${A:}", "${A:=b}", "${U:-a\n}", "${A:-${}", "${A b}"]
        {
            assert_eq!(read(template), Err(InterpolateError::Invalid), "{template}");
        }
        for template in ["${U:?m}", "${U?m}", "${E:?m}", "${A:-${U?}}"] {
            assert!(matches!(read(template), Err(InterpolateError::Required { .. })), "{template}");
        }
    }

    #[test]
    fn nesting_is_bounded_and_siblings_are_not() {
        assert_eq!(read(&"${A:-".repeat(100_000)), Err(InterpolateError::Invalid));
        let deep = format!("{}{}", "${A:-".repeat(1000), "}".repeat(1000));
        assert_eq!(read(&deep), Err(InterpolateError::TooDeep));
        assert_eq!(read(&"${U:-x}".repeat(50_000)).map(|text| text.len()), Ok(50_000));
    }

    #[test]
    fn references_are_replaced_and_those_without_a_value_reported() {
        let port = |name: &str| (name == "PORT").then(|| "8080".to_owned());
        assert_eq!(*interpolate("http://${HOST:-localhost}:$PORT/$$", port).unwrap().value, "http://localhost:8080/$");
        assert_eq!(interpolate("$HOST:${PORT}", port).unwrap().unset, ["HOST"]);
        assert!(interpolate("pa${ss", |_| None).unwrap_err().hint().contains("$$"));
    }
}
