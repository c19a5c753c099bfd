//! `build`

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use serde::Serialize;

use crate::compose::{ComposeError, Image};
use crate::config::ByteSize;
use crate::exec::ExecError;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};

/// Build the images of the services that have a Dockerfile.
///
/// It builds the stages that the environment's compose files name: `-e production` builds those for production.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Build {
    /// Build only these services.
    #[cfg_attr(feature = "cli", arg(value_name = "SERVICE"))]
    pub services: Vec<String>,
    /// Build without the cache.
    #[cfg_attr(feature = "cli", arg(long))]
    pub no_cache: bool,
}

/// The result of `build`: the images that were built.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct BuildReport {
    /// The images, by service.
    pub images: Vec<BuiltImage>,
}

/// An image that was built.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct BuiltImage {
    /// The service that it is for.
    pub service: String,
    /// The image's name: the service's `image`, else `<project>-<service>`.
    pub image: String,
    /// The image's id on the engine, such as `sha256:9f86…`.
    pub id: String,
    /// How many bytes it takes.
    pub bytes: u64,
    /// Whether it differs from what was there before.
    pub changed: bool,
}

impl Operation for Build {
    const NAME: &'static str = "build";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = BuildReport;

    fn run(&self, project: &Project) -> Result<BuildReport> {
        let mut services = BTreeMap::new();
        if project.has_services() || !self.services.is_empty() {
            services = buildable(project, &self.services)?;
        }
        let mut report = BuildReport { images: Vec::new() };
        if services.is_empty() {
            return Ok(report);
        }
        let (compose, runner) = (project.compose(), project.runner());
        let look = |image: &String| compose.image(runner, image);
        let before = services.values().map(look).collect::<Result<Vec<Option<Image>>, _>>()?;
        project.step(format_args!("building {}", services.keys().cloned().collect::<Vec<_>>().join(", ")));
        build(
            project,
            &services.keys().cloned().collect::<Vec<_>>(),
            if self.no_cache { &["--no-cache"] } else { &[] },
        )?;
        for ((service, image), before) in services.into_iter().zip(before) {
            let Some(after) = compose.image(runner, &image)? else { continue };
            let changed = before.is_none_or(|before| before.id != after.id);
            report.images.push(BuiltImage { service, image, id: after.id, bytes: after.bytes, changed });
        }
        Ok(report)
    }
}

/// The services with a Dockerfile, each with its image's name: those that are named, else those that are on.
pub(super) fn buildable(project: &Project, named: &[String]) -> Result<BTreeMap<String, String>> {
    let model = project.model()?;
    let selected = project.select_services(named)?;
    let services = model.services.iter().filter(|(name, service)| selected.contains(*name) && service.build.is_some());
    Ok(services.map(|(name, service)| (name.clone(), project.compose().image_name(name, service))).collect())
}

/// Builds; the error of a build that fails has the last lines of what it printed, on whichever stream.
pub(super) fn build(project: &Project, services: &[String], flags: &[&str]) -> Result<()> {
    const LINES: usize = 20;
    let call = project.compose().call(["build"]).args(flags).args(services).relay("build");
    let mut said: VecDeque<String> = VecDeque::new();
    let built = project.runner().change_lines(&call, |_, line| {
        if !line.is_empty() {
            said.push_back(line.to_owned());
        }
        if said.len() > LINES {
            said.pop_front();
        }
        Ok(())
    });
    match built.map_err(|error| project.compose().explain(error)) {
        Ok(_) => Ok(()),
        Err(ComposeError::Failed(ExecError::Exited { .. })) => {
            let lines = said.into_iter().collect::<Vec<_>>().join("\n  | ");
            Err(Error::new(Exit::Failed, format!("building {} failed:\n  | {lines}", services.join(", ")))
                .with_hint("`-v` shows the full output; existing images are unchanged"))
        }
        Err(error) => Err(error.into()),
    }
}

impl Outcome for BuildReport {
    fn next(&self) -> Vec<String> {
        if self.images.iter().any(|image| image.changed) { vec!["cargo xtask start".to_owned()] } else { Vec::new() }
    }
}

impl fmt::Display for BuildReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.images.is_empty() {
            return f.write_str("nothing to build: no service has a Dockerfile");
        }
        let lines = self.images.iter().map(|BuiltImage { service, image, bytes, changed, .. }| {
            let news = if *changed { "new" } else { "unchanged" };
            format!("{service}: {image} ({}, {news})", ByteSize::new(*bytes))
        });
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}
