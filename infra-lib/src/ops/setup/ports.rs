//! Moving published ports out of each other's way.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};

use serde_json::Value;

use crate::Secret;
use crate::compose::{self, Engine, Status};
use crate::dotenv::EnvFile;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::project::Project;

/// Writes a free port into the env file for each one that somebody else has and that is a variable in the compose file.
pub(super) fn free(project: &Project) -> Result<Vec<String>> {
    if Engine::is_remote() {
        return Ok(Vec::new());
    }
    let model = project.model()?;
    let containers = project.containers()?;
    let mut raw = None;
    let mut given = BTreeSet::new();
    let mut changes = Vec::new();
    for (name, service) in model.active(&project.environment().profiles) {
        if containers.iter().any(|container| container.service == name && container.status == Status::Running) {
            continue;
        }
        for port in &service.ports {
            let Some(taken) = compose::taken(project.compose(), project.runner(), port) else { continue };
            let raw = match &raw {
                Some(raw) => raw,
                None => raw.insert(uninterpolated(project)?),
            };
            let Some(variable) = variable_of(raw, name, port.target) else {
                return Err(Error::new(
                    Exit::Failed,
                    format!("port {} of service `{name}` is taken by {}", taken.port, taken.holder),
                )
                .with_hint(format!(
                    "stop that, or make the port a variable in the compose file: \"${{{}_PORT:-{}}}:{}\"",
                    name.to_uppercase().replace('-', "_"),
                    taken.port,
                    port.target
                )));
            };
            if std::env::var_os(&variable).is_some() {
                return Err(Error::new(
                    Exit::Failed,
                    format!(
                        "port {} of service `{name}` is taken by {}, and the shell sets {variable}",
                        taken.port, taken.holder
                    ),
                )
                .with_hint(format!("unset {variable} or give it another value")));
            }
            let port = free_port(&mut given)?;
            let file = project.environment().own_env_file(project.root());
            let what = format!(
                "moved `{name}` to port {port} ({variable} in {}): {} is taken by {}",
                file.file_name().unwrap_or_default(),
                taken.port,
                taken.holder
            );
            project.runner().apply(&what, || write(&file, &variable, port))?;
            changes.push(what);
        }
    }
    Ok(changes)
}

/// The model with its variables still in it.
fn uninterpolated(project: &Project) -> Result<Value> {
    let call = project.compose().call_all(["config", "--no-interpolate", "--format", "json"]);
    let output = project.compose().read(project.runner(), &call)?;
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Error::new(Exit::Failed, format!("`docker compose config` is not JSON: {error}")))
}

/// The variable that a service publishes a port by, such as `WEB_PORT` in `${WEB_PORT:-8080}:80`.
fn variable_of(raw: &Value, service: &str, target: u16) -> Option<String> {
    let ports = raw.get("services")?.get(service)?.get("ports")?.as_array()?;
    ports.iter().find_map(|port| {
        let published = match port {
            Value::String(short) => {
                let (published, inside) = short.rsplit_once(':')?;
                (inside.split('/').next()? == target.to_string()).then_some(published)?
            }
            long => (long.get("target")?.as_u64()? == u64::from(target)).then(|| long.get("published")?.as_str())??,
        };
        // The port is what stands last: an address before it may be a variable too.
        let (_, name) = published.rsplit_once("${").or_else(|| published.rsplit_once('$'))?;
        let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
        (end > 0).then(|| name[..end].to_owned())
    })
}

fn free_port(given: &mut BTreeSet<u16>) -> Result<u16> {
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port =
            listener.map_err(|error| Error::new(Exit::Io, format!("the system gives no free port: {error}")))?.port();
        if given.insert(port) {
            return Ok(port);
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_of_a_port_is_found_in_both_notations() {
        let raw = serde_json::json!({"services": {"web": {"ports": [
            "127.0.0.1:${WEB_PORT:-8080}:80", "9000:9000", {"target": 443, "published": "${TLS_PORT}"}, "${IP:-0.0.0.0}:$PLAIN:81/tcp"
        ]}}});
        assert_eq!(variable_of(&raw, "web", 80).as_deref(), Some("WEB_PORT"));
        assert_eq!(variable_of(&raw, "web", 443).as_deref(), Some("TLS_PORT"));
        assert_eq!(variable_of(&raw, "web", 81).as_deref(), Some("PLAIN"));
        assert_eq!(variable_of(&raw, "web", 9000), None);
    }
}
