//! Resolving references in the configuration to their values.

use crate::config::Reference;
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::project::error::{Error, Result};

use super::Project;

impl Project {
    /// The value that a reference points to. `None` if its variable is not set.
    pub(crate) fn follow(&self, reference: &Reference) -> Result<Option<String>> {
        Ok(match reference {
            Reference::Literal(text) => Some(text.clone()),
            Reference::Env(name) => self.variable(name).map(|value| value.expose().to_owned()),
            Reference::File(path) => {
                let path = self.root().join(path);
                let text = std::fs::read_to_string(&path).map_err(Error::file("read", path))?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            Reference::Command(words) => {
                let call = Invocation::new(words[0].clone()).args(words[1..].iter().cloned()).dir(self.root());
                Some(self.runner().read(&call)?.text())
            }
        })
    }

    /// The value that a reference points to. A missing value is an error.
    pub(crate) fn require(&self, reference: &Reference, what: &str) -> Result<String> {
        self.follow(reference)?.filter(|value| !value.is_empty()).ok_or_else(|| {
            Error::new(Exit::Config, format!("{what} is `{reference}` in infra.toml, which is not set")).with_hint(
                "`cargo xtask setup` creates the env file; `cargo xtask env explain` says where each value comes from",
            )
        })
    }
}
