//! The volumes of a project: backed up, and restored by exchange.
//!
//! Nobody but the engine may look into a volume. So all that is done in one is done by a container of its own, which has
//! that volume mounted and nothing else: no network, no other files, and no rights beyond those over files.

mod exchange;
mod find;
mod keeper;
mod make;
mod pending;
mod read;
mod restore;
mod users;

pub(crate) use exchange::Checked;
pub(crate) use find::Volume;
pub(crate) use keeper::Keeper;
pub(crate) use make::VolumeMaking;
pub(crate) use pending::{heal_before_start, resume};
pub(crate) use restore::{Restored, VolumeRestoring};
