//! The programs that the project needs.

use crate::compose::ComposeError;
use crate::config::ServicesAxis;
use crate::exec::{ExecError, Invocation, Runner};
use crate::failure::Failure as _;
use crate::postgres::local::installed;
use crate::probe::{Check, Snapshot, failure};
use crate::project::{DatabaseAxis, Project};

use super::install::Need;

const KIND: &str = "tool";

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    let project = snapshot.project;
    if project.has_services() {
        checks.push(docker(project));
        checks.push(compose(project));
        if snapshot.services.values().any(|service| service.build.is_some()) {
            checks.push(buildx(project.runner()));
        }
    }
    checks.extend(postgres(project));
    checks.push(optional(project.runner(), "git", "only needed to see whether an env file is committed"));
    checks.push(optional(project.runner(), "openssl", "only needed to read certificates"));
    checks
}

/// What `setup --install` must install to run services (`services`) and for this database.
pub(super) fn missing(project: &Project, services: ServicesAxis, database: DatabaseAxis) -> Vec<Need> {
    let runner = project.runner();
    let mut needs = Vec::new();
    if services == ServicesAxis::Compose {
        if runner.find("docker").is_err() || !has_engine(runner) {
            needs.push(Need::Engine);
        }
        if project.compose().supported_version(runner).is_err() {
            needs.push(Need::Compose);
        }
        if version(runner, &["docker", "buildx", "version"]).is_none() {
            needs.push(Need::Buildx);
        }
    }
    match database {
        DatabaseAxis::Local if installed::server(project).is_err() => needs.push(Need::PostgresServer),
        DatabaseAxis::Url if project.config().database.client.is_none() && installed::client(project).is_err() => {
            needs.push(Need::PostgresClient);
        }
        _ => {}
    }
    let handy = [("git", Need::Git), ("curl", Need::Curl), ("openssl", Need::Openssl)];
    needs.extend(handy.into_iter().filter(|(program, _)| runner.find(program).is_err()).map(|(_, need)| need));
    needs
}

/// An engine that answers, wherever it is, or one that is installed here but not running.
fn has_engine(runner: &Runner) -> bool {
    let installed = ["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd", "/Applications/Docker.app"];
    installed.iter().any(|path| std::path::Path::new(path).exists())
        || runner.find("dockerd").is_ok()
        || runner.find("colima").is_ok()
        || crate::compose::Engine::query(runner).is_ok()
}

fn docker(project: &Project) -> Check {
    match version(project.runner(), &["docker", "--version"]) {
        Some(version) => Check::ok(KIND, "docker", version),
        None => from_error("docker", &ComposeError::Missing),
    }
}

fn compose(project: &Project) -> Check {
    match project.compose().supported_version(project.runner()) {
        Ok(version) => Check::ok(KIND, "compose", format!("Docker Compose {version}")),
        Err(error) => from_error("compose", &error),
    }
}

fn buildx(runner: &Runner) -> Check {
    match version(runner, &["docker", "buildx", "version"]) {
        Some(version) => Check::ok(KIND, "buildx", version),
        None => Check::fail(KIND, "buildx", "Docker's builder is not installed, and services are built here")
            .with_hint("install `docker-buildx` (Docker's own packages call it docker-buildx-plugin); `cargo xtask setup --install` does"),
    }
}

/// PostgreSQL's own programs, if this machine needs them.
fn postgres(project: &Project) -> Option<Check> {
    let found = match project.database_axis() {
        DatabaseAxis::Local => installed::server(project),
        DatabaseAxis::Url if project.config().database.client.is_none() => installed::client(project),
        DatabaseAxis::Url | DatabaseAxis::Service => return None,
    };
    Some(match found {
        Ok((folder, major)) => Check::ok(KIND, "postgresql", format!("PostgreSQL {major} in {folder}")),
        Err(error) => failure(KIND, "postgresql", &error),
    })
}

fn optional(runner: &Runner, program: &'static str, what_for: &str) -> Check {
    let flag = if program == "openssl" { "version" } else { "--version" };
    match version(runner, &[program, flag]) {
        Some(version) => Check::ok(KIND, program, version),
        None => Check::skip(KIND, program, format!("not installed; {what_for}")),
    }
}

/// The first line that a program prints about itself.
fn version(runner: &Runner, command: &[&str]) -> Option<String> {
    let call = Invocation::new(command[0]).args(command[1..].iter().copied());
    let output: Result<_, ExecError> = runner.read(&call);
    output.ok().map(|output| output.text().lines().next().unwrap_or_default().to_owned())
}

fn from_error(target: &str, error: &ComposeError) -> Check {
    let check = Check::fail(KIND, target, error.to_string());
    match error.hint() {
        Some(hint) => check.with_hint(hint),
        None => check,
    }
}
