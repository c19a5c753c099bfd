//! The restricted role that restores a received backup: it can only fill one database.
//!
//! A dump is SQL in every format, and its author decides what it does. So it runs in sessions of a separate login,
//! which is not a superuser, cannot create databases or roles, and is not a member of any role. Afterwards its
//! objects are given to their owners.

use std::fmt::Write as _;

use crate::exit::Exit;
use crate::hex;
use crate::postgres::literal::{identifier, literal};
use crate::postgres::{Database, scram_verifier_of};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::secret::Secret;

use super::received::Postponed;
use super::scratch_db::{PATIENT, Purpose};

/// Keeps our own sessions in a received database from calling anything defined in it.
pub(super) const PINNED: &str = "SET search_path = pg_catalog;\n";
/// Number of digits in the password.
const PASSWORD_DIGITS: usize = 40;
/// Whether role `r` owns code that the server would run automatically with its owner's rights, or that is declared to
/// do so.
const RUNS_BY_ITSELF: &str = "EXISTS (SELECT FROM pg_proc WHERE proowner = r.oid)
 OR EXISTS (SELECT FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relowner = r.oid AND (indexprs IS NOT NULL OR indpred IS NOT NULL))
 OR EXISTS (SELECT FROM pg_statistic_ext WHERE stxowner = r.oid)
 OR EXISTS (SELECT FROM pg_type JOIN pg_constraint ON contypid = pg_type.oid WHERE typowner = r.oid)";

/// A login without privileges.
pub(crate) struct RestrictedRole {
    /// The role's name: that of a scratch database, so that leftovers of a crash are found by it.
    name: String,
    /// The role's final name, if it is kept.
    kept: String,
    password: Secret,
}

impl RestrictedRole {
    /// A new, not yet created role for a backup that replaces `live` or is restored under another name.
    pub(crate) fn new(live: &str) -> Result<Self> {
        let password = Secret::new(hex::random_digits(PASSWORD_DIGITS)?);
        Ok(Self { name: Purpose::New.name(live)?, kept: Purpose::Owner.name(live)?, password })
    }

    /// An error unless our own role may create roles.
    pub(crate) fn check(project: &Project, from: &Database) -> Result<()> {
        let sql = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user;";
        if from.query(project, sql)?.trim() == "t" {
            return Ok(());
        }
        let folder = project.backup_dir();
        let what = format!(
            "a backup from outside {folder} is restored with an unprivileged role, and `{}` cannot create one",
            from.user
        );
        Err(Error::new(Exit::Refused, what)
            .with_hint("use a role with CREATEROLE; put a backup of your own into that folder, with its manifest"))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Creates the role, lets it fill this database, and returns its login.
    pub(super) fn create(&self, project: &Project, target: &Database, tablespaces: &[String]) -> Result<Database> {
        project.runner().redactor().learn(&self.password);
        let (role, database) = (identifier(&self.name), identifier(&target.name));
        let mut sql = format!(
            "{PINNED}{PATIENT}BEGIN;\nCREATE ROLE {role} LOGIN NOINHERIT PASSWORD {};\nGRANT {role} TO CURRENT_USER;\n\
             GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {database} TO {role};\nALTER SCHEMA public OWNER TO {role};\n",
            literal(&scram_verifier_of(&self.password)?)
        );
        for tablespace in tablespaces {
            let _ = writeln!(sql, "GRANT CREATE ON TABLESPACE {} TO {role};", identifier(tablespace));
        }
        Self::run(project, target, sql + "COMMIT;\n")?;
        Ok(Database { user: self.name.clone(), password: Some(self.password.clone()), ..target.clone() })
    }

    /// Drops the role after giving its objects to their owners, and the rest to the database's owner. If that owner
    /// is a superuser and the server would run some of the objects automatically, a role without privileges and login
    /// keeps them.
    pub(super) fn hand_over(&self, project: &Project, target: &Database, postponed: &[Postponed]) -> Result<()> {
        let (role, name) = (identifier(&self.name), literal(&self.name));
        let own = "SELECT rolname FROM pg_roles WHERE NOT rolsuper AND pg_has_role(current_user, oid, 'MEMBER');";
        let owners = target.query(project, &format!("{PINNED}{own}"))?;
        let may_own = |role: &str| owners.lines().any(|owner| owner == role);
        let mut sql = format!(
            "{PINNED}{PATIENT}ALTER ROLE {role} NOLOGIN;\n\
             SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = {name} \\g /dev/null\n\
             BEGIN;\n\
             SELECT format('ALTER SCHEMA public OWNER TO %I', coalesce((SELECT p.rolname FROM pg_roles p WHERE p.rolname = 'pg_database_owner'),\n\
               (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database())))\n\
             FROM pg_namespace WHERE nspname = 'public' AND pg_get_userbyid(nspowner) = {name} \\gexec\n"
        );
        for statement in postponed {
            match statement {
                Postponed::Owner { sql: statement, role } if may_own(role) => sql += statement,
                Postponed::Defaults(statement) => sql += statement,
                Postponed::Owner { .. } | Postponed::Superfluous => {}
            }
        }
        Self::run(project, target, sql + "COMMIT;\n")?;

        let owner = "(SELECT o FROM pg_roles o JOIN pg_database ON datdba = o.oid WHERE datname = current_database())";
        let keeps =
            format!("{PINNED}SELECT ({owner}).rolsuper AND ({RUNS_BY_ITSELF}) FROM pg_roles r WHERE rolname = {name};");
        let finish = if target.query(project, &keeps)?.trim() == "t" {
            let kept = &self.kept;
            project.note(format_args!(
                "its objects belong to the role {kept}, which has no privileges: its code must not run as a superuser"
            ));
            format!(
                "REVOKE ALL ON DATABASE {} FROM {role};\nALTER ROLE {role} RENAME TO {};\n",
                identifier(&target.name),
                identifier(kept)
            )
        } else {
            format!(
                "SELECT format('REASSIGN OWNED BY %I TO %I', {name}, ({owner}).rolname) \\gexec\nDROP OWNED BY {role};\nDROP ROLE {role};\n"
            )
        };
        Self::run(project, target, format!("{PINNED}{PATIENT}BEGIN;\n{finish}COMMIT;\n"))
    }

    fn run(project: &Project, target: &Database, sql: String) -> Result<()> {
        let call = target.psql(project)?.args(["-o", "/dev/null", "-f", "-"]).stdin(sql);
        Database::execute(project, &call)?;
        Ok(())
    }
}

/// SQL that drops the role `:'role'`, if it exists, and what it owns in this database.
pub(super) const DROP_ROLE: &str = "SELECT format('DROP OWNED BY %I', rolname) FROM pg_roles WHERE rolname = :'role' \\gexec\n\
    SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname = :'role' \\gexec\n";

/// SQL that lists the roles derived from the database `:'live'` that no longer own anything.
pub(super) const UNUSED: &str = "SELECT rolname FROM pg_roles r, unnest(ARRAY[:'new', :'owner']) AS prefix
 WHERE starts_with(rolname, prefix) AND substr(rolname, length(prefix) + 1) ~ ('^[0-9a-f]{' || :digits || '}$')
   AND NOT EXISTS (SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = r.oid AND dbid <> 0);";
