//! The opened project.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};

use crate::cancel::CancelToken;
use crate::compose::identity;
use crate::compose::sources::Sources;
use crate::compose::yaml::YamlError;
use crate::compose::{Compose, ComposeError, Container, Engine, Model};
use crate::config::{Config, ServicesAxis};
use crate::consent::Consent;
use crate::dotenv::{EnvFile, Resolved, Variable, beside, looks_secret, resolve};
use crate::exec::{self, Runner};
use crate::exit::Exit;
use crate::failure::Failure as _;
use crate::project::error::{Error, Result};
use crate::release::Running;
use crate::report::Observer;
use crate::report::command::CommandPrefix;
use crate::secret::Secret;
use crate::state::StateDir;

use super::builder::{CommandLine, ProjectBuilder};
use super::environment::{Environment, Inputs, unreadable};
use super::name::{Name, configured_name, suffixed};
use super::record::Record;
use super::seen::Seen;
use super::source::{Source, read_release};
use super::{discover, environment_name};

/// A project opened in one environment, ready to run operations.
///
/// ```no_run
/// use infra_lib::{Project, ops::Start};
/// let project = Project::discover(".")?;
/// project.run(&Start::default())?;
/// # Ok::<(), infra_lib::Error>(())
/// ```
pub struct Project {
    root: Utf8PathBuf,
    manifest: Config,
    environment: Environment,
    variables: Resolved,
    compose: Compose,
    sources: Sources,
    /// Why Compose could not determine the project's name.
    nameless: Option<ComposeError>,
    state: StateDir,
    record: Option<Record>,
    runner: Runner,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) consent: Arc<dyn Consent>,
    pub(super) commands: CommandPrefix,
    model: OnceLock<Model>,
    pub(crate) seen: Seen,
    pub(super) command_line: Option<CommandLine>,
    pub(super) source: Source,
    running: Option<Running>,
}

impl Project {
    /// Opens the project that contains `dir`, in its default environment.
    pub fn discover(dir: impl Into<PathBuf>) -> Result<Self> {
        Self::builder(dir).open()
    }

    /// Returns a builder to open a project with options.
    pub fn builder(dir: impl Into<PathBuf>) -> ProjectBuilder {
        ProjectBuilder::new(dir.into())
    }

