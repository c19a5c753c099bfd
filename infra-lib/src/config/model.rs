//! The shape of `infra.toml`.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::deploy::Deploy;
use super::reference::Reference;
use crate::dotenv::rule::EnvRule;
use crate::units::{ByteSize, Period};

/// The settings of a project. See `docs/infra-toml.md` for each key with an example.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// Its name and default environment.
    pub project: ProjectSettings,
    /// Which compose files there are.
    pub compose: Compose,
    /// The settings of each environment, keyed by its name.
    pub environments: BTreeMap<String, EnvironmentSettings>,
    /// Who runs the health checks while services start.
    pub start: Start,
    /// Where the database is.
    pub database: DatabaseSettings,
    /// How the schema changes.
    pub migrations: Migrations,
    /// What is backed up, and how long it is kept.
    pub backup: Backup,
    /// What is probed besides what the compose files define.
    pub health: BTreeMap<String, HealthTarget>,
    /// Rules for the variables of the env files.
    pub env: BTreeMap<String, EnvRule>,
    /// The project's own commands.
    pub tasks: BTreeMap<String, Task>,
    /// Which findings of `policy` are accepted, and why.
    pub policy: Policy,
    /// How releases replace one another.
    pub deploy: Deploy,
}

/// `[project]`: the project's name, default environment and folder.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ProjectSettings {
    /// The compose project's name; default: that of Compose.
    pub name: Option<String>,
    /// The environment without `-e`; default: `development`.
    pub default_environment: Option<String>,
    /// The project's actual folder, with its own `infra.toml` or compose file: for a repository whose root is not the folder
    /// of its stack. The rest of this file is then ignored.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub dir: Option<Utf8PathBuf>,
}

/// Whether services run under Docker Compose or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum ServicesAxis {
    /// By Docker Compose.
    Compose,
    /// Not at all; only the database is used.
    None,
}

/// `[compose]`: the compose files, and whether services run.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Compose {
    /// The compose files, in order; default: those that Compose finds.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub files: Vec<Utf8PathBuf>,
    /// Pins the choice that `setup` otherwise makes.
    pub services: Option<ServicesAxis>,
}

/// `[environments.NAME]`: the settings of one environment.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EnvironmentSettings {
    /// All compose files of this environment.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub files: Vec<Utf8PathBuf>,
    /// The profiles that are on.
    pub profiles: Vec<String>,
    /// The env files; later ones override earlier ones; default: `.env` and `.env.NAME`.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub env_files: Vec<Utf8PathBuf>,
    /// The compose project's name; default: `<name>-<environment>`.
    pub project_name: Option<String>,
    /// Whether destruction needs the typed name; default: only in `production`.
    pub protected: Option<bool>,
    /// This environment's database; replaces `[database]`.
    pub database: Option<DatabaseSettings>,
}

/// `[database]`: where the database is, and how to log in.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DatabaseSettings {
    /// The service that is PostgreSQL; default: the one that looks like it.
    pub service: Option<String>,
    /// A managed database, usually `env:DATABASE_URL`.
    pub url: Option<Reference>,
    /// The image whose client tools work on a managed database; default: this machine's tools.
    pub client: Option<Reference>,
    /// The project's own cluster, without containers.
    pub local: Option<LocalSettings>,
    /// The database's name; default: the service's `POSTGRES_DB`.
    pub name: Option<Reference>,
    /// The role to log in as.
    pub user: Option<Reference>,
    /// Its password; never the value itself.
    pub password: Option<Reference>,
    /// Folders or files that initialise a new local cluster as the image's `/docker-entrypoint-initdb.d` would;
    /// default: what the compose file mounts there.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub init: Vec<Utf8PathBuf>,
}

/// `[database] local = {…}`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LocalSettings {
    /// The accepted server versions, such as `>=15`.
    pub version: Option<String>,
}

/// `[migrations]`: the migration files, the tool or command that applies them, and seeds.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Migrations {
    /// Where the files are; default: the usual folders.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub dir: Option<Utf8PathBuf>,
    /// The tool whose format the files have, if that is ambiguous: `sqlx`, `flyway`, `golang-migrate`…
    pub tool: Option<String>,
    /// The service that has the program of the tool, or runs the commands below.
    pub service: Option<String>,
    /// The image that has the program of the tool.
    pub image: Option<String>,
    /// The service that applies pending migrations at startup; it is started if the tool is not installed.
    pub at_start: Option<String>,
    /// The command that applies migrations.
    pub up: Vec<String>,
    /// The command that reverts the last migration.
    pub down: Vec<String>,
    /// The command that shows pending migrations.
    pub status: Vec<String>,
    /// Whether versions may arrive out of order.
    pub order: Order,
    /// Whether a backup comes first; default: yes.
    pub backup_first: Option<bool>,
    /// Development data, which `setup`, `db-seed` and `db-reset` load.
    pub seeds: Seeds,
}

/// The order in which versions may be applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Only after all earlier ones.
    #[default]
    Linear,
    /// In any order.
    Any,
}

