//! `df`

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::compose::{Container, Usage};
use crate::config::ByteSize;
use crate::fs::occupied;
use crate::project::Project;
use crate::project::error::Result;
use crate::project::operation::{Group, Operation, Outcome};
use crate::report::table;

/// Show the disk space this project uses.
///
/// Images, containers, logs, volumes, backups, the local database and `.infra/`. Each image counts in full although its
/// layers may be shared, so the total is an upper bound.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Df {}

/// What the project occupies.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DfReport {
    /// The parts, largest first within a kind.
    pub parts: Vec<DiskUsagePart>,
    /// The sum of what is known.
    pub total_bytes: u64,
}

/// Something that takes space.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct DiskUsagePart {
    /// The kind of thing that takes the space.
    pub kind: DiskUsageKind,
    /// Its name or path.
    pub name: String,
    /// How many bytes it takes; none: that cannot be seen from here.
    pub bytes: Option<u64>,
    /// How many of them no other image shares.
    pub unique_bytes: Option<u64>,
}

/// The kinds of things that take disk space, in the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DiskUsageKind {
    /// An image that a service runs.
    Image,
    /// What a container has written outside its volumes.
    Container,
    /// What a container has logged.
    Log,
    /// A volume.
    Volume,
    /// Backups.
    Backups,
    /// The local database.
    LocalDatabase,
    /// `.infra/`, without the local database.
    State,
}

impl Operation for Df {
    const NAME: &'static str = "df";
    const GROUP: Group = Group::Lifecycle;
    const JOURNAL: bool = false;
    type Outcome = DfReport;

    fn run(&self, project: &Project) -> Result<DfReport> {
        let mut parts = Vec::new();
        if project.has_services() {
            let usage = project.compose().usage(project.runner())?;
            let present = project.containers()?;
            images(project, &present, &usage, &mut parts)?;
            containers(project, &present, &usage, &mut parts)?;
            volumes(project, &present, &usage, &mut parts)?;
        }
        folders(project, &mut parts);
        parts.sort_by_key(|part| (part.kind, std::cmp::Reverse(part.bytes)));
        let total_bytes = parts.iter().filter_map(|part| part.bytes).sum();
        Ok(DfReport { parts, total_bytes })
    }
}

impl DiskUsagePart {
    fn new(kind: DiskUsageKind, name: impl Into<String>, bytes: Option<u64>) -> Self {
        Self { kind, name: name.into(), bytes, unique_bytes: None }
    }
}

/// The images that services of this project would run, and those that its containers do run.
fn images(project: &Project, present: &[Container], usage: &Usage, parts: &mut Vec<DiskUsagePart>) -> Result<()> {
    let compose = project.compose();
    let named = project.model()?.services.iter().map(|(name, service)| compose.image_name(name, service));
    let run = present.iter().map(|container| container.image.clone());
    let mut by_id = BTreeMap::new();
    for name in named.chain(run) {
        if let Some(image) = compose.image(project.runner(), &name)? {
            by_id.entry(image.id).or_insert((name, image.bytes));
        }
    }
    parts.extend(by_id.into_iter().map(|(id, (name, bytes))| DiskUsagePart {
        unique_bytes: usage.unique(&id),
        ..DiskUsagePart::new(DiskUsageKind::Image, name, Some(bytes))
    }));
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Raw {
    id: String,
    #[serde(default)]
    log_path: String,
}

fn containers(project: &Project, present: &[Container], usage: &Usage, parts: &mut Vec<DiskUsagePart>) -> Result<()> {
    let ids: Vec<String> = present.iter().map(|container| container.id.clone()).collect();
    let logs: Vec<Raw> = project.compose().inspect(project.runner(), "container", &ids)?;
    for container in present {
        parts.push(DiskUsagePart::new(DiskUsageKind::Container, &container.name, usage.layer(&container.id)));
        let log = logs.iter().find(|raw| raw.id == container.id).map(|raw| Utf8PathBuf::from(&raw.log_path));
        if let Some(path) = log.filter(|path| !path.as_str().is_empty()) {
            parts.push(DiskUsagePart::new(DiskUsageKind::Log, &container.name, log_bytes(&path)));
        }
    }
    Ok(())
}

/// A log and its older parts, `<log>.1` and so on. Only the engine's own user can see it, and only on its machine.
fn log_bytes(path: &Utf8Path) -> Option<u64> {
    let name = path.file_name()?;
    let entries = path.parent()?.read_dir_utf8().ok()?.flatten();
    Some(entries.filter(|entry| entry.file_name().starts_with(name)).map(|entry| occupied(entry.path())).sum())
}

/// The volumes that carry this project's name, and external ones that it uses.
fn volumes(project: &Project, present: &[Container], usage: &Usage, parts: &mut Vec<DiskUsagePart>) -> Result<()> {
    let mut names: Vec<String> = project.own_volumes(present)?.into_iter().map(|volume| volume.name).collect();
    names.extend(present.iter().flat_map(|container| container.volumes.iter().cloned()));
    names.sort();
    names.dedup();
    parts.extend(names.into_iter().map(|name| {
        let bytes = usage.volume(&name);
        DiskUsagePart::new(DiskUsageKind::Volume, name, bytes)
    }));
    Ok(())
}

fn folders(project: &Project, parts: &mut Vec<DiskUsagePart>) {
    let backups = project.config().backup.dir.as_deref().unwrap_or(Utf8Path::new("backups"));
    let backups = project.root().join(backups);
    let mut folder = |kind, path: &Utf8Path, bytes: u64| {
        if bytes > 0 {
            let name = path.strip_prefix(project.root()).unwrap_or(path);
            parts.push(DiskUsagePart::new(kind, name.as_str(), Some(bytes)));
        }
    };
    folder(DiskUsageKind::Backups, &backups, occupied(&backups));
    let state = project.state().path();
    let mut state_bytes = occupied(state);
    if let Some((dir, bytes)) = project.local_database_size() {
        if dir.starts_with(state) {
            state_bytes = state_bytes.saturating_sub(bytes);
        }
        folder(DiskUsageKind::LocalDatabase, &dir, bytes);
    }
    folder(DiskUsageKind::State, state, state_bytes);
}

impl Outcome for DfReport {}

impl fmt::Display for DiskUsageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Image => "image",
            Self::Container => "container",
            Self::Log => "log",
            Self::Volume => "volume",
            Self::Backups => "backups",
            Self::LocalDatabase => "local database",
            Self::State => "state",
        })
    }
}

impl fmt::Display for DfReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |bytes: Option<u64>| bytes.map_or_else(|| "?".to_owned(), |bytes| ByteSize::new(bytes).to_string());
        let rows = self.parts.iter().map(|part| {
            let note = match part.unique_bytes {
                Some(unique) if Some(unique) != part.bytes => format!("{} not shared", ByteSize::new(unique)),
                _ => String::new(),
            };
            [part.kind.to_string(), part.name.clone(), size(part.bytes), note]
        });
        let at_most = if self.parts.iter().any(|part| part.kind == DiskUsageKind::Image) { "at most " } else { "" };
        write!(
            f,
            "{}\n\ntotal: {at_most}{}",
            table(["WHAT", "NAME", "SIZE", ""], rows),
            ByteSize::new(self.total_bytes)
        )
    }
}
