//! `db-seed`

use std::fmt;

use serde::Serialize;

use crate::exit::Exit;
use crate::lock::{Lock, Mode};
use crate::migrations::{self, Seed, guard};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::project::operation::{Group, Operation, Outcome};

/// Load development data into the database.
///
/// Seed files run once, on change, or always, as `[migrations] seeds` says, each in a transaction; or the project's own
/// command runs. Refused in a protected environment.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct DbSeed {}

/// The result of `db-seed`: which seed files and which command ran.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct SeedReport {
    /// The files that ran.
    pub seeded: Vec<String>,
    /// The command of the project's own that did it.
    pub delegated: Option<String>,
}

impl Operation for DbSeed {
    const NAME: &'static str = "db-seed";
    const GROUP: Group = Group::Database;
    type Outcome = SeedReport;

    fn run(&self, project: &Project) -> Result<SeedReport> {
        let seeds = &project.config().migrations.seeds;
        if seeds.dir.is_none() && seeds.command.is_empty() {
            return Err(Error::new(Exit::Config, "infra.toml does not define what to seed")
                .with_hint("define it: `[migrations]` with `seeds = { dir = \"seeds\" }` or `seeds = { service = …, command = […] }`"));
        }
        let database = project.database()?;
        guard::only_for_development(project, &database, Self::NAME)?;
        let _lock = project.lock(Lock::Database, Mode::Shared, Self::NAME)?;
        let due = migrations::due_seeds(project, &database)?;
        let command = seeds.command.join(" ");
        let files = due.iter().map(|Seed { name, .. }| name.clone());
        let items: Vec<String> = files.chain((!command.is_empty()).then(|| format!("`{command}`"))).collect();
        if items.is_empty() {
            return Ok(SeedReport::default());
        }
        project.consent(&project.destruction(Self::NAME, items))?;
        let seeded = migrations::apply_seeds(project, &database, &due)?;
        let ran = migrations::delegate::run(project, seeds.service.as_deref(), &seeds.command, "seed")?;
        if !ran && !command.is_empty() {
            return Err(Error::new(
                Exit::Unavailable,
                format!("`{command}` runs in a service, and no services run here"),
            ));
        }
        Ok(SeedReport { seeded, delegated: ran.then_some(command) })
    }
}

impl Outcome for SeedReport {}

impl fmt::Display for SeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = (!self.seeded.is_empty()).then(|| format!("seeded {}", self.seeded.join(", ")));
        let command = self.delegated.as_ref().map(|command| format!("done by `{command}`"));
        let lines: Vec<String> = files.into_iter().chain(command).collect();
        f.write_str(if lines.is_empty() { "nothing to do" } else { "" })?;
        f.write_str(&lines.join("\n"))
    }
}
