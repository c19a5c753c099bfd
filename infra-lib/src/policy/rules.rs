//! All rules.

use super::finding::Rule;
use super::{
    allow, build_context, env_files, hardening, images, mounts, networks, ports, running, scan, secrets, users,
    variables,
};

/// The rules of each family, in the order of the documents.
const FAMILIES: [&[Rule]; 13] = [
    secrets::RULES,
    env_files::RULES,
    images::RULES,
    ports::RULES,
    mounts::RULES,
    users::RULES,
    hardening::RULES,
    running::RULES,
    networks::RULES,
    variables::RULES,
    build_context::RULES,
    scan::RULES,
    allow::RULES,
];

/// All rules that `policy` checks, grouped by family.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_never_lighter_in_production() {
        let mut codes: Vec<_> = rules().map(|rule| rule.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), rules().count());
        for rule in rules() {
            assert!(rule.production >= rule.development && rule.production.is_some(), "{}", rule.code);
            assert!(rule.code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.code);
        }
    }
}
