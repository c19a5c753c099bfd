//! Restores an archive into a database and compares the result.

use std::io::{self, Write as _};
use std::time::Duration;

use crate::exec::ExecError;
use crate::hex;
use crate::postgres::{Database, PostgresError, Toolbox, sqlstate};
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::report::{Unit, counted};

use super::BackupError;
use super::folder::Folder;
use super::foreign::refuse_commands;
use super::manifest::{BackupManifest, Format};
use super::received::{Filter, Postponed};
use super::restore_order::passes;
use super::restricted_role::RestrictedRole;
use super::row_count;
use super::scratch_db::server_full;
use super::script;
use super::table_rows::TableRows;
use super::verify::{Archive, plain_text};

/// A restore of one archive, with its options.
pub(crate) struct RestoreJob<'a> {
    pub(crate) project: &'a Project,
    pub(crate) toolbox: &'a Toolbox<'a>,
    pub(crate) archive: Archive<'a>,
    /// The role that restores a received backup; `None` for a backup from our own folder.
    pub(crate) received: Option<&'a RestrictedRole>,
    /// The tablespaces that its tables may use.
    pub(crate) tablespaces: &'a [String],
    /// The number of tables to restore in parallel.
    pub(crate) jobs: u32,
    /// The tables and row counts expected afterwards.
    pub(crate) tables: &'a [TableRows],
    pub(crate) large_objects: u64,
    /// Whether tables of extensions may be among them.
    pub(crate) has_extensions: bool,
}

/// How long the restore may produce no output: the index of a large table takes time.
const STALL: Duration = Duration::from_secs(4 * 3600);
/// Faster and still safe: a crash can lose only the new database, which is not in use yet, and the swap is durable.
const SESSION: &str = "-c synchronous_commit=off -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 \
     -c default_transaction_read_only=off";
/// Maximum number of differences in the message.
const NAMED: usize = 3;

impl<'a> RestoreJob<'a> {
    /// A restore of the backup that the manifest describes.
    pub(crate) fn new(
        project: &'a Project,
        toolbox: &'a Toolbox<'a>,
        folder: &'a Folder,
        manifest: &'a BackupManifest,
        jobs: u32,
    ) -> Self {
        let large_objects = manifest.database.as_ref().map_or(0, |facts| facts.large_objects);
        let has_extensions = manifest.database.as_ref().is_none_or(|facts| !facts.extensions.is_empty());
        let archive = Archive::new(folder, manifest);
        let tablespaces = manifest.database.as_ref().map_or(&[][..], |facts| facts.tablespaces.as_slice());
        let tables = &manifest.tables;
        let received = None;
        Self { project, toolbox, archive, received, tablespaces, jobs, tables, large_objects, has_extensions }
    }

    /// Fills an empty database and compares it with the archive.
    pub(crate) fn fill(&self, target: &Database) -> Result<()> {
        match self.received {
            None => self.restore(target, &["--exit-on-error"])?,
            Some(role) => {
                let login = role.create(self.project, target, self.tablespaces)?;
                let postponed = self.feed(&login)?;
                role.hand_over(self.project, target, &postponed)?;
            }
        }
        self.compare(target)
    }

