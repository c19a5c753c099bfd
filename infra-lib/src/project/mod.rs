//! The opened project, on which every operation runs.

pub(crate) mod builder;
mod discover;
pub(crate) mod env_files;
pub(crate) mod environment;
pub(crate) mod environment_name;
pub(crate) mod environment_names;
pub(crate) mod error;
mod git;
mod guards;
mod name;
pub(crate) mod nearby;
mod open;
pub(crate) mod operation;
pub(crate) mod owner;
mod ownership;
mod progress;
mod record;
mod reference;
mod reopen;
mod run;
mod secret_ages;
mod seen;
pub(crate) mod services;
mod source;
mod template;
pub(crate) mod urls;

pub use builder::ProjectBuilder;
#[cfg(feature = "cli")]
pub(crate) use discover::root;
pub use environment::Environment;
pub use open::Project;
pub(crate) use ownership::{OwnVolume, VolumeWatch};
pub use record::{DatabaseAxis, LocalRecord, Record};
pub use services::UnreadyContainer;
pub(crate) use template::{is_template, template_of};
