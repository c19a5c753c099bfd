//! Backups: which of them are kept.

#[cfg_attr(not(test), expect(dead_code, reason = "what removes backups comes with the catalogue"))]
pub(crate) mod retention;
