//! The opened project that every operation runs on.

mod ages;
mod builder;
mod discover;
mod environment;
mod guards;
pub(crate) mod known;
mod naming;
mod open;
mod ownership;
mod record;
mod reference;
mod reopen;
pub(crate) mod services;
mod talk;
pub(crate) mod urls;

pub use builder::ProjectBuilder;
#[cfg(feature = "cli")]
pub(crate) use discover::root;
pub use environment::Environment;
pub(crate) use environment::template_of;
pub use open::Project;
pub(crate) use ownership::OwnVolume;
pub use record::{DatabaseAxis, LocalRecord, Record};
pub use services::Culprit;
