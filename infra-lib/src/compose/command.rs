//! The Docker Compose command line.

use std::path::PathBuf;
use std::time::Duration;

use camino::Utf8PathBuf;
use rustix::fs::{Access, access};

use crate::exec::{ExecError, Invocation, Output, Runner};

use super::{ComposeError, Model};

/// How to call Compose for a project in one environment.
///
/// Every call states the project's name, files, folder and env files, so that neither a `.env` nor a variable can
/// redirect it to another project.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub(crate) struct Compose {
    /// The program: `docker compose` or `docker-compose`.
    pub(crate) program: Vec<String>,
    /// The name of the compose project.
    pub(crate) project: String,
    /// The folder of the compose project.
    pub(crate) directory: Utf8PathBuf,
    /// The compose files, in order of precedence.
    pub(crate) files: Vec<Utf8PathBuf>,
    /// The env files. Later ones override earlier ones.
    pub(crate) env_files: Vec<Utf8PathBuf>,
    /// The profiles that are active.
    pub(crate) profiles: Vec<String>,
    /// The address of the engine, for messages.
    pub(crate) address: String,
}

/// Folders other than `~/.docker/cli-plugins` in which Docker looks for plugins.
const PLUGIN_DIRS: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

impl Compose {
    /// The program to call. Looking for the plugin's file is fifty times as fast as asking Docker.
    pub(crate) fn program(runner: &Runner) -> Vec<String> {
        if !plugins().any(|path| path.exists()) && runner.find("docker-compose").is_ok() {
            return vec!["docker-compose".to_owned()];
        }
        vec!["docker".to_owned(), "compose".to_owned()]
    }

    /// A call for this project. Append the subcommand and its arguments.
    pub(crate) fn call<I: IntoIterator<Item = S>, S: Into<std::ffi::OsString>>(&self, args: I) -> Invocation {
        self.with_profiles(self.profiles.iter().map(String::as_str)).args(args)
    }

    /// A call that includes the services of every profile.
    pub(crate) fn call_all<I: IntoIterator<Item = S>, S: Into<std::ffi::OsString>>(&self, args: I) -> Invocation {
        self.with_profiles(["*"]).args(args)
    }

