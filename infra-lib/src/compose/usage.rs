//! The disk usage of objects on the engine.

use serde::Deserialize;

use crate::exec::{ExecError, Invocation, Runner};

use super::{Compose, ComposeError};

/// The output of `docker system df -v` for all images, containers and volumes on the engine.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Usage {
    images: Vec<RawImage>,
    containers: Vec<RawContainer>,
    volumes: Vec<RawVolume>,
}

#[derive(Debug, Deserialize)]
struct RawImage {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "UniqueSize", default)]
    unique: String,
}

#[derive(Debug, Deserialize)]
struct RawContainer {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Size", default)]
    size: String,
}

#[derive(Debug, Deserialize)]
struct RawVolume {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Size", default)]
    size: String,
}

impl Usage {
    /// The bytes of an image that no other image shares.
    pub(crate) fn unique(&self, image: &str) -> Option<u64> {
        size(&self.images.iter().find(|raw| raw.id == image)?.unique)
    }

    /// The bytes that a container has written to its own file system.
    pub(crate) fn layer(&self, container: &str) -> Option<u64> {
        size(&self.containers.iter().find(|raw| container.starts_with(&raw.id))?.size)
    }

    /// The size of a volume in bytes.
    pub(crate) fn volume(&self, name: &str) -> Option<u64> {
        size(&self.volumes.iter().find(|raw| raw.name == name)?.size)
    }
}

impl Compose {
    /// Queries the engine's disk usage. This scans every volume, which takes a while for large ones.
    pub(crate) fn usage(&self, runner: &Runner) -> Result<Usage, ComposeError> {
        let call = Invocation::new("docker")
            .args(["system", "df", "-v", "--format", "{{json .}}"])
            .deadline(std::time::Duration::from_secs(60));
        let output = self.read(runner, &call)?;
        serde_json::from_slice(&output.stdout).map_err(|error| {
            self.explain(ExecError::BadOutput { command: call.to_string(), reason: error.to_string() })
        })
    }
}

/// Parses a size as printed by Docker: `12.3MB` for storage, `12.3MiB` for memory, `0B (virtual 136MB)` for
/// containers.
pub(super) fn size(text: &str) -> Option<u64> {
    let text = text.split(" (").next()?.trim();
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = text[..at].trim().parse().ok()?;
    let factor = match &text[at..] {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1_024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        "TiB" => 1_099_511_627_776.0,
        _ => return None,
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes are positive and far below 2^64"
    )]
    Some((number * factor).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_docker_prints_them() {
        assert_eq!(size("47.35MB"), Some(47_350_000));
        assert_eq!(size("1.5MiB"), Some(1_572_864));
        assert_eq!(size("0B (virtual 136MB)"), Some(0));
        assert_eq!(size("N/A"), None);
    }
}
