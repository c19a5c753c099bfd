//! What all probes know before the first of them runs.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::thread;

use jiff::Timestamp;

use crate::compose::{ComposeError, Container, Engine, Model, Service, Status};
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::Check;

/// The project at one moment: its services and their containers, queried once.
pub(crate) struct Snapshot<'a> {
    pub(crate) project: &'a Project,
    /// The active services of this environment.
    pub(crate) services: BTreeMap<&'a str, &'a Service>,
    /// Their containers; `None` if the engine could not be queried or is not used.
    pub(crate) containers: Option<Vec<Container>>,
    pub(crate) now: Timestamp,
    /// Why the containers are unknown.
    pub(crate) trouble: Option<Check>,
    model: Option<&'a Model>,
    engine: OnceLock<Result<Engine, ComposeError>>,
}

impl<'a> Snapshot<'a> {
    /// Takes the snapshot. A wrong configuration is an error; an engine that does not answer is a finding.
    pub(crate) fn take(project: &'a Project) -> Result<Self> {
        let mut snapshot = Self::empty(project);
        if let Err(error) = snapshot.fill() {
            match error.exit() {
                Exit::Config | Exit::Usage | Exit::Signal(_) => return Err(error),
                _ => snapshot.trouble = Some(failure("engine", &Engine::address(), &error)),
            }
        }
        Ok(snapshot)
    }

    /// Takes the snapshot. Errors in the project's configuration are returned with it.
    pub(crate) fn take_anyway(project: &'a Project) -> (Self, Option<Error>) {
        let mut snapshot = Self::empty(project);
        let error = snapshot.fill().err();
        (snapshot, error)
    }

    fn empty(project: &'a Project) -> Self {
        Self {
            project,
            services: BTreeMap::new(),
            containers: None,
            now: Timestamp::now(),
            trouble: None,
            model: None,
            engine: OnceLock::new(),
        }
    }

    fn fill(&mut self) -> Result<()> {
        if !self.project.has_services() {
            return Ok(());
        }
        // Compose needs longer for its files than the engine for its answer.
        let (model, containers) = thread::scope(|scope| {
            let containers = scope.spawn(|| self.project.containers());
            (self.project.model(), containers.join())
        });
        let model = model?;
        self.model = Some(model);
        self.services = model.active(&self.project.environment().profiles);
        self.containers = Some(containers.unwrap_or_else(|panic| resume_unwind(panic))?);
        self.now = Timestamp::now();
        Ok(())
    }

    /// The compose model, where services run and it could be read.
    pub(crate) fn model(&self) -> Option<&'a Model> {
        self.model
    }

    /// The containers of a service that `run` did not make.
    pub(crate) fn containers_of<'s>(&'s self, service: &'s str) -> impl Iterator<Item = &'s Container> {
        let all = self.containers.iter().flatten();
        all.filter(move |container| container.service == service && !container.one_off)
    }

    /// Each running container of the services that are on, with its service.
    pub(crate) fn running(&self) -> impl Iterator<Item = (&'a Service, &Container)> {
        self.services.iter().flat_map(|(name, service)| {
            self.containers_of(name)
                .filter(|container| container.status == Status::Running)
                .map(|container| (*service, container))
        })
    }

    /// Whether any container of the services that are on has not ended.
    pub(super) fn has_live_containers(&self) -> bool {
        self.services.keys().any(|name| self.containers_of(name).any(|container| !container.status.is_down()))
    }

    /// Whether the engine could be asked and the project has containers on it.
    pub(crate) fn has_containers(&self) -> bool {
        self.containers.as_ref().is_some_and(|containers| !containers.is_empty())
    }

    /// The engine, queried once, on first use.
    pub(crate) fn engine(&self) -> Result<&Engine, &ComposeError> {
        self.engine.get_or_init(|| Engine::query(self.project.runner())).as_ref()
    }

    /// The text without secrets.
    pub(crate) fn clean(&self, text: &str) -> String {
        self.project.runner().redactor().clean(text)
    }
}

/// An error as a check that fails.
pub(crate) fn failure(kind: &'static str, target: &str, error: &Error) -> Check {
    let check = Check::fail(kind, target, super::one_line(&error.to_string()));
    match error.hint() {
        Some(hint) => check.with_hint(hint),
        None => check,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A snapshot of a project with nothing but this manifest and without services.
    pub(crate) fn in_project(manifest: &str, test: impl FnOnce(&Snapshot<'_>)) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("compose.yml"), "services: {}\n").unwrap();
        let manifest = format!("[compose]\nservices = \"none\"\n{manifest}");
        std::fs::write(dir.path().join("infra.toml"), manifest).unwrap();
        let project = Project::discover(dir.path()).unwrap();
        test(&Snapshot::take(&project).unwrap());
    }

    pub(crate) fn in_empty_project(test: impl FnOnce(&Snapshot<'_>)) {
        in_project("", test);
    }

    /// A snapshot of a project with this compose model, as Compose prints it, and these containers.
    pub(crate) fn in_stack(manifest: &str, model: &str, containers: Vec<Container>, test: impl FnOnce(&Snapshot<'_>)) {
        let model = Model::parse(model.as_bytes()).unwrap();
        in_project(manifest, |snapshot| {
            test(&Snapshot {
                project: snapshot.project,
                services: model.active(&[]),
                containers: Some(containers),
                now: Timestamp::now(),
                trouble: None,
                model: Some(&model),
                engine: OnceLock::from(Ok(engine())),
            });
        });
    }

    /// An engine with two cores, so that no test depends on the machine's own.
    fn engine() -> Engine {
        let json = r#"{"ID":"x","ServerVersion":"26.1.5","NCPU":2,"MemTotal":1073741824,"DockerRootDir":"/x"}"#;
        serde_json::from_str(json).unwrap()
    }

    /// A container that has run for an hour.
    pub(crate) fn container(service: &str) -> Container {
        let json = format!(
            r#"[{{"Id":"{service}-id","Name":"/x-{service}-1","Created":"2026-01-01T00:00:00Z",
                "State":{{"Status":"running"}},"HostConfig":{{"RestartPolicy":{{"Name":"no"}}}},
                "Config":{{"Image":"{service}","Labels":{{"com.docker.compose.service":"{service}"}}}},"NetworkSettings":{{}}}}]"#
        );
        let mut container = Container::parse_list(json.as_bytes()).unwrap().remove(0);
        container.started = Some(Timestamp::now() - jiff::SignedDuration::from_hours(1));
        container
    }
}
