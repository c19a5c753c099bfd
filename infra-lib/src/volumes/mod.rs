//! Backup and restore of a project's volumes.
//!
//! Only the engine can access a volume. So a helper container does all work in it. The container mounts that volume
//! and nothing else, has no network, and has only the capabilities it needs for file access.

mod exchange;
mod find;
mod helper_container;
mod hint;
mod journal;
mod lock;
mod make;
mod read;
mod restore;
mod users;

pub(crate) use exchange::Checked;
pub(crate) use find::Volume;
pub(crate) use helper_container::Keeper;
pub(crate) use hint::of_volume;
pub(crate) use journal::{heal_before_start, resume};
pub(crate) use lock::VolumeLock;
pub(crate) use make::VolumeBackupJob;
pub(crate) use restore::{Restored, VolumeRestoreJob};
