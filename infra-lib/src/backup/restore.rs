//! Filling a database from an archive, and comparing what came of it.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::exec::{ExecError, Invocation};
use crate::nonce;
use crate::postgres::{Database, PostgresError, Toolbox};
use crate::project::Project;
use crate::report::Unit;

use super::BackupError;
use super::beside::server_full;
use super::folder::Folder;
use super::manifest::{BackupManifest, Format, TableRows};
use super::passes::passes;
use super::script;
use super::verify::{Archive, plain_text};
use super::{decode, hex};

/// How a database is filled.
pub(crate) struct Filling<'a> {
    pub(crate) project: &'a Project,
    pub(crate) toolbox: &'a Toolbox<'a>,
    pub(crate) archive: Archive<'a>,
    /// Whether a manifest vouches for it.
    pub(crate) is_ours: bool,
    /// How many tables are restored at once.
    pub(crate) jobs: u32,
    /// What it must hold then.
    pub(crate) tables: &'a [TableRows],
    pub(crate) large_objects: u64,
    /// Whether tables of extensions may be among them.
    pub(crate) has_extensions: bool,
}

/// How long the restore may say nothing: the index of a big table takes its time.
const STALL: Duration = Duration::from_secs(4 * 3600);
/// Faster, and safe: what is lost in a crash is a database that nobody uses yet, and the exchange is durable.
const SESSION: &str = "-c synchronous_commit=off -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 \
     -c default_transaction_read_only=off";
/// Differences that are named.
const NAMED: usize = 3;

impl<'a> Filling<'a> {
    /// From the backup in this folder that the manifest describes.
    pub(crate) fn new(
        project: &'a Project,
        toolbox: &'a Toolbox<'a>,
        folder: &'a Folder,
        manifest: &'a BackupManifest,
        jobs: u32,
    ) -> Self {
        let large_objects = manifest.database.as_ref().map_or(0, |facts| facts.large_objects);
        let has_extensions = manifest.database.as_ref().is_none_or(|facts| !facts.extensions.is_empty());
        let archive = Archive::of(folder, manifest);
        Self { project, toolbox, archive, is_ours: true, jobs, tables: &manifest.tables, large_objects, has_extensions }
    }

    /// Fills an empty database and compares it with what the archive holds.
    pub(crate) fn fill(&self, target: &Database) -> Result<()> {
        self.restore(target, &["--exit-on-error"])?;
        self.compare(target)
    }

    /// Restores only; `how` are arguments of `pg_restore`.
    pub(crate) fn restore(&self, target: &Database, how: &[&str]) -> Result<()> {
        match self.archive.format {
            Format::Sql => self.feed(target),
            Format::Custom | Format::Directory | Format::DumpTar | Format::Tar => self.archive(target, how),
        }
    }

    fn archive(&self, target: &Database, how: &[&str]) -> Result<()> {
        let can_share = self.toolbox.sees_files()
            && self.archive.format != Format::DumpTar
            && !how.contains(&"--single-transaction");
        let jobs = if can_share { self.jobs.max(1) } else { 1 };
        let mut done = 0;
        if jobs > 1
            && self.has_extensions
            && let Some([first, rest]) = passes(&self.archive.list(self.toolbox)?)
        {
            self.pg_restore(target, how, 1, Some(first), &mut done)?;
            return self.pg_restore(target, how, jobs, Some(rest), &mut done);
        }
        self.pg_restore(target, how, jobs, None, &mut done)
    }

