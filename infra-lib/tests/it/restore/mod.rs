//! `db-restore`: whatever happens, the database holds exactly what it held before, or exactly what the backup holds.

mod clients;
mod damage;
mod dropped;
mod fit;
mod foreign;
mod kills;
mod place;
mod received;
mod replace;
mod tools;

use std::path::PathBuf;

use crate::support::*;

/// Counts the rows of each table and sums up their hashes, whatever their order.
const PROBE: &str = r"
SET client_min_messages = error; SET row_security = off;
CREATE FUNCTION pg_temp.probe() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE tab record; found text;
BEGIN
  FOR tab IN SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2
  LOOP
    EXECUTE format('SELECT concat(count(*), '' '', sum(hashtextextended(t::text, 0)::numeric)) FROM ONLY %I.%I t', tab.nspname, tab.relname) INTO found;
    RETURN NEXT concat(tab.nspname, '.', tab.relname, ' ', found);
  END LOOP;
  RETURN NEXT (SELECT concat('lo ', count(*), ' ', sum(hashtextextended(concat(loid, pageno, md5(data)), 0)::numeric)) FROM pg_largeobject);
END $$;
SELECT * FROM pg_temp.probe();
";

/// A running stack of one database server, with a database `shop`.
pub(crate) struct Shop {
    pub(crate) project: TestProject,
    pub(crate) container: String,
}

impl Shop {
    /// With these tables in it.
    pub(crate) fn with(schema: &str) -> Self {
        Self::of("@image@", "", schema)
    }

    /// Of this image, with more keys for its service.
    pub(crate) fn of(image: &str, more: &str, schema: &str) -> Self {
        Self::from_project(TestProject::new(), image, more, schema)
    }

    pub(crate) fn from_project(project: TestProject, image: &str, more: &str, schema: &str) -> Self {
        let service = DATABASE.replace("@image@", image).replace(
            "environment: {",
            "command: [postgres, -c, fsync=off, -c, max_prepared_transactions=2, -c, max_connections=60, -c, max_locks_per_transaction=400]\n    environment: {POSTGRES_DB: shop, ",
        );
        let project = project.compose(&format!("services:{service}{more}"));
        project.xtask(["start"]).end().ok();
        let container = project.container("db");
        let shop = Self { project, container };
        if !schema.is_empty() {
            shop.sql(schema);
        }
        shop
    }

    /// What a database answers.
    pub(crate) fn try_sql_in(&self, database: &str, sql: &str) -> Result<String, String> {
        // As a file: one long argument has a limit.
        let mut psql = command("docker")
            .args(["exec", "-i", "-e", "PGOPTIONS=-c default_transaction_read_only=off -c statement_timeout=0"])
            .args([&self.container, "psql", "-XAtq", "-U", "postgres", "-v", "ON_ERROR_STOP=1"])
            .args(["-d", database, "-f", "-"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let _ = std::io::Write::write_all(&mut psql.stdin.take().unwrap(), sql.as_bytes());
        let output = psql.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    #[track_caller]
    pub(crate) fn sql_in(&self, database: &str, sql: &str) -> String {
        self.try_sql_in(database, sql)
            .unwrap_or_else(|error| panic!("{}: {error}", sql.chars().take(200).collect::<String>()))
    }

    /// The same in the live one.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.sql_in("shop", sql)
    }

    /// Every table's rows and their hash.
    #[track_caller]
    pub(crate) fn probe(&self, database: &str) -> String {
        self.sql_in(database, PROBE)
    }

    /// The databases, with their numbers: a new one of an old name has another.
    pub(crate) fn databases(&self) -> Vec<String> {
        let names = self.sql_in(
            "template1",
            "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1",
        );
        names.lines().map(str::to_owned).collect()
    }

    /// Makes a backup, and says where it is.
    #[track_caller]
    pub(crate) fn backup(&self, args: &[&str]) -> PathBuf {
        let made = self.project.xtask(["db-backup", "--json"]).args(args).end();
        made.ok();
        made.outcome()["path"].as_str().unwrap().into()
    }

    /// `db-restore --yes` with these words.
    pub(crate) fn restore<I: IntoIterator<Item = S>, S: Into<std::ffi::OsString>>(&self, args: I) -> Call {
        self.project.xtask(["db-restore", "--yes"]).args(args)
    }
}

/// Something in each of a few tables, and enough of it that a restore takes its time.
const GOODS: &str = "CREATE TABLE goods (id int PRIMARY KEY, name text, price numeric);
INSERT INTO goods SELECT i, 'good ' || i, i / 7.0 FROM generate_series(1, 20000) i;
CREATE INDEX ON goods (name);
CREATE TABLE sales (id bigint GENERATED ALWAYS AS IDENTITY, good int REFERENCES goods, at timestamptz);
INSERT INTO sales (good, at) SELECT i, '2026-01-01'::timestamptz + i * interval '1 minute' FROM generate_series(1, 500) i;
SELECT lo_from_bytea(4711, 'large');";
