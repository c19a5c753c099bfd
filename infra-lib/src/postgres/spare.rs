//! Databases beside the project's own: made like it, to be thrown away or to take its place.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::exit::Exit;
use crate::project::Project;

use super::{Database, PostgresError};

/// PostgreSQL's limit for a name, in bytes.
const LONGEST: usize = 63;
const DEADLINE: Duration = Duration::from_secs(600);

/// An empty database like the live one, on the same server. It goes when this is dropped, unless it has taken the live
/// one's place; what a killed run leaves, the next one of this checkout finds by its comment.
#[derive(Debug)]
pub(crate) struct Spare<'a> {
    project: &'a Project,
    /// The database from which others are made and dropped.
    from: Database,
    live: String,
    /// How to reach it.
    pub(crate) database: Database,
    exchanged: bool,
}

/// `CREATE DATABASE` with what cannot be changed later. The names of the columns differ between versions.
const CREATE: &str = r#"
SELECT format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L TABLESPACE %I', :'spare',
    pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, t.spcname)
  || CASE j.row->>'datlocprovider'
       WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(j.row->>'datlocale', j.row->>'daticulocale'))
       WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', j.row->>'datlocale')
       ELSE '' END
FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace, LATERAL (SELECT to_jsonb(d) AS row) j
WHERE d.datname = :'live' \gexec
COMMENT ON DATABASE :"spare" IS :'note';
"#;

impl<'a> Spare<'a> {
    /// Makes it; `purpose` is a word of its name.
    pub(crate) fn create(project: &'a Project, live: &Database, purpose: &str) -> Result<Self> {
        let from = maintenance(project, live)?;
        let note = format!(
            "[infra spare={purpose} of={} root={:08x}]",
            live.name,
            crate::fs::crc32([project.root().as_str()])
        );
        sweep(project, &from, &note)?;
        let name = fresh_name(&live.name, purpose)?;
        run(project, &from, CREATE, &[("spare", &name), ("live", &live.name), ("note", &note)])?;
        let database = Database { name, ..live.clone() };
        Ok(Self { project, from, live: live.name.clone(), database, exchanged: false })
    }

    /// Puts it in the live one's place, with the live one's settings, grants and comment, in one transaction; what was live
    /// is returned. Whoever is connected is disconnected; for a moment clients may hear that there is no such database.
    pub(crate) fn exchange(mut self) -> Result<Aside<'a>> {
        let aside = fresh_name(&self.live, "before")?;
        let sql = format!("{DISCONNECT}BEGIN;\n{PROPERTIES}{RENAME}COMMIT;\n");
        self.insist(&sql, &[("live", &self.live), ("spare", &self.database.name), ("aside", &aside)])?;
        self.exchanged = true;
        Ok(Aside { project: self.project, from: self.from.clone(), live: self.live.clone(), name: aside })
    }

    /// Somebody may connect again between the end of the sessions and the renaming; five attempts, then it is theirs.
    fn insist(&self, sql: &str, names: &[(&str, &str)]) -> Result<()> {
        let mut left = 5;
        loop {
            left -= 1;
            match run(self.project, &self.from, sql, names) {
                Err(Error::Postgres(PostgresError::Failed(error)))
                    if error.tail().contains("is being accessed by other users") =>
                {
                    if left == 0 {
                        return Err(Error::new(
                            Exit::Locked,
                            format!("others connect to {} as fast as they are disconnected", self.live),
                        )
                        .with_hint("stop what uses it: `cargo xtask stop SERVICE`"));
                    }
                    self.project.cancel().sleep(Duration::from_millis(200))?;
                }
                result => return result,
            }
        }
    }
}

impl Drop for Spare<'_> {
    fn drop(&mut self) {
        if !self.exchanged {
            discard(self.project, &self.from, &self.database.name);
        }
    }
}

/// What was the live database before an exchange.
#[derive(Debug)]
pub(crate) struct Aside<'a> {
    project: &'a Project,
    from: Database,
    live: String,
    name: String,
}

impl Aside<'_> {
    /// Puts it back; what has taken its place is dropped.
    pub(crate) fn put_back(self) -> Result<()> {
        let Self { project, from, live, name } = self;
        let failed = fresh_name(&live, "failed")?;
        let names = [("live", live.as_str()), ("spare", name.as_str()), ("aside", failed.as_str())];
        run(project, &from, &format!("{DISCONNECT}BEGIN;\n{RENAME}COMMIT;\n"), &names)?;
        discard(project, &from, &failed);
        Ok(())
    }

    /// Drops it.
    pub(crate) fn discard(self) {
        discard(self.project, &self.from, &self.name);
    }
}

