//! The command line of Docker Compose.

use std::path::PathBuf;
use std::time::Duration;

use camino::Utf8PathBuf;
use rustix::fs::{Access, access};

use crate::exec::{ExecError, Invocation, Output, Runner};

use super::{ComposeError, Model};

/// How Compose is called for one project in one environment.
///
/// Every call states the project's name, files, folder and env files, so that neither a `.env` nor a variable can
/// redirect it to another project.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Compose {
    /// `docker compose`, or `docker-compose`.
    pub program: Vec<String>,
    /// The project's name.
    pub project: String,
    /// Its folder.
    pub directory: Utf8PathBuf,
    /// Its files.
    pub files: Vec<Utf8PathBuf>,
    /// Its env files, later ones winning.
    pub env_files: Vec<Utf8PathBuf>,
    /// The profiles that are on.
    pub profiles: Vec<String>,
    /// Where the engine is, for messages.
    pub address: String,
}

/// Folders in which Docker looks for its plugins, beside `~/.docker/cli-plugins`.
const PLUGIN_DIRS: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

impl Compose {
    /// Which program speaks Compose here. Looking for the plugin's file is fifty times as fast as asking Docker.
    pub(crate) fn program(runner: &Runner) -> Vec<String> {
        if !plugins().any(|path| path.exists()) && runner.find("docker-compose").is_ok() {
            return vec!["docker-compose".to_owned()];
        }
        vec!["docker".to_owned(), "compose".to_owned()]
    }

    /// A call with this project's identity; the subcommand and its arguments follow.
    pub fn call<I: IntoIterator<Item = S>, S: Into<std::ffi::OsString>>(&self, args: I) -> Invocation {
        self.with_profiles(self.profiles.iter().map(String::as_str)).args(args)
    }

    /// A call that sees the services of every profile.
    pub fn call_all<I: IntoIterator<Item = S>, S: Into<std::ffi::OsString>>(&self, args: I) -> Invocation {
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
        // Without these, Compose draws menus and bars for whoever it believes is watching.
        call.env("COMPOSE_ANSI", "never")
            .env("COMPOSE_MENU", "false")
            .env("COMPOSE_PROGRESS", "plain")
            .dir(directory.clone())
    }

    /// How long an engine may think about a question.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Runs a call that changes nothing. An engine that has frozen never answers; that must not freeze us as well.
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

    /// The project as Compose understands it, with the services of every profile.
    pub(crate) fn model(&self, runner: &Runner) -> Result<Model, ComposeError> {
        self.model_with(runner, &[], None)
    }

    /// The same with these variables, which win over the env files, and with this text for the file `-`.
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
            // A service of a profile that is off may need files that only its own environment has.
            Err(ExecError::Exited { .. }) => {
                runner.read(&with(self.call(args))).map_err(|error| self.invalid(runner, error))?
            }
            Err(error) => return Err(self.explain(error)),
        };
        let mut model = Model::parse(&output.stdout).map_err(|reason| {
            self.explain(ExecError::BadOutput {
                command: "docker compose config".to_owned(),
                reason: reason.to_string(),
            })
        })?;
        model.note_unset(&output.stderr);
        Ok(model)
    }

    /// `config` needs no engine: when it fails, either the files are wrong or Compose itself is missing or too old.
    fn invalid(&self, runner: &Runner, error: ExecError) -> ComposeError {
        match self.explain(error) {
            ComposeError::Failed(error @ ExecError::Exited { .. }) => match self.supported_version(runner) {
                Ok(_) => ComposeError::Invalid { message: super::error::last_line(error.tail()) },
                Err(too_old) => too_old,
            },
            ComposeError::Missing => self.missing(runner),
            other => other,
        }
    }

    /// Why there is no Compose: perhaps there is one that this user may not run, or one that is too old.
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
        // Version 1 is a program of its own; to say that there is none would send its user the wrong way.
        let alone = Self { program: vec!["docker-compose".to_owned()], ..self.clone() };
        match alone.supported_version(runner) {
            Err(too_old @ ComposeError::TooOld { .. }) => too_old,
            _ => ComposeError::Missing,
        }
    }

    /// The oldest Compose that has what we rely on: `start_interval`, `--wait`, `include`, JSON Lines of `ps`.
    pub(crate) const OLDEST: &'static str = "2.21.0";

    /// Compose's version, if it is new enough.
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

/// Where Docker looks for Compose.
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

/// `2.26.1-4` is 2, 26, 1.
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
