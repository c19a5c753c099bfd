//! Objects on the engine: containers, networks, volumes, images.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::exec::{ExecError, Invocation, Runner};

use super::{Compose, ComposeError};

/// The time limit for listing and inspecting objects.
const PATIENCE: Duration = Duration::from_secs(20);

impl Compose {
    /// The ids or names of the objects of a kind that are labelled with this project's name.
    pub(crate) fn labelled(&self, runner: &Runner, kind: &str) -> Result<Vec<String>, ComposeError> {
        let label = format!("label=com.docker.compose.project={}", self.project);
        let list = match kind {
            "container" => Invocation::new("docker").args(["ps", "-a", "-q", "--no-trunc"]),
            "volume" => Invocation::new("docker").args(["volume", "ls", "-q"]),
            kind => Invocation::new("docker").args([kind, "ls", "-q", "--no-trunc"]),
        };
        let text = self.read(runner, &list.args(["--filter", &label]).deadline(PATIENCE))?.text();
        let mut ids: Vec<String> = text.lines().map(str::to_owned).collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// Inspects these objects. Objects that no longer exist are left out.
    pub(crate) fn inspect<T: DeserializeOwned>(
        &self,
        runner: &Runner,
        kind: &str,
        ids: &[String],
    ) -> Result<Vec<T>, ComposeError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let call = Invocation::new("docker").args([kind, "inspect"]).args(ids).deadline(PATIENCE);
        let json = match self.read(runner, &call) {
            Ok(output) => output.stdout,
            Err(ComposeError::Failed(ExecError::Exited { tail, .. })) if is_gone(&tail) => {
                // If one is gone, inspect the others one by one.
                let one_by_one = ids
                    .iter()
                    .filter_map(|id| self.read(runner, &Invocation::new("docker").args([kind, "inspect", id])).ok());
                let mut all = Vec::new();
                for output in one_by_one {
                    all.extend(self.parse::<T>(kind, &output.stdout)?);
                }
                return Ok(all);
            }
            Err(error) => return Err(error),
        };
        self.parse(kind, &json)
    }

    fn parse<T: DeserializeOwned>(&self, kind: &str, json: &[u8]) -> Result<Vec<T>, ComposeError> {
        serde_json::from_slice(json).map_err(|error| {
            self.explain(ExecError::BadOutput { command: format!("docker {kind} inspect"), reason: error.to_string() })
        })
    }
}

fn is_gone(tail: &str) -> bool {
    ["No such", "no such", "not found"].iter().any(|text| tail.contains(text))
}
