//! Images as reported by the engine.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::exec::{ExecError, Invocation, Runner};

use super::{Compose, ComposeError, Service};

/// An image on the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub(crate) struct Image {
    /// The id of the image.
    pub(crate) id: String,
    /// When it was created, according to its metadata.
    pub(crate) created: Option<Timestamp>,
    /// The size of its layers in bytes, including those that it shares with other images.
    pub(crate) bytes: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    id: String,
    #[serde(default)]
    created: String,
    #[serde(default)]
    size: u64,
}

impl Compose {
    /// The image name of a service: as stated in the file, or as Compose names what it builds.
    pub(crate) fn image_name(&self, name: &str, service: &Service) -> String {
        service.image.clone().unwrap_or_else(|| format!("{}-{name}", self.project))
    }

    /// The image of this name, if the engine has it.
    pub(crate) fn image(&self, runner: &Runner, name: &str) -> Result<Option<Image>, ComposeError> {
        let inspect = Invocation::new("docker").args(["image", "inspect", name]);
        let json = match self.read(runner, &inspect) {
            Ok(output) => output.stdout,
            Err(ComposeError::NoImage { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let raw: Vec<Raw> = serde_json::from_slice(&json).map_err(|error| {
            self.explain(ExecError::BadOutput { command: inspect.to_string(), reason: error.to_string() })
        })?;
        Ok(raw.into_iter().next().map(|raw| Image { id: raw.id, created: raw.created.parse().ok(), bytes: raw.size }))
    }
}