    fn with_profiles<'a>(&self, profiles: impl IntoIterator<Item = &'a str>) -> Invocation {
        let Self { program, project, directory, files, env_files, profiles: _, address: _ } = self;
        let mut call = Invocation::new(program[0].clone()).args(program[1..].iter().cloned());
        call = call.args(["-p", project.as_str(), "--project-directory", directory.as_str()]);
        for file in files {
            call = call.args(["-f", file.as_str()]);
        }
        for file in env_files {
            call = call.args(["--env-file", file.as_str()]);
        }
        for profile in profiles {
            call = call.args(["--profile", profile]);
        }
        // Without these, Compose may draw menus and progress bars.
        call.env("COMPOSE_ANSI", "never")
            .env("COMPOSE_MENU", "false")
            .env("COMPOSE_PROGRESS", "plain")
            .dir(directory.clone())
    }

    /// The time limit for a query to the engine.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Runs a call that changes nothing, with a time limit: an engine that hangs never answers.
    pub(crate) fn read(&self, runner: &Runner, call: &Invocation) -> Result<Output, ComposeError> {
        runner.read(&call.clone().deadline_at_most(Self::PATIENCE)).map_err(|error| self.explain(error))
    }

    /// Runs a call that changes something.
    pub(crate) fn change(&self, runner: &Runner, call: &Invocation) -> Result<Option<Output>, ComposeError> {
        runner.change(call).map_err(|error| self.explain(error))
    }

    pub(crate) fn explain(&self, error: ExecError) -> ComposeError {
        ComposeError::from_exec(error, &self.address)
    }

    /// The resolved project, with the services of every profile.
    pub(crate) fn model(&self, runner: &Runner) -> Result<Model, ComposeError> {
        self.model_with(runner, &[], None)
    }

    /// Like `model`, with these variables, which override the env files, and this text for the file `-`.
    pub(crate) fn model_with(
        &self,
        runner: &Runner,
        variables: &[(String, String)],
        input: Option<&str>,
    ) -> Result<Model, ComposeError> {
        let args = ["config", "--format", "json"];
        let with = |call: Invocation| {
            let call = variables.iter().fold(call, |call, (key, value)| call.env(key, value));
            input.map(str::to_owned).into_iter().fold(call, Invocation::stdin)
        };
        let output = match runner.read(&with(self.call_all(args))) {
            Ok(output) => output,
            // A service of an inactive profile may need files that only its own environment has.
            Err(ExecError::Exited { .. }) => {
                runner.read(&with(self.call(args))).map_err(|error| self.invalid(runner, error))?
            }
            Err(error) => return Err(self.explain(error)),
        };
        let mut model = Model::parse(&output.stdout).map_err(|reason| self.bad_config(&reason))?;
        model.note_unset(&output.stderr);
        Ok(model)
    }

    /// The error for output of `docker compose config` that is not what it documents.
    pub(crate) fn bad_config(&self, reason: &serde_json::Error) -> ComposeError {
        let command = "docker compose config".to_owned();
        self.explain(ExecError::BadOutput { command, reason: reason.to_string() })
    }

    /// `config` needs no engine: if it fails, the files are invalid, or Compose is missing or too old.
    pub(super) fn invalid(&self, runner: &Runner, error: ExecError) -> ComposeError {
        match self.explain(error) {
            ComposeError::Failed(error @ ExecError::Exited { .. }) => match self.supported_version(runner) {
                Ok(_) => ComposeError::Invalid { message: super::error::last_line(error.tail()) },
                Err(too_old) => too_old,
            },
            ComposeError::Missing => self.missing(runner),
            other => other,
        }
    }

    /// Why Compose is missing: this user may not be permitted to run it, or it may be too old.
    fn missing(&self, runner: &Runner) -> ComposeError {
        if self.program.len() == 1 {
            return ComposeError::Missing;
        }
        if let Some(folder) = closed_folder() {
            return ComposeError::ClosedFolder { folder };
        }
        if let Some(path) = plugins().find(|path| path.exists() && access(path, Access::EXEC_OK).is_err()) {
            return ComposeError::BrokenPlugin { path: path.display().to_string() };
        }
        // Version 1 is a separate program; reporting that Compose is missing would mislead its users.
        let alone = Self { program: vec!["docker-compose".to_owned()], ..self.clone() };
        match alone.supported_version(runner) {
            Err(too_old @ ComposeError::TooOld { .. }) => too_old,
            _ => ComposeError::Missing,
        }
    }

    /// The oldest supported version: `start_interval`, `--wait`, `include`, JSON Lines of `ps`.
    pub(crate) const OLDEST: &'static str = "2.21.0";

    /// The version of Compose. Returns an error if it is too old.
    pub(crate) fn supported_version(&self, runner: &Runner) -> Result<String, ComposeError> {
        let call = Invocation::new(self.program[0].clone())
            .args(self.program[1..].iter().cloned())
            .args(["version", "--short"]);
        let found = match runner.read(&call) {
            Ok(output) => output.text().trim_start_matches('v').to_owned(),
            Err(error) => {
                return Err(match self.explain(error) {
                    ComposeError::Missing => self.missing(runner),
                    other => other,
                });
            }
        };
        if numbers(&found) < numbers(Self::OLDEST) {
            return Err(ComposeError::TooOld { found, needed: Self::OLDEST });
        }
        Ok(found)
    }
}

/// The files where Docker looks for the Compose plugin.
fn plugins() -> impl Iterator<Item = PathBuf> {
    let own = std::env::var("HOME").map(|home| format!("{home}/.docker/cli-plugins"));
    own.into_iter().chain(PLUGIN_DIRS.map(str::to_owned)).map(|dir| PathBuf::from(dir).join("docker-compose"))
}

/// Docker's own folder, if this user may not read it.
fn closed_folder() -> Option<String> {
    let own = std::env::var("DOCKER_CONFIG").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.docker")));
    let folder = own.ok()?;
    let denied = |error: &std::io::Error| error.kind() == std::io::ErrorKind::PermissionDenied;
    std::fs::read_dir(&folder).err().as_ref().is_some_and(denied).then_some(folder)
}

/// Parses the numbers of a version: `2.26.1-4` is 2, 26, 1.
pub(crate) fn numbers(version: &str) -> Vec<u32> {
    version.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse().ok()).take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(numbers("2.9.0") < numbers("2.21.0"));
        assert!(numbers("1.29.2") < numbers(Compose::OLDEST));
        assert!(numbers("2.26.1-4") > numbers(Compose::OLDEST));
    }

    #[test]
    fn f07_every_call_states_the_projects_identity() {
        let compose = Compose {
            program: vec!["docker".into(), "compose".into()],
            project: "shop".into(),
            directory: "/srv/shop".into(),
            files: vec!["/srv/shop/compose.yml".into()],
            env_files: vec!["/srv/shop/.env".into()],
            profiles: vec!["production".into()],
            address: String::new(),
        };
        let line = compose.call(["up", "-d"]).to_string();
        assert!(
            line.ends_with(
                "docker compose -p shop --project-directory /srv/shop -f /srv/shop/compose.yml \
                 --env-file /srv/shop/.env --profile production up -d"
            ),
            "{line}"
        );
    }
}
