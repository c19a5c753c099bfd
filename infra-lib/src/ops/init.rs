//! `init`

mod convert;
mod gitignore;
mod text;

use std::fmt;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::compose::Compose;
use crate::compose::identity;
use crate::compose::sources::Sources;
use crate::config::{self, Config};
use crate::dotenv::EnvFile;
use crate::exit::Exit;
use crate::ops::makefile::FromMakefile;
use crate::postgres::PostgresError;
use crate::project::environment::overlay_candidates;
use crate::project::environment_name::EnvironmentName;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::project::{Project, environment_names, template_of};

use text::{Findings, Overlay};

/// Write an infra.toml for an existing project.
///
/// It contains as little as possible: what the compose files and folders already say is not repeated. An existing file
/// is never overwritten. The env files, `.infra/` and `backups/` are added to `.gitignore` unless they are already
/// ignored. A Makefile is read, never run: its targets become commands or tasks, and what cannot be converted is
/// listed.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Init {
    /// Convert the targets of this Makefile to tasks.
    #[cfg_attr(feature = "cli", arg(long, value_name = "MAKEFILE"))]
    pub from: Option<Utf8PathBuf>,
}

/// The result of `init`: the new `infra.toml`, or what to add to an existing one.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct InitReport {
    /// The path of the project's `infra.toml`.
    pub file: Utf8PathBuf,
    /// The text of the file, or what to add to it if it already exists.
    pub text: String,
    /// Whether it was written: not in a dry run, and not over a file that is there.
    pub written: bool,
    /// What was added to `.gitignore`, or would be.
    pub ignored: Vec<String>,
    /// What the Makefile becomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub makefile: Option<FromMakefile>,
}

impl Operation for Init {
    const NAME: &'static str = "init";
    const GROUP: Group = Group::General;
    const ANYWHERE: bool = true;
    type Outcome = InitReport;

    fn run(&self, project: &Project) -> Result<InitReport> {
        let file = project.root().join(config::FILE_NAME);
        let makefile = self.from.as_ref().map(|from| convert::convert(project, &located(project, from))).transpose()?;
        if file.symlink_metadata().is_ok() {
            let Some(makefile) = makefile else {
                return Err(Error::new(Exit::CannotCreate, format!("{file} already exists"))
                    .with_hint("edit it, or move it away first"));
            };
            // Nothing is written, but what there is to add can be.
            let text = makefile.text(|name| project.config().tasks.contains_key(name));
            Config::parse(&file, &text)?;
            return Ok(InitReport { file, text, written: false, ignored: Vec::new(), makefile: Some(makefile) });
        }
        let tasks = makefile.as_ref().map(|makefile| makefile.text(|_| false)).unwrap_or_default();
        let mut found = findings(project);
        if let Some(FromMakefile { settings, .. }) = &makefile {
            found.name.take_if(|_| settings.project.name.is_some());
            found.elsewhere.take_if(|_| !settings.compose.files.is_empty());
            found.overlays.retain(|overlay| !settings.environments.contains_key(&overlay.environment));
        }
        let text = text::write(&found) + &tasks;
        // What is written must be what the next command can read.
        Config::parse(&file, &text)?;
        let ignored = gitignore::missing(project);
        if makefile.is_some() && project.runner().is_dry_run() {
            // The text is what somebody wants to see of it.
            return Ok(InitReport { file, text, written: false, ignored, makefile });
        }
        project.runner().apply(format_args!("write {file}"), || create(&file, &text))?;
        if !ignored.is_empty() {
            let path = project.root().join(".gitignore");
            let what = format!("add {} to {path}", ignored.join(", "));
            project.runner().apply(what, || gitignore::append(&path, &ignored))?;
        }
        Ok(InitReport { file, text, written: true, ignored, makefile })
    }
}

/// A Makefile's path is relative to the working directory, or to the project's folder.
fn located(project: &Project, path: &Utf8Path) -> Utf8PathBuf {
    if path.exists() { path.to_owned() } else { project.root().join(path) }
}

fn create(file: &Utf8Path, text: &str) -> Result<()> {
    let created = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
    created.and_then(|mut open| open.write_all(text.as_bytes())).map_err(Error::file("write", file))
}

