//! What a dump does not say about its database: owner, locale, settings, grants, the roles that it needs.

use serde::Deserialize;

use super::manifest::{DatabaseFacts, GitState, MigrationState};
use crate::error::Result;
use crate::exec::{ExecError, Invocation};
use crate::exit::Exit;
use crate::postgres::{Database, PostgresError};
use crate::project::Project;

/// The facts, and the server that has them.
#[derive(Debug, Deserialize)]
pub(crate) struct Facts {
    pub(crate) database: DatabaseFacts,
    /// Its version, in words.
    pub(crate) server: String,
    /// Its version as a number: 170005.
    pub(crate) version: u32,
}

/// The settings whose values are lists, and stand in the catalogue as SQL wants them.
const LISTS: &str = "'local_preload_libraries','search_path','session_preload_libraries','shared_preload_libraries',\
                     'temp_tablespaces','unix_socket_directories'";

/// Rows of SQL that give a database named by `target` what the database `oid` has: both are SQL expressions.
pub(crate) fn properties(target: &str, oid: &str) -> String {
    let value =
        |name: &str, value: &str| format!("CASE WHEN {name} IN ({LISTS}) THEN {value} ELSE quote_literal({value}) END");
    let value = value("s.name", "s.value");
    format!(
        "SELECT sql FROM (
  SELECT 1 AS nr, format('ALTER DATABASE %s OWNER TO %I', {target}, pg_get_userbyid(datdba)) AS sql FROM pg_database WHERE oid = {oid}
  UNION ALL SELECT 2, format('ALTER DATABASE %s CONNECTION LIMIT %s', {target}, datconnlimit) FROM pg_database WHERE oid = {oid} AND datconnlimit >= 0
  UNION ALL SELECT 3, format('COMMENT ON DATABASE %s IS %L', {target}, shobj_description(oid, 'pg_database')) FROM pg_database
    WHERE oid = {oid} AND shobj_description(oid, 'pg_database') IS NOT NULL
  UNION ALL SELECT 4, format('REVOKE ALL ON DATABASE %s FROM PUBLIC, %I', {target}, pg_get_userbyid(datdba)) FROM pg_database WHERE oid = {oid} AND datacl IS NOT NULL
  UNION ALL SELECT 5, format('GRANT %s ON DATABASE %s TO %s%s', a.privilege_type, {target},
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
    FROM pg_database own, aclexplode(own.datacl) a WHERE own.oid = {oid}
  UNION ALL SELECT 6, CASE s.role WHEN 0 THEN format('ALTER DATABASE %s SET %I TO %s', {target}, s.name, {value})
      ELSE format('ALTER ROLE %I IN DATABASE %s SET %I TO %s', pg_get_userbyid(s.role), {target}, s.name, {value}) END
    FROM (SELECT setrole AS role, split_part(c, '=', 1) AS name, substr(c, strpos(c, '=') + 1) AS value
          FROM pg_db_role_setting, unnest(setconfig) AS c WHERE setdatabase = {oid}) s
) AS p ORDER BY nr, sql"
    )
}

fn query() -> String {
    let properties = properties("':\"db\"'", "d.oid");
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
  'properties', (SELECT json_agg(sql) FROM ({properties}) q)))
FROM pg_database d WHERE datname = current_database();"
    )
}

impl Facts {
    /// Asks the server.
    pub(crate) fn ask(project: &Project, database: &Database) -> Result<Self> {
        let text = database.query(project, &query())?;
        serde_json::from_str(&text).map_err(|error| {
            let reason = error.to_string();
            ExecError::BadOutput { command: "psql".to_owned(), reason }.into()
        })
    }

    /// The major version.
    pub(crate) fn major(&self) -> u32 {
        self.version / 10_000
    }
}

