//! PostgreSQL: where the project's database is, and how its own tools are called there.

mod client;
mod database;
mod detect;
mod error;
pub(crate) mod local;
mod mark;
mod password;
mod tls;
mod toolbox;
mod trailer;
mod url;

pub(crate) use client::Way;
pub use database::{Database, Place};
pub(crate) use detect::port as server_port;
pub use error::PostgresError;
pub use local::TempDatabase;
pub use mark::Mark;
pub(crate) use mark::write as write_mark;
pub use tls::Tls;
pub(crate) use toolbox::Toolbox;
pub(crate) use trailer::Trailer;
