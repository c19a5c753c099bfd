//! What every rule checks.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::dockerfile::{Dockerfile, Stage};
use crate::compose::software;
use crate::compose::sources::{Place, Sources, lexical};
use crate::compose::yaml::Tree;
use crate::compose::{Model, Service};
use crate::dotenv::interpolate;
use crate::project::Project;
use crate::project::environment_name::EnvironmentName;
use crate::project::error::Result;

use super::finding::{PolicyFinding, Rule};
use super::resolved;

/// The project in the environment that is checked.
pub(super) struct Context<'a> {
    pub(super) project: &'a Project,
    pub(super) model: Model,
    /// Whether production's rules apply.
    pub(super) production: bool,
    /// Whether templates replaced missing env files.
    pub(super) from_templates: bool,
    /// The compose files as written.
    pub(super) sources: &'a Sources,
    builds: BTreeMap<String, BuiltFrom>,
}

/// The Dockerfile of a service.
pub(super) struct BuiltFrom {
    pub(super) path: Utf8PathBuf,
    pub(super) context: Utf8PathBuf,
    pub(super) file: Dockerfile,
    stage: Option<usize>,
    /// What the Dockerfile's `--from` may name besides stages and images.
    contexts: BTreeMap<String, String>,
}

impl BuiltFrom {
    /// The stage that runs, and those that it is based on.
    pub(super) fn chain(&self) -> Vec<&Stage> {
        self.stage.map(|stage| self.file.chain(stage)).unwrap_or_default()
    }

    /// The external images that it is built from; its base image comes last in its chain.
    pub(super) fn images(&self) -> Vec<(&str, usize)> {
        let named = self.stage.map(|stage| self.file.images(stage)).unwrap_or_default();
        let image = |(name, line)| match self.contexts.get(name) {
            None => Some((name, line)),
            // A folder or a repository is not an image.
            Some(context) => context.strip_prefix("docker-image://").map(|image| (image, line)),
        };
        named.into_iter().filter_map(image).collect()
    }
}

impl<'a> Context<'a> {
    pub(super) fn new(project: &'a Project) -> Result<Self> {
        let environment = project.environment();
        let sources = project.sources();
        let (model, from_templates) = resolved::model(project, sources)?;
        let production = environment.protected || EnvironmentName::from_text(&environment.name).is_production();
        let builds = model.services.iter().filter_map(|(name, service)| Some((name.clone(), built_from(service)?)));
        let builds = builds.collect();
        Ok(Self { project, model, production, from_templates, sources, builds })
    }

    /// The services that run in this environment, by name.
    pub(super) fn services(&self) -> BTreeMap<&str, &Service> {
        self.model.active(&self.project.environment().profiles)
    }

    /// The Dockerfile of a service that is built here.
    pub(super) fn built(&self, service: &str) -> Option<&BuiltFrom> {
        self.builds.get(service)
    }

    /// Whether a service is a job: others wait for its end, or it is only run by hand.
    pub(super) fn is_job(&self, name: &str) -> bool {
        use crate::compose::Condition::Completed;
        let awaited = |service: &&Service| {
            service.depends_on.get(name).is_some_and(|dependency| dependency.condition == Completed)
        };
        self.model.services.values().any(|service| awaited(&service))
    }

    /// Whether a service stores data for others: by its image or that image's base, or because infra.toml says so.
    pub(super) fn is_database(&self, name: &str, service: &Service) -> bool {
        self.project.config().database.service.as_deref() == Some(name) || software::is_database(service)
    }

    /// Whether a service is a proxy for others: as `[policy] proxy` says, else by its name or image.
    pub(super) fn is_proxy(&self, name: &str, service: &Service) -> bool {
        const PROXIES: [&str; 9] =
            ["nginx", "caddy", "traefik", "haproxy", "envoy", "proxy", "gateway", "ingress", "httpd"];
        let stated = &self.project.config().policy.proxy;
        if !stated.is_empty() {
            return stated.iter().any(|stated| stated == name);
        }
        let image = software::repository(service).unwrap_or_default();
        PROXIES.iter().any(|proxy| name.contains(proxy) || service.build.is_none() && image.contains(proxy))
    }

    /// A text of a compose file as Compose fills it in.
    pub(super) fn filled(&self, text: &str) -> String {
        let lookup = |name: &str| self.project.variable(name).map(|value| value.expose().to_owned());
        interpolate(text, lookup).map_or_else(|_| text.to_owned(), |filled| filled.value.to_string())
    }

    /// A field of a list's item as Compose fills it in.
    pub(super) fn field(&self, tree: &Tree, item: usize, key: &str) -> Option<String> {
        tree.entry(item, key).and_then(|(_, id)| tree.text(id)).map(|text| self.filled(text))
    }

    /// A path as it is reported.
    pub(super) fn display(&self, path: &Utf8Path) -> String {
        path.strip_prefix(self.project.root()).unwrap_or(path).to_string()
    }

    /// A line of a file.
    pub(super) fn place(&self, path: &Utf8Path, line: impl Into<Option<usize>>) -> Place {
        Place { file: self.display(path), line: line.into() }
    }
}

/// The Dockerfile of a service, if it is on this machine.
fn built_from(service: &Service) -> Option<BuiltFrom> {
    let build = service.build.as_ref()?;
    let context = Utf8PathBuf::from(build.context.as_deref()?);
    let path = lexical(&build.dockerfile_path()?);
    let text = std::fs::read_to_string(&path).ok()?;
    let file = Dockerfile::parse(&text, &build.args);
    let stage = file.stage(build.target.as_deref());
    Some(BuiltFrom { path, context, file, stage, contexts: build.additional_contexts.clone() })
}

/// Collects findings.
pub(super) struct Findings {
    production: bool,
    pub(super) list: Vec<PolicyFinding>,
}

impl Findings {
    pub(super) fn new(production: bool) -> Self {
        Self { production, list: Vec::new() }
    }

    /// Records a violation of a rule, once for each place.
    pub(super) fn add<'s>(
        &mut self,
        rule: &Rule,
        service: impl Into<Option<&'s str>>,
        place: Place,
        message: impl Into<String>,
    ) {
        let Some(severity) = (if self.production { rule.production } else { rule.development }) else { return };
        let finding = PolicyFinding {
            code: rule.code,
            severity,
            service: service.into().map(str::to_owned),
            file: place.file,
            line: place.line,
            message: message.into(),
            why: rule.why,
            fix: rule.fix,
            allowed: None,
        };
        if !self.list.contains(&finding) {
            self.list.push(finding);
        }
    }
}