    pub(super) fn open(builder: ProjectBuilder) -> Result<Self> {
        let root =
            if builder.anywhere { discover::root_or_folder(&builder.dir)? } else { discover::root(&builder.dir)? };
        let mut manifest = environment_name::load_manifest(&root)?;
        if builder.anywhere {
            manifest.compose.files.extend(discover::elsewhere(&root)?);
        }
        let runner = Runner::new(Some(root.as_std_path()), builder.observer.clone(), builder.cancel, builder.dry_run)
            .keep_stdout(builder.keep_stdout)
            .note_withheld_in(builder.withheld);
        let state = StateDir::new(&root);
        let record: Option<Record> = builder.record.or_else(|| state.read(Record::FILE));

        // Only the project's own `.env` may configure Compose; COMPOSE_* from the shell could redirect us.
        let settings = identity::settings(&[&root])?;
        let mut compose = Compose {
            program: Compose::program(&runner),
            project: String::new(),
            directory: root.clone(),
            files: Vec::new(),
            env_files: Vec::new(),
            profiles: Vec::new(),
            address: Engine::address(),
        };
        let mut environment = {
            let stands_alone = |files: &[Utf8PathBuf]| {
                let directory = identity::directory(&root, files);
                let probe =
                    Compose { project: "probe".to_owned(), directory, files: files.to_vec(), ..compose.clone() };
                Ok(probe.stands_alone(&runner)?)
            };
            let requested = builder.environment.as_deref();
            let (manifest, settings) = (&manifest, &settings);
            Environment::resolve(&Inputs { root: &root, manifest, requested, settings, stands_alone: &stands_alone })?
        };
        let running = builder.source.running(&state, &environment.name);
        if let Some(running) = &running {
            manifest = read_release(running, &mut environment)?;
        }
        if let Some(own) = manifest.environments.get(&environment.name).and_then(|stated| stated.database.clone()) {
            manifest.database = own;
        }
        let files = environment.env_files.iter().map(EnvFile::read).collect::<std::result::Result<Vec<_>, _>>()?;
        files.iter().try_for_each(refuse_duplicates)?;
        let variables = resolve(&files, exec::inherited)?;
        let learn = |variable: &Variable| learn(&runner, &manifest, variable);
        variables.variables().iter().for_each(learn);

        let released = running.as_ref().map(|running| root.join(&running.release.directory));
        compose.directory = released.unwrap_or_else(|| identity::directory(&root, &environment.files));
        let sources = Sources::read(&root, &compose.directory, &environment.files, &variables);
        // Compose would spend minutes expanding it.
        if let Some((_, YamlError::TooLarge { .. })) = sources.error() {
            return Err(unreadable(&root, &sources).unwrap_or_else(|| Error::new(Exit::Config, "too large")));
        }
        for named in sources.env_files() {
            let is_new = !environment.expected_env_files.contains(&named.path);
            if is_new && !environment.service_env_files.contains(&named.path) {
                environment.service_env_files.push(named.path);
            }
        }
        for file in environment.service_env_files.iter().filter(|path| path.is_file()) {
            let file = EnvFile::read(file)?;
            refuse_duplicates(&file)?;
            // Compose and `env check` report references that cannot be resolved.
            beside(&files, &file, exec::inherited).unwrap_or_default().iter().for_each(learn);
        }

        compose.files.clone_from(&environment.files);
        compose.env_files.clone_from(&environment.env_files);
        compose.profiles.clone_from(&environment.profiles);
        let settings = identity::settings(&[&compose.directory, &root])?;
        let configured = configured_name(&manifest, &environment, record.as_ref(), &settings)?;
        let mut nameless = None;
        compose.project = match configured {
            Name::Complete(name) => name,
            Name::Base(name) => suffixed(name, &environment),
            Name::Declared => {
                let name = compose.declared_name(&runner, sources.name(), &variables, &state);
                let name = name.unwrap_or_else(|error| {
                    nameless = Some(error);
                    identity::normalise(compose.directory.file_name().unwrap_or_default())
                });
                suffixed(name, &environment)
            }
        };
        Ok(Self {
            root,
            manifest,
            environment,
            variables,
            compose,
            sources,
            nameless,
            state,
            record,
            runner,
            observer: builder.observer,
            consent: builder.consent,
            commands: builder.commands,
            model: OnceLock::new(),
            seen: Seen::default(),
            command_line: builder.command_line,
            source: builder.source,
            running,
        })
    }

    /// The project's root folder.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The name of the compose project in this environment.
    pub fn name(&self) -> &str {
        &self.compose.project
    }

    /// Whether it was opened from a certain release, as in the middle of a deploy.
    pub(crate) fn is_deploying(&self) -> bool {
        matches!(self.source, Source::Release(_))
    }

