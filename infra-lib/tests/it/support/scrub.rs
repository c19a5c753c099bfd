//! Making output comparable.

/// Replaces lengths of time (`1.5 s`, `2 min 3 s`) by `[time]`, and each pair's first text by its second.
pub(crate) fn scrub(text: &str, replacements: &[(String, String)]) -> String {
    let text = replacements.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        out.push_str(before);
        let end = number.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(number.len());
        let (digits, after) = number.split_at(end);
        let unit = ["min", "ms", "s"].iter().find_map(|unit| {
            let after = after.strip_prefix(' ')?.strip_prefix(unit)?;
            (!after.starts_with(|c: char| c.is_alphanumeric())).then_some(after)
        });
        rest = unit.unwrap_or(after);
        if unit.is_none() {
            out.push_str(digits);
        } else if out.ends_with("[time] ") {
            out.truncate(out.len() - 1);
        } else {
            out.push_str("[time]");
        }
    }
    out + rest
}

#[test]
fn times_and_names_are_replaced() {
    let names = [("it-00c0ffee".to_owned(), "[name]".to_owned())];
    assert_eq!(scrub("it-00c0ffee took 1.5 s, 2 min 3 s, 3 sets", &names), "[name] took [time], [time], 3 sets");
}