    /// Restores without comparing; `how` are additional arguments of `pg_restore`.
    pub(crate) fn restore(&self, target: &Database, how: &[&str]) -> Result<()> {
        match self.archive.format {
            Format::Sql => self.feed(target).map(drop),
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

    /// Runs `pg_restore`. `entries` selects entries of the list (`None` means all); `done` counts the tables.
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
        // With an empty name it uses PGDATABASE; any other would be parsed as a connection string.
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

    /// Feeds SQL to psql, which stops at the first error. The file was verified before, so it is complete.
    fn feed(&self, target: &Database) -> Result<Vec<Postponed>> {
        let word = self.word()?;
        let path = self.archive.folder.path().join(self.archive.name);
        let failed = |error: io::Error| Error::file("read", path.clone())(error);
        let (reader, writer) = io::pipe().map_err(failed)?;
        // Only the SQLSTATE identifies an error independently of the language.
        let args = ["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-o", "/dev/null", "-f", "-"];
        let job =
            self.toolbox.online_at(target, "psql", args, SESSION)?.stdin(std::os::fd::OwnedFd::from(reader).into());
        std::thread::scope(|scope| {
            let (mut text, unpacking): (Box<dyn io::Read + Send>, _) = if self.archive.format == Format::Sql {
                let file = self.archive.folder.open_file(self.archive.name).map_err(failed)?;
                (plain_text(file).map_err(failed)?, None)
            } else {
                let (text, mut unpacked) = io::pipe().map_err(failed)?;
                let unpack = move || self.archive.restore(self.toolbox, &[], |chunk| unpacked.write_all(chunk));
                (Box::new(text), Some(scope.spawn(unpack)))
            };
            let is_received = self.received.is_some();
            let feeder = scope.spawn(move || {
                let mut to = io::BufWriter::with_capacity(1 << 16, writer);
                match word {
                    Some(word) if is_received => {
                        let mut filter = Filter::new(to);
                        script::feed(text, &mut filter, &word)?;
                        filter.finish()
                    }
                    Some(word) => script::feed(text, &mut to, &word).map(|()| Vec::new()),
                    None => io::copy(&mut text, &mut to).and_then(|_| to.flush()).map(|()| Vec::new()),
                }
            });
            let mut errors = Vec::new();
            let on_line = |line: &str| note_error(&mut errors, line);
            let ended = self.toolbox.write_files(job, Some(STALL), on_line, || 0);
            let fed = feeder.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
            let unpacked = unpacking
                .map(|unpacking| unpacking.join().unwrap_or_else(|_| Err(failed(io::ErrorKind::Other.into()))));
            ended.map_err(|error| self.failure(errors, error))?;
            unpacked.unwrap_or(Ok(()))?;
            fed.map_err(failed)
        })
    }

    /// The secret word for psql's `\restrict`; `None` if psql is too old for it and the file is ours.
    pub(crate) fn word(&self) -> Result<Option<String>> {
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
        let lists = |command: &[u8]| memchr::memmem::find(&help, command).is_some();
        if lists(b"\\restrict") {
            return Ok(Some(hex::random_digits(32)?));
        }
        // Every version lists this; without it, the output was lost on the way.
        if !lists(b"\\echo") {
            let (command, reason) = ("psql --help=commands".to_owned(), "it lists no commands".to_owned());
            return Err(PostgresError::from_exec(ExecError::BadOutput { command, reason }).into());
        }
        if self.received.is_none() {
            let decoded =
                self.archive.decode(self.project, self.toolbox).map_err(|error| self.archive.damage(error))?;
            refuse_commands(self.archive.name, self.archive.format, &decoded.decoded.remarks)?;
            return Ok(None);
        }
        let what = "this psql cannot be prevented from running commands in a received backup";
        Err(Error::new(crate::exit::Exit::Refused, what)
            .with_hint("install the newest minor version of PostgreSQL's client tools, which know `\\restrict`"))
    }

    fn failure(&self, errors: Vec<String>, error: ExecError) -> Error {
        if matches!(error, ExecError::Cancelled { .. }) {
            return error.into();
        }
        let message = if errors.is_empty() { None } else { Some(errors.join("; ")) };
        match (BackupError::from_exec("pg_restore", self.archive.folder.path(), error), message) {
            // The server's disk is full, not the folder's.
            (BackupError::NoRoom { .. }, message) => server_full(message.as_deref().unwrap_or("its disk is full")),
            (BackupError::Postgres(PostgresError::Failed(_)) | BackupError::Forbidden { .. }, Some(message))
                if self.received.is_some()
                    && sqlstate::of_text(&message)
                        .is_some_and(|(state, _)| state == sqlstate::INSUFFICIENT_PRIVILEGE) =>
            {
                BackupError::NotAllowed { message }.into()
            }
            (BackupError::Postgres(PostgresError::Failed(_)), Some(message)) => BackupError::Restore { message }.into(),
            (error, _) => error.into(),
        }
    }

    /// An error if a table's row count differs from the archive, or a large object is missing.
    pub(crate) fn compare(&self, target: &Database) -> Result<()> {
        self.project.step("comparing it with the backup");
        let actual = row_count::query(self.project, target, self.tables)?;
        let mut differences: Vec<String> = self
            .tables
            .iter()
            .zip(&actual.tables)
            .filter(|(table, now)| !now.is_whole(table.rows))
            .map(|(table, now)| {
                let rows = now.rows.map_or_else(|| "no rows".to_owned(), |rows| counted(rows, "row"));
                format!("{}.{} has {rows} instead of {}", table.schema, table.name, table.rows)
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

/// Collects the tools' error messages, with the server's details.
fn note_error(errors: &mut Vec<String>, line: &str) {
    let is_detail = line.starts_with("DETAIL:") && !errors.is_empty();
    if (is_detail || line.contains("error:") || sqlstate::of_text(line).is_some()) && errors.len() < NAMED {
        errors.push(line.to_owned());
    }
}