    /// The release that the files were read from, if not from the checkout.
    pub(crate) fn release(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    /// The configuration from `infra.toml`. If the environment has its own database, that replaces `[database]`.
    pub fn config(&self) -> &Config {
        &self.manifest
    }

    /// The environment the project was opened in.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The variables of the env files and the shell, resolved.
    pub(crate) fn variables(&self) -> &Resolved {
        &self.variables
    }

    /// The value of a variable from the env files or the caller's environment.
    pub fn variable(&self, key: &str) -> Option<Secret> {
        let own = self.variables.get(key).map(|variable| variable.value.clone());
        own.or_else(|| std::env::var(key).ok().map(Secret::new))
    }

    /// The Compose command line for this project.
    pub(crate) fn compose(&self) -> &Compose {
        &self.compose
    }

    /// The compose files as written, before interpolation.
    pub(crate) fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Returns an error if the compose files cannot be read, or if Compose cannot determine the project's name.
    pub(crate) fn require_identity(&self) -> Result<()> {
        if let Some(error) = unreadable(&self.root, &self.sources) {
            return Err(error);
        }
        match &self.nameless {
            Some(error) => Err(Error::new(error.exit(), error.to_string())
                .with_hint(error.hint().unwrap_or_else(|| "set the variables of `name:`".to_owned()))),
            None => Ok(()),
        }
    }

    /// The state folder `.infra/`.
    pub(crate) fn state(&self) -> &StateDir {
        &self.state
    }

    /// The state folder `.infra/`, created with mode 0700 if missing.
    pub fn state_folder(&self) -> Result<&Utf8Path> {
        Ok(self.state.ensure()?)
    }

    /// The choices recorded by `setup`, if it has run.
    pub(crate) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// The runner that starts external programs.
    pub(crate) fn runner(&self) -> &Runner {
        &self.runner
    }

    /// How the program was called. Commands in hints start with this prefix.
    pub(crate) fn commands(&self) -> &CommandPrefix {
        &self.commands
    }

    /// The token that cancels a running operation.
    pub fn cancel(&self) -> &CancelToken {
        self.runner.cancel()
    }

    /// Whether services run under Compose: as pinned, else as chosen by `setup`, else yes.
    pub(crate) fn services(&self) -> ServicesAxis {
        let recorded = self.record.as_ref().map(|record| record.services);
        self.manifest.compose.services.or(recorded).unwrap_or(ServicesAxis::Compose)
    }

    /// Whether this project runs its services under Compose.
    pub(crate) fn has_services(&self) -> bool {
        self.services() == ServicesAxis::Compose && !self.compose.files.is_empty()
    }

    /// The resolved compose model, read once and cached.
    pub(crate) fn model(&self) -> Result<&Model> {
        if let Some(model) = self.model.get() {
            return Ok(model);
        }
        self.require_env_file()?;
        let mut model = self.compose.model(&self.runner).map_err(|error| match (&error, self.expect_env_file()) {
            (ComposeError::Invalid { message }, Err(missing)) => {
                Error::new(Exit::Config, format!("{missing}, and the compose files need it: {message}"))
                    .with_hint(missing.hint().unwrap_or_default())
            }
            _ => error.into(),
        })?;
        // A release pins ids. Their names say what the images contain.
        for (name, image) in self.running.iter().flat_map(|running| &running.release.images) {
            if let Some(service) = model.services.get_mut(name) {
                service.image = Some(image.name.clone());
            }
        }
        let variables = model.services.values().flat_map(|service| &service.environment);
        for (_, value) in variables.filter(|(key, _)| looks_secret(key)) {
            self.runner.redactor().learn(&Secret::new(value.clone().unwrap_or_default()));
        }
        Ok(self.model.get_or_init(|| model))
    }

    /// Returns an error if a command line cannot run unattended.
    pub(crate) fn check_command(&self, words: &[String]) -> Result<()> {
        self.command_line.map_or(Ok(()), |line| (line.check)(self, words))
    }

    /// The names of all commands, which no task can have.
    pub(crate) fn command_names(&self) -> Vec<&'static str> {
        self.command_line.map(|line| (line.names)()).unwrap_or_default()
    }

    /// This project's containers. Containers of a project with the same name in another folder are an error.
    pub fn containers(&self) -> Result<Vec<Container>> {
        self.require_identity()?;
        let containers = self.compose.containers(&self.runner)?;
        if let Some(foreign) = containers.iter().find(|container| !self.is_own(container)) {
            return Err(
                ComposeError::Foreign { project: self.name().to_owned(), owner: foreign.working_dir.clone() }.into()
            );
        }
        Ok(containers)
    }

    /// Whether a container was started from this project's folder.
    pub(crate) fn is_own(&self, container: &Container) -> bool {
        self.is_own_folder(&container.working_dir)
    }
}

/// Masks the value of a variable from now on, if it is a secret.
fn learn(runner: &Runner, manifest: &Config, Variable { key, value, .. }: &Variable) {
    if looks_secret(key) || manifest.env.get(key).is_some_and(|rule| rule.generate.is_some()) {
        runner.redactor().learn(value);
    }
}

/// Rejects duplicate keys: every reader uses the last one, so editing the first has no effect.
fn refuse_duplicates(file: &EnvFile) -> Result<()> {
    let Some((key, lines)) = file.duplicates().into_iter().next() else { return Ok(()) };
    let lines = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    Err(Error::new(Exit::Config, format!("{}: duplicate key {key} (lines {lines})", file.path()))
        .with_hint("keep one of them; Compose uses the last"))
}

impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Project")
            .field("root", &self.root)
            .field("environment", &self.environment.name)
            .finish_non_exhaustive()
    }
}
