//! The routed services: those that a proxy of the project sends requests to.

use std::collections::BTreeSet;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::compose::Service;
use crate::compose::software::ImageRef;
use crate::config::Period;
use crate::exit::Exit;
use crate::fs::atomic;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::proxy::Proxy;

/// The time between the switch and the stop signal, unless infra.toml says otherwise.
const DRAIN: Duration = Duration::from_secs(1);

/// A routed service.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) service: String,
    /// The proxy's service.
    pub(super) via: String,
    pub(super) proxy: Proxy,
    pub(super) port: u16,
    pub(super) drain: Duration,
    /// The networks that both are connected to.
    pub(super) networks: BTreeSet<String>,
}

/// The routes of `[deploy.routes]` whose services are active.
///
/// # Errors
///
/// If a service cannot run twice, or its proxy cannot reach it under another name.
pub(super) fn routes(project: &Project) -> Result<Vec<Route>> {
    let model = project.model()?;
    let active = model.active(&project.environment().profiles);
    let mut routes = Vec::new();
    for (name, stated) in &project.config().deploy.routes {
        let bad = |message: String, hint: &str| {
            Err(Error::new(Exit::Config, format!("`[deploy.routes.{name}]`: {message}")).with_hint(hint.to_owned()))
        };
        project.known_service(name)?;
        let (Some(service), Some(proxy)) = (active.get(name.as_str()), active.get(stated.proxy.as_str())) else {
            if model.services.contains_key(&stated.proxy) {
                continue;
            }
            return bad(format!("the service `{}` does not exist", stated.proxy), "`proxy` is the proxy's service");
        };
        if service.container_name.is_some() {
            return bad(
                "its container has a fixed name".to_owned(),
                "remove `container_name`: two run at the same time",
            );
        }
        if service.ports.iter().any(|port| port.host_port().is_some()) {
            return bad(
                "it publishes a port of the host".to_owned(),
                "remove it from `ports`: the proxy reaches the service by its network, and two run at the same time",
            );
        }
        let networks: BTreeSet<String> =
            service.networks.keys().filter(|network| proxy.networks.contains_key(*network)).cloned().collect();
        if networks.is_empty() {
            return bad(format!("it has no network in common with `{}`", stated.proxy), "connect both to one network");
        }
        let pinned = project.release().and_then(|running| running.release.images.get(&stated.proxy));
        let image =
            pinned.map_or_else(|| project.compose().image_name(&stated.proxy, proxy), |image| image.name.clone());
        let Some(kind) = Proxy::from_image(&ImageRef::parse(&image)).or_else(|| Proxy::from_name(&stated.proxy)) else {
            return bad(
                format!("`{}` runs {image}, which is neither nginx nor Caddy", stated.proxy),
                "remove the route: the service is then replaced in place, with a gap",
            );
        };
        let Some(port) = stated.port.or_else(|| only_port(service)) else {
            return bad("its port is not known".to_owned(), "write `port = …`");
        };
        let drain = stated.drain.map_or(DRAIN, Period::duration);
        let via = stated.proxy.clone();
        routes.push(Route { service: name.clone(), via, proxy: kind, port, drain, networks });
    }
    Ok(routes)
}

/// The only port of `expose`.
fn only_port(service: &Service) -> Option<u16> {
    match service.rest.get("expose")?.as_array()?.as_slice() {
        [port] => port.as_str().map_or_else(|| port.as_u64()?.try_into().ok(), |port| port.parse().ok()),
        _ => None,
    }
}

/// The folder with the route files of a proxy, which it mounts.
pub(super) fn folder(project: &Project, via: &str) -> Utf8PathBuf {
    project.state().path().join("upstreams").join(&project.environment().name).join(via)
}

impl Route {
    /// The name of the service's containers that this deploy made. Without one, the service's own.
    pub(super) fn host(&self, number: Option<u64>) -> String {
        match number {
            Some(number) => format!("{}-deploy-{number}", self.service),
            None => self.service.clone(),
        }
    }

    /// The file that names where requests go.
    pub(super) fn file(&self, project: &Project) -> Utf8PathBuf {
        folder(project, &self.via).join(format!("{}.{}", self.service, self.proxy.extension()))
    }

    /// Sends requests to the containers of this deploy, once the proxy reads the file again.
    pub(super) fn write(&self, project: &Project, number: Option<u64>) -> Result<()> {
        let path = self.file(project);
        let text = self.proxy.upstream(&self.service, &format!("{}:{}", self.host(number), self.port));
        if std::fs::read_to_string(&path).is_ok_and(|known| known == text) {
            return Ok(());
        }
        let folder = folder(project, &self.via);
        std::fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&folder, mode).map_err(Error::file("create", &folder))?;
        Ok(atomic::replace_public(&path, text.as_bytes())?)
    }
}
