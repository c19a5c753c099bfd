//! The marker in a database that names its project and environment.
//!
//! It is a line in the database's comment, `[infra project=… environment=…]`, next to any other text. Destructive
//! operations compare it with the requested environment. `setup` and operations that create databases write it.

use crate::project::Project;
use crate::project::environment_name::canonical;
use crate::project::error::Result;

use super::Database;

/// The project and environment named in a database's comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The name of the project.
    pub(crate) project: String,
    /// The name of the environment.
    pub(crate) environment: String,
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[infra project={} environment={}]", self.project, self.environment)
    }
}

impl Mark {
    /// The marker of a project's environment.
    pub(crate) fn for_project(project: &Project) -> Self {
        Self { project: project.name().to_owned(), environment: project.environment().name.clone() }
    }

    /// Finds the marker in a database's comment.
    pub(crate) fn find(comment: &str) -> Option<Self> {
        let inside = comment.split_once("[infra project=")?.1.split_once(']')?.0;
        let (project, environment) = inside.split_once(" environment=")?;
        Some(Self { project: project.to_owned(), environment: canonical(environment) })
    }
}

/// The SQL that writes `:'mark'` into the comment of a database, whose name is this SQL expression. It replaces an
/// older marker and keeps the rest of the comment.
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
    /// The marker of the database, if it has one.
    pub(crate) fn mark(&self, project: &Project) -> Result<Option<Mark>> {
        let sql = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database();";
        Ok(Mark::find(&self.query(project, sql)?))
    }

    /// Marks the database as belonging to this environment.
    pub(crate) fn write_mark(&self, project: &Project) -> Result<()> {
        let mark = Mark::for_project(project);
        if !project.runner().is_dry_run() && self.mark(project)?.as_ref() == Some(&mark) {
            return Ok(());
        }
        let call =
            self.psql(project)?.args(["-v", &format!("mark={mark}"), "-f", "-"]).stdin(write("current_database()"));
        Self::execute(project, &call)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_in_a_comment() {
        let mark = Mark::find("the shop's orders\n[infra project=shop environment=staging]").unwrap();
        assert_eq!(mark.environment, "staging");
    }
}
