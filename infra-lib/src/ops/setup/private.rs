//! Env files that others may read, or that git has or will have.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use camino::Utf8Path;

use crate::project::Project;
use crate::project::env_files::committed;

/// Makes env files private to their owner, and says which of them git hands to others. What cannot be changed is said
/// too; only `start` of a protected environment refuses.
pub(super) fn make(project: &Project) -> Vec<String> {
    let mut changes = Vec::new();
    for file in project.environment().all_env_files() {
        let name = file.strip_prefix(project.root()).unwrap_or(file);
        let is_open = |stat: std::fs::Metadata| stat.is_file() && stat.mode() & 0o077 != 0;
        if file.symlink_metadata().is_ok_and(is_open) {
            let what = format!("make {name} private (mode 0600): others could read it");
            let private = std::fs::Permissions::from_mode(0o600);
            match project.runner().apply(&what, || std::fs::set_permissions(file, private)) {
                Ok(_) => changes.push(super::made(project, what)),
                Err(error) => project.warn(format_args!(
                    "{name} is readable by group or others, and its mode cannot be changed: {error}"
                )),
            }
        }
        if is_unignored(project, name) {
            project.warn(format_args!("git does not ignore {name}: the next `git add .` commits its secrets; add a line `{name}` to .gitignore"));
        }
    }
    for file in committed(project) {
        project.warn(format_args!(
            "{file} is committed: its secrets are in git's history; `git rm --cached {file}`, then generate new ones with `cargo xtask env rotate KEY`"
        ));
    }
    changes
}

/// Whether git would take the file up: it is neither ignored nor committed, and there is a git that says so.
fn is_unignored(project: &Project, name: &Utf8Path) -> bool {
    let list = ["ls-files", "--others", "--exclude-standard", "--"];
    let said = project.runner().read(&project.git(&list).arg(name.as_str()));
    said.is_ok_and(|output| !output.text().is_empty())
}