/// The tables in which migration tools note what they did, and how each says which was last.
const LEDGERS: [(&str, &str, &str); 7] = [
    ("sqlx", "_sqlx_migrations", "SELECT max(version)::text FROM _sqlx_migrations WHERE success"),
    (
        "flyway",
        "flyway_schema_history",
        "SELECT version FROM flyway_schema_history WHERE success ORDER BY installed_rank DESC LIMIT 1",
    ),
    (
        "prisma",
        "_prisma_migrations",
        "SELECT max(migration_name) FROM _prisma_migrations WHERE finished_at IS NOT NULL",
    ),
    ("refinery", "refinery_schema_history", "SELECT max(version)::text FROM refinery_schema_history"),
    ("diesel", "__diesel_schema_migrations", "SELECT max(version) FROM __diesel_schema_migrations"),
    ("alembic", "alembic_version", "SELECT max(version_num) FROM alembic_version"),
    ("schema_migrations", "schema_migrations", "SELECT max(version)::text FROM schema_migrations"),
];

/// How far the migrations are, where a table says so that we know.
pub(crate) fn migration(project: &Project, database: &Database) -> Option<MigrationState> {
    let sql = LEDGERS.iter().fold(String::new(), |sql, (format, table, last)| {
        sql + &format!(
            "SELECT CASE WHEN to_regclass('{table}') IS NULL THEN 'SELECT 1 WHERE false' \
             ELSE 'SELECT ''{format}'', ({last})' END \\gexec\n"
        )
    });
    let text = database.query(project, &sql).ok()?;
    let (format, version) = text.lines().find_map(|line| line.split_once('\t'))?;
    Some(MigrationState { format: format.to_owned(), version: version.to_owned() })
}

/// The checkout's commit, where it is one of git's.
pub(crate) fn git(project: &Project) -> Option<GitState> {
    let ask = |args: &[&str]| {
        let call = Invocation::new("git").args(args.iter().copied()).dir(project.root());
        project.runner().read(&call.deadline(std::time::Duration::from_secs(10))).ok().map(|output| output.text())
    };
    let commit = ask(&["rev-parse", "HEAD"])?;
    Some(GitState { commit, dirty: !ask(&["status", "--porcelain", "--untracked-files=no"])?.is_empty() })
}

/// The same error, with what helps against this one: the names that are near to a database's that does not exist, the place
/// that a role's name comes from.
pub(crate) fn explained(project: &Project, database: &Database, error: crate::Error) -> crate::Error {
    match &error {
        crate::Error::Postgres(PostgresError::NoDatabase { .. }) => no_such_database(project, database, &error),
        crate::Error::Postgres(PostgresError::Login { .. }) => no_such_login(project, database, error),
        _ => error,
    }
}

fn no_such_login(project: &Project, database: &Database, error: crate::Error) -> crate::Error {
    let variables = project.variables().variables();
    let in_url = [format!("//{}:", database.user), format!("//{}@", database.user)];
    let origins = variables.iter().filter(|variable| {
        let value = variable.value.expose();
        value == database.user || in_url.iter().any(|user| value.contains(user))
    });
    let origins: Vec<_> = origins.map(|variable| format!("{} in {}", variable.key, variable.origin)).collect();
    if origins.is_empty() {
        return error;
    }
    let hint = error.hint().unwrap_or_default();
    let origins = origins.join(", ");
    crate::Error::new(error.exit(), error.to_string())
        .with_hint(format!("the role `{}` is that of {origins}; {hint}", database.user))
}

fn no_such_database(project: &Project, database: &Database, error: &crate::Error) -> crate::Error {
    let maintenance = Database { name: "postgres".to_owned(), ..database.clone() };
    let sql = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1;";
    let names = maintenance.query(project, sql).unwrap_or_default();
    let names: Vec<&str> = names.lines().collect();
    let near = crate::suggest::nearest(&database.name, names.iter().copied());
    let hint = match near {
        Some(near) => format!("did you mean `{near}`? `cargo xtask env explain` says where the name comes from"),
        None => {
            format!("the server has: {}; `cargo xtask env explain` says where the name comes from", names.join(", "))
        }
    };
    crate::Error::new(Exit::NotFound, error.to_string()).with_hint(hint)
}
