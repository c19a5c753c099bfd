//! Docker Compose: its command line, its model of a project, and the containers it made.

mod command;
mod container;
mod engine;
mod error;
mod files;
mod images;
mod model;
mod objects;
mod one_off;
mod ports;
mod raw;
pub(crate) mod readiness;
mod stats;
mod usage;

pub use command::Compose;
pub(crate) use command::numbers;
pub use container::{Container, Health, Status};
pub use engine::Engine;
pub use error::ComposeError;
pub(crate) use files::{
    declared_name, default_files, environment_value, mounted_at, overlay_candidates, service_env_files,
};
pub use images::Image;
pub use model::{Build, Condition, Dependency, HealthCheck, Model, Mount, Network, Port, SecretFile, Service, Volume};
pub(crate) use one_off::{OneOff, mount};
pub(crate) use ports::{is_free, taken};
pub use stats::Stats;
pub(crate) use usage::Usage;
