//! What is sent to the builder, and may thus end up in an image.

use camino::Utf8PathBuf;

use super::context::{Context, Findings};
use super::finding::Rule;
use crate::report::Severity;

const MISSING: Rule = Rule {
    code: "dockerignore-missing",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "`COPY . .` takes env files, keys and the whole history of git into the image",
    fix: "write a .dockerignore: `*`, then `!` before each thing that the build needs",
};
const INCOMPLETE: Rule = Rule {
    code: "dockerignore-incomplete",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "`COPY . .` takes secrets or the whole history of git into the image",
    fix: "add lines `.env*` and `.git` (before them `**/` for those in folders)",
};

pub(super) const RULES: &[Rule] = &[MISSING, INCOMPLETE];

/// What must not be sent.
const PRIVATE: [&str; 3] = [".env", ".env.production", ".git"];

pub(super) fn check(context: &Context<'_>, found: &mut Findings) {
    for name in context.services().into_keys() {
        let Some(built) = context.built(name) else { continue };
        let own = Utf8PathBuf::from(format!("{}.dockerignore", built.path));
        let ignore = if own.is_file() { own } else { built.context.join(".dockerignore") };
        let Ok(text) = std::fs::read_to_string(&ignore) else {
            let place = context.sources.place(name, &["build", "context"]);
            found.add(&MISSING, None, place, format!("{} has no .dockerignore", context.display(&built.context)));
            continue;
        };
        let sent: Vec<&str> = PRIVATE.into_iter().filter(|path| !is_ignored(&text, path)).collect();
        if !sent.is_empty() {
            let message = format!("it lets {} through", sent.join(", "));
            found.add(&INCOMPLETE, None, context.place(&ignore, None), message);
        }
    }
}

/// Whether a file at the root of the context is left out: the last pattern that matches says so.
fn is_ignored(text: &str, path: &str) -> bool {
    let mut ignored = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (pattern, out) = line.strip_prefix('!').map_or((line, true), |pattern| (pattern, false));
        let pattern = pattern.trim().trim_start_matches("./").trim_matches('/');
        if matches(pattern.as_bytes(), path.as_bytes()) {
            ignored = out;
        }
    }
    ignored
}

/// Docker's patterns on a name without folders: `**/` and `**` stand for any of them, `*` for any characters.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if let Some(rest) = pattern.strip_prefix(b"**/") {
        return matches(rest, name);
    }
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if matches(rest, name) => true,
        (Some((b'*', _)), Some((_, tail))) => matches(pattern, tail),
        (Some((b'?', rest)), Some((_, tail))) => matches(rest, tail),
        (Some((b'[', rest)), Some((first, tail))) => {
            let Some(end) = rest.iter().position(|&byte| byte == b']') else { return false };
            rest[..end].contains(first) && matches(&rest[end + 1..], tail)
        }
        (Some((wanted, rest)), Some((first, tail))) => wanted == first && matches(rest, tail),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pattern_that_matches_counts() {
        for text in
            ["*", "**", ".env", ".env*\n", "**/.env", "./.env/", "# x\n\n.e?v", "*\n!src", "!.env\n.env", ".[ed]nv"]
        {
            assert!(is_ignored(text, ".env"), "{text:?}");
        }
        for text in ["", "# .env", "*\n!.env", "env", ".env.local", "src/.env", ".env*\n!.env*"] {
            assert!(!is_ignored(text, ".env"), "{text:?}");
        }
    }
}
