//! PostgreSQL: where the project's database runs, and how to call its tools there.

pub(crate) mod catalog;
pub(crate) mod client;
mod connection;
pub(crate) mod database;
mod detect;
pub(crate) mod error;
pub(crate) mod literal;
pub(crate) mod local;
pub(crate) mod login;
pub(crate) mod mark;
mod orphans;
mod password;
pub(crate) mod sqlstate;
mod tls;
mod toolbox;
mod trailer;
mod url;

pub(crate) use client::Way;
pub use database::Database;
pub(crate) use database::Place;
pub(crate) use detect::port as server_port;
pub(crate) use error::PostgresError;
pub use local::TempDatabase;
pub(crate) use mark::Mark;
pub(crate) use mark::write as write_mark;
pub(crate) use password::scram_verifier_of;
pub(crate) use tls::Tls;
pub(crate) use toolbox::Toolbox;
pub(crate) use trailer::Trailer;
