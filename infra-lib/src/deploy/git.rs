//! What git says about the checkout.

use camino::{Utf8Path, Utf8PathBuf};

use crate::exec::ExecError;
use crate::project::Project;
use crate::release::Commit;

fn line(project: &Project, args: &[&str]) -> Option<String> {
    let output = project.runner().read(&project.git(args)).ok()?;
    Some(output.text()).filter(|text| !text.is_empty())
}

/// The commit of the checkout; `None` outside a repository, before its first commit, or without git.
pub(super) fn commit(project: &Project) -> Option<Commit> {
    let commit = line(project, &["rev-parse", "--verify", "--quiet", "HEAD"])?;
    let branch = line(project, &["symbolic-ref", "--short", "--quiet", "HEAD"]);
    Some(Commit { commit, branch, dirty: line(project, &["status", "--porcelain", "-z"]).is_some() })
}

/// Whether the remote branch contains the checkout's commit. `Err` has git's reason if it does not exist.
pub(super) fn is_in(project: &Project, branch: &str) -> Result<bool, ExecError> {
    let remote = format!("refs/remotes/origin/{branch}");
    project.runner().read(&project.git(&["rev-parse", "--verify", "--quiet", &remote]))?;
    match project.runner().read(&project.git(&["merge-base", "--is-ancestor", "HEAD", &remote])) {
        Ok(_) => Ok(true),
        Err(ExecError::Exited { code: 1, .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The files at or below this path that git tracks, relative to the project's folder.
pub(super) fn tracked(project: &Project, path: &Utf8Path) -> Vec<Utf8PathBuf> {
    let list = project.git(&["ls-files", "-z", "--", path.as_str()]);
    let Ok(output) = project.runner().read(&list) else { return Vec::new() };
    let names = output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.filter_map(|name| Some(Utf8PathBuf::from(std::str::from_utf8(name).ok()?))).collect()
}
