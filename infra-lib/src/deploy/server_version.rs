//! PostgreSQL's major version: a server does not start on the data folder of another one.

use crate::compose::Container;
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::release::Release;

/// The variable in which PostgreSQL's official images, and those built on them, state it.
const MAJOR: &str = "PG_MAJOR";

/// Refuses a release whose server has another major version than the container that it would replace.
pub(super) fn refuse_other_major(project: &Project, release: &Release, containers: &[Container]) -> Result<()> {
    for name in project.postgres_services()? {
        let Some(image) = release.images.get(name) else { continue };
        let Some(old) = containers.iter().find(|it| it.service == name).and_then(|it| major(&it.environment)) else {
            continue;
        };
        let call = Invocation::new("docker").args(["image", "inspect", "--format", "{{json .Config.Env}}", &image.id]);
        let output = project.compose().read(project.runner(), &call)?;
        let variables: Vec<String> = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let Some(new) = major(&variables).filter(|new| *new != old) else { continue };
        let message =
            format!("service `{name}` runs PostgreSQL {old}, and the release has {new}, which cannot read its data");
        return Err(Error::new(Exit::Refused, message).with_hint(
            "`cargo xtask db-backup`, then the new server with an empty volume, then `cargo xtask db-restore latest`",
        ));
    }
    Ok(())
}

fn major(variables: &[String]) -> Option<&str> {
    variables.iter().find_map(|variable| variable.strip_prefix(MAJOR)?.strip_prefix('='))
}
