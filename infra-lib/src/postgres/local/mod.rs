//! PostgreSQL clusters without containers: the project's own, and temporary ones for tests.

mod binaries;
mod build;
mod cluster;
mod init;
pub(crate) mod installed;
mod log;
mod login;
mod make;
mod owner;
mod pid_file;
mod place;
mod port;
mod project;
mod temp;

pub(crate) use init::scripts as init_scripts;
pub(crate) use make::ensure;
pub use temp::TempDatabase;
