//! Which engine we talk to.

use serde::{Deserialize, Serialize};

use crate::exec::{Invocation, Runner};

use super::ComposeError;

/// A Docker engine: enough of it to recognise it again and to judge its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Engine {
    /// Its own id; another context or host has another one.
    #[serde(rename(deserialize = "ID"))]
    pub id: String,
    /// Its version.
    #[serde(rename(deserialize = "ServerVersion"))]
    pub version: String,
    /// Cores that containers may use.
    #[serde(rename(deserialize = "NCPU"))]
    pub cores: u64,
    /// Bytes of memory that containers may use.
    #[serde(rename(deserialize = "MemTotal"))]
    pub memory: u64,
    /// Where it keeps images and volumes.
    #[serde(rename(deserialize = "DockerRootDir"))]
    pub root_dir: String,
}

impl Engine {
    /// Asks the engine about itself.
    pub(crate) fn ask(runner: &Runner) -> Result<Self, ComposeError> {
        let address = Self::address();
        let call = Invocation::new("docker")
            .args(["info", "--format", "{{json .}}"])
            .deadline(std::time::Duration::from_secs(20));
        let fail = |error| ComposeError::from_exec(error, &address);
        let output = runner.read(&call).map_err(fail)?;
        // An engine that cannot be reached is reported inside the document, with exit code 0 by some clients.
        serde_json::from_slice(&output.stdout).map_err(|_| ComposeError::EngineDown { address })
    }

    /// The address that Docker's client would use, for messages and for telling a remote engine.
    pub(crate) fn address() -> String {
        if let Ok(host) = std::env::var("DOCKER_HOST") {
            return host;
        }
        match std::env::var("DOCKER_CONTEXT") {
            Ok(context) => format!("the context `{context}`"),
            Err(_) => "unix:///var/run/docker.sock".to_owned(),
        }
    }

    /// Whether the engine is known to be on another machine.
    pub(crate) fn is_remote() -> bool {
        std::env::var("DOCKER_HOST")
            .is_ok_and(|host| !host.starts_with("unix://") && !host.starts_with("npipe://") && !host.is_empty())
    }
}
