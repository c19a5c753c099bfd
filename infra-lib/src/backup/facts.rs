//! Facts about a database that its dump lacks: owner, locale, settings, grants, required roles.

use serde::Deserialize;

use super::manifest::{DatabaseFacts, GitState, MigrationState};
use super::property::{self, Property};
use crate::dotenv::Variable;
use crate::exec::{ExecError, Invocation};
use crate::exit::Exit;
use crate::postgres::{Database, PostgresError, catalog};
use crate::project::Project;
use crate::project::error::Result;

/// Facts about a database and its server.
#[derive(Debug, Deserialize)]
pub(crate) struct Facts {
    pub(crate) database: DatabaseFacts,
    /// The server's version, as text.
    pub(crate) server: String,
    /// The server's version as a number, such as 170005.
    pub(crate) version: u32,
}

fn query() -> String {
    let attributes = property::query("d.oid");
    format!(
        "SELECT json_build_object('server', current_setting('server_version'), 'version', current_setting('server_version_num')::int,
 'database', json_build_object('name', datname, 'size', pg_database_size(oid), 'encoding', pg_encoding_to_char(encoding),
  'collate', datcollate, 'ctype', datctype, 'owner', pg_get_userbyid(datdba),
  'locale_provider', CASE to_jsonb(d)->>'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
  'locale', coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'),
  'system_identifier', (SELECT system_identifier::text FROM pg_control_system()),
  'extensions', coalesce((SELECT json_agg(extname ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql'), '[]'),
  'tablespaces', coalesce((SELECT json_agg(spcname ORDER BY spcname) FROM pg_tablespace t WHERE spcname NOT IN ('pg_default', 'pg_global')
     AND (t.oid = d.dattablespace OR EXISTS (SELECT FROM pg_class c WHERE c.reltablespace = t.oid))), '[]'),
  'roles', (SELECT json_agg(DISTINCT pg_get_userbyid(role)) FROM (
     SELECT refobjid AS role FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass
       AND (dbid = d.oid OR (classid = 'pg_database'::regclass AND objid = d.oid))
     UNION SELECT datdba UNION SELECT setrole FROM pg_db_role_setting WHERE setdatabase = d.oid UNION SELECT relowner FROM pg_class WHERE oid >= 16384 UNION SELECT nspowner FROM pg_namespace WHERE oid >= 16384
     UNION SELECT proowner FROM pg_proc WHERE oid >= 16384 UNION SELECT typowner FROM pg_type WHERE oid >= 16384
     UNION SELECT lomowner FROM pg_largeobject_metadata
     UNION SELECT setrole FROM pg_db_role_setting WHERE setdatabase = d.oid) r
     WHERE EXISTS (SELECT FROM pg_roles WHERE oid = role)),
  'attributes', {attributes}))
FROM pg_database d WHERE datname = current_database();"
    )
}

impl Facts {
    /// Queries the facts from the server.
    pub(crate) fn query(project: &Project, database: &Database) -> Result<Self> {
        let text = database.query(project, &query())?;
        let invalid = |reason| ExecError::BadOutput { command: "psql".to_owned(), reason };
        let mut facts: Self = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        facts.database.attributes.iter_mut().try_for_each(Property::split_list).map_err(invalid)?;
        Ok(facts)
    }

    /// The major version, such as 17.
    pub(crate) fn major(&self) -> u32 {
        self.version / 10_000
    }
}

/// The ledger tables of migration tools, each with a query for the last applied version.
const LEDGERS: [(&str, &str, &str); 7] = [
    ("sqlx", "_sqlx_migrations", "SELECT max(version)::text FROM {} WHERE success"),
    ("flyway", "flyway_schema_history", "SELECT version FROM {} WHERE success ORDER BY installed_rank DESC LIMIT 1"),
    ("prisma", "_prisma_migrations", "SELECT max(migration_name) FROM {} WHERE finished_at IS NOT NULL"),
    ("refinery", "refinery_schema_history", "SELECT max(version)::text FROM {}"),
    ("diesel", "__diesel_schema_migrations", "SELECT max(version) FROM {}"),
    ("alembic", "alembic_version", "SELECT max(version_num) FROM {}"),
    ("schema_migrations", "schema_migrations", "SELECT max(version)::text FROM {}"),
];

/// The state of the migrations, if a known ledger table exists.
pub(crate) fn migration(project: &Project, database: &Database) -> Option<MigrationState> {
    let sql = LEDGERS.iter().fold(String::new(), |sql, (format, table, last)| {
        let table = catalog::qualified(table, "name");
        sql + &format!("SELECT replace('SELECT ''{format}'', ({last})', '{{}}', name) FROM ({table}) AS t \\gexec\n")
    });
    let text = database.query(project, &sql).ok()?;
    let (format, version) = text.lines().find_map(|line| line.split_once('\t'))?;
    Some(MigrationState { format: format.to_owned(), version: version.to_owned() })
}

/// The checkout's commit, if it is a git checkout.
pub(crate) fn git(project: &Project) -> Option<GitState> {
    let ask = |args: &[&str]| {
        let call = Invocation::new("git").args(args.iter().copied()).dir(project.root());
        project.runner().read(&call.deadline(std::time::Duration::from_secs(10))).ok().map(|output| output.text())
    };
    let commit = ask(&["rev-parse", "HEAD"])?;
    Some(GitState { commit, dirty: !ask(&["status", "--porcelain", "--untracked-files=no"])?.is_empty() })
}

/// Adds a hint to the error: similar names if the database does not exist, or the source of the role's name.
pub(crate) fn explained(
    project: &Project,
    database: &Database,
    error: crate::project::error::Error,
) -> crate::project::error::Error {
    match error.downcast_ref() {
        Some(PostgresError::NoDatabase { .. }) => no_such_database(project, database, &error),
        Some(PostgresError::Login { .. }) => no_such_login(project, database, error),
        _ => error,
    }
}

fn no_such_login(
    project: &Project,
    database: &Database,
    error: crate::project::error::Error,
) -> crate::project::error::Error {
    let variables = project.variables().variables();
    let in_url = [format!("//{}:", database.user), format!("//{}@", database.user)];
    let is_user = |value: &str| value == database.user || in_url.iter().any(|user| value.contains(user));
    // The database often has the role's name.
    let is_name = |key: &str| key.split('_').any(|word| matches!(word, "DB" | "DATABASE" | "NAME"));
    let places = |is_it: &dyn Fn(&Variable) -> bool| {
        let found = variables.iter().filter(|it| is_it(it)).map(|it| format!("{} in {}", it.key, it.origin));
        found.collect::<Vec<_>>().join(", ")
    };
    let key = database.password_key(project);
    let user = places(&|it| is_user(it.value.expose()) && !is_name(&it.key));
    let password = places(&|it| Some(&it.key) == key.as_ref());
    let role = &database.user;
    let origin = match (user.is_empty(), password.is_empty()) {
        (true, true) => return error,
        (false, true) => format!("the role `{role}` comes from {user}"),
        (true, false) => format!("the password of `{role}` comes from {password}"),
        (false, false) => format!("the role `{role}` comes from {user}, and its password from {password}"),
    };
    crate::project::error::Error::new(error.exit(), error.to_string())
        .with_hint(format!("{origin}; {}", error.hint().unwrap_or_default()))
}

fn no_such_database(
    project: &Project,
    database: &Database,
    error: &crate::project::error::Error,
) -> crate::project::error::Error {
    let maintenance = Database { name: "postgres".to_owned(), ..database.clone() };
    let sql = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1;";
    let names = maintenance.query(project, sql).unwrap_or_default();
    let hint = crate::suggest::hint("databases of the server", &database.name, names.lines());
    crate::project::error::Error::new(Exit::NotFound, error.to_string())
        .with_hint(format!("{hint}; `cargo xtask env explain` says where the name comes from"))
}
