//! Compose project names.

/// What Compose makes of a folder's name: lower case, `[a-z0-9][a-z0-9_-]*`.
pub(crate) fn normalise(name: &str) -> String {
    let lower = name.to_lowercase();
    let kept: String =
        lower.chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-')).collect();
    let kept = kept.trim_start_matches(['_', '-']);
    if kept.is_empty() { "project".to_owned() } else { kept.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_what_compose_accepts() {
        assert_eq!(normalise("My Shop.v2"), "myshopv2");
        assert_eq!(normalise("_x"), "x");
        assert_eq!(normalise("日本"), "project");
    }
}
