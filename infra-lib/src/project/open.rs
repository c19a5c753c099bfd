//! The project itself.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::Secret;
use crate::compose::{Compose, ComposeError, Container, Engine, Model, declared_name};
use crate::consent::Consent;
use crate::dotenv::{EnvFile, Resolved, Variable, beside, looks_secret, resolve};
use crate::error::{Error, Result};
use crate::exec::{self, CancelToken, Runner};
use crate::exit::Exit;
use crate::journal;
use crate::manifest::{Manifest, ServicesAxis};
use crate::operation::{Operation, Outcome};
use crate::report::Observer;
use crate::schedule;
use crate::state::StateDir;

use super::builder::ProjectBuilder;
use super::environment::{Environment, Probe};
use super::record::Record;
use super::{discover, naming};

/// A project in one of its environments, opened to run operations on.
///
/// ```no_run
/// use infra_lib::{Project, ops::Start};
/// let project = Project::discover(".")?;
/// project.run(&Start::default())?;
/// # Ok::<(), infra_lib::Error>(())
/// ```
pub struct Project {
    root: Utf8PathBuf,
    manifest: Manifest,
    environment: Environment,
    variables: Resolved,
    compose: Compose,
    state: StateDir,
    record: Option<Record>,
    runner: Runner,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) consent: Arc<dyn Consent>,
    model: OnceLock<Model>,
}

impl Project {
    /// Opens the project that `dir` belongs to, in its default environment.
    pub fn discover(dir: impl Into<PathBuf>) -> Result<Self> {
        Self::builder(dir).open()
    }

    /// Opens with options.
    pub fn builder(dir: impl Into<PathBuf>) -> ProjectBuilder {
        ProjectBuilder::new(dir.into())
    }

    pub(super) fn open(builder: ProjectBuilder) -> Result<Self> {
        let root =
            if builder.anywhere { discover::root_or_folder(&builder.dir)? } else { discover::root(&builder.dir)? };
        let mut manifest = Manifest::load(&root)?;
        let runner = Runner::new(Some(root.as_std_path()), builder.observer.clone(), builder.cancel, builder.dry_run)
            .keep_stdout(builder.keep_stdout)
            .note_withheld_in(builder.withheld);
        let state = StateDir::of(&root);
        let record: Option<Record> = builder.record.or_else(|| state.read(Record::FILE));

        let base_env = match EnvFile::read(root.join(".env")) {
            Ok(file) => resolve(&[file], exec::inherited)?,
            Err(_) => Resolved::default(),
        };
        // What the project's own `.env` says about Compose counts; the shell's COMPOSE_* could redirect us.
        let base = |key: &str| base_env.value(key).map(str::to_owned);
        let mut compose = Compose {
            program: Compose::program(&runner),
            project: String::new(),
            directory: root.clone(),
            files: Vec::new(),
            env_files: Vec::new(),
            profiles: Vec::new(),
            address: Engine::address(),
        };
        let environment = Environment::resolve(
            &root,
            &manifest,
            builder.environment.as_deref(),
            &base,
            &Ask { compose: &compose, runner: &runner },
        )?;
        if let Some(own) = manifest.environments.get(&environment.name).and_then(|stated| stated.database.clone()) {
            manifest.database = own;
        }
        let files = environment.env_files.iter().map(EnvFile::read).collect::<std::result::Result<Vec<_>, _>>()?;
        files.iter().try_for_each(refuse_duplicates)?;
        let variables = resolve(&files, exec::inherited)?;
        for Variable { key, value, .. } in variables.variables() {
            if looks_secret(key) || manifest.env.get(key).is_some_and(|rule| rule.generate.is_some()) {
                runner.redactor().learn(value);
            }
        }

        for file in environment.service_env_files.iter().filter(|path| path.is_file()) {
            let file = EnvFile::read(file)?;
            refuse_duplicates(&file)?;
            // A reference that cannot be filled in is told by Compose, and by `env check`.
            for Variable { key, value, .. } in &beside(&files, &file, exec::inherited).unwrap_or_default() {
                if looks_secret(key) || manifest.env.get(key).is_some_and(|rule| rule.generate.is_some()) {
                    runner.redactor().learn(value);
                }
            }
        }

        compose.files.clone_from(&environment.files);
        compose.env_files.clone_from(&environment.env_files);
        compose.profiles.clone_from(&environment.profiles);
        compose.project = project_name(&root, &manifest, &environment, record.as_ref(), &base);
        Ok(Self {
            root,
            manifest,
            environment,
            variables,
            compose,
            state,
            record,
            runner,
            observer: builder.observer,
            consent: builder.consent,
            model: OnceLock::new(),
        })
    }

    /// Runs an operation, and writes into the journal how it ended.
    pub fn run<O: Operation>(&self, operation: &O) -> Result<O::Outcome> {
        let began = (Timestamp::now(), Instant::now());
        let result = self.runner.cancel().check().map_err(Error::from).and_then(|()| operation.run(self));
        let job = schedule::runs::current();
        if (operation.is_journaled() || job.is_some()) && !self.runner.is_dry_run() {
            let error = result.as_ref().err().map(|error| self.runner.redactor().clean(&error.to_string()));
            let exit = result.as_ref().map_or_else(Error::exit, Outcome::exit);
            let entry = journal::Entry::new(began.0, O::NAME, &self.environment.name, began.1.elapsed(), exit, error);
            // The operation's result stands, whether or not it could be noted.
            let noted = if operation.is_journaled() { entry.append(&self.state) } else { Ok(()) };
            let noted = noted.and(job.map_or(Ok(()), |id| schedule::runs::note(&self.state, &id, &entry)));
            if let Err(error) = noted {
                self.warn(format_args!("the journal was not written: {error}"));
            }
        }
        result
    }