/// Ends the sessions of the databases that are to be renamed.
const DISCONNECT: &str = r"
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN (:'live', :'spare') AND pid <> pg_backend_pid();
";

const RENAME: &str = r#"
ALTER DATABASE :"live" RENAME TO :"aside";
ALTER DATABASE :"spare" RENAME TO :"live";
"#;

/// What a database has beside its content, and a new one has not. Lists are kept as they stand; everything else is quoted.
const PROPERTIES: &str = r"
SELECT format('COMMENT ON DATABASE %I IS %L', :'spare', shobj_description(oid, 'pg_database')) FROM pg_database WHERE datname = :'live' \gexec
SELECT format('ALTER DATABASE %I CONNECTION LIMIT %s', :'spare', datconnlimit) FROM pg_database WHERE datname = :'live' \gexec
SELECT CASE WHEN s.setrole = 0 THEN format('ALTER DATABASE %I SET ', :'spare')
         ELSE format('ALTER ROLE %I IN DATABASE %I SET ', pg_get_userbyid(s.setrole), :'spare') END
  || format('%I TO ', split_part(c, '=', 1))
  || CASE WHEN split_part(c, '=', 1) IN ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries')
         THEN substr(c, strpos(c, '=') + 1) ELSE quote_literal(substr(c, strpos(c, '=') + 1)) END
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS c WHERE d.datname = :'live' \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'spare') FROM pg_database WHERE datname = :'live' AND datacl IS NOT NULL \gexec
SELECT format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, :'spare',
    CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_database d, aclexplode(d.datacl) a WHERE d.datname = :'live' AND d.datacl IS NOT NULL \gexec
";

fn run(project: &Project, from: &Database, sql: &str, names: &[(&str, &str)]) -> Result<()> {
    let mut call = from.psql(project)?;
    for (key, value) in names {
        call = call.args(["-v", &format!("{key}={value}")]);
    }
    Database::execute(project, &call.args(["-o", "/dev/null", "-f", "-"]).stdin(sql).deadline(DEADLINE))?;
    Ok(())
}

/// A database that is always there, and is not the one that is exchanged.
fn maintenance(project: &Project, live: &Database) -> Result<Database> {
    let other = |name: &str| Database { name: name.to_owned(), ..live.clone() };
    let first = if live.name == "postgres" { "template1" } else { "postgres" };
    match other(first).login(project) {
        Ok(_) => Ok(other(first)),
        Err(Error::Postgres(PostgresError::NoDatabase { .. })) => Ok(other("template1")),
        Err(error) => Err(error),
    }
}

/// Drops it, also after a cancellation; what resists is left to the next run.
fn discard(project: &Project, from: &Database, name: &str) {
    if let Ok(call) = from.psql(project) {
        let call = call.args(["-v", &format!("name={name}"), "-f", "-"]).deadline(Duration::from_secs(60));
        let _ = project.runner().aftermath().change(&call.stdin("DROP DATABASE IF EXISTS :\"name\" WITH (FORCE);\n"));
    }
}

fn sweep(project: &Project, from: &Database, note: &str) -> Result<()> {
    let sql = "SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', datname) FROM pg_database \
               WHERE shobj_description(oid, 'pg_database') = :'note' \\gexec\n";
    run(project, from, sql, &[("note", note)])
}

fn fresh_name(live: &str, purpose: &str) -> Result<String> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(|_| Error::new(Exit::Io, "the system's random generator failed"))?;
    Ok(name(live, purpose, u32::from_ne_bytes(random)))
}

/// A name beside `live`, which is shortened where it is too long.
fn name(live: &str, purpose: &str, random: u32) -> String {
    let tail = format!("__{purpose}_{random:08x}");
    let mut end = live.len().min(LONGEST - tail.len());
    while !live.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{tail}", &live[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b04_a_name_beside_a_long_one_fits() {
        assert_eq!(name("shop", "check", 0xa), "shop__check_0000000a");
        let long = name(&"ä".repeat(31), "check", 1);
        assert!(long.len() <= LONGEST && long.ends_with("__check_00000001"), "{long}");
    }
}
