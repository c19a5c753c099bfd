//! Runs the tool that writes a dump.

use std::io::{self, Write as _};
use std::time::Duration;

use crate::config::DumpFormat;
use crate::exec::ExecError;
use crate::postgres::Toolbox;
use crate::project::Project;
use crate::project::error::{Error, Result};
use crate::report::Unit;

use super::diagnose;
use super::draft::{Data, Draft};

/// The options of a dump.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dump<'a> {
    pub(crate) format: DumpFormat,
    pub(crate) jobs: u32,
    /// The server's major version.
    pub(crate) major: u32,
    /// The database's encoding: in any other, its text might not be representable.
    pub(crate) encoding: &'a str,
    /// How long to wait for a lock on a table.
    pub(crate) lock_wait: Duration,
    /// How long the dump may produce no output.
    pub(crate) stall: Duration,
    /// The expected size in bytes, if known.
    pub(crate) estimate: Option<u64>,
}

/// Results from the output of the dump tool.
#[derive(Debug, Default)]
pub(crate) struct Dumped {
    pub(crate) compression: &'static str,
    pub(crate) warnings: Vec<String>,
}

/// The first version whose `pg_dump` supports zstd, which is faster than gzip. (PostgreSQL 16's release notes,
/// `pg_dump`.)
const ZSTD_SINCE: u32 = 16;

impl Dump<'_> {
    /// Writes the dump into the draft. If the tools cannot mount the folder, they stream instead, and `toolbox`
    /// records it.
    pub(crate) fn fill(&self, project: &Project, toolbox: &mut Toolbox<'_>, draft: &Draft<'_>) -> Result<Dumped> {
        let zstd = self.major >= ZSTD_SINCE && self.format != DumpFormat::Sql;
        let mut compression = if zstd { "zstd" } else { "gzip" };
        loop {
            let error = match self.run(project, toolbox, draft, compression) {
                Ok(said) => {
                    let warnings = said.lines().filter(|line| line.contains("warning:")).map(str::to_owned).collect();
                    return Ok(Dumped { compression, warnings });
                }
                Err(Failure::Exec(error)) => error,
                Err(Failure::Ours(error)) => return Err(error),
            };
            let said = error.tail();
            if compression == "zstd" && said.contains("does not support compression") {
                compression = "gzip";
            } else if toolbox.is_beside() && cannot_mount(said) {
                project.note("the folder cannot be mounted for the tools; the dump is streamed, which is slower");
                toolbox.go_inside();
            } else {
                return Err(diagnose::failed(project, toolbox, draft, error));
            }
        }
    }

    fn args(&self, compression: &str) -> Vec<String> {
        let format = match self.format {
            DumpFormat::Custom => "custom",
            DumpFormat::Directory => "directory",
            DumpFormat::Sql => "plain",
        };
        let mut args = vec![
            format!("--format={format}"),
            format!("--compress={}", if compression == "zstd" { "zstd:1" } else { "1" }),
            format!("--encoding={}", self.encoding),
            "--no-password".to_owned(),
            // We sync every file ourselves, and handle file systems that cannot.
            "--no-sync".to_owned(),
            format!("--lock-wait-timeout={}", self.lock_wait.as_millis()),
        ];
        if self.format == DumpFormat::Directory {
            args.push(format!("--jobs={}", self.jobs.max(1)));
        }
        args
    }

    /// Prints the command in a dry run.
    pub(crate) fn show(&self, toolbox: &Toolbox<'_>, part: &str) -> Result<()> {
        let mut args = self.args(if self.major >= ZSTD_SINCE { "zstd" } else { "gzip" });
        args.push(format!("--file={}", toolbox.path(part)));
        toolbox.write_files(toolbox.online("pg_dump", args)?, None, |_| {}, || 0)?;
        Ok(())
    }

    fn run(
        &self,
        project: &Project,
        toolbox: &Toolbox<'_>,
        draft: &Draft<'_>,
        compression: &str,
    ) -> std::result::Result<String, Failure> {
        let mut args = self.args(compression);
        let stall = Some(self.stall);
        let written = || {
            let written = draft.written();
            project.progress("dumping", written, self.estimate, Unit::Bytes);
            written
        };
        if toolbox.sees_files() {
            // On this machine it writes to what we have opened, whatever is at its path by now.
            let handle = toolbox.is_on_host() && cfg!(target_os = "linux");
            let file = if handle { "/dev/stdin".to_owned() } else { toolbox.path(&draft.part()) };
            args.push(format!("--file={file}"));
            let mut job = toolbox.online("pg_dump", args).map_err(Failure::Ours)?;
            if handle {
                let opened = draft.handle().map_err(Error::file("open", draft.file())).map_err(Failure::Ours)?;
                job = job.stdin(opened);
            }
            return Ok(toolbox.write_files(job, stall, |_| {}, written).map_err(Failure::Exec)?.unwrap_or_default());
        }
        let Data::File(file) = draft.data() else {
            let why = "a dump in a folder cannot be streamed, and the tools do not see this machine's folders";
            return Err(Failure::Ours(
                Error::new(crate::exit::Exit::Unavailable, why)
                    .with_hint("use `--format custom` with an engine on another machine"),
            ));
        };
        file.set_len(0)
            .and_then(|()| io::Seek::rewind(&mut &*file))
            .map_err(Error::file("write", draft.file()))
            .map_err(Failure::Ours)?;
        let mut file = file;
        let mut bytes = 0;
        let mut full = None;
        let ended = toolbox.print(
            stall,
            |toolbox, _| toolbox.online("pg_dump", args),
            |chunk| {
                bytes += chunk.len() as u64;
                project.progress("dumping", bytes, self.estimate, Unit::Bytes);
                file.write_all(chunk).inspect_err(|error| {
                    full = Some(match error.kind() {
                        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => diagnose::full(draft).into(),
                        kind => Error::file("write", draft.file())(kind.into()),
                    });
                })
            },
        );
        if let Some(error) = full {
            return Err(Failure::Ours(error));
        }
        ended.map_err(Failure::Ours)?.map_err(Failure::Exec)?;
        Ok(String::new())
    }
}

enum Failure {
    Exec(ExecError),
    Ours(Error),
}

/// Whether the engine or the container's user cannot access the folder; nothing was written in that case.
fn cannot_mount(said: &str) -> bool {
    !said.contains("No space left on device")
        && [
            "bind source path does not exist",
            "invalid mount config",
            "Mounts denied",
            "could not open output file",
            "Permission denied",
        ]
        .iter()
        .any(|needle| said.contains(needle))
}
