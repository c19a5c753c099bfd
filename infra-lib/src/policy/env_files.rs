//! Env files and git.

use camino::Utf8Path;

use crate::exec::ExecError;
use crate::project::is_template;

use super::context::{Context, Findings};
use super::finding::Rule;
use crate::report::Severity;

const TRACKED: Rule = Rule {
    code: "env-file-tracked",
    development: Some(Severity::Error),
    production: Some(Severity::Error),
    why: "everyone who has the repository has its secrets, and its history keeps them",
    fix: "`git rm --cached` the file, ignore it, and generate new secrets: `cargo xtask env rotate KEY`",
};
const NOT_IGNORED: Rule = Rule {
    code: "env-file-not-ignored",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "the next `git add .` commits the secrets in it",
    fix: "add its name to .gitignore",
};

pub(super) const RULES: &[Rule] = &[TRACKED, NOT_IGNORED];

pub(super) fn check(context: &Context<'_>, found: &mut Findings) {
    let root = context.project.root();
    let git =
        |args: &[&str], path: &Utf8Path| context.project.runner().read(&context.project.git(args).arg(path.as_str()));
    // Without a repository, nothing is committed.
    if git(&["rev-parse", "--is-inside-work-tree"], "--".into()).is_err() {
        return;
    }
    let mut files = context.project.environment().expected_env_files.clone();
    for named in context.sources.env_files() {
        if !files.contains(&named.path) && !named.path.as_str().contains('$') && !is_template(named.path.as_str()) {
            files.push(named.path);
        }
    }
    for path in files.iter().filter(|path| path.starts_with(root)) {
        let place = context.place(path, None);
        let file = place.file.clone();
        if git(&["ls-files", "--error-unmatch", "--"], path).is_ok() {
            found.add(&TRACKED, None, place, format!("{file} is committed"));
        } else if path.is_file()
            && matches!(git(&["check-ignore", "-q", "--"], path), Err(ExecError::Exited { code: 1, .. }))
        {
            found.add(&NOT_IGNORED, None, place, format!("git does not ignore {file}"));
        }
    }
}