    /// `entries` are those of the list that are restored, all where it is `None`; `done` counts the tables.
    fn pg_restore(
        &self,
        target: &Database,
        how: &[&str],
        jobs: u32,
        entries: Option<String>,
        done: &mut u64,
    ) -> Result<()> {
        let seen = self.toolbox.sees_files();
        let mut args: Vec<String> = how.iter().map(|arg| (*arg).to_owned()).collect();
        // An empty name leaves it to PGDATABASE; any other would be read as a connection string.
        args.extend(["--no-password", "--verbose", "--dbname="].map(str::to_owned));
        if jobs > 1 {
            args.push(format!("--jobs={jobs}"));
        }
        if entries.is_some() {
            args.push("--use-list=/dev/stdin".to_owned());
        }
        if seen {
            args.push(self.toolbox.path(self.archive.name));
        }
        let mut job = self.toolbox.online_at(target, "pg_restore", args, SESSION)?;
        if let Some(entries) = entries {
            job = job.input(entries);
        }
        if !seen {
            let path = self.archive.folder.path().join(self.archive.name);
            job = job.stdin(self.archive.folder.open_file(self.archive.name).map_err(Error::file("read", path))?);
        }
        let total = self.tables.len() as u64;
        let mut errors = Vec::new();
        let on_line = |line: &str| {
            if let Some((_, table)) = line.split_once("processing data for table ") {
                *done += 1;
                self.project.progress(table, *done, Some(total), Unit::Items);
            } else {
                note_error(&mut errors, line);
            }
        };
        let ended = self.toolbox.write_files(job, Some(STALL), on_line, || 0);
        ended.map(drop).map_err(|error| self.failure(errors, error))
    }

    /// SQL is fed to psql, which ends at the first error. That it came whole was proven before: its last line was read.
    fn feed(&self, target: &Database) -> Result<()> {
        let word = self.word()?;
        let path = self.archive.folder.path().join(self.archive.name);
        let failed = |error: io::Error| Error::file("read", path.clone())(error);
        let file = self.archive.folder.open_file(self.archive.name).map_err(failed)?;
        let mut text = plain_text(file).map_err(failed)?;
        let (reader, mut writer) = io::pipe().map_err(failed)?;
        let args = ["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", "-"];
        let job =
            self.toolbox.online_at(target, "psql", args, SESSION)?.stdin(std::os::fd::OwnedFd::from(reader).into());
        std::thread::scope(|scope| {
            let feeder = scope.spawn(move || match word {
                Some(word) => script::feed(&mut text, &mut writer, &word),
                None => io::copy(&mut text, &mut writer).map(drop),
            });
            let mut errors = Vec::new();
            let on_line = |line: &str| note_error(&mut errors, line);
            let ended = self.toolbox.write_files(job, Some(STALL), on_line, || 0);
            let fed = feeder.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
            match (ended, fed) {
                (Err(error), _) => Err(self.failure(errors, error)),
                (Ok(_), Err(error)) => Err(failed(error)),
                (Ok(_), Ok(())) => Ok(()),
            }
        })
    }

    /// The word under which psql takes no commands of its own; `None` where it is too old for that and the file is ours.
    fn word(&self) -> Result<Option<String>> {
        let mut help = Vec::new();
        let listed = self.toolbox.print(
            None,
            |toolbox, _| toolbox.offline("psql", ["--help=commands"]),
            |chunk| {
                help.extend_from_slice(chunk);
                Ok(())
            },
        )?;
        listed.map_err(PostgresError::from_exec)?;
        if memchr::memmem::find(&help, b"\\restrict").is_some() {
            return Ok(Some(nonce::hex_digits(32)?));
        }
        if self.is_ours {
            return Ok(None);
        }
        let what = "this psql cannot be kept from running the commands that somebody else's SQL may have in it";
        Err(Error::new(crate::Exit::Refused, what)
            .with_hint("install the newest minor version of PostgreSQL's client tools, which know `\\restrict`"))
    }

    fn failure(&self, errors: Vec<String>, error: ExecError) -> Error {
        if matches!(error, ExecError::Cancelled { .. }) {
            return error.into();
        }
        let message = if errors.is_empty() { None } else { Some(errors.join("; ")) };
        match (BackupError::from_exec("pg_restore", self.archive.folder.path(), error), message) {
            // The server's disk, not the folder's.
            (BackupError::NoRoom { .. }, message) => server_full(message.as_deref().unwrap_or("its disk is full")),
            (BackupError::Postgres(PostgresError::Failed(_)), Some(message)) => BackupError::Restore { message }.into(),
            (error, _) => error.into(),
        }
    }

