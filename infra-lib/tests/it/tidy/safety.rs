//! `docs/safety.md` says what is not protected.

use super::source::root;

#[test]
fn s25_what_is_not_protected_is_documented() {
    let text = std::fs::read_to_string(root().join("docs/safety.md")).unwrap();
    let (_, not) = text.split_once("\n## Not promised\n").unwrap();
    let not = not.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    for about in ["backup is not encrypted", "may write to the folder of backups", "docker socket", "build cache"] {
        assert!(not.contains(about), "docs/safety.md does not say what is not protected: {about}");
    }
}
