//! Moving published ports out of each other's way.

use crate::checks::ports::{Conflict, conflicts};
use crate::compose::Engine;
use crate::dotenv::EnvFile;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::env_files::committed;
use crate::project::error::{Error, Result};
use crate::secret::Secret;

/// Writes a free port to the env file for each one that another process uses, if it is a variable in the compose file.
pub(super) fn free(project: &Project) -> Result<Vec<String>> {
    if Engine::is_remote() {
        return Ok(Vec::new());
    }
    let conflicts = conflicts(project, project.model()?, &project.containers()?);
    conflicts.iter().map(|conflict| move_away(project, conflict)).collect()
}

fn move_away(project: &Project, conflict: &Conflict) -> Result<String> {
    let Conflict { service, port, holder, variable, free, remedy } = conflict;
    let stuck = |more: &str, hint: String| {
        Err(Error::new(Exit::Failed, format!("port {port} of service `{service}` is taken by {holder}{more}"))
            .with_hint(hint))
    };
    let Some(variable) = variable else { return stuck("", remedy.clone()) };
    if std::env::var_os(variable).is_some() {
        return stuck(
            &format!(", and the shell sets {variable}"),
            format!("unset {variable} or give it another value"),
        );
    }
    let Some(free) = free else {
        return stuck("", format!("stop that, or give {variable} another value"));
    };
    let file = &project.environment().own_env_file;
    let name = file.file_name().unwrap_or_default();
    let what = format!("moved `{service}` to port {free} ({variable} in {name}): {port} is taken by {holder}");
    if committed(project).iter().any(|tracked| project.root().join(tracked) == *file) {
        project.warn(format_args!("{name} is committed to git; setup changes {variable} in it"));
    }
    project.runner().apply(&what, || write(file, variable, *free))?;
    Ok(super::made(project, what))
}

fn write(file: &camino::Utf8Path, variable: &str, port: u16) -> Result<()> {
    let mut env = if file.exists() { EnvFile::read(file)? } else { EnvFile::parse(file, b"")? };
    let value = Secret::new(port.to_string());
    match env.entry(variable) {
        Some(_) => env.set(variable, &value)?,
        None => env.append(variable, &value, None)?,
    }
    Ok(env.save()?)
}
