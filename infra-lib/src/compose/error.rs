//! Errors of Docker and Compose.

use crate::exec::ExecError;
use crate::exec::error::shown;
use crate::exit::Exit;
use crate::failure::Failure;

/// Why a Docker or Compose call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ComposeError {
    /// Docker Compose is not installed.
    #[error("neither `docker compose` nor `docker-compose` was found on PATH{}", shown(&path()))]
    Missing,
    /// This user may not read Docker's own folder with its plugins, so Docker does not know `compose`.
    #[error("this user cannot read {folder}, so Docker does not find Compose")]
    ClosedFolder {
        /// The path of the folder.
        folder: String,
    },
    /// The Compose plugin exists, but cannot be run.
    #[error("Docker's plugin {path} cannot be run by this user, so Docker does not find Compose")]
    BrokenPlugin {
        /// The path of the plugin.
        path: String,
    },
    /// Compose is too old for this program.
    #[error("Docker Compose {found} is too old: {needed} or newer is needed")]
    TooOld {
        /// The version that was found.
        found: String,
        /// The oldest supported version.
        needed: &'static str,
    },
    /// The engine does not answer.
    #[error("the Docker engine does not answer at {address}")]
    EngineDown {
        /// The address, from the context or `DOCKER_HOST`.
        address: String,
    },
    /// This user may not access the engine.
    #[error("permission denied for the Docker engine at {address}")]
    Forbidden {
        /// The address of the engine.
        address: String,
    },
    /// The compose files are invalid, or refer to something that is missing.
    #[error("the compose files are not valid: {message}")]
    Invalid {
        /// The error message of Compose.
        message: String,
    },
    /// An image does not exist locally and cannot be pulled.
    #[error("an image is not available: {message}")]
    NoImage {
        /// The error message of the engine.
        message: String,
    },
    /// The running project was started from another folder.
    #[error("the compose project `{project}` belongs to {owner}")]
    Foreign {
        /// The name of the project.
        project: String,
        /// The folder that it was started from.
        owner: String,
    },
    /// Any other failure of a call.
    #[error(transparent)]
    Failed(ExecError),
}

impl ComposeError {
    /// Determines the cause from a failed child's output. Compose's exit codes differ between versions and only mean
    /// failure; its messages have been stable.
    pub(crate) fn from_exec(error: ExecError, address: &str) -> Self {
        let said = error.tail();
        let has = |needles: &[&str]| needles.iter().any(|needle| said.contains(needle));
        let address = || address.to_owned();
        if matches!(&error, ExecError::NotFound { program, .. } if program.starts_with("docker")) {
            Self::Missing
        } else if has(&[
            "permission denied while trying to connect",
            "dial unix /var/run/docker.sock: connect: permission denied",
        ]) {
            Self::Forbidden { address: address() }
        } else if has(&[
            "Cannot connect to the Docker daemon",
            "error during connect",
            "failed to connect to the docker API",
            "unable to resolve docker endpoint",
        ]) {
            Self::EngineDown { address: address() }
        } else if has(&[
            "is not a docker command",
            "unknown command: docker",
            "unknown shorthand flag: 'p'",
            "unknown flag: --project-directory",
            "unknown flag: --short",
            // Docker 26 prints all of its help after that, of which only the end is kept.
            "Run 'docker COMMAND --help'",
        ]) {
            Self::Missing
        } else if has(&[
            "pull access denied",
            "manifest unknown",
            "failed to resolve reference",
            "No such image",
            "failed to do request",
            "manifest for",
            // `Get "https://registry/v2/": dial tcp: …`: the engine answered, but the registry did not.
            "/v2/\"",
        ]) {
            Self::NoImage { message: last_line(said) }
        } else {
            Self::Failed(error)
        }
    }
}

fn path() -> String {
    std::env::var("PATH").unwrap_or_default()
}

impl Failure for ComposeError {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing | Self::TooOld { .. } | Self::EngineDown { .. } | Self::NoImage { .. } => Exit::Unavailable,
            Self::Forbidden { .. } | Self::ClosedFolder { .. } | Self::BrokenPlugin { .. } | Self::Foreign { .. } => {
                Exit::Refused
            }
            Self::Invalid { .. } => Exit::Config,
            Self::Failed(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing => {
                "install Docker with its Compose plugin (`cargo xtask setup --install` shows how), or use \
                              `cargo xtask setup --services none --database local` to work without containers"
                    .to_owned()
            }
            Self::ClosedFolder { .. } => {
                "check HOME and DOCKER_CONFIG: after `sudo` or `su`, HOME may still be another user's".to_owned()
            }
            Self::BrokenPlugin { path } => format!("`sudo chmod 755 {path}`, or reinstall it"),
            Self::TooOld { .. } => {
                "install the `docker-compose-plugin` package from Docker's or your system's repository".to_owned()
            }
            Self::EngineDown { address } if address.contains("context") => {
                "`docker context ls` lists the contexts; unset DOCKER_CONTEXT to use the engine of this machine"
                    .to_owned()
            }
            Self::EngineDown { .. } => "start Docker (`sudo systemctl start docker`, or Docker Desktop), or use \
                                        `cargo xtask setup --services none --database local` to work without containers"
                .to_owned(),
            Self::Forbidden { .. } => {
                "add yourself to the `docker` group (`sudo usermod -aG docker $USER`) and log in again".to_owned()
            }
            Self::Invalid { message } if message.contains("required variable") => {
                "set it in the env file; `cargo xtask env check` lists what else is missing".to_owned()
            }
            Self::Invalid { .. } => "`docker compose config` shows the files as Compose reads them".to_owned(),
            Self::NoImage { .. } => {
                "check the image's name and tag, and whether its registry can be reached (`docker login`?)".to_owned()
            }
            Self::Foreign { .. } => {
                "give this project another name (`[project] name` in infra.toml), or work in that folder; \
                                     `cargo xtask setup` chooses a free name by itself"
                    .to_owned()
            }
            Self::Failed(error) => return error.hint(),
        })
    }
}

pub(super) fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(tail: &str) -> ComposeError {
        let error = ExecError::Exited { command: "docker".to_owned(), code: 1, tail: tail.to_owned() };
        ComposeError::from_exec(error, "unix:///x.sock")
    }

    #[test]
    fn f02_a_registry_that_cannot_be_reached_is_not_a_dead_engine() {
        let registry =
            "Error response from daemon: Get \"https://r.invalid/v2/\": dial tcp: lookup r.invalid: no such host";
        assert!(matches!(said(registry), ComposeError::NoImage { .. }));
        assert!(matches!(
            said("failed to solve: failed to do request: Head: dial tcp: no such host"),
            ComposeError::NoImage { .. }
        ));
        let engine = "error during connect: Get \"http://far:2375/v1.45/info\": dial tcp: lookup far: no such host";
        assert!(matches!(said(engine), ComposeError::EngineDown { .. }));
    }
}
