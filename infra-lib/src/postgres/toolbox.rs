//! Running PostgreSQL's tools on files: `pg_dump`, `pg_restore`, `pg_dumpall`.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::compose::{Container, Engine, OneOff, mount};
use crate::exec::{ExecError, Invocation, Pipe};
use crate::project::Project;
use crate::project::error::Result;

use super::orphans;
use super::trailer::Trailer;
use super::{Database, Place, PostgresError, Way};

/// Where the tools run, and how they access the files of one folder.
///
/// For a database in a container, the tools run in a one-off container of the same image with the folder mounted. So
/// they match the server's version, and no data passes through the engine's streams, which are slow and exit with 0
/// when cut off. If the folder cannot be mounted, as with a remote engine, they run in the database's container and
/// stream the data. For an external database with a configured client image, they run in a container of that image.
/// Otherwise, they run on this machine.
pub(crate) struct Toolbox<'a> {
    project: &'a Project,
    database: Database,
    folder: Utf8PathBuf,
    site: Site,
    /// The application name of our sessions, used to find and end those of a killed run.
    session: String,
    /// The command that ends them. It is prepared in advance, since nothing can be looked up after a cancellation.
    reaper: Option<Invocation>,
    /// Whether the tools write to us through a named pipe.
    piped: bool,
}

enum Site {
    Beside(Container),
    Inside(Container),
    /// An image with tools that fit an external server.
    Client(String),
    Host,
}

/// A command to run, and the container to remove if it does not finish.
pub(crate) struct Job {
    call: Invocation,
    one_off: Option<OneOff>,
    /// The end marker of its output, if its exit code is not reliable.
    trailer: Option<Trailer>,
}

/// Where a one-off container mounts the folder.
const MOUNTED: &str = "/backup";

/// Prints the program's output and then the end marker, if the program succeeded. Both are passed as arguments, never
/// within this text.
const WITH_TRAILER: &str = r#""$@" && printf %s "$0""#;
/// Makes files that the program writes readable by their owner only.
const PRIVATE: &str = r#"umask 077 && exec "$@""#;

impl<'a> Toolbox<'a> {
    /// The tools for this database and the files in this folder. `session` has at most 63 bytes, and is shared by
    /// runs that cannot be active at the same time.
    pub(crate) fn new(project: &'a Project, database: &Database, folder: &Utf8Path, session: String) -> Result<Self> {
        let site = match &database.place {
            Place::Service { service, .. } => {
                let container = project.database_container(service)?;
                if Engine::is_remote() { Site::Inside(container) } else { Site::Beside(container) }
            }
            Place::Url { client: Some(image), .. } if !Engine::is_remote() => Site::Client(image.clone()),
            Place::Local(_) | Place::Url { .. } => Site::Host,
        };
        let piped = matches!(site, Site::Beside(_) | Site::Client(_)) && Engine::shares_kernel(project.runner());
        let client = match &site {
            Site::Beside(container) | Site::Inside(container) => {
                Some(database.own_session(database.tool_inside(container, "psql", false, Way::Network)))
            }
            Site::Client(_) | Site::Host => database.psql(project).ok(),
        };
        let reaper = client.map(|client| client.env("PGAPPNAME", &session));
        Ok(Self { project, database: database.clone(), folder: folder.to_owned(), site, session, reaper, piped })
    }

    /// Whether the tools access the files of the folder directly.
    pub(crate) fn sees_files(&self) -> bool {
        !matches!(self.site, Site::Inside(_))
    }

    /// Whether the tools run in one-off containers, where mounting the folder may fail.
    pub(crate) fn is_beside(&self) -> bool {
        matches!(self.site, Site::Beside(_))
    }

    /// Whether the tools run on this machine.
    pub(crate) fn is_on_host(&self) -> bool {
        matches!(self.site, Site::Host)
    }

    /// The version of the tools, such as `15.14`; `None` if they are the server's own.
    pub(crate) fn version(&self) -> Result<Option<String>> {
        if !matches!(self.site, Site::Client(_) | Site::Host) {
            return Ok(None);
        }
        let mut said = Vec::new();
        let ended = self.print(
            None,
            |toolbox, _| toolbox.offline("pg_dump", ["--version"]),
            |chunk| {
                said.extend_from_slice(chunk);
                Ok(())
            },
        )?;
        ended.map_err(PostgresError::from_exec)?;
        let text = String::from_utf8_lossy(&said);
        let version = text.split_once(") ").map_or(&*text, |(_, version)| version);
        Ok(version.split_whitespace().next().map(str::to_owned))
    }

