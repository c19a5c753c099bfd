//! Typed infrastructure operations over `docker compose` and PostgreSQL: what a Makefile and a folder of shell scripts
//! do for a containerised web application, as values that say what they do and end with an exit code that does not lie.
//!
//! # A guided example
//!
//! A project is a folder with compose files and, where those do not say enough, an `infra.toml`. Opening one reads its
//! files; neither Docker nor PostgreSQL is needed for that.
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
//! An operation is a value whose fields are its options, and [`Project::run`] runs it. What it finds out, also that
//! something is unhealthy or that nothing was to do, is its outcome: serialisable, displayable, and with an exit code.
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
//! Operations neither print nor ask. Whoever wants to see what happens passes an [observer](report::Observer); whoever may
//! answer before something is destroyed passes a [consent](consent::Consent). By default nobody hears, and the answer is no.
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
//! Your own operation is a type that implements [`Operation`]; `docs/architecture.md` has one whole. Your own tests get a
//! PostgreSQL of theirs from [`postgres::TempDatabase`]. And a project's `xtask` is one line of `main`, or an enum of its own
//! with [`cli::Command`] flattened into it:
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

pub mod backup;
mod checks;
#[cfg(feature = "cli")]
pub mod cli;
pub mod compose;
pub mod consent;
pub mod dotenv;
mod error;
pub mod exec;
mod exit;
pub mod fs;
mod journal;
mod lock;
mod makefile;
pub mod manifest;
mod migrations;
mod nonce;
mod operation;
pub mod ops;
pub mod policy;
pub mod postgres;
pub mod probe;
mod project;
pub mod report;
pub mod schedule;
mod secret;
mod state;
mod suggest;
mod users;
mod volumes;

pub use error::{Error, Result};
pub use exec::CancelToken;
pub use exit::Exit;
pub use journal::Entry as JournalEntry;
pub use lock::{Guard, Lock, LockError, Mode};
pub use migrations::{MigrationError, MigrationState, MigrationStatus};
pub use operation::{Group, Operation, Outcome};
pub use project::{Culprit, DatabaseAxis, Environment, LocalRecord, Project, ProjectBuilder, Record};
pub use secret::Secret;
pub use state::StateDir;

/// The documents' Rust blocks are compiled, and run where they can be.
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
