//! Calls of git in the project's folder.

use crate::exec::Invocation;

use super::Project;

impl Project {
    /// A call of git. What it prints is relative to the project's folder.
    pub(crate) fn git(&self, args: &[&str]) -> Invocation {
        Invocation::new("git").args(["-C", self.root().as_str()]).args(args.iter().copied())
    }
}
