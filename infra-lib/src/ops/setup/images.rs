//! Images: pulled or built before the clock of `start` runs.

use crate::exec::Invocation;
use crate::postgres::Place;
use crate::project::Project;
use crate::project::error::Result;

/// Gets the images that are not here yet.
pub(super) fn get(project: &Project) -> Result<()> {
    let model = project.model()?;
    let active = model.active(&project.environment().profiles);
    let is_missing = |image: &str| {
        project
            .runner()
            .read(&Invocation::new("docker").args(["image", "inspect", "--format", "{{.Id}}", image]))
            .is_err()
    };
    let (mut build, mut pull) = (Vec::new(), Vec::new());
    for (name, service) in active {
        let image = service.image.clone().unwrap_or_else(|| format!("{}-{name}", project.name()));
        if !is_missing(&image) {
            continue;
        }
        if service.build.is_some() { build.push(name.to_owned()) } else { pull.push(name.to_owned()) }
    }
    if let Ok(Place::Url { client: Some(image), .. }) = project.database().map(|database| database.place)
        && is_missing(&image)
    {
        project.step(format_args!("pulling {image}"));
        project.runner().change(&Invocation::new("docker").args(["pull", "-q", &image]).relay("pull"))?;
    }
    for (what, args, services) in [("pulling", "pull", pull), ("building", "build", build)] {
        if services.is_empty() {
            continue;
        }
        project.step(format_args!("{what} the images of {}", services.join(", ")));
        let call = project.compose().call([args]).args(services).relay(args);
        project.compose().change(project.runner(), &call)?;
    }
    Ok(())
}
