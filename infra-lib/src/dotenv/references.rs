//! The `${…}` references in a text, as written.

/// A reference to a variable.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    pub(crate) name: &'a str,
    /// `:-`, `-`, `:?`, `?`, `:+`, `+`, or nothing.
    pub(crate) operator: &'a str,
    /// The text after the operator.
    pub(crate) operand: &'a str,
}

impl Reference<'_> {
    /// The default used if the variable has no value.
    pub(crate) fn default(&self) -> Option<&str> {
        matches!(self.operator, ":-" | "-").then_some(self.operand)
    }

    /// Whether Compose fails if it is not set.
    pub(crate) fn is_required(&self) -> bool {
        matches!(self.operator, ":?" | "?")
    }
}

/// The character that replaces a reference in [`literal`].
pub(crate) const HOLE: char = '\u{1}';

/// All references in a text, including those inside defaults.
pub(crate) fn references(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    split(text, |part| {
        if let Part::Reference(reference) = part {
            let inner = references(reference.operand);
            found.push(reference);
            found.extend(inner);
        }
    });
    found
}

/// The references in a text, except those inside defaults.
pub(crate) fn outer_references(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    split(text, |part| {
        if let Part::Reference(reference) = part {
            found.push(reference);
        }
    });
    found
}

/// The text with each reference replaced by a [`HOLE`].
pub(crate) fn literal(text: &str) -> String {
    let mut out = String::new();
    split(text, |part| match part {
        Part::Text(text) => out.push_str(text),
        Part::Reference(_) => out.push(HOLE),
    });
    out
}

enum Part<'a> {
    Text(&'a str),
    Reference(Reference<'a>),
}

fn split<'a>(text: &'a str, mut take: impl FnMut(Part<'a>)) {
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        take(Part::Text(&rest[..dollar]));
        let after = &rest[dollar + 1..];
        if let Some(escaped) = after.strip_prefix('$') {
            take(Part::Text("$"));
            rest = escaped;
        } else if let Some(length) = after.starts_with('{').then(|| closing(after)).flatten() {
            let inside = &after[1..length];
            let name = &inside[..name_length(inside)];
            let tail = &inside[name.len()..];
            let operator = &tail[..tail.len() - tail.trim_start_matches(':').len()];
            let signed = tail[operator.len()..].starts_with(['-', '?', '+']);
            let operator = &tail[..operator.len() + usize::from(signed)];
            take(Part::Reference(Reference { name, operator, operand: &tail[operator.len()..] }));
            rest = &after[length + 1..];
        } else {
            let name = &after[..name_length(after)];
            if !name.is_empty() {
                take(Part::Reference(Reference { name, operator: "", operand: "" }));
            }
            rest = &after[name.len()..];
        }
    }
    take(Part::Text(rest));
}

/// The offset of the brace that closes the one at the start of the text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_with_their_defaults_nested_and_escaped() {
        let shown = |text| {
            let all = references(text);
            all.iter().map(|it| format!("{}|{}|{}", it.name, it.operator, it.operand)).collect::<Vec<_>>()
        };
        assert_eq!(shown("a $A ${B} $$C ${D:-x} $1"), ["A||", "B||", "D|:-|x"]);
        assert_eq!(shown("${A:-${B:-b}}${C:?is not {set}}"), ["A|:-|${B:-b}", "B|:-|b", "C|:?|is not {set}"]);
        assert_eq!(shown("${open"), Vec::<String>::new());
        assert_eq!(literal("postgres://${U:-u}:pw@$H/x$$"), "postgres://\u{1}:pw@\u{1}/x$");
        assert!(references("${A:?x}")[0].is_required() && references("${A-x}")[0].default() == Some("x"));
    }
}
