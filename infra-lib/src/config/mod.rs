//! `infra.toml`: what a project says about itself where its compose files do not say enough.
//!
//! Everything in it is optional. Loading checks the whole file at once; an unknown key is an error that names the line
//! and the nearest known key, so that a typo never passes silently for a default.

mod deploy;
mod error;
mod load;
mod model;
mod reference;
#[cfg(feature = "schema")]
mod schema;

pub use crate::dotenv::rule::{EnvRule, FillFrom};
pub use crate::dotenv::{Generator, InvalidGenerator};
pub use crate::units::{ByteSize, Period};
pub use deploy::{Deploy, Route};
pub use error::ConfigError;
pub(crate) use load::FILE_NAME;
pub(crate) use model::DATABASE_PORT_PUBLISHED;
pub use model::{
    Backup, Compose, Config, DatabaseSettings, DumpFormat, EnvironmentSettings, HealthTarget, Keep, LocalSettings,
    Migrations, Order, Policy, ProjectSettings, SeedRun, Seeds, ServicesAxis, Start, StartChecks, Task,
};
pub use reference::Reference;
#[cfg(feature = "schema")]
pub use schema::json_schema;
