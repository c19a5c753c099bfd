//! The shape of `infra.toml`.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::{ByteSize, Period, Reference};
use crate::dotenv::Generator;

/// A project's own statements. See `docs/infra-toml.md` for each key with an example.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Manifest {
    /// Its name and default environment.
    pub project: ProjectSettings,
    /// Which compose files there are.
    pub compose: Compose,
    /// How environments differ.
    pub environments: BTreeMap<String, EnvironmentSettings>,
    /// Where the database is.
    pub database: DatabaseSettings,
    /// How the schema changes.
    pub migrations: Migrations,
    /// What is backed up, and how long it is kept.
    pub backup: Backup,
    /// What is probed beside what the compose files already say.
    pub health: BTreeMap<String, HealthTarget>,
    /// Rules for the variables of the env files.
    pub env: BTreeMap<String, EnvRule>,
    /// The project's own commands.
    pub tasks: BTreeMap<String, Task>,
    /// Which findings of `policy` are accepted, and why.
    pub policy: Policy,
}

/// `[project]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ProjectSettings {
    /// The compose project's name; default: what Compose would take.
    pub name: Option<String>,
    /// The environment without `-e`; default: `development`.
    pub default_environment: Option<String>,
    /// The folder that the project really is in, with an `infra.toml` or a compose file of its own: for a repository whose
    /// root is not where its stack lies. Nothing else that stands beside this is read.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub dir: Option<Utf8PathBuf>,
}

/// Whether services run.
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

/// `[compose]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Compose {
    /// The compose files, in order; default: those that Compose would find.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub files: Vec<Utf8PathBuf>,
    /// Pins the choice that `setup` otherwise makes.
    pub services: Option<ServicesAxis>,
}

/// `[environments.NAME]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EnvironmentSettings {
    /// The compose files of this environment, all of them.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub files: Vec<Utf8PathBuf>,
    /// The profiles that are on.
    pub profiles: Vec<String>,
    /// The env files, later ones winning; default: `.env` and `.env.NAME`.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub env_files: Vec<Utf8PathBuf>,
    /// The compose project's name; default: `<name>-<environment>`.
    pub project_name: Option<String>,
    /// Whether destruction needs the typed name; default: only in `production`.
    pub protected: Option<bool>,
    /// This environment's database, in place of all that `[database]` says.
    pub database: Option<DatabaseSettings>,
}

/// `[database]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct DatabaseSettings {
    /// The service that is PostgreSQL; default: the one that looks like it.
    pub service: Option<String>,
    /// A managed database, usually `env:DATABASE_URL`.
    pub url: Option<Reference>,
    /// The image whose `pg_dump` and its kin work on a managed database; default: this machine's own.
    pub client: Option<Reference>,
    /// A cluster of the project's own, without containers.
    pub local: Option<LocalSettings>,
    /// The database's name.
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
    /// Which servers will do, such as `>=15`.
    pub version: Option<String>,
}

/// `[migrations]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Migrations {
    /// Where the files are; default: the folders that people use.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub dir: Option<Utf8PathBuf>,
    /// The service whose own tool migrates.
    pub service: Option<String>,
    /// Its command that applies.
    pub up: Vec<String>,
    /// Its command that reverts the last one.
    pub down: Vec<String>,
    /// Its command that says what is pending.
    pub status: Vec<String>,
    /// Whether versions may arrive out of order.
    pub order: Order,
    /// Whether a backup comes first; default: yes.
    pub backup_first: Option<bool>,
    /// Data for development.
    pub seeds: Seeds,
}

/// The order in which versions may be applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Only after everything that came before.
    #[default]
    Linear,
    /// As they come.
    Any,
}

/// `seeds = {…}`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Seeds {
    /// Where the files are.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub dir: Option<Utf8PathBuf>,
    /// When one runs again.
    pub run: SeedRun,
    /// The service whose own command seeds.
    pub service: Option<String>,
    /// That command.
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
    /// Each time.
    Always,
}

/// `[backup]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Backup {
    /// Where backups are kept; default: `backups`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub dir: Option<Utf8PathBuf>,
    /// How a dump is written; default: `custom`.
    pub format: Option<DumpFormat>,
    /// How many jobs work at once; for `directory`.
    pub jobs: Option<u32>,
    /// Volumes that belong to a full backup.
    pub volumes: Vec<String>,
    /// Files and folders that belong to a full backup. `${NAME}` is a variable of the env files.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub files: Vec<Utf8PathBuf>,
    /// What is kept; default: 30 days.
    pub keep: Keep,
    /// Whether each good backup removes those that are no longer to be kept.
    pub prune: bool,
    /// `health` turns red when the newest verified backup is older.
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
    /// A folder, written and read by several jobs at once: for big databases.
    Directory,
    /// Compressed SQL, for people.
    Sql,
}

/// `keep = {…}`: how many of each are kept. Only verified backups count, and the three newest of them always stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Keep {
    /// The newest.
    pub last: Option<u32>,
    /// The newest of each day.
    pub daily: Option<u32>,
    /// The newest of each ISO week.
    pub weekly: Option<u32>,
    /// The newest of each month.
    pub monthly: Option<u32>,
    /// The newest of each year.
    pub yearly: Option<u32>,
    /// All that are at most this much older than the newest verified one.
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

/// `[env.KEY]`: what a variable must be.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EnvRule {
    /// How a fresh value is made.
    pub generate: Option<Generator>,
    /// What `setup` knows and a template cannot.
    pub fill: Option<FillFrom>,
    /// The least number of characters.
    pub min_length: Option<usize>,
    /// How old a value may become.
    pub rotate_every: Option<Period>,
    /// What it is for.
    pub describe: Option<String>,
}

/// Something that `setup` knows about this checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FillFrom {
    /// The number of the user who owns the project's folder: for containers that write into it.
    OwnerUid,
    /// The number of that folder's group.
    OwnerGid,
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
    /// On this machine.
    pub host: bool,
    /// The program and its arguments; more may follow on the command line.
    pub run: Vec<String>,
    /// In which folder, for `host`; default: the project's.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub dir: Option<Utf8PathBuf>,
    /// Operations and tasks that come first.
    pub needs: Vec<String>,
    /// One line for the help.
    pub describe: Option<String>,
}

impl Task {
    /// Where it runs, in words.
    pub fn place(&self) -> String {
        match (&self.service, &self.oneoff) {
            (Some(service), _) => format!("in {service}"),
            (None, Some(service)) => format!("in a new {service}"),
            (None, None) => "on this machine".to_owned(),
        }
    }

    /// One line for the help: what it was described as, else what it runs.
    pub fn summary(&self) -> String {
        match &self.describe {
            Some(describe) => describe.clone(),
            None if self.run.is_empty() => self.needs.join(", "),
            None => format!("{} ({})", self.run.join(" "), self.place()),
        }
    }
}

/// `[policy]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Policy {
    /// A finding's code, alone or as `code:service`, and why it is accepted.
    pub allow: BTreeMap<String, String>,
    /// The least number of a user that a container runs as in production; default: any but root's.
    pub min_uid: Option<u32>,
    /// The services that take the requests from outside, and so may publish ports in production; default: those that a
    /// reverse proxy's name is in, or in their image's.
    pub proxy: Vec<String>,
}
