//! `policy`: a good project has no finding, and each deliberately bad copy of it has exactly the one that it should.

mod allow;
mod bad;
mod documents;
mod good;
mod images;
mod output;
mod places;
mod stacks;

use std::collections::BTreeSet;

use crate::support::*;

const PRODUCTION: [&str; 2] = ["-e", "production"];

/// The findings of a call as `file:line code severity`, in order.
#[track_caller]
fn findings(ended: &Ended) -> Vec<String> {
    let outcome = ended.outcome();
    let all = outcome["findings"].as_array().unwrap().iter();
    let counted = all.filter(|finding| finding["allowed"].is_null());
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    counted
        .map(|it| {
            let line = it["line"].as_u64().map(|line| format!(":{line}")).unwrap_or_default();
            format!("{}{line} {} {}", text(&it["file"]), text(&it["code"]), text(&it["severity"]))
        })
        .collect()
}

/// The codes of a call's findings that are errors.
#[track_caller]
fn errors(ended: &Ended) -> BTreeSet<String> {
    let of_errors = findings(ended).into_iter().filter_map(|it| it.strip_suffix(" error").map(str::to_owned));
    of_errors.map(|it| it.split(' ').nth(1).unwrap().to_owned()).collect()
}