    /// The database that the tools connect to.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Stops mounting the folder. From now on, the tools stream.
    pub(crate) fn go_inside(&mut self) {
        if let Site::Beside(container) = &self.site {
            self.site = Site::Inside(container.clone());
            self.piped = false;
        }
    }

    /// The path of a file in the folder, as seen by the tools.
    pub(crate) fn path(&self, name: &str) -> String {
        match self.site {
            Site::Beside(_) | Site::Client(_) => format!("{MOUNTED}/{name}"),
            Site::Inside(_) | Site::Host => self.folder.join(name).into_string(),
        }
    }

    /// A job that runs a tool logged in to the database.
    pub(crate) fn online<S: Into<OsString>>(&self, tool: &str, args: impl IntoIterator<Item = S>) -> Result<Job> {
        self.online_at(&self.database, tool, args, self.database.session_options().unwrap_or_default())
    }

    /// Like `online`, for another database on the same server. `options` are session settings in the form of
    /// `PGOPTIONS`.
    pub(crate) fn online_at<S: Into<OsString>>(
        &self,
        database: &Database,
        tool: &str,
        args: impl IntoIterator<Item = S>,
        options: &str,
    ) -> Result<Job> {
        let args = args.into_iter().map(Into::into);
        Ok(match (&self.site, &database.place) {
            (Site::Beside(container), Place::Service { port, .. }) => {
                let on_host = container.addresses.contains_key("host");
                let host = if on_host { "127.0.0.1" } else { &container.hostname };
                let (call, name) = self.one_off()?;
                let call = call.args(["--network", &format!("container:{}", container.id)]);
                let call = database.passed_on(call, host, *port, "prefer").env("PGAPPNAME", &self.session);
                let call = call.args(["-e", "PGOPTIONS"]).env("PGOPTIONS", options);
                Self::entry(call, &container.image_id, tool, args, name)
            }
            (Site::Client(image), _) => {
                let (call, name) = self.one_off()?;
                let call = database.shown_to_client(call, options).env("PGAPPNAME", &self.session);
                Self::entry(call, image, tool, args, name)
            }
            (Site::Inside(container), _) => {
                let call = database.tool_inside(container, "sh", false, Way::Network).env("PGAPPNAME", &self.session);
                let settings = OsString::from(format!("PGOPTIONS={options}"));
                Job::inside(call, "env", [settings, tool.into()].into_iter().chain(args))?
            }
            _ => {
                let call = database.tool(self.project, tool, false)?.env("PGAPPNAME", &self.session);
                let call = call.env("PGOPTIONS", options).args(args);
                // Only a shell can give it a umask without changing our own.
                Job::plain(call.inside("sh", ["-c", PRIVATE, "sh"]))
            }
        })
    }

    /// A job that runs a tool on files only.
    pub(crate) fn offline<S: Into<OsString>>(&self, tool: &str, args: impl IntoIterator<Item = S>) -> Result<Job> {
        let args = args.into_iter().map(Into::into);
        Ok(match &self.site {
            Site::Beside(Container { image_id: image, .. }) | Site::Client(image) => {
                let (call, name) = self.one_off()?;
                Self::entry(call.args(["--network", "none"]), image, tool, args, name)
            }
            Site::Inside(container) => {
                let call = Invocation::new("docker").args(["exec", "-i"]).arg(container.id.clone()).arg("sh");
                Job::inside(call, tool, args)?
            }
            Site::Host => {
                Job::plain(Invocation::new(self.database.host_tool(self.project, tool)?).minimal_env().args(args))
            }
        })
    }

