//! Shortens long texts: cron mails the output of a job.

/// The maximum number of lines for an error or outcome with `--quiet`; up to four more are warnings.
pub(super) const LINES: usize = 16;
/// The most lines of a hint, among them.
pub(super) const HINT_LINES: usize = 4;

/// The text in at most this many lines, without the middle: what happened is at the beginning, the last messages at
/// the end.
pub(super) fn brief(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    if lines.len() <= most {
        return lines.join("\n");
    }
    let (first, last) = (most / 2, most - most / 2 - 1);
    let gap = format!("… {} more lines, shown without --quiet …", lines.len() - first - last);
    let parts = [&lines[..first], &[gap.as_str()], &lines[lines.len() - last..]];
    parts.concat().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i04_a_long_text_keeps_its_ends() {
        let text = (1..=50).map(|number| number.to_string()).collect::<Vec<_>>().join("\n");
        let short = brief(&text, 16);
        assert_eq!(short.lines().count(), 16);
        assert!(
            short.starts_with("1\n2\n") && short.ends_with("\n49\n50") && short.contains("… 35 more lines"),
            "{short}"
        );
        assert_eq!(brief("a\nb\n", 2), "a\nb");
        assert_eq!(brief(&text, 1).lines().count(), 1);
    }
}
