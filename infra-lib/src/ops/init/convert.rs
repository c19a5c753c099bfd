//! Reading a Makefile with what is known about the project.

use camino::Utf8Path;

use crate::ops::makefile::{self, DatabaseFacts, Facts, FromMakefile};
use crate::postgres::Place;
use crate::project::Project;
use crate::project::error::Result;

/// What the Makefile becomes in this project.
pub(super) fn convert(project: &Project, makefile: &Utf8Path) -> Result<FromMakefile> {
    let root = project.root();
    let files = &project.compose().files;
    let texts: Vec<String> = files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect();
    let database = project.database().ok().and_then(|database| match database.place {
        Place::Service { service, .. } => Some(DatabaseFacts { service, user: database.user, name: database.name }),
        _ => None,
    });
    let services = project.model().map(|model| &model.services).into_iter().flatten();
    let commands = project.command_names();
    let facts = Facts {
        root,
        commands: &commands,
        default_environment: project.config().project.default_environment.as_deref().unwrap_or("development"),
        name: (!files.is_empty()).then(|| project.name()),
        files: files.iter().map(|path| path.strip_prefix(root).unwrap_or(path).to_string()).collect(),
        services: services.filter(|(_, it)| it.profiles.is_empty()).map(|(name, _)| name.clone()).collect(),
        database,
        variable: &|name| project.variable(name).map(|value| value.expose().to_owned()),
        // More than Compose would refer to is no harm: the call then stays as it is.
        interpolates: &|name| {
            texts.iter().any(|text| text.contains(&format!("${{{name}")) || text.contains(&format!("${name}")))
        },
    };
    makefile::read(makefile, &facts)
}
