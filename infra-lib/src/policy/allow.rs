//! `[policy.allow]`: what is accepted, and why.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::error::Result;
use crate::manifest::{FILE_NAME, ManifestError};
use crate::project::Project;
use crate::suggest::nearest;

use super::context::Findings;
use super::finding::{Place, PolicyFinding, Rule, Severity};
use super::{rules, scan};

const UNUSED: Rule = Rule {
    code: "allow-unused",
    development: None,
    production: Some(Severity::Warning),
    why: "it would accept the next such finding, which nobody has looked at",
    fix: "take the line out of [policy.allow]",
};

pub(super) const RULES: &[Rule] = &[UNUSED];

/// An entry, where it stands, and whether it has been of use.
struct Allow {
    code: String,
    service: Option<String>,
    key: String,
    reason: String,
    line: usize,
    used: bool,
}

/// As much of infra.toml as tells the lines.
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

/// Marks what is accepted, and notes what accepts nothing. What speaks of images is of use only where they are looked at.
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

/// The entries with their lines. A code that there is not, and an entry without a reason, are errors.
fn read(project: &Project) -> Result<Vec<Allow>> {
    let stated = &project.manifest().policy.allow;
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
    let wrong = |key: &str, message: String, suggestion: Option<String>| ManifestError::Invalid {
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
            return Err(wrong(key, format!("`{code}` is no rule of `policy`"), near).into());
        }
        if reason.trim().is_empty() {
            return Err(wrong(key, format!("`{key}` is allowed without a reason"), None).into());
        }
        let (code, key, line) = (code.to_owned(), key.clone(), line(key));
        allows.push(Allow { code, service, key, reason: reason.clone(), line, used: false });
    }
    // What names a service counts before what is for all of them.
    allows.sort_by_key(|allow| allow.service.is_none());
    Ok(allows)
}
