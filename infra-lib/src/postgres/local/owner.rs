//! The system user that runs the server.

use std::os::unix::fs::{MetadataExt as _, chown};

use camino::Utf8Path;
use rustix::process::geteuid;

use crate::exec::Invocation;
use crate::exit::Exit;
use crate::project::error::{Error, Result};
use crate::users::{self, User};

/// The user that runs the server and owns its files. PostgreSQL refuses to run as root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    user: User,
    is_self: bool,
}

impl Owner {
    /// The owner of a new cluster: the current user, or for root the user created by PostgreSQL's package, else
    /// `nobody`.
    pub(crate) fn for_new() -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::ourselves());
        }
        let user = users::by_name("postgres").or_else(|| users::by_name("nobody")).filter(|user| user.uid != 0);
        user.map(|user| Self { user, is_self: false }).ok_or_else(|| {
            Error::new(
                Exit::Unavailable,
                "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`",
            )
            .with_hint("create one (`useradd --system postgres`), or run this as an ordinary user")
        })
    }

    /// The owner of an existing cluster. Returns an error if we are not and cannot become that user.
    pub(crate) fn from_data(data: &Utf8Path) -> Result<Self> {
        let stat = data.metadata().map_err(Error::file("read", data))?;
        if stat.uid() == geteuid().as_raw() {
            return Ok(Self::ourselves());
        }
        let name = users::name(stat.uid()).unwrap_or_else(|| stat.uid().to_string());
        if !geteuid().is_root() {
            return Err(Error::new(Exit::Refused, format!("the local database in {data} belongs to user {name}"))
                .with_hint("run this as the user who ran `setup`"));
        }
        Ok(Self { user: User { name, uid: stat.uid(), gid: stat.gid() }, is_self: false })
    }

    fn ourselves() -> Self {
        let (uid, gid) = (geteuid().as_raw(), rustix::process::getegid().as_raw());
        Self { user: User { name: users::name(uid).unwrap_or_else(|| uid.to_string()), uid, gid }, is_self: true }
    }

    pub(crate) fn is_self(&self) -> bool {
        self.is_self
    }

    pub(crate) fn uid(&self) -> u32 {
        self.user.uid
    }

    /// Runs the command as this user.
    pub(crate) fn run(&self, call: Invocation) -> Invocation {
        if self.is_self { call } else { call.run_as(self.user.uid, self.user.gid) }
    }

    /// Changes the owner of a file or folder to this user.
    pub(crate) fn give(&self, path: &Utf8Path) -> Result<()> {
        if self.is_self {
            return Ok(());
        }
        chown(path, Some(self.user.uid), Some(self.user.gid)).map_err(Error::file("change the owner of", path))
    }

    /// Whether this user can enter a folder, according to the modes of it and its parents.
    pub(crate) fn may_enter(&self, folder: &Utf8Path) -> bool {
        let Ok(folder) = folder.canonicalize_utf8() else { return false };
        self.is_self
            || folder.ancestors().all(|folder| {
                folder.metadata().is_ok_and(|stat| {
                    let shift = if stat.uid() == self.user.uid {
                        6
                    } else if stat.gid() == self.user.gid {
                        3
                    } else {
                        0
                    };
                    stat.mode() >> shift & 1 == 1
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, create_dir_all, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_below_a_private_one_cannot_be_entered() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let inner = dir.join("a/b");
        create_dir_all(&inner).unwrap();
        set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
        let stranger = Owner { user: User { name: "x".into(), uid: 4_000_000, gid: 4_000_000 }, is_self: false };
        let temp = dir.parent().unwrap();
        assert_eq!(stranger.may_enter(&inner), stranger.may_enter(temp));
        set_permissions(dir.join("a"), Permissions::from_mode(0o700)).unwrap();
        assert!(!stranger.may_enter(&inner));
        assert!(Owner::ourselves().may_enter(&inner));
        assert!(!stranger.may_enter(&dir.join("missing")));
    }
}
