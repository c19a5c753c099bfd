//! `releases`

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::deploy::images::missing;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};
use crate::release::{Deploys, Release, Releases as Store};
use crate::suggest;

/// List the releases of an environment and how their deploys ended.
///
/// Exits with 2 if a file or an image of one is missing or changed: it could not be deployed again.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Releases {
    /// Show this release in full.
    #[cfg_attr(feature = "cli", arg(value_name = "RELEASE"))]
    pub release: Option<String>,
}

/// The result of `releases`.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ReleaseList {
    /// The name of the environment they were made for.
    pub environment: String,
    /// The releases, oldest first.
    pub releases: Vec<ListedRelease>,
}

/// A release in the list.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct ListedRelease {
    /// What it consists of.
    #[serde(flatten)]
    pub release: Release,
    /// Whether it is live.
    pub live: bool,
    /// How its deploys ended, by number; `unfinished` if one was interrupted or still runs.
    pub deploys: BTreeMap<u64, String>,
    /// What is missing or was changed.
    pub damage: Vec<String>,
}

impl Operation for Releases {
    const NAME: &'static str = "releases";
    const GROUP: Group = Group::Deploy;
    const JOURNAL: bool = false;
    type Outcome = ReleaseList;

    fn run(&self, project: &Project) -> Result<ReleaseList> {
        let environment = project.environment().name.clone();
        let store = Store::new(project.state(), &environment);
        let mut all = store.all();
        if let Some(wanted) = &self.release {
            all = vec![find(project, wanted)?];
        }
        let deploys = Deploys::new(project.state(), &environment);
        let live = deploys.live().and_then(|live| Some(live.beginning()?.release.clone()));
        let mut ended: BTreeMap<String, BTreeMap<u64, String>> = BTreeMap::new();
        for journal in deploys.all() {
            let Some(begin) = journal.beginning() else { continue };
            let outcome = journal.outcome().map_or("unfinished".to_owned(), |outcome| outcome.to_string());
            ended.entry(begin.release.clone()).or_default().insert(journal.number, outcome);
        }
        let list = |release: Release| -> Result<ListedRelease> {
            let images = missing(project, &release)?.into_iter().map(|service| format!("the image of `{service}`"));
            let damage = store.damage(&release).map(|path| path.to_string()).into_iter().chain(images).collect();
            let live = live.as_ref() == Some(&release.id);
            Ok(ListedRelease { live, deploys: ended.remove(&release.id).unwrap_or_default(), damage, release })
        };
        Ok(ReleaseList { environment, releases: all.into_iter().map(list).collect::<Result<_>>()? })
    }
}

/// The release with this id, or an error that lists what there is.
pub(super) fn find(project: &Project, id: &str) -> Result<Release> {
    let environment = &project.environment().name;
    let store = Store::new(project.state(), environment);
    if let Some(release) = store.get(id) {
        return match store.damage(&release) {
            None => Ok(release),
            Some(path) => Err(Error::new(Exit::BadData, format!("release {id} is damaged: {path} is not what it was"))
                .with_hint("deploy another one: `cargo xtask releases` lists them")),
        };
    }
    if project.config().environments.contains_key(id) {
        return Err(Error::new(Exit::Usage, format!("`{id}` is an environment, not a release"))
            .with_hint(format!("write `cargo xtask -e {id} deploy`")));
    }
    let all = store.all();
    let hint = suggest::hint("releases", id, all.iter().map(|release| release.id.as_str()));
    Err(Error::new(Exit::NotFound, format!("environment `{environment}` has no release `{id}`")).with_hint(hint))
}

impl Outcome for ReleaseList {
    fn exit(&self) -> Exit {
        if self.releases.iter().all(|release| release.damage.is_empty()) { Exit::Ok } else { Exit::CheckFailed }
    }

    fn next(&self) -> Vec<String> {
        if self.releases.is_empty() { vec!["cargo xtask deploy".to_owned()] } else { Vec::new() }
    }
}

impl fmt::Display for ReleaseList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.releases.is_empty() {
            return write!(f, "environment `{}` has no releases", self.environment);
        }
        let lines = self.releases.iter().map(|listed| {
            let ended: Vec<_> = listed.deploys.iter().map(|(number, outcome)| format!("{number} {outcome}")).collect();
            let live = if listed.live { " (live)" } else { "" };
            let deploys = if ended.is_empty() { "never deployed".to_owned() } else { ended.join(", ") };
            let summary = format!("{}{live}, by {}: {deploys}", listed.release.id, listed.release.by);
            let damage = listed.damage.iter().map(|what| format!("  missing: {what}"));
            std::iter::once(summary).chain(damage).collect::<Vec<_>>().join("\n")
        });
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}