/// What can be found out; what cannot be asked is simply not found.
fn findings(project: &Project) -> Findings {
    let root = project.root();
    let names = environment_names::environments(root, project.config());
    let files = match &project.config().compose.files[..] {
        [] => identity::files(root, project.variables()),
        _ => project.environment().files.clone(),
    };
    let mut findings = Findings {
        name: (!says_its_name(project)).then(|| project.name().to_owned()),
        files: files.iter().map(|path| path.strip_prefix(root).unwrap_or(path).to_string()).collect(),
        elsewhere: project.config().compose.files.first().map(ToString::to_string),
        environments: names.iter().cloned().collect(),
        has_url: project.variable(DATABASE_URL).is_some() || template_has(project, DATABASE_URL),
        ..Findings::default()
    };
    if let Ok(model) = project.model() {
        findings.services = model.services.keys().cloned().collect();
    }
    match project.database() {
        Ok(database) => findings.database = Some((database.name, database.place)),
        Err(error) => {
            if let Some(PostgresError::Ambiguous { candidates }) = error.downcast_ref() {
                findings.candidates.clone_from(candidates);
            }
        }
    }
    findings.overlays = names.iter().filter_map(|name| overlay(project, name, &files)).collect();
    findings
}

const DATABASE_URL: &str = "DATABASE_URL";

/// Whether the template of the env file has this variable.
fn template_has(project: &Project, key: &str) -> bool {
    let template = template_of(&project.environment().own_env_file);
    EnvFile::read(&template).is_ok_and(|file| file.entry(key).is_some())
}

/// Whether the compose project's name is stated somewhere, and not only the folder's.
fn says_its_name(project: &Project) -> bool {
    project.sources().name().is_some() || project.variables().get("COMPOSE_PROJECT_NAME").is_some()
}

/// An environment's file that could be an overlay or a project of its own; it is one if it has every service.
fn overlay(project: &Project, environment: &str, base: &[Utf8PathBuf]) -> Option<Overlay> {
    let folder = identity::directory(project.root(), base);
    let candidates = overlay_candidates(&folder, &EnvironmentName::from_text(environment));
    let own = candidates.iter().find(|file| !base.contains(file))?;
    let alone = services(project, std::slice::from_ref(own))?;
    let all = services(project, base)?;
    let name = |path: &Utf8PathBuf| path.strip_prefix(project.root()).unwrap_or(path).to_string();
    let stands_alone = all.iter().all(|service| alone.contains(service));
    let base = if stands_alone { &[] } else { base };
    let files = base.iter().chain([own]).map(name).collect();
    let is_default = environment == environment_names::default_environment(project.config());
    Some(Overlay { environment: environment.to_owned(), files, stands_alone, is_default })
}

/// The services that these files have, if they are a valid project by themselves.
fn services(project: &Project, files: &[Utf8PathBuf]) -> Option<std::collections::BTreeSet<String>> {
    let directory = identity::directory(project.root(), files);
    let sources = Sources::read(project.root(), &directory, files, project.variables());
    let probe = Compose { project: "probe".to_owned(), files: files.to_vec(), directory, ..project.compose().clone() };
    let is_valid = !files.is_empty() && probe.stands_alone(project.runner()).ok()?;
    is_valid.then(|| sources.services())
}

impl Outcome for InitReport {
    /// Nothing was to be written in a dry run; a file that is there is a no.
    fn exit(&self) -> Exit {
        if !self.written && self.file.symlink_metadata().is_ok() { Exit::CannotCreate } else { Exit::Ok }
    }

    fn next(&self) -> Vec<String> {
        vec!["cargo xtask describe".to_owned(), "cargo xtask setup".to_owned()]
    }
}

impl fmt::Display for InitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.written, self.exit()) {
            (true, _) => write!(f, "wrote {}", self.file)?,
            (false, Exit::Ok) => write!(f, "would write {}:\n\n{}", self.file, self.text)?,
            (false, _) => {
                write!(f, "{} already exists and is unchanged; add to it:\n{}", self.file, self.text)?;
            }
        }
        if !self.ignored.is_empty() {
            let added = if self.written { "added" } else { "to be added" };
            write!(f, "\n{added} to .gitignore: {}", self.ignored.join(", "))?;
        }
        if let Some(makefile) = &self.makefile {
            write!(f, "\n\n{makefile}")?;
        }
        Ok(())
    }
}
