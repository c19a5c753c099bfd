//! Choosing the folder of a cluster.
//!
//! It is in `.infra/` next to the project's other state, if the server's user can access and own it. Otherwise,
//! especially for root, it is in a state folder of this machine, under a name derived from the project's folder and
//! environment. So the cluster is found again even if `.infra/` is lost.

use std::fs::{DirBuilder, Permissions, set_permissions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::exit::Exit;
use crate::fs::atomic;
use crate::project::error::{Error, Result};
use crate::project::{LocalRecord, Project, Record};
use crate::state::StateDir;

use super::owner::Owner;

/// The owner of a cluster and the version that created it, stored in a file. A folder with this file is a cluster of
/// this program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The compose project's name, for people.
    pub(super) project: String,
    /// The name of the environment.
    pub(super) environment: String,
    /// The root folder of the project.
    pub(super) root: Utf8PathBuf,
    /// The major version of PostgreSQL.
    pub(super) major: u32,
}

impl Identity {
    const FILE: &str = "cluster.json";

    pub(super) fn for_project(project: &Project, major: u32) -> Self {
        Self {
            project: project.name().to_owned(),
            environment: project.environment().name.clone(),
            root: project.root().to_owned(),
            major,
        }
    }

    pub(super) fn read(home: &Utf8Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(home.join(Self::FILE)).ok()?).ok()
    }

    pub(super) fn write(&self, home: &Utf8Path) -> Result<()> {
        let path = home.join(Self::FILE);
        let text = serde_json::to_vec_pretty(self).map_err(|error| Error::file("write", path.clone())(error.into()))?;
        Ok(atomic::replace(&path, &text)?)
    }
}

/// The folder for a new cluster of this environment: relative to the project, or absolute.
pub(super) fn choose(project: &Project, owner: &Owner) -> Result<Utf8PathBuf> {
    if owner.is_self() && (project.runner().is_dry_run() || keeps_modes(project.state().ensure()?)) {
        let environment = project.environment();
        let suffix = if environment.is_default { String::new() } else { format!("-{}", environment.name) };
        return Ok(format!(".infra/postgres{suffix}").into());
    }
    Ok(state_dir(owner)?.join(format!("{}-{}", project.name(), fingerprint(project))))
}

/// Whether the file system keeps permissions. Windows drives in WSL and some network drives do not.
fn keeps_modes(folder: &Utf8Path) -> bool {
    let probe = folder.join(format!("probe-{}", std::process::id()));
    let made = DirBuilder::new().mode(0o700).create(&probe).and_then(|()| probe.metadata());
    let _ = std::fs::remove_dir(&probe);
    made.is_ok_and(|stat| stat.mode() & 0o777 == 0o700 && stat.uid() == geteuid().as_raw())
}

/// This machine's folder for clusters outside their projects.
fn state_dir(owner: &Owner) -> Result<Utf8PathBuf> {
    if !owner.is_self() {
        return Ok("/var/lib/infra".into());
    }
    let absolute = |key: &str| std::env::var(key).ok().map(Utf8PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    base.map(|base| base.join("infra")).ok_or_else(|| {
        Error::new(Exit::CannotCreate, "the project's folder cannot hold a database, and HOME is not set")
            .with_hint("set XDG_STATE_HOME to a folder of yours")
    })
}

fn fingerprint(project: &Project) -> String {
    let digest = Sha256::digest(format!("{}\0{}", project.root(), project.environment().name));
    format!("{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
}

/// Creates a cluster's folder. The server's user can pass through it to its own folders, but not list it.
pub(super) fn make(home: &Utf8Path, owner: &Owner) -> Result<()> {
    let new: Vec<&Utf8Path> = home.ancestors().take_while(|folder| !folder.exists()).collect();
    for folder in new.into_iter().rev() {
        make_one(folder, owner)?;
    }
    if owner.may_enter(home) {
        return Ok(());
    }
    Err(Error::new(Exit::CannotCreate, format!("PostgreSQL's user cannot enter {home}"))
        .with_hint("the folders above it need the mode 0711 or 0755"))
}

/// Creates one folder, which must not exist, with the mode that the server's user needs, regardless of the umask.
pub(super) fn make_one(folder: &Utf8Path, owner: &Owner) -> Result<()> {
    DirBuilder::new().mode(0o700).create(folder).map_err(Error::file("create", folder))?;
    if owner.is_self() {
        return Ok(());
    }
    set_permissions(folder, Permissions::from_mode(0o711)).map_err(Error::file("open", folder))
}

/// Returns an error if the cluster belongs to another checkout. After the project was moved, updates its path.
pub(super) fn claim(project: &Project, home: &Utf8Path) -> Result<Identity> {
    let gone = || {
        Error::new(Exit::Unavailable, format!("the local database is no longer in {home}"))
            .with_hint("if it is on a disk, mount that; `cargo xtask setup` creates a new, empty one")
    };
    if !home.join("data").is_dir() {
        return Err(gone());
    }
    let found = Identity::read(home).ok_or_else(gone)?;
    let ours = Identity::for_project(project, found.major);
    if found == ours {
        return Ok(found);
    }
    if (found.root != ours.root || found.environment != ours.environment) && still_uses(&found, home) {
        return Err(Error::new(
            Exit::Refused,
            format!("the database in {home} belongs to {}, environment {}", found.root, found.environment),
        )
        .with_hint("this checkout is a copy of that one; `cargo xtask setup` creates its own database"));
    }
    project.runner().apply(format_args!("record in {home} that it belongs to {}", ours.root), || ours.write(home))?;
    Ok(ours)
}

/// Whether the checkout named in the identity still uses this cluster.
fn still_uses(identity: &Identity, home: &Utf8Path) -> bool {
    let record: Option<Record> = StateDir::new(&identity.root).read(Record::FILE);
    let local: Option<LocalRecord> = record.and_then(|record| record.local.get(&identity.environment).cloned());
    local.is_some_and(|local| identity.root.join(local.dir) == home)
}
