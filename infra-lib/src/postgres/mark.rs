//! The mark by which a database knows what it is.
//!
//! A line in its comment, `[infra project=… environment=…]`, beside whatever else stands there. Destructive operations
//! compare it with the environment that they were asked for; `setup` and operations that create databases write it.

use crate::error::Result;
use crate::project::Project;

use super::Database;

/// What a mark says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The project.
    pub project: String,
    /// The environment.
    pub environment: String,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[infra project={} environment={}]", self.project, self.environment)
    }
}

impl Mark {
    /// The mark of a project's environment.
    pub fn of(project: &Project) -> Self {
        Self { project: project.name().to_owned(), environment: project.environment().name.clone() }
    }

    /// Finds the mark in a database's comment.
    ///
    /// ```
    /// use infra_lib::postgres::Mark;
    /// let mark = Mark::find("the shop's orders\n[infra project=shop environment=staging]").unwrap();
    /// assert_eq!(mark.environment, "staging");
    /// ```
    pub fn find(comment: &str) -> Option<Self> {
        let inside = comment.split_once("[infra project=")?.1.split_once(']')?.0;
        let (project, environment) = inside.split_once(" environment=")?;
        Some(Self { project: project.to_owned(), environment: environment.to_owned() })
    }
}

/// The SQL that writes `:'mark'` into the comment of a database, whose name is this SQL expression; an older mark goes, the
/// rest of the comment stays.
pub(crate) fn write(database: &str) -> String {
    format!(
        r"
SELECT format('COMMENT ON DATABASE %I IS %L', datname, concat_ws(E'\n',
    nullif(btrim(regexp_replace(coalesce(shobj_description(oid, 'pg_database'), ''), '\[infra [^]]*\]', '', 'g'), E'\n'), ''),
    :'mark'))
FROM pg_database WHERE datname = {database} \gexec
"
    )
}

impl Database {
    /// The mark that the database bears, if any.
    pub fn mark(&self, project: &Project) -> Result<Option<Mark>> {
        let sql = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database();";
        Ok(Mark::find(&self.query(project, sql)?))
    }

    /// Marks the database as this environment's.
    pub(crate) fn write_mark(&self, project: &Project) -> Result<()> {
        let mark = Mark::of(project);
        if !project.runner().is_dry_run() && self.mark(project)?.as_ref() == Some(&mark) {
            return Ok(());
        }
        let call =
            self.psql(project)?.args(["-v", &format!("mark={mark}"), "-f", "-"]).stdin(write("current_database()"));
        Self::execute(project, &call)?;
        Ok(())
    }
}
