//! `update`

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::compose::{ComposeError, Image};
use crate::exec::ExecError;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};

use super::build;

/// Pull newer images, rebuild on new base images, report changes.
///
/// Running containers keep their image until `start` recreates them. An image whose registry cannot be reached is left
/// as it is and reported; the exit code is then not 0.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Update {}

/// What became of each image.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct UpdateReport {
    /// Pulled images, then those built here, each sorted by name.
    pub images: Vec<UpdatedImage>,
}

/// What became of an image.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct UpdatedImage {
    /// The image's name, such as `postgres:17-alpine`.
    pub image: String,
    /// The services that run it.
    pub services: Vec<String>,
    /// Whether it is built here.
    pub built: bool,
    /// Its id before, if it was there.
    pub before: Option<String>,
    /// Its id now; `None` if the engine does not have it.
    pub after: Option<String>,
    /// Why it could not be looked for or built.
    pub problem: Option<UpdateProblem>,
}

/// Why an image was left as it is.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct UpdateProblem {
    /// Whether its registry, or that of its base, is to blame.
    pub registry: bool,
    /// The reason, as the registry or the build reports it.
    pub message: String,
}

impl UpdatedImage {
    /// Whether there is another image under this name than before.
    pub(crate) fn changed(&self) -> bool {
        self.before != self.after
    }
}

impl Operation for Update {
    const NAME: &'static str = "update";
    const GROUP: Group = Group::Lifecycle;
    type Outcome = UpdateReport;

    fn run(&self, project: &Project) -> Result<UpdateReport> {
        let mut report = UpdateReport { images: Vec::new() };
        if !project.has_services() {
            return Ok(report);
        }
        let (compose, model) = (project.compose(), project.model()?);
        let mut images: BTreeMap<String, (Vec<String>, bool)> = BTreeMap::new();
        for (name, service) in model.active(&project.environment().profiles) {
            let entry = images.entry(compose.image_name(name, service)).or_default();
            entry.0.push(name.to_owned());
            entry.1 |= service.build.is_some();
        }
        // What is built comes last: its base may be one of the others.
        let (pulled, built): (Vec<_>, Vec<_>) = images.into_iter().partition(|(_, (_, built))| !built);
        for (image, (services, built)) in pulled.into_iter().chain(built) {
            let id = |image: Option<Image>| image.map(|image| image.id);
            let before = id(compose.image(project.runner(), &image)?);
            let problem = renew(project, &image, &services, built)?;
            let after = id(compose.image(project.runner(), &image)?);
            report.images.push(UpdatedImage { image, services, built, before, after, problem });
        }
        Ok(report)
    }
}

/// Gets a newer image, or builds it on a newer base. A failure is a finding, so that the others have their turn.
fn renew(project: &Project, image: &str, services: &[String], built: bool) -> Result<Option<UpdateProblem>> {
    let result = if built {
        project.step(format_args!("building {image} on newer base images"));
        build::build(project, services, &["--pull"])
    } else {
        project.step(format_args!("looking for a newer {image}"));
        let call = project.compose().call(["pull", "--ignore-buildable"]).args(&services[..1]).relay("pull");
        project.compose().change(project.runner(), &call).map(|_| ()).map_err(Error::from)
    };
    let problem = match result {
        Ok(()) => None,
        Err(error) => Some(problem(&error).ok_or(error)?),
    };
    if let Some(problem) = &problem {
        project.warn(format_args!("{image}: {}", problem.message));
    }
    Ok(problem)
}

/// What keeps one image from being updated, and not the others; `None` for every other error.
fn problem(error: &Error) -> Option<UpdateProblem> {
    let (registry, message) = match error.downcast_ref() {
        Some(ComposeError::NoImage { message }) => (true, message.clone()),
        Some(ComposeError::Failed(ExecError::Exited { tail, .. })) => {
            (false, tail.lines().next_back().unwrap_or_default().to_owned())
        }
        None if error.exit() == Exit::Failed => (false, error.to_string()),
        _ => return None,
    };
    Some(UpdateProblem { registry, message })
}

impl Outcome for UpdateReport {
    fn exit(&self) -> Exit {
        let problems: Vec<_> = self.images.iter().filter_map(|image| image.problem.as_ref()).collect();
        match (problems.is_empty(), self.images.iter().any(UpdatedImage::changed)) {
            (true, _) => Exit::Ok,
            (false, true) => Exit::Partial,
            (false, false) if problems.iter().all(|problem| problem.registry) => Exit::Unavailable,
            (false, false) => Exit::Failed,
        }
    }

    fn next(&self) -> Vec<String> {
        if self.images.iter().any(UpdatedImage::changed) { vec!["cargo xtask start".to_owned()] } else { Vec::new() }
    }
}

impl fmt::Display for UpdateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.images.is_empty() {
            return f.write_str("no images to update");
        }
        let short = |id: &Option<String>| {
            let id = id.as_deref().unwrap_or("none");
            id.trim_start_matches("sha256:").chars().take(12).collect::<String>()
        };
        let lines = self.images.iter().map(|image| {
            let what = match &image.problem {
                Some(problem) if problem.registry => {
                    "its registry could not be reached or does not have it; left as it is".to_owned()
                }
                Some(_) => "failed; left as it is".to_owned(),
                None if image.changed() => format!("{} -> {}", short(&image.before), short(&image.after)),
                None => "unchanged".to_owned(),
            };
            format!("{} ({}): {what}", image.image, image.services.join(", "))
        });
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}