    /// An error unless each table has the rows that the archive has, and no large object is missing.
    pub(crate) fn compare(&self, target: &Database) -> Result<()> {
        self.project.step("comparing it with the backup");
        let actual = count(self.project, target, self.tables)?;
        let mut differences: Vec<String> = self
            .tables
            .iter()
            .zip(&actual.tables)
            .filter(|(table, now)| !now.is_whole(table.rows))
            .map(|(table, now)| {
                let rows = now.rows.map_or("none".to_owned(), |rows| rows.to_string());
                format!("{}.{} has {rows} rows instead of {}", table.schema, table.name, table.rows)
            })
            .collect();
        if actual.large_objects != self.large_objects {
            differences
                .push(format!("there are {} large objects instead of {}", actual.large_objects, self.large_objects));
        }
        if differences.is_empty() {
            return Ok(());
        }
        let more = differences.len().saturating_sub(NAMED);
        differences.truncate(NAMED);
        if more > 0 {
            differences.push(format!("and {more} more"));
        }
        Err(BackupError::Differs { what: differences.join("; ") }.into())
    }
}

/// Keeps what the tools complain about, with the server's details.
fn note_error(errors: &mut Vec<String>, line: &str) {
    let is_detail = line.starts_with("DETAIL:") && !errors.is_empty();
    if (is_detail || line.contains("error:") || line.contains("ERROR:")) && errors.len() < NAMED {
        errors.push(line.to_owned());
    }
}

struct Counted {
    tables: Vec<Now>,
    large_objects: u64,
}

/// A table as it is now.
#[derive(Debug, Clone, Copy, Default)]
struct Now {
    /// `None`: it is not there.
    rows: Option<u64>,
    /// Its extension fills it too, so a dump has only the rows that were added.
    is_extensions: bool,
}

impl Now {
    fn is_whole(self, expected: u64) -> bool {
        self.rows.is_some_and(|rows| rows == expected || (self.is_extensions && rows > expected))
    }
}

/// The rows that each of these tables has now, without those of its children. Tables go by their number, so that no name
/// can be mistaken.
fn count(project: &Project, target: &Database, tables: &[TableRows]) -> Result<Counted> {
    let literal = |name: &str| match decode::unescaped(name) {
        bytes if bytes == name.as_bytes() => crate::migrations::literal(name),
        bytes => {
            let (text, hex) = (crate::migrations::literal(name), hex(&bytes));
            // In a database of UTF-8 a backslash is only that.
            format!(
                "(CASE getdatabaseencoding() WHEN 'UTF8' THEN {text} ELSE convert_from('\\x{hex}', getdatabaseencoding()) END)"
            )
        }
    };
    let mut sql = "SET row_security = off; SET statement_timeout = 0;\n\
                   SELECT 'SET client_encoding = SQL_ASCII' WHERE getdatabaseencoding() = 'SQL_ASCII' \\gexec\n\
                   SELECT 'lo', count(*) FROM pg_largeobject_metadata;\n"
        .to_owned();
    for (nr, table) in tables.iter().enumerate() {
        let name = format!("{}, {}", literal(&table.schema), literal(&table.name));
        let _ = writeln!(
            sql,
            "SELECT format('SELECT {nr}, count(*), %L FROM %s %I.%I', d.objid IS NOT NULL, CASE relkind WHEN 'p' THEN '' ELSE 'ONLY' END, {name}) \
             FROM pg_class c LEFT JOIN pg_depend d ON d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND d.deptype = 'e' \
             WHERE c.oid = to_regclass(format('%I.%I', {name})) \\gexec"
        );
    }
    let call: Invocation = target.psql(project)?.args(["-A", "-t", "-F", "\t", "-f", "-"]).stdin(sql).deadline(STALL);
    let text = project.runner().read(&call).map_err(PostgresError::from_exec)?.text();
    let mut counted = Counted { tables: vec![Now::default(); tables.len()], large_objects: 0 };
    for (what, found) in text.lines().filter_map(|line| line.split_once('\t')) {
        let (rows, extensions) = found.split_once('\t').unwrap_or((found, "f"));
        match what.parse::<usize>() {
            Ok(nr) if nr < tables.len() => {
                counted.tables[nr] = Now { rows: rows.parse().ok(), is_extensions: extensions == "t" };
            }
            _ => counted.large_objects = rows.parse().unwrap_or(0),
        }
    }
    Ok(counted)
}