    fn one_off(&self) -> Result<(Invocation, OneOff)> {
        let user = format!("{}:{}", rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let (call, one_off) = OneOff::new(&self.session)?;
        let mount = mount("bind", self.folder.as_str(), MOUNTED);
        Ok((call.args(["--user", &user, "--mount", &mount]), one_off))
    }

    fn entry(call: Invocation, image: &str, tool: &str, args: impl Iterator<Item = OsString>, one_off: OneOff) -> Job {
        let call = call.args(["--entrypoint", "sh"]).arg(image);
        Job { call: call.args(["-c", PRIVATE, "sh", tool]).args(args), one_off: Some(one_off), trailer: None }
    }

    /// Runs a job that writes files in the folder; see [`crate::exec::Runner::change_files`].
    pub(crate) fn write_files(
        &self,
        job: Job,
        stall: Option<Duration>,
        on_line: impl FnMut(&str),
        progress: impl FnMut() -> u64,
    ) -> std::result::Result<Option<String>, ExecError> {
        let Job { mut call, one_off, .. } = job;
        if let Some(stall) = stall {
            call = call.stall(stall);
        }
        let ended = self.project.runner().change_files(&call, on_line, progress);
        self.tidy(one_off, ended)
    }

    /// Runs a job and passes on its output as it arrives. `job` gets the output path: `-`, or a pipe in the folder.
    pub(crate) fn print(
        &self,
        stall: Option<Duration>,
        job: impl FnOnce(&Self, &str) -> Result<Job>,
        mut on_chunk: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<std::result::Result<(), ExecError>> {
        let pipe = self.pipe()?;
        let out = pipe.as_ref().map_or("-".to_owned(), |pipe| self.path(pipe.name()));
        let Job { mut call, one_off, trailer } = job(self, &out)?;
        if let Some(stall) = stall {
            call = call.stall(stall);
        }
        if let Some(pipe) = &pipe {
            call = call.inlet(pipe.path());
        }
        let runner = self.project.runner();
        let ended = match trailer {
            None => runner.chunks(&call, on_chunk).map(drop),
            Some(mut trailer) => match runner.chunks(&call, |chunk| trailer.pass(chunk, &mut on_chunk)) {
                Ok(_) if !trailer.arrived() => {
                    Err(ExecError::BadOutput { command: call.to_string(), reason: "its output is cut off".to_owned() })
                }
                ended => ended.map(drop),
            },
        };
        Ok(self.tidy(one_off, ended))
    }

    fn pipe(&self) -> Result<Option<Pipe>> {
        if self.piped { Ok(Pipe::make(&self.folder, 0o600)?) } else { Ok(None) }
    }

    /// After a failure, removes the job's container and ends its session on the server.
    fn tidy<T>(
        &self,
        one_off: Option<OneOff>,
        ended: std::result::Result<T, ExecError>,
    ) -> std::result::Result<T, ExecError> {
        if ended.is_err() {
            if let Some(one_off) = one_off {
                let _ = one_off.remove(&self.project.runner().aftermath());
            }
            // A session that waits for a lock does not notice that its client is gone.
            self.end_sessions();
        }
        ended
    }

    /// Removes the containers and sessions that a killed run left behind. The caller must hold the lock that keeps
    /// such runs apart.
    pub(crate) fn sweep(&self) {
        if let Site::Beside(_) | Site::Client(_) = self.site {
            OneOff::sweep(&self.project.runner().aftermath(), &self.session);
        }
        if self.is_on_host() {
            orphans::end(&self.session);
        }
        self.end_sessions();
    }

    fn end_sessions(&self) {
        if let Some(client) = &self.reaper {
            Database::terminate_sessions(self.project, client.clone());
        }
    }
}

impl Job {
    fn plain(call: Invocation) -> Self {
        Self { call, one_off: None, trailer: None }
    }

    /// Runs `tool` through `call`, a call of the shell in the database's container.
    fn inside(call: Invocation, tool: &str, args: impl Iterator<Item = OsString>) -> Result<Self> {
        let trailer = Trailer::new()?;
        let call = call.args(["-c", WITH_TRAILER, trailer.word(), tool]).args(args);
        Ok(Self { call, one_off: None, trailer: Some(trailer) })
    }

    /// Sets the text to send to its stdin.
    pub(crate) fn input(mut self, text: String) -> Self {
        self.call = self.call.stdin(text);
        self
    }

    /// Sets the open file to send to its stdin.
    pub(crate) fn stdin(mut self, file: std::fs::File) -> Self {
        self.call = self.call.stdin_file(file);
        self
    }
}
