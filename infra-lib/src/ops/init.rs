//! `init`

mod gitignore;
mod text;

use std::fmt;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::compose::{Compose, default_files, overlay_candidates};
use crate::dotenv::EnvFile;
use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::makefile::{self, FromMakefile};
use crate::manifest::{self, Manifest};
use crate::operation::{Group, Operation, Outcome};
use crate::postgres::PostgresError;
use crate::project::{Project, known, template_of};

use text::{Findings, Overlay};

/// Write an infra.toml from what is there.
///
/// It holds as little as needed: what the compose files and folders already say is not repeated. A file that is there
/// is never overwritten. The env files, `.infra/` and `backups/` are added to `.gitignore` where they are not ignored yet.
/// A Makefile is read and never run: its targets become commands or tasks, and what cannot be converted is told.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Init {
    /// Turn the targets of this Makefile into tasks.
    #[cfg_attr(feature = "cli", arg(long, value_name = "MAKEFILE"))]
    pub from: Option<Utf8PathBuf>,
}

/// What was written.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct InitReport {
    /// The file.
    pub file: Utf8PathBuf,
    /// Its text.
    pub text: String,
    /// Whether it was written: not in a dry run, and not over a file that is there.
    pub written: bool,
    /// What was added to `.gitignore`, or would be.
    pub ignored: Vec<String>,
    /// What the Makefile became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub makefile: Option<FromMakefile>,
}

impl Operation for Init {
    const NAME: &'static str = "init";
    const GROUP: Group = Group::General;
    const ANYWHERE: bool = true;
    type Outcome = InitReport;

    fn run(&self, project: &Project) -> Result<InitReport> {
        let file = project.root().join(manifest::FILE_NAME);
        let makefile =
            self.from.as_ref().map(|from| makefile::read(project.root(), &located(project, from))).transpose()?;
        if file.symlink_metadata().is_ok() {
            let Some(makefile) = makefile else {
                return Err(Error::new(Exit::CannotCreate, format!("{file} is there already"))
                    .with_hint("edit it, or move it away first"));
            };
            // Nothing is written, but what there is to add can be.
            let text = makefile.text(|name| project.manifest().tasks.contains_key(name));
            Manifest::parse(&file, &text)?;
            return Ok(InitReport { file, text, written: false, ignored: Vec::new(), makefile: Some(makefile) });
        }
        let tasks = makefile.as_ref().map(|makefile| makefile.text(|_| false)).unwrap_or_default();
        let text = text::write(&findings(project)) + &tasks;
        // What is written must be what the next command can read.
        Manifest::parse(&file, &text)?;
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

/// A Makefile is named from where the caller stands, or from the project's folder.
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
    let names = known::environments(root, project.manifest());
    let files = default_files(root);
    let mut findings = Findings {
        name: (!says_its_name(project)).then(|| project.name().to_owned()),
        files: files.iter().filter_map(|path| Some(path.file_name()?.to_owned())).collect(),
        environments: names.iter().cloned().collect(),
        has_url: project.variable(DATABASE_URL).is_some() || template_has(project, DATABASE_URL),
        ..Findings::default()
    };
    if let Ok(model) = project.model() {
        findings.services = model.services.keys().cloned().collect();
    }
    match project.database() {
        Ok(database) => findings.database = Some((database.name, database.place)),
        Err(Error::Postgres(PostgresError::Ambiguous { candidates })) => findings.candidates = candidates,
        Err(_) => {}
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
    let declared = crate::compose::declared_name(&project.environment().files).is_some_and(|name| !name.contains('$'));
    declared || project.variables().get("COMPOSE_PROJECT_NAME").is_some()
}

/// An environment's file that could be an overlay or a project of its own; it is one if it has every service.
fn overlay(project: &Project, environment: &str, base: &[Utf8PathBuf]) -> Option<Overlay> {
    let candidates = overlay_candidates(project.root(), environment);
    let own = candidates.first()?;
    let alone = services(project, std::slice::from_ref(own))?;
    let all = services(project, base)?;
    let name = |path: &Utf8PathBuf| path.file_name().unwrap_or_default().to_owned();
    let stands_alone = all.iter().all(|service| alone.contains(service));
    let base = if stands_alone { &[] } else { base };
    let files = base.iter().chain([own]).map(name).collect();
    Some(Overlay { environment: environment.to_owned(), files, stands_alone })
}

/// The services that these files have, if they are a valid project by themselves.
fn services(project: &Project, files: &[Utf8PathBuf]) -> Option<Vec<String>> {
    if files.is_empty() {
        return None;
    }
    let compose = Compose { project: "probe".to_owned(), files: files.to_vec(), ..project.compose().clone() };
    let output = project.runner().read(&compose.call_all(["config", "--no-interpolate", "--services"])).ok()?;
    Some(output.text().lines().map(str::to_owned).collect())
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
                write!(f, "{} is there already and stays as it is; to be added to it:\n{}", self.file, self.text)?;
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
