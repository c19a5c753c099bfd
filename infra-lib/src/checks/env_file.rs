//! The env files, and whether git ignores them.

use crate::compose::identity::REDIRECTING;
use crate::exec::ExecError;
use crate::probe::{Check, Snapshot, Verdict, failure};
use crate::project::env_files::{committed, findings};
use crate::project::is_template;
use crate::report::Severity;

const KIND: &str = "env";

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let project = snapshot.project;
    let own = &project.environment().own_env_file;
    let name = own.strip_prefix(project.root()).unwrap_or(own).to_string();
    if let Err(error) = project.expect_env_file() {
        let mut checks = ignored();
        let check = failure(KIND, &name, &error);
        // Where Compose works without it, it is only recommended.
        let is_needed = project.require_env_file().is_err() || project.model().is_err();
        checks.push(if is_needed { check } else { Check { status: Verdict::Warn, ..check } });
        return checks;
    }
    let mut checks = ignored();
    checks.extend(match findings(project) {
        Err(error) => vec![failure(KIND, &name, &error)],
        Ok(findings) => findings
            .iter()
            .map(|finding| {
                let target = finding.key.clone().unwrap_or_else(|| name.clone());
                let check = match finding.severity {
                    Severity::Error => Check::fail(KIND, target, finding.to_string()),
                    Severity::Warning | Severity::Info => Check::warn(KIND, target, finding.to_string()),
                };
                check.with_hint(finding.fix.clone())
            })
            .collect(),
    });
    checks.extend(shadowed(snapshot));
    if checks.is_empty() {
        let detail = if own.is_file() { "in order" } else { "not used" };
        checks.push(Check::ok(KIND, &name, detail));
    }
    checks
}

/// Variables of the caller that would make `docker compose` work on something else.
fn ignored() -> Vec<Check> {
    let set = REDIRECTING.into_iter().filter(|key| std::env::var_os(key).is_some());
    set.map(|key| {
        Check::warn(KIND, key, "is set in this shell and ignored: only the project's own .env counts")
            .with_hint(format!("`unset {key}`, or write it to .env"))
    })
    .collect()
}

/// Variables of the shell that silently override the env file.
fn shadowed(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let variables = snapshot.project.variables().variables();
    let hidden = variables.iter().filter(|variable| {
        variable.origin == crate::dotenv::Origin::Shell && variable.shadowed.iter().any(|shadowed| !shadowed.same)
    });
    hidden
        .map(|variable| {
            Check::warn(KIND, &variable.key, "this shell has another value, which overrides the env file")
                .with_hint(format!("`unset {}`, unless that is what you want", variable.key))
        })
        .collect()
}

/// What git must not track, and what it must ignore.
pub(super) fn git(snapshot: &Snapshot<'_>) -> Vec<Check> {
    const KIND: &str = "git";
    let project = snapshot.project;
    let git = |args: &[&str]| project.runner().read(&project.git(args));
    match git(&["rev-parse", "--is-inside-work-tree"]) {
        Ok(_) => {}
        Err(ExecError::Exited { tail, .. }) if tail.contains("dubious ownership") => {
            return vec![Check::skip(
                KIND,
                "repository",
                "git does not trust this folder, because it belongs to another user",
            )];
        }
        Err(_) => return Vec::new(),
    }
    let mut checks = Vec::new();
    let tracked =
        git(&["ls-files", "--", ":(glob)**/.env", ":(glob)**/.env.*", ".infra", "backups"]).map(|output| output.text());
    for file in tracked.unwrap_or_default().lines().filter(|file| !is_template(file)) {
        checks.push(
            Check::fail(KIND, file, "is committed: its secrets are in the history for everyone who has the repository")
                .with_hint(format!(
                    "`git rm --cached {file}`, then generate new secrets: `cargo xtask env rotate KEY`"
                )),
        );
    }
    let root = project.root();
    let backups = project.config().backup.dir.as_deref().unwrap_or("backups".into());
    let env_files = project.environment().all_env_files().map(|file| file.strip_prefix(root).unwrap_or(file));
    let committed = committed(project);
    let private = env_files
        .filter(|file| !committed.iter().any(|tracked| *file == tracked.as_str()))
        .chain([".infra".into(), backups])
        .filter(|path| root.join(path).exists());
    for path in private.map(camino::Utf8Path::as_str) {
        let ignored = git(&["check-ignore", "-q", path]);
        if matches!(ignored, Err(ExecError::Exited { code: 1, .. })) && !checks.iter().any(|check| check.target == path)
        {
            // `.infra/` ignores itself from within.
            if path == ".infra" && git(&["check-ignore", "-q", ".infra/setup.json"]).is_ok() {
                continue;
            }
            checks.push(
                Check::warn(KIND, path, "is not ignored: the next `git add .` commits it")
                    .with_hint(format!("add a line `{path}` to .gitignore")),
            );
        }
    }
    if checks.is_empty() {
        checks.push(Check::ok(KIND, "repository", "no secret is committed, and what must be ignored is"));
    }
    checks
}
