//! Typed infrastructure operations over `docker compose` and PostgreSQL. They replace the Makefile and shell scripts
//! of a containerised web application with typed values and reliable exit codes.
//!
//! # A guided example
//!
//! A project is a folder with compose files and, where those are not enough, an `infra.toml`. Opening a project only
//! reads its files; it needs neither Docker nor PostgreSQL.
//!
//! ```
//! use infra_lib::{Exit, Project};
//!
//! # let folder = tempfile::tempdir()?;
//! # let dir = folder.path();
//! std::fs::write(dir.join("compose.yml"), "name: shop\nservices:\n  db: {image: 'postgres:16-alpine'}\n")?;
//! std::fs::write(dir.join("infra.toml"), "[tasks.greet]\nhost = true\nrun = ['echo', 'hello']\n")?;
//!
//! let project = Project::discover(dir)?;
//! assert_eq!((project.name(), project.environment().name.as_str()), ("shop", "development"));
//!
//! // A typo in infra.toml never passes for a default; each error knows its way out and its exit code.
//! std::fs::write(dir.join("infra.toml"), "[databse]\n")?;
//! let error = Project::discover(dir).unwrap_err();
//! assert_eq!((error.exit(), error.hint().as_deref()), (Exit::Config, Some("did you mean `database`?")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An operation is a value whose fields are its options, and [`Project::run`] runs it. It returns an outcome, also
//! when something is unhealthy or there was nothing to do. An outcome can be serialised and displayed, and has an
//! exit code.
//!
//! ```no_run
//! use infra_lib::ops::{Health, Start};
//! use infra_lib::{Exit, Outcome, Project};
//!
//! let project = Project::discover(".")?;
//! let started = project.run(&Start { services: vec!["backend".into()], ..Start::default() })?;
//! println!("{started}");
//! let health = project.run(&Health::default())?;
//! if health.exit() != Exit::Ok {
//!     println!("{}", serde_json::to_string(&health.checks)?);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Operations neither print nor prompt. To follow their progress, pass an [observer](report::Observer); to allow them
//! to destroy something, pass a [consent](consent::Consent). By default, events are discarded and destructive
//! operations are declined.
//!
//! ```no_run
//! use infra_lib::consent::Given;
//! use infra_lib::ops::Clean;
//! use infra_lib::report::Event;
//! use infra_lib::Project;
//!
//! let project = Project::builder("/srv/shop")
//!     .environment("staging")
//!     .observer(|event: &Event<'_>| if let Event::Step { text } = event { println!("{text}") })
//!     .consent(Given { yes: true, confirm: None })
//!     .open()?;
//! project.run(&Clean { volumes: true, ..Clean::default() })?;
//! # Ok::<(), infra_lib::Error>(())
//! ```
//!
//! To add your own operation, implement [`Operation`]; `docs/architecture.md` has a complete example. For your own
//! tests, [`postgres::TempDatabase`] starts a temporary PostgreSQL server. A project's `xtask` is a one-line `main`,
//! or its own enum with [`cli::Command`] flattened into it:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     infra_lib::cli::main()
//! }
//! ```
//!
//! # Features
//!
//! `cli` (on by default): the command line, progress bars and prompts. `schema`: the JSON Schema of `infra.toml`.

mod backup;
mod cancel;
mod checks;
#[cfg(feature = "cli")]
pub mod cli;
mod compose;
pub mod config;
pub mod consent;
mod deploy;
mod dotenv;
mod exec;
mod exit;
mod failure;
mod fs;
mod hex;
mod journal;
mod lock;
mod migrations;
pub mod ops;
pub mod policy;
pub mod postgres;
mod probe;
mod project;
mod release;
pub mod report;
mod schedule;
mod secret;
mod stack;
mod state;
mod suggest;
mod units;
mod users;
mod volumes;

#[cfg(feature = "schema")]
pub use backup::json_schema as backup_json_schema;
pub use cancel::{CancelToken, Cancelled};
pub use compose::{Container, Health as ContainerHealth, Status as ContainerStatus};
pub use exit::Exit;
pub use failure::{ErrorKind, Failure};
pub use project::error::{Error, Result};
pub use project::operation::{Group, Operation, Outcome};
pub use project::{Environment, Project, ProjectBuilder};
pub use secret::Secret;

/// What this crate's own integration tests read and write with. It carries no promise: anything in it may change or go
/// in any release.
#[doc(hidden)]
pub mod internals {
    pub use crate::dotenv::{
        DotenvError, EnvFile, Expectations, FindingCode, Resolved, SyntaxCause, Variable, check, resolve,
    };
    pub use crate::fs::{WriteError, atomic};
}

/// Compiles the Rust blocks of the documents, and runs those that can run.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/architecture.md")]
    struct Architecture;
    #[doc = include_str!("../../docs/cli.md")]
    struct Cli;
    #[doc = include_str!("../../docs/infra-toml.md")]
    struct InfraToml;
    #[doc = include_str!("../../docs/migrations.md")]
    struct Migrations;
    #[doc = include_str!("../../docs/safety.md")]
    struct Safety;
}
