//! What only the images themselves show: known vulnerabilities, and secrets in their histories.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;

use crate::dotenv::looks_secret;
use crate::exec::{ExecError, Invocation};
use crate::project::error::{Error, Result};

use super::context::{Context, Findings};
use super::finding::Rule;
use super::scanner::Scanner;
use crate::report::Severity;

const VULNERABLE: Rule = Rule {
    code: "image-vulnerable",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "the vulnerabilities are public, and a newer version fixes them",
    fix: "rebuild on newer base images: `cargo xtask update`, then `cargo xtask build` and `cargo xtask start`",
};
const SECRET: Rule = Rule {
    code: "secret-in-image",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "anyone who can pull the image can read it with `docker history`",
    fix: "build without it (`--mount=type=secret`), and generate a new one",
};

pub(super) const RULES: &[Rule] = &[VULNERABLE, SECRET];

/// A scanner may first have to download its database.
const SCAN: Duration = Duration::from_secs(600);

/// Scans the images of the services, and reports what could not be scanned.
pub(super) fn check(context: &Context<'_>, found: &mut Findings) -> Result<Vec<String>> {
    let (runner, compose) = (context.project.runner(), context.project.compose());
    let mut images: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, service) in context.services() {
        images.entry(compose.image_name(name, service)).or_default().push(name);
    }
    let scanner = Scanner::find(context.project);
    let mut remarks = Vec::new();
    if scanner.is_none() {
        remarks.push("neither Trivy nor Docker Scout was found: no image was scanned for vulnerabilities".to_owned());
    }
    for (image, services) in images {
        if compose.image(runner, &image)?.is_none() {
            remarks.push(format!("{image} is not on this machine, and was not scanned"));
            continue;
        }
        let place = || context.sources.place(services[0], &["image"]);
        let history = Invocation::new("docker").args(["history", "--no-trunc", "--format", "json", &image]);
        let output = runner.read(&history).map_err(|error| compose.explain(error))?;
        for key in secrets(&output.text()) {
            found.add(&SECRET, services[0], place(), format!("the history of {image} has a value of {key}"));
        }
        let Some(scanner) = &scanner else { continue };
        let call = scanner.call(&image).deadline(SCAN);
        let output = runner.read(&call)?;
        let known = scanner.read(&output.stdout).map_err(|reason| {
            Error::from(ExecError::BadOutput { command: call.to_string(), reason: reason.to_string() })
        })?;
        if !known.is_empty() {
            let message = format!("{image} has {}", describe(&known));
            found.add(&VULNERABLE, services[0], place(), message);
        }
        context.project.cancel().check()?;
    }
    Ok(remarks)
}

/// `3 vulnerabilities that a newer version fixes, 1 of them critical: CVE-1, CVE-2, CVE-3`
fn describe(known: &BTreeMap<String, bool>) -> String {
    let critical = known.values().filter(|&&critical| critical).count();
    let mut names: Vec<&str> = known.iter().filter(|(_, critical)| **critical).map(|(name, _)| name.as_str()).collect();
    names.extend(known.iter().filter(|(_, critical)| !**critical).map(|(name, _)| name.as_str()));
    let more = if names.len() > 3 { ", …" } else { "" };
    names.truncate(3);
    let count = match known.len() {
        1 => "1 vulnerability".to_owned(),
        several => format!("{several} vulnerabilities"),
    };
    format!("{count} that a newer version fixes, {critical} critical: {}{more}", names.join(", "))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Layer {
    #[serde(default)]
    created_by: String,
}

/// The names under which a history has secrets: one layer a line, as `docker history` prints them.
fn secrets(history: &str) -> BTreeSet<String> {
    let layers = history.lines().filter_map(|line| serde_json::from_str::<Layer>(line).ok());
    layers.flat_map(|layer| assigned(&layer.created_by)).collect()
}

/// The secrets to which a layer's command gives a value; values that only a shell knows do not count.
fn assigned(command: &str) -> Vec<String> {
    let pairs = command.split(|c: char| c.is_whitespace() || ";|&()".contains(c)).filter_map(|word| {
        let (key, value) = word.split_once('=')?;
        let value = value.trim_matches(['"', '\'']);
        let is_name = key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        // A key that verifies packages is public.
        let is_public = key.to_ascii_uppercase().contains("GPG");
        let is_value = !value.is_empty() && !value.starts_with(['$', '`']) && !value.starts_with("/run/secrets/");
        (is_name && is_value && !is_public && looks_secret(key)).then(|| key.to_owned())
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_has_the_names_and_never_the_values() {
        let history = r#"{"CreatedBy":"ENV API_TOKEN=abc GPG_KEY=A035","ID":"x"}
            {"CreatedBy":"RUN |2 NPM_TOKEN=npm_abc NODE_ENV=production /bin/sh -c npm ci # buildkit"}
            {"CreatedBy":"RUN /bin/sh -c DB_PASSWORD=$(cat x) && export S3_SECRET_KEY=\"$Y\" EMPTY_SECRET= true"}
            {"CreatedBy":"/bin/sh -c #(nop)  ENV JWT_SECRET='abc def'"}
            no json"#;
        let found: Vec<_> = secrets(history).into_iter().collect();
        assert_eq!(found, ["API_TOKEN", "JWT_SECRET", "NPM_TOKEN"]);
    }

    #[test]
    fn the_worst_are_named_first() {
        let known = [("CVE-1", false), ("CVE-2", true), ("CVE-3", false), ("CVE-4", false)];
        let known = known.into_iter().map(|(name, critical)| (name.to_owned(), critical)).collect();
        assert_eq!(
            describe(&known),
            "4 vulnerabilities that a newer version fixes, 1 critical: CVE-2, CVE-1, CVE-3, …"
        );
    }
}
