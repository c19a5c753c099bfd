//! Dockerfiles, as far as rules need: stages, their bases, users and health checks, and the values of ENV and ARG.

use std::collections::BTreeMap;

use crate::dotenv::interpolate;

use super::model::Build;

/// A Dockerfile's stages in order.
#[derive(Debug, Default)]
pub(crate) struct Dockerfile {
    pub(crate) stages: Vec<Stage>,
    /// Assignments of every stage, and those before the first one.
    pub(crate) assignments: Vec<Assignment>,
}

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) line: usize,
    /// Its name after `AS`.
    pub(crate) name: Option<String>,
    /// What follows `FROM`, arguments filled in.
    pub(crate) base: String,
    /// The last `USER`.
    pub(crate) user: Option<(String, usize)>,
    /// The last `ENTRYPOINT` and `CMD`, as written.
    pub(crate) runs: Vec<String>,
    /// Whether it has its own health check; `NONE` counts as none.
    pub(crate) checked: Option<bool>,
    /// Other images that it copies from, and other stages.
    pub(crate) copied_from: Vec<(String, usize)>,
}

/// `ENV NAME=value` or `ARG NAME=value`.
#[derive(Debug)]
pub(crate) struct Assignment {
    pub(crate) line: usize,
    pub(crate) is_arg: bool,
    pub(crate) key: String,
    pub(crate) value: String,
}

impl Dockerfile {
    /// The Dockerfile of a service that is built from a folder on this machine.
    pub(crate) fn of_build(build: &Build) -> Option<Self> {
        Some(Self::parse(&std::fs::read_to_string(build.dockerfile_path()?).ok()?, &build.args))
    }

    /// Reads a Dockerfile with these build arguments.
    pub(crate) fn parse(text: &str, args: &BTreeMap<String, Option<String>>) -> Self {
        let mut file = Self::default();
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for (line, keyword, rest) in instructions(text) {
            let filled_in = |known: &BTreeMap<String, String>, text: &str| {
                let filled = interpolate(text, |name| known.get(name).cloned());
                filled.map_or_else(|_| text.to_owned(), |filled| filled.value.to_string())
            };
            match keyword.as_str() {
                "ARG" | "ENV" => {
                    for (key, value) in pairs(&rest) {
                        if file.stages.is_empty() && keyword == "ARG" {
                            let given = args.get(&key).cloned().flatten();
                            known.insert(key.clone(), given.unwrap_or_else(|| filled_in(&known, &value)));
                        }
                        file.assignments.push(Assignment { line, is_arg: keyword == "ARG", key, value });
                    }
                }
                "FROM" => {
                    let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
                    let base = filled_in(&known, words.next().unwrap_or_default());
                    let name = words.nth(1).map(str::to_ascii_lowercase);
                    let (user, runs, checked, copied_from) = (None, Vec::new(), None, Vec::new());
                    file.stages.push(Stage { line, name, base, user, runs, checked, copied_from });
                }
                _ => {
                    let Some(stage) = file.stages.last_mut() else { continue };
                    match keyword.as_str() {
                        "USER" => stage.user = Some((filled_in(&known, rest.trim()), line)),
                        "ENTRYPOINT" | "CMD" => stage.runs.push(rest.trim().to_owned()),
                        "HEALTHCHECK" => stage.checked = Some(!rest.trim().eq_ignore_ascii_case("NONE")),
                        "COPY" | "RUN" => {
                            let from = rest.split_whitespace().filter(|word| word.starts_with("--")).find_map(|word| {
                                word.split(',').find_map(|part| {
                                    part.trim_start_matches("--mount=")
                                        .strip_prefix("--from=")
                                        .or(part.strip_prefix("from="))
                                })
                            });
                            stage.copied_from.extend(from.map(|from| (filled_in(&known, from), line)));
                        }
                        _ => {}
                    }
                }
            }
        }
        file
    }

    /// The stage that a build of `target` ends with.
    pub(crate) fn stage(&self, target: Option<&str>) -> Option<usize> {
        match target.filter(|target| !target.is_empty()) {
            Some(target) => self.stage_named(target, self.stages.len()),
            None => self.stages.len().checked_sub(1),
        }
    }

    /// The stage of this name, or number, before another one.
    fn stage_named(&self, name: &str, before: usize) -> Option<usize> {
        let lower = name.to_ascii_lowercase();
        let by_name = self.stages[..before].iter().rposition(|stage| stage.name.as_ref() == Some(&lower));
        by_name.or_else(|| name.parse().ok().filter(|&number: &usize| number < before))
    }

    /// The stages that a stage is based on, itself first.
    pub(crate) fn chain(&self, stage: usize) -> Vec<&Stage> {
        let mut chain = vec![&self.stages[stage]];
        let mut at = stage;
        while let Some(below) = self.stage_named(&self.stages[at].base, at) {
            chain.push(&self.stages[below]);
            at = below;
        }
        chain
    }

