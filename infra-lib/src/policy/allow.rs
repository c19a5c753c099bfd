//! `[policy.allow]`: which findings are accepted, and why.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, FILE_NAME};
use crate::project::Project;
use crate::project::error::Result;
use crate::suggest::nearest;

use crate::compose::sources::Place;

use super::context::Findings;
use super::finding::{PolicyFinding, Rule};
use super::{rules, scan};
use crate::report::Severity;

const UNUSED: Rule = Rule {
    code: "allow-unused",
    development: None,
    production: Some(Severity::Warning),
    why: "it would accept the next such finding without review",
    fix: "remove the line from [policy.allow]",
};

pub(super) const RULES: &[Rule] = &[UNUSED];

/// An entry, its position, and whether it has matched.
struct Allow {
    code: String,
    service: Option<String>,
    key: String,
    reason: String,
    line: usize,
    used: bool,
}

/// The part of infra.toml that is needed for the lines.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Lines {
    policy: Section,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Section {
    allow: BTreeMap<Spanned<String>, String>,
}

/// Marks what is accepted, and reports entries that match nothing. Entries about images count only if images are scanned.
pub(super) fn apply(project: &Project, images: bool, found: &mut Findings) -> Result<()> {
    let mut allows = read(project)?;
    for finding in &mut found.list {
        if let Some(allow) = allows.iter_mut().find(|allow| allow.is_for(finding)) {
            allow.used = true;
            finding.allowed = Some(allow.reason.clone());
        }
    }
    let of_images = |allow: &Allow| scan::RULES.iter().any(|rule| rule.code == allow.code);
    for allow in allows.iter().filter(|allow| !allow.used && (images || !of_images(allow))) {
        let place = Place { file: FILE_NAME.to_owned(), line: Some(allow.line) };
        found.add(&UNUSED, None, place, format!("`{}` accepts nothing here", allow.key));
    }
    Ok(())
}

impl Allow {
    fn is_for(&self, finding: &PolicyFinding) -> bool {
        self.code == finding.code && (self.service.is_none() || self.service == finding.service)
    }
}

/// The entries with their lines. An unknown code, and an entry without a reason, are errors.
fn read(project: &Project) -> Result<Vec<Allow>> {
    let stated = &project.config().policy.allow;
    if stated.is_empty() {
        return Ok(Vec::new());
    }
    let path = project.root().join(FILE_NAME);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let lines: Lines = toml::from_str(&text).unwrap_or_default();
    let line = |key: &str| {
        let at = lines.policy.allow.keys().find(|known| known.get_ref() == key);
        at.map_or(1, |at| text[..at.span().start].matches('\n').count() + 1)
    };
    let wrong = |key: &str, message: String, suggestion: Option<String>| ConfigError::Invalid {
        path: path.clone(),
        line: line(key),
        column: 1,
        message,
        suggestion,
    };
    let mut allows = Vec::new();
    for (key, reason) in stated {
        let (code, service) =
            key.split_once(':').map_or((key.as_str(), None), |(code, of)| (code, Some(of.to_owned())));
        if !rules().any(|rule| rule.code == code) {
            let near = nearest(code, rules().map(|rule| rule.code)).map(str::to_owned);
            return Err(wrong(key, format!("`{code}` is not a rule of `policy`"), near).into());
        }
        if reason.trim().is_empty() {
            return Err(wrong(key, format!("`{key}` is allowed without a reason"), None).into());
        }
        let (code, key, line) = (code.to_owned(), key.clone(), line(key));
        allows.push(Allow { code, service, key, reason: reason.clone(), line, used: false });
    }
    // An entry for a service precedes one for all of them.
    allows.sort_by_key(|allow| allow.service.is_none());
    Ok(allows)
}
