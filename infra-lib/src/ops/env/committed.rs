//! Env files that git has.

use crate::exec::Invocation;
use crate::project::Project;

/// The env files of the environment that are committed, relative to the project. Where there is no git, or it may not
/// look, there are none to be told of.
pub(crate) fn committed(project: &Project) -> Vec<String> {
    let mut files = project.environment().all_env_files().peekable();
    if files.peek().is_none() {
        return Vec::new();
    }
    let list = Invocation::new("git").args(["-C", project.root().as_str(), "ls-files", "--"]).args(files);
    let text = project.runner().read(&list).map(|output| output.text()).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