    /// The external images that a stage is built from, with the line that names each; its own come first.
    pub(crate) fn images(&self, stage: usize) -> Vec<(&str, usize)> {
        let (mut found, mut queue, mut seen) = (Vec::new(), vec![stage], Vec::new());
        while let Some(at) = queue.pop() {
            if seen.contains(&at) {
                continue;
            }
            seen.push(at);
            let stage = &self.stages[at];
            let sources = std::iter::once((stage.base.as_str(), stage.line));
            for (name, line) in sources.chain(stage.copied_from.iter().map(|(name, line)| (name.as_str(), *line))) {
                match self.stage_named(name, at) {
                    Some(below) => queue.push(below),
                    None if name.is_empty() || name == "scratch" => {}
                    None => found.push((name, line)),
                }
            }
        }
        found
    }
}

/// Instructions with the line that each begins in, continued lines joined, comments and here-documents left out.
fn instructions(text: &str) -> Vec<(usize, String, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, first)) = lines.next() {
        let first = first.trim();
        if first.is_empty() || first.starts_with('#') {
            continue;
        }
        let mut whole = first.to_owned();
        while let Some(open) = whole.strip_suffix('\\') {
            whole = open.to_owned();
            // A comment within a continued instruction does not end it.
            match lines.by_ref().map(|(_, line)| line.trim()).find(|line| !line.starts_with('#') && !line.is_empty()) {
                Some(line) => whole.push_str(line),
                None => break,
            }
        }
        let (keyword, rest) = whole.split_once(char::is_whitespace).unwrap_or((&whole, ""));
        let keyword = keyword.to_ascii_uppercase();
        if matches!(keyword.as_str(), "RUN" | "COPY" | "ADD")
            && let Some((_, word)) = rest.split_once("<<")
        {
            let end =
                word.trim_start_matches('-').split_whitespace().next().unwrap_or_default().trim_matches(['"', '\'']);
            let _ = lines.by_ref().find(|(_, line)| line.trim() == end);
        }
        found.push((at + 1, keyword, rest.trim().to_owned()));
    }
    found
}

/// `A=1 B="two words"`, or the old `A 1`; an ARG may have no value.
fn pairs(rest: &str) -> Vec<(String, String)> {
    if let Some((key, value)) = rest.split_once(char::is_whitespace).filter(|(key, _)| !key.contains('=')) {
        return vec![(key.to_owned(), value.trim().trim_matches('"').to_owned())];
    }
    let words = shlex::split(rest).unwrap_or_else(|| rest.split_whitespace().map(str::to_owned).collect());
    let pair = |word: &String| {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        (key.to_owned(), value.to_owned())
    };
    words.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# syntax=docker/dockerfile:1\nARG NODE=node:20\nARG NGINX=nginx:latest\n\nFROM ${NODE} AS base\n\
        ENV A=1 \\\n    # why\n    B=\"two words\"\nUSER 1001:1001\nHEALTHCHECK CMD x\nFROM base AS build\nRUN <<EOF\nUSER root\nEOF\n\
        FROM $NGINX AS web\nCOPY --from=build /a /b\nCOPY --from=busybox:1.36 /c /d\nHEALTHCHECK NONE\nENV OLD style here\n";

    #[test]
    fn stages_bases_users_and_assignments() {
        let args = BTreeMap::from([("NODE".to_owned(), Some("node:22.1".to_owned()))]);
        let file = Dockerfile::parse(TEXT, &args);
        let bases: Vec<_> = file.stages.iter().map(|stage| (stage.line, stage.base.as_str())).collect();
        assert_eq!(bases, [(5, "node:22.1"), (11, "base"), (15, "nginx:latest")]);
        let build = file.stage(Some("build")).unwrap();
        let user = file.chain(build).iter().find_map(|stage| stage.user.clone());
        assert_eq!(user, Some(("1001:1001".to_owned(), 9)));
        assert_eq!(file.images(build), [("node:22.1", 5)]);
        let web = file.stage(None).unwrap();
        assert_eq!(file.images(web), [("nginx:latest", 15), ("busybox:1.36", 17), ("node:22.1", 5)]);
        assert_eq!((file.stages[web].checked, file.stages[0].checked), (Some(false), Some(true)));
        let assigned: Vec<_> =
            file.assignments.iter().map(|it| (it.line, it.key.as_str(), it.value.as_str())).collect();
        let stated = [(2, "NODE", "node:20"), (3, "NGINX", "nginx:latest"), (6, "A", "1"), (6, "B", "two words")];
        assert_eq!(assigned[..4], stated);
        assert_eq!(assigned[4], (19, "OLD", "style here"));
        assert_eq!(file.stage(Some("none")), None);
    }
}