    /// Its folder.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The compose project's name in this environment.
    pub fn name(&self) -> &str {
        &self.compose.project
    }

    /// What `infra.toml` says; an environment's own database stands in the place of `[database]`.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The environment that was asked for.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The variables of the env files and the shell.
    pub fn variables(&self) -> &Resolved {
        &self.variables
    }

    /// A variable of the env files, or of the caller's environment.
    pub fn variable(&self, key: &str) -> Option<Secret> {
        let own = self.variables.get(key).map(|variable| variable.value.clone());
        own.or_else(|| std::env::var(key).ok().map(Secret::new))
    }

    /// How Compose is called.
    pub fn compose(&self) -> &Compose {
        &self.compose
    }

    /// The folder `.infra/`.
    pub fn state(&self) -> &StateDir {
        &self.state
    }

    /// What `setup` chose, once it has.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// What runs programs.
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// What stops a running operation.
    pub fn cancel(&self) -> &CancelToken {
        self.runner.cancel()
    }

    /// Whether services run under Compose here: what was pinned, else what `setup` chose, else yes.
    pub fn services(&self) -> ServicesAxis {
        let recorded = self.record.as_ref().map(|record| record.services);
        self.manifest.compose.services.or(recorded).unwrap_or(ServicesAxis::Compose)
    }

    /// Whether services run under Compose here.
    pub fn has_services(&self) -> bool {
        self.services() == ServicesAxis::Compose && !self.compose.files.is_empty()
    }

    /// The compose model, read once.
    pub fn model(&self) -> Result<&Model> {
        if let Some(model) = self.model.get() {
            return Ok(model);
        }
        self.require_env_file()?;
        let model = self.compose.model(&self.runner)?;
        let variables = model.services.values().flat_map(|service| &service.environment);
        for (_, value) in variables.filter(|(key, _)| looks_secret(key)) {
            self.runner.redactor().learn(&Secret::new(value.clone().unwrap_or_default()));
        }
        Ok(self.model.get_or_init(|| model))
    }

    /// This project's containers. Those of a project of the same name in another folder are an error.
    pub fn containers(&self) -> Result<Vec<Container>> {
        let containers = self.compose.containers(&self.runner)?;
        if let Some(foreign) = containers.iter().find(|container| !self.is_own(container)) {
            return Err(
                ComposeError::Foreign { project: self.name().to_owned(), owner: foreign.working_dir.clone() }.into()
            );
        }
        Ok(containers)
    }

    /// Whether a container was started from this folder.
    pub(crate) fn is_own(&self, container: &Container) -> bool {
        container.working_dir.is_empty() || Utf8Path::new(&container.working_dir) == self.root
    }
}

/// A key that stands twice: every reader takes the last, and whoever edits the first wonders.
fn refuse_duplicates(file: &EnvFile) -> Result<()> {
    let Some((key, lines)) = file.duplicates().into_iter().next() else { return Ok(()) };
    let lines = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    Err(Error::new(Exit::Config, format!("{}: {key} stands there more than once, in lines {lines}", file.path()))
        .with_hint("keep one of them; Compose takes the last"))
}

/// Inference's questions to Compose.
struct Ask<'a> {
    compose: &'a Compose,
    runner: &'a Runner,
}

impl Ask<'_> {
    fn over(&self, files: &[Utf8PathBuf]) -> Compose {
        Compose { project: "probe".to_owned(), files: files.to_vec(), ..self.compose.clone() }
    }
}

impl Probe for Ask<'_> {
    fn profiles(&self, files: &[Utf8PathBuf]) -> Vec<String> {
        if files.is_empty() {
            return Vec::new();
        }
        let call = self.over(files).call(["config", "--no-interpolate", "--profiles"]);
        self.runner.read(&call).map(|output| output.text().lines().map(str::to_owned).collect()).unwrap_or_default()
    }

    fn stands_alone(&self, files: &[Utf8PathBuf]) -> bool {
        // Without its variables, Compose does not look whether each service has something to run.
        self.over(files).raw_model(self.runner).is_ok_and(|model| model.is_complete())
    }
}

/// The name under which Compose knows the project: environments other than the default one have a name of their own,
/// hence their own containers, networks and volumes.
fn project_name(
    root: &Utf8Path,
    manifest: &Manifest,
    environment: &Environment,
    record: Option<&Record>,
    base: &dyn Fn(&str) -> Option<String>,
) -> String {
    let stated = |name: &String| match name.strip_prefix("env:") {
        Some(key) => base(key).or_else(|| std::env::var(key).ok()).filter(|name| !name.is_empty()),
        None => Some(name.clone()),
    };
    let own = manifest.environments.get(&environment.name).and_then(|settings| settings.project_name.as_ref());
    if let Some(name) = own.and_then(stated) {
        return name;
    }
    let name = record
        .and_then(|record| record.project_name.clone())
        .or_else(|| manifest.project.name.as_ref().and_then(stated))
        .or_else(|| base("COMPOSE_PROJECT_NAME"))
        .or_else(|| declared_name(&environment.files).filter(|name| !name.contains('$')))
        .unwrap_or_else(|| naming::normalise(root.file_name().unwrap_or_default()));
    if environment.is_default { name } else { format!("{name}-{}", naming::normalise(&environment.name)) }
}

impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Project")
            .field("root", &self.root)
            .field("environment", &self.environment.name)
            .finish_non_exhaustive()
    }
}
