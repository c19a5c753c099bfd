//! What a deploy leaves behind: old containers, releases beyond those that are kept, and their images' tags.

use std::collections::BTreeSet;

use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::release::{Deploys, Outcome, Release, Releases};

use super::plan::jobs;
use super::{containers, images, overlay};

/// How many releases are kept in addition to the live one, unless infra.toml says otherwise.
const KEEP: u32 = 5;

/// Removes containers that the live overlay does not name.
pub(crate) fn containers(project: &Project) -> Result<()> {
    let labels = overlay::labels_here(project);
    let present = project.containers()?;
    let number = |it: &crate::compose::Container| it.deployed.as_ref().map(|deployed| deployed.number);
    let is_old = |it: &&crate::compose::Container| match labels.get(&it.service) {
        _ if it.one_off => false,
        Some(label) => number(it) != Some(label.number),
        // A service that is not part of the release: nothing of ours, unless a deploy made it.
        None => it.deployed.is_some(),
    };
    containers::remove(project, present.iter().filter(is_old))
}

/// Removes releases that are neither live, nor the one before, nor among the newest.
pub(super) fn releases(project: &Project) -> Result<()> {
    let environment = &project.environment().name;
    let (store, deploys) = (Releases::new(project.state(), environment), Deploys::new(project.state(), environment));
    let mut kept: BTreeSet<String> = overlay::labels_here(project).into_values().map(|label| label.release).collect();
    kept.extend(project.release().map(|running| running.release.id.clone()));
    let was_live = deploys.all().filter(|journal| journal.outcome() == Some(Outcome::Live));
    kept.extend(was_live.take(2).filter_map(|journal| Some(journal.beginning()?.release.clone())));
    let all = store.all();
    let newest = project.config().deploy.keep.unwrap_or(KEEP) as usize;
    let others: Vec<&Release> = all.iter().rev().filter(|release| !kept.contains(&release.id)).collect();
    for release in others.into_iter().skip(newest) {
        images::release(project, release)?;
        store.remove(&release.id)?;
    }
    let used: BTreeSet<String> = store
        .all()
        .into_iter()
        .flat_map(|release| release.mounts)
        .filter_map(|mount| Some(mount.path.components().next()?.as_str().to_owned()))
        .collect();
    let files = project.state().path().join("files");
    for entry in files.read_dir_utf8().into_iter().flatten().filter_map(std::result::Result::ok) {
        if !used.contains(entry.file_name()) {
            std::fs::remove_dir_all(entry.path()).map_err(Error::file("remove", entry.path()))?;
        }
    }
    Ok(())
}

/// Checks that each active service has containers of the deploy that the overlay names for it.
pub(super) fn check(project: &Project) -> Result<()> {
    let labels = overlay::labels_here(project);
    let present = project.containers()?;
    let jobs = jobs(project.model()?);
    for (name, label) in &labels {
        let is_there = present.iter().any(|it| it.service == *name && super::converge::is_made_by(it, label.number));
        if !is_there && !jobs.contains(name.as_str()) {
            return Err(Error::new(
                Exit::Failed,
                format!("service `{name}` has no container of deploy {}", label.number),
            ));
        }
    }
    Ok(())
}