/// `seeds = {…}`: development data as files, as a command, or both.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Seeds {
    /// Where the files are.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub dir: Option<Utf8PathBuf>,
    /// When a seed runs again.
    pub run: SeedRun,
    /// The service whose own command seeds.
    pub service: Option<String>,
    /// The command that seeds.
    pub command: Vec<String>,
}

/// When a seed runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SeedRun {
    /// Once.
    Once,
    /// When its content has changed.
    #[default]
    OnChange,
    /// On each run.
    Always,
}

/// `[start]`: who runs the health checks while services start.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Start {
    /// Who runs the health checks of containers that start; default: `own`.
    pub checks: StartChecks,
}

/// Who runs the health checks of containers that start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StartChecks {
    /// Each start runs them itself, as soon and as often as needed.
    #[default]
    Own,
    /// Only the engine runs them, at their intervals.
    Engine,
}

/// `[backup]`: what to back up, in which format, and how long to keep it.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Backup {
    /// Where backups are kept; default: `backups`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub dir: Option<Utf8PathBuf>,
    /// How a dump is written; default: `custom`.
    pub format: Option<DumpFormat>,
    /// The number of parallel jobs, for `directory`.
    pub jobs: Option<u32>,
    /// Volumes that belong to a full backup.
    pub volumes: Vec<String>,
    /// Files and folders that belong to a full backup. `${NAME}` is a variable of the env files.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub files: Vec<Utf8PathBuf>,
    /// What is kept; default: 30 days.
    pub keep: Keep,
    /// Whether each good backup deletes backups past their retention.
    pub prune: bool,
    /// `health` fails when the newest verified backup is older.
    pub max_age: Option<Period>,
    /// A backup smaller than this is suspect.
    pub min_size: Option<ByteSize>,
    /// How much work may be lost: recovery point objective.
    pub rpo: Option<Period>,
    /// How long a restore may take: recovery time objective.
    pub rto: Option<Period>,
}

/// How a dump is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum DumpFormat {
    /// One compressed archive, which `pg_restore` reads.
    #[default]
    Custom,
    /// A folder that parallel jobs write and read; for large databases.
    Directory,
    /// Compressed SQL, for people.
    Sql,
}

/// `keep = {…}`: how many of each are kept. Only verified backups count, and the three newest of them always stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[serde(expecting = "a table such as { last = 3, daily = 30 }")]
pub struct Keep {
    /// The newest ones, regardless of their age.
    pub last: Option<u32>,
    /// The newest of each day.
    pub daily: Option<u32>,
    /// The newest of each ISO week.
    pub weekly: Option<u32>,
    /// The newest of each month.
    pub monthly: Option<u32>,
    /// The newest of each year.
    pub yearly: Option<u32>,
    /// All backups made within this time before the newest verified one.
    pub within: Option<Period>,
}

/// `[health.NAME]`: exactly one of its addresses, and its limits.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct HealthTarget {
    /// A URL that answers below 400. `${NAME}` is a variable of the env files.
    pub http: Option<String>,
    /// `host:port` that accepts connections.
    pub tcp: Option<String>,
    /// `host:port` of a Redis that answers PING.
    pub redis: Option<String>,
    /// `host:port` whose certificate must be valid.
    pub tls: Option<String>,
    /// How slow an answer may be.
    pub max_latency: Option<Period>,
    /// How many days a certificate must still be valid; default: 14.
    pub min_days: Option<u32>,
}

/// `[tasks.NAME]`: exactly one place to run, and a command.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Task {
    /// In the running container of this service.
    pub service: Option<String>,
    /// In a fresh container of this service, removed afterwards.
    pub oneoff: Option<String>,
    /// On this machine, outside any container.
    pub host: bool,
    /// The program and its arguments; more may follow on the command line.
    pub run: Vec<String>,
    /// The working directory, for `host`; default: the project's folder.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub dir: Option<Utf8PathBuf>,
    /// Operations and tasks that come first.
    pub needs: Vec<String>,
    /// One line for the help.
    pub describe: Option<String>,
}

impl Task {
    /// Where it runs, in words.
    pub(crate) fn place(&self) -> String {
        match (&self.service, &self.oneoff) {
            (Some(service), _) => format!("in {service}"),
            (None, Some(service)) => format!("in a new {service}"),
            (None, None) => "on this machine".to_owned(),
        }
    }

    /// One line for the help: what it was described as, else what it runs.
    pub(crate) fn summary(&self) -> String {
        match &self.describe {
            Some(describe) => describe.clone(),
            None if self.run.is_empty() => self.needs.join(", "),
            None => format!("{} ({})", self.run.join(" "), self.place()),
        }
    }
}

/// The code in `[policy.allow]` of a published database port, which `policy` and `health` both report.
pub(crate) const DATABASE_PORT_PUBLISHED: &str = "database-port-published";

/// `[policy]`: accepted findings, and settings of the rules.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Policy {
    /// A finding's code, alone or as `code:service`, and why it is accepted.
    pub allow: BTreeMap<String, String>,
    /// The lowest user number that a container may run as in production; default: any but root's.
    pub min_uid: Option<u32>,
    /// The services that take the requests from outside, and so may publish ports in production; default: those that a
    /// reverse proxy's name is in, or in their image's.
    pub proxy: Vec<String>,
}
