//! Information about the Docker engine.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::exec::{ExecError, Invocation, Runner};

use super::ComposeError;

/// A Docker engine: enough to recognise it again and to know its size.
///
/// Read from `docker info`, which has other field names, and from our own record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Engine {
    /// The id of the engine, different for each context and host.
    #[serde(alias = "ID")]
    pub id: String,
    /// The version of the engine.
    #[serde(alias = "ServerVersion")]
    pub version: String,
    /// The number of CPU cores available to containers.
    #[serde(alias = "NCPU")]
    pub cores: u64,
    /// The memory available to containers, in bytes.
    #[serde(alias = "MemTotal")]
    pub memory: u64,
    /// The folder where it stores images and volumes.
    #[serde(alias = "DockerRootDir")]
    pub root_dir: String,
    /// The operating system. `Docker Desktop` is a separate virtual machine, even on Linux.
    #[serde(default, alias = "OperatingSystem")]
    pub system: String,
}

#[derive(Deserialize)]
struct Complaints {
    #[serde(default, rename = "ServerErrors")]
    server_errors: Option<Vec<String>>,
}

impl Engine {
    /// Queries the engine with `docker info`.
    pub(crate) fn query(runner: &Runner) -> Result<Self, ComposeError> {
        let address = Self::address();
        let call = Invocation::new("docker")
            .args(["info", "--format", "{{json .}}"])
            .deadline(std::time::Duration::from_secs(20));
        let fail = |error| ComposeError::from_exec(error, &address);
        let output = runner.read(&call).map_err(fail)?;
        Self::parse(&output.stdout).map_err(fail)
    }

    /// Parses the output of `docker info`. An unreachable engine is reported inside the document, with exit code 0
    /// and all other fields empty.
    fn parse(json: &[u8]) -> Result<Self, ExecError> {
        let unusable = |error: serde_json::Error| ExecError::BadOutput {
            command: "docker info".to_owned(),
            reason: error.to_string(),
        };
        let Complaints { server_errors } = serde_json::from_slice(json).map_err(unusable)?;
        if let Some(errors) = server_errors.filter(|errors| !errors.is_empty()) {
            return Err(ExecError::Exited { command: "docker info".to_owned(), code: 1, tail: errors.join("\n") });
        }
        serde_json::from_slice(json).map_err(unusable)
    }

    /// The address that Docker's client would use, for messages.
    pub(crate) fn address() -> String {
        match (endpoint(), context()) {
            (Some(host), None) => host,
            (Some(host), Some(context)) => format!("{host} (context `{context}`)"),
            (None, Some(context)) => format!("the context `{context}`, which is not defined"),
            (None, None) => "unix:///var/run/docker.sock".to_owned(),
        }
    }

    /// Whether its containers run under the same kernel as this process, so that named pipes work between them.
    pub(crate) fn shares_kernel(runner: &Runner) -> bool {
        cfg!(target_os = "linux")
            && !Self::is_remote()
            && Self::query(runner).is_ok_and(|engine| !engine.system.contains("Docker Desktop"))
    }

    /// Whether the engine is known to be on another machine.
    pub(crate) fn is_remote() -> bool {
        endpoint().is_some_and(|host| is_elsewhere(&host))
    }
}

fn is_elsewhere(host: &str) -> bool {
    !host.is_empty() && !host.starts_with("unix://") && !host.starts_with("npipe://") && !host.starts_with("fd://")
}

/// The context in use, unless it is the default one. `DOCKER_HOST` overrides `DOCKER_CONTEXT`, which overrides
/// `docker context use`.
fn context() -> Option<String> {
    if variable("DOCKER_HOST").is_some() {
        return None;
    }
    let chosen = || {
        let text = std::fs::read(config_dir()?.join("config.json")).ok()?;
        serde_json::from_slice::<Value>(&text).ok()?.get("currentContext")?.as_str().map(str::to_owned)
    };
    variable("DOCKER_CONTEXT").or_else(chosen).filter(|name| name != "default" && !name.is_empty())
}

/// The configured address of the engine, if any.
fn endpoint() -> Option<String> {
    match context() {
        None => variable("DOCKER_HOST"),
        // Docker stores each context in a folder named after the digest of its name.
        Some(name) => {
            let digest = Sha256::digest(name.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            let file = config_dir()?.join("contexts/meta").join(digest).join("meta.json");
            let meta: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
            meta.pointer("/Endpoints/docker/Host")?.as_str().map(str::to_owned)
        }
    }
}

fn config_dir() -> Option<PathBuf> {
    let stated = variable("DOCKER_CONFIG").map(PathBuf::from);
    stated.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".docker")))
}

fn variable(key: &str) -> Option<String> {
    std::env::var(key).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f03_f04_an_engine_that_does_not_answer_is_no_engine() {
        let ask = |errors: &str| {
            let json = format!(r#"{{"ID":"","ServerVersion":"","NCPU":0,"MemTotal":0,"DockerRootDir":""{errors}}}"#);
            Engine::parse(json.as_bytes()).map_err(|error| ComposeError::from_exec(error, "unix:///x.sock"))
        };
        let down = r#","ServerErrors":["Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?"]"#;
        assert!(matches!(ask(down), Err(ComposeError::EngineDown { .. })));
        let forbidden = r#","ServerErrors":["permission denied while trying to connect to the Docker daemon socket at unix:///x.sock"]"#;
        assert!(matches!(ask(forbidden), Err(ComposeError::Forbidden { .. })));
        assert!(ask("").is_ok());
    }

    #[test]
    fn f20_engines_elsewhere_are_told_by_their_address() {
        assert!(["tcp://10.0.0.2:2376", "ssh://deploy@example.com"].into_iter().all(is_elsewhere));
        assert!(
            !["", "unix:///run/user/1000/docker.sock", "npipe:////./pipe/docker_engine"].into_iter().any(is_elsewhere)
        );
    }
}
