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
use crate::manifest::{self, Manifest};
use crate::operation::{Group, Operation, Outcome};
use crate::postgres::PostgresError;
use crate::project::{Project, known, template_of};

use text::{Findings, Overlay};

/// Write an infra.toml from what is there.
///
/// It holds as little as needed: what the compose files and folders already say is not repeated. A file that is there
/// is never overwritten. The env files, `.infra/` and `backups/` are added to `.gitignore` where they are not ignored yet.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Init {}

/// What was written.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct InitReport {
    /// The file.
    pub file: Utf8PathBuf,
    /// Its text.
    pub text: String,
    /// What was added to `.gitignore`.
    pub ignored: Vec<String>,
}

impl Operation for Init {
    const NAME: &'static str = "init";
    const GROUP: Group = Group::General;
    const ANYWHERE: bool = true;
    type Outcome = InitReport;

    fn run(&self, project: &Project) -> Result<InitReport> {
        let file = project.root().join(manifest::FILE_NAME);
        if file.symlink_metadata().is_ok() {
            return Err(Error::new(Exit::CannotCreate, format!("{file} is there already"))
                .with_hint("edit it, or move it away first"));
        }
        let text = text::write(&findings(project));
        // What is written must be what the next command can read.
        Manifest::parse(&file, &text)?;
        project.runner().apply(format_args!("write {file}"), || create(&file, &text))?;
        let ignored = gitignore::missing(project);
        if !ignored.is_empty() {
            let path = project.root().join(".gitignore");
            let what = format!("add {} to {path}", ignored.join(", "));
            project.runner().apply(what, || gitignore::append(&path, &ignored))?;
        }
        Ok(InitReport { file, text, ignored })
    }
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
    fn next(&self) -> Vec<String> {
        vec!["cargo xtask describe".to_owned(), "cargo xtask setup".to_owned()]
    }
}

impl fmt::Display for InitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrote {}", self.file)?;
        if !self.ignored.is_empty() {
            write!(f, "\nadded to .gitignore: {}", self.ignored.join(", "))?;
        }
        Ok(())
    }
}
