//! What `setup --install` offers: the system's own packages, with the exact commands shown first.

mod apt;
mod brew;
mod dnf;
mod manager;
mod run;

use std::fmt;

use crate::config::ServicesAxis;
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::project::error::{Error, Result};
use crate::project::{DatabaseAxis, Project};

use manager::Manager;

use super::tools;

/// Something that is missing on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// The Docker engine and its client.
    Engine,
    /// Docker Compose, version 2 or newer.
    Compose,
    /// Docker's builder.
    Buildx,
    /// PostgreSQL's server and clients.
    PostgresServer,
    /// PostgreSQL's clients.
    PostgresClient,
    /// `git`.
    Git,
    /// `curl`.
    Curl,
    /// `openssl`.
    Openssl,
}

/// The commands that install what is missing.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What it installs.
    pub(crate) needs: Vec<Need>,
    steps: Steps,
    sudo: bool,
}

/// Commands that can be pasted into a shell, and notes.
#[derive(Debug, Default)]
struct Steps {
    /// One after the other.
    commands: Vec<Invocation>,
    /// Ways to start the engine, tried until it answers.
    start: Vec<Invocation>,
    /// What must be done by hand afterwards.
    remarks: Vec<String>,
}

/// The plan to install these things on this machine; `None` if nothing is missing. An error if it is unknown how.
pub(crate) fn plan(project: &Project, missing: &[Need]) -> Result<Option<Plan>> {
    let mut needs = missing.to_vec();
    needs.sort_unstable();
    needs.dedup();
    if needs.is_empty() {
        return Ok(None);
    }
    let list = || needs.iter().map(Need::to_string).collect::<Vec<_>>().join(", ");
    let Some(manager) = Manager::detect(project.runner()) else {
        return Err(Error::new(Exit::Unavailable, format!("no supported package manager can install {}", list()))
            .with_hint(
                "install them by hand (supported are apt-get, dnf and brew), then run `cargo xtask setup` again",
            ));
    };
    let mut steps = match manager {
        Manager::Apt => apt::steps(project.runner(), &needs)?,
        Manager::Dnf => dnf::steps(project.runner(), &needs)?,
        Manager::Brew => brew::steps(&needs),
    };
    let root = rustix::process::geteuid().is_root();
    let sudo = manager.needs_root() && !root;
    if sudo {
        if project.runner().find("sudo").is_err() {
            let lines: Vec<String> = steps.commands.iter().map(Invocation::to_string).collect();
            return Err(Error::new(
                Exit::Refused,
                format!("only root can install {}, and sudo is not on PATH", list()),
            )
            .with_hint(format!("as root: {}", lines.join(" && "))));
        }
        let through = |commands: Vec<Invocation>| commands.into_iter().map(|command| command.through("sudo")).collect();
        steps.commands = through(steps.commands);
        steps.start = through(steps.start);
    }
    Ok(Some(Plan { needs, steps, sudo }))
}

/// Offers what is missing for this choice of axes; the default is what `setup` would choose. Returns what was
/// installed, or would be.
pub(crate) fn offer(
    project: &Project,
    services: Option<ServicesAxis>,
    database: Option<DatabaseAxis>,
) -> Result<Vec<String>> {
    let services = match services {
        Some(services) => services,
        None if project.compose().files.is_empty() => ServicesAxis::None,
        None => project.services(),
    };
    let usual = match services {
        _ if project.config().database.url.is_some() => DatabaseAxis::Url,
        ServicesAxis::None => DatabaseAxis::Local,
        ServicesAxis::Compose => project.database_axis(),
    };
    let missing = tools::missing(project, services, database.unwrap_or(usual));
    let Some(plan) = plan(project, &missing)? else {
        project.note("nothing is missing");
        return Ok(Vec::new());
    };
    plan.run(project)?;
    let installed = plan.needs.iter().map(|need| format!("installed {need}")).collect();
    if project.runner().is_dry_run() {
        return Ok(installed);
    }
    let left = tools::missing(project, services, database.unwrap_or(usual));
    if let Some(left) = left.first() {
        return Err(Error::new(Exit::Failed, format!("the packages are installed, but {left} is still not found"))
            .with_hint("`-v` shows the output of the package manager; a new terminal may have another PATH"));
    }
    Ok(installed)
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needs = self.needs.iter().map(Need::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "to install {needs}")?;
        f.write_str(":")?;
        for command in &self.steps.commands {
            write!(f, "\n  {command}")?;
        }
        for (at, command) in self.steps.start.iter().enumerate() {
            let when = if at == 0 { "unless the engine runs by then" } else { "or, where that does not work" };
            write!(f, "\n{when}:\n  {command}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Engine => "the Docker engine",
            Self::Compose => "Docker Compose",
            Self::Buildx => "Docker's builder",
            Self::PostgresServer => "PostgreSQL",
            Self::PostgresClient => "PostgreSQL's client",
            Self::Git => "git",
            Self::Curl => "curl",
            Self::Openssl => "openssl",
        })
    }
}
