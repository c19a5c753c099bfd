//! `infra.toml`: what a project says about itself where its compose files do not say enough.
//!
//! Everything in it is optional. Loading checks the whole file at once; an unknown key is an error that names the line
//! and the nearest known key, so that a typo never passes silently for a default.

mod error;
mod load;
mod model;
#[cfg(feature = "schema")]
mod schema;
mod values;

pub use error::ManifestError;
pub use load::FILE_NAME;
pub use model::{
    Backup, Compose, DatabaseSettings, DumpFormat, EnvRule, EnvironmentSettings, FillFrom, HealthTarget, Keep,
    LocalSettings, Manifest, Migrations, Order, Policy, ProjectSettings, SeedRun, Seeds, ServicesAxis, Task,
};
#[cfg(feature = "schema")]
pub use schema::json_schema;
pub use values::{ByteSize, Period, Reference};
