//! Docker Compose: its command line, its model of a project, and its containers.

mod command;
pub(crate) mod container;
pub(crate) mod declared;
pub(crate) mod dockerfile;
pub(crate) mod engine;
pub(crate) mod error;
mod host_network;
pub(crate) mod identity;
mod images;
pub(crate) mod log;
pub(crate) mod model;
mod objects;
pub(crate) mod one_off;
pub(crate) mod own_check;
pub(crate) mod ports;
pub(crate) mod readiness;
pub(crate) mod software;
pub(crate) mod sources;
pub(crate) mod stats;
pub(crate) mod usage;
mod variables;
pub(crate) mod yaml;

pub(crate) use command::Compose;
pub(crate) use command::numbers;
pub use container::{Container, Health, Status};
pub use engine::Engine;
pub(crate) use error::ComposeError;
pub(crate) use images::Image;
pub(crate) use model::{Condition, Model, Mount, Port, SecretFile, Service};
pub(crate) use one_off::{OneOff, mount};
pub(crate) use ports::{is_free, taken};
pub use stats::Stats;
pub(crate) use usage::Usage;
