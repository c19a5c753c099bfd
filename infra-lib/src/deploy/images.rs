//! The images of a release.

use std::collections::BTreeMap;

use crate::compose::{Image, Service};
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::release::{PinnedImage, Release, Releases};

/// The image of each service as the engine has it now. Those that are only pulled are pulled if they are missing.
pub(super) fn pin(project: &Project, services: &BTreeMap<&str, &Service>) -> Result<BTreeMap<String, PinnedImage>> {
    let mut pinned = BTreeMap::new();
    for (name, service) in services {
        let image = project.compose().image_name(name, service);
        let Image { id, bytes, .. } = match find(project, &image)? {
            Some(found) => found,
            None if service.build.is_none() => pull(project, &image)?,
            None => {
                return Err(Error::new(Exit::NotFound, format!("service `{name}` has no image yet: {image}"))
                    .with_hint("`cargo xtask build` builds it"));
            }
        };
        pinned.insert((*name).to_owned(), PinnedImage { name: image, id, bytes });
    }
    Ok(pinned)
}

fn find(project: &Project, image: &str) -> Result<Option<Image>> {
    Ok(project.compose().image(project.runner(), image)?)
}

fn pull(project: &Project, image: &str) -> Result<Image> {
    project.step(format_args!("pulling {image}"));
    let call = Invocation::new("docker").args(["pull", "--quiet", image]);
    project.compose().change(project.runner(), &call)?;
    find(project, image)?.ok_or_else(|| Error::new(Exit::NotFound, format!("the image {image} was not pulled")))
}

/// The tag that keeps an image of a release from being pruned.
fn tag(project: &Project, service: &str, release: &str) -> String {
    format!("infra/{}-{}:{release}", project.name(), service.to_lowercase())
}

/// Tags the images, so that no prune removes them while the release exists. Each must be there.
pub(super) fn hold(project: &Project, release: &Release) -> Result<()> {
    if let Some(service) = missing(project, release)?.first() {
        let id = &release.images[service].id;
        let message = format!("release {} cannot run: the image of `{service}` is gone: {id}", release.id);
        return Err(Error::new(Exit::NotFound, message)
            .with_hint("`cargo xtask releases` lists those that are complete; `cargo xtask deploy` makes a new one"));
    }
    for (service, image) in &release.images {
        let call = Invocation::new("docker").args(["tag", &image.id, &tag(project, service, &release.id)]);
        project.compose().change(project.runner(), &call)?;
    }
    Ok(())
}

/// The services whose images are no longer on the engine.
pub(crate) fn missing(project: &Project, release: &Release) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for (service, image) in &release.images {
        if find(project, &image.id)?.is_none() {
            missing.push(service.clone());
        }
    }
    Ok(missing)
}

/// The tags of a release that are on the engine.
fn tags(project: &Project, release: &Release) -> Result<Vec<String>> {
    let mut tags = Vec::new();
    for service in release.images.keys() {
        let tag = tag(project, service, &release.id);
        if find(project, &tag)?.is_some() {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// The tags of all releases of the environment.
pub(crate) fn all_tags(project: &Project) -> Result<Vec<String>> {
    let releases = Releases::new(project.state(), &project.environment().name).all();
    let tags = releases.iter().map(|release| tags(project, release)).collect::<Result<Vec<_>>>()?;
    Ok(tags.into_iter().flatten().collect())
}

/// Removes the tags of a release. An image that another one uses stays.
pub(super) fn release(project: &Project, release: &Release) -> Result<()> {
    let tags = tags(project, release)?;
    if !tags.is_empty() {
        let call = Invocation::new("docker").args(["image", "rm", "--no-prune"]).args(tags);
        project.compose().change(project.runner(), &call)?;
    }
    Ok(())
}
