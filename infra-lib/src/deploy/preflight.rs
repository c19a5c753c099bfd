//! Everything that can refuse a deploy, before its first effect.

use camino::Utf8Path;

use crate::compose::{Container, Status};
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::policy::{Severity, judge};
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::plan::Plan;
use super::proxy;

/// Checks what does not depend on the deploy's number: the policy of a protected environment, and the data that
/// containers mount.
pub(super) fn check(project: &Project) -> Result<()> {
    refuse_missing_data(project)?;
    if project.environment().protected {
        let findings = judge(project, false)?.findings;
        let mut errors = findings.iter().filter(|it| it.allowed.is_none() && it.severity == Severity::Error);
        if let Some(first) = errors.next() {
            let more = match errors.count() {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            let message = format!("`policy` has errors: {}: {} ({}){more}", first.place(), first.message, first.code);
            return Err(Error::new(Exit::Refused, message).with_hint(
                "`cargo xtask policy` explains them; `[policy.allow]` in infra.toml accepts one, with a reason",
            ));
        }
    }
    Ok(())
}

/// Checks that each folder that a container mounts exists: the engine would make an empty one.
fn refuse_missing_data(project: &Project) -> Result<()> {
    let model = project.model()?;
    for (name, service) in model.active(&project.environment().profiles) {
        for mount in service.volumes.iter().filter(|mount| mount.kind == "bind") {
            let Some(source) = mount.source.as_deref().map(Utf8Path::new) else { continue };
            let is_ours = source.starts_with(project.state().path());
            if !is_ours && !source.exists() {
                let message = format!("service `{name}` mounts {source}, which does not exist");
                return Err(Error::new(Exit::Config, message)
                    .with_hint("create it, or restore it from a backup: the engine would mount an empty folder"));
            }
        }
    }
    Ok(())
}

/// Checks that the configuration of each proxy sends requests where its route file says: asks the proxy itself, in the
/// container that will be switched or in one that is removed again.
pub(super) fn check_routes(project: &Project, plan: &Plan, containers: &[Container]) -> Result<()> {
    for route in &plan.routes {
        // As it is until the switch: the name is not yet there, and need not be.
        if !route.file(project).exists() {
            route.write(project, None)?;
        }
        let runs = |it: &&Container| it.service == route.via && it.status == Status::Running;
        let call = match containers.iter().find(runs).filter(|_| plan.keeps(&route.via)) {
            Some(container) => Invocation::new("docker").args(["exec", &container.id]).args(route.proxy.print()),
            None => project.compose().call(["run", "--rm", "--no-deps", "-T", &route.via]).args(route.proxy.print()),
        };
        let configuration = match project.compose().change(project.runner(), &call) {
            Ok(Some(output)) => output.text(),
            Ok(None) => continue,
            Err(error) => {
                let message = format!("the configuration of `{}` is not valid: {}", route.via, proxy::words(&error));
                return Err(Error::new(Exit::Config, message).with_hint("correct it, and make a new release"));
            }
        };
        let file = std::fs::read_to_string(route.file(project)).unwrap_or_default();
        let address = file.trim().trim_start_matches("to ");
        if !route.proxy.uses(&configuration, &route.service, address) {
            let message = format!("the configuration of `{}` does not use the route of `{}`", route.via, route.service);
            let hint = format!("add {}", route.proxy.lines(&route.service));
            return Err(Error::new(Exit::Config, message).with_hint(hint));
        }
    }
    Ok(())
}
