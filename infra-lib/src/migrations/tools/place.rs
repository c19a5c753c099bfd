//! Finds another tool's program: in an image, in a service, or on this machine.

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{Access, access};

use super::other_tools::Value;
use super::standing::Migrations;
use crate::compose::container::Container;
use crate::compose::one_off::{OneOff, mount};
use crate::exec::invocation::Invocation;
use crate::migrations::error::MigrationError;
use crate::postgres::database::{Database, Place as DatabasePlace};
use crate::postgres::login::Login;
use crate::project::Project;
use crate::project::error::Result;
use crate::secret::Secret;

/// Where the program was found.
#[derive(Debug)]
pub(super) enum Place {
    /// An image configured in infra.toml.
    Image(String),
    /// A running container, and the build context of its image.
    Service(Box<Container>, Utf8PathBuf),
    /// The program's name or path on this machine.
    Machine(String),
}

/// An environment variable for the tool.
struct Variable {
    key: &'static str,
    content: Content,
}

enum Content {
    Plain(String),
    Secret(Secret),
}

impl Variable {
    fn set(&self, call: Invocation) -> Invocation {
        match &self.content {
            Content::Plain(text) => call.env(self.key, text.clone()),
            Content::Secret(secret) => call.secret_env(self.key, secret),
        }
    }
}

/// Where package managers install a project's programs, relative to its folder.
const LOCAL: [&str; 3] = ["node_modules/.bin", ".venv/bin", "venv/bin"];

/// Where `docker run` mounts the project's files.
const MOUNTED: &str = "/project";

impl Migrations {
    /// Searches the image and the service configured in infra.toml, then this machine, then services whose build
    /// context contains the files.
    pub(super) fn place(&self, project: &Project, database: &Database) -> Result<Place> {
        let configured = &project.config().migrations;
        if let Some(image) = &configured.image {
            return Ok(Place::Image(image.clone()));
        }
        let mut services = Vec::new();
        if let Some(service) = &configured.service {
            match self.service(project, database, service)? {
                Ok(place) => return Ok(place),
                Err(why) => services.push(format!("{service}: {why}")),
            }
        }
        if let Some(program) = self.on_machine(project) {
            return Ok(Place::Machine(program));
        }
        if configured.service.is_none() {
            for service in around(project, &self.dir) {
                match self.service(project, database, &service)? {
                    Ok(place) => return Ok(place),
                    Err(why) => services.push(format!("{service}: {why}")),
                }
            }
        }
        let services = if services.is_empty() { "none has it".to_owned() } else { services.join(", ") };
        Err(MigrationError::NotInstalled { tool: self.tool.name, program: self.tool.program, services }.into())
    }

    fn on_machine(&self, project: &Project) -> Option<String> {
        let above = self.home.ancestors().take_while(|above| above.starts_with(project.root()));
        let own = above.flat_map(|above| LOCAL.map(|local| above.join(local).join(self.tool.program)));
        let found = own.filter(|path| path.is_file() && access(path.as_std_path(), Access::EXEC_OK).is_ok());
        let on_path = project.runner().find(self.tool.program).is_ok().then(|| self.tool.program.to_owned());
        found.map(Utf8PathBuf::into_string).chain(on_path).find(|program| {
            self.tool.probe.is_empty()
                || project
                    .runner()
                    .read(&Invocation::new(program.clone()).args(self.tool.probe).dir(&self.home))
                    .is_ok()
        })
    }

    /// The service's container if it has the program; otherwise why it cannot be used.
    fn service(&self, project: &Project, database: &Database, service: &str) -> Result<Result<Place, String>> {
        if !project.has_services() || matches!(database.place, DatabasePlace::Local(_)) {
            return Ok(Err("cannot reach the database".to_owned()));
        }
        project.known_service(service)?;
        let Ok(container) = project.running(service) else { return Ok(Err("not running".to_owned())) };
        let context = context(project, service).unwrap_or_else(|| project.root().to_owned());
        let call = Invocation::new("docker").args(["exec", &container.id]);
        let call = if self.tool.probe.is_empty() {
            call.args(["sh", "-c", "command -v \"$0\"", self.tool.program])
        } else {
            call.arg(self.tool.program).args(self.tool.probe)
        };
        match project.runner().read(&call) {
            Ok(_) => Ok(Ok(Place::Service(Box::new(container), context))),
            Err(_) => Ok(Err("not there".to_owned())),
        }
    }

    /// The call of the program with these arguments on this database. `session` is the name that identifies the
    /// sessions of a killed run.
    pub(super) fn call(
        &self,
        project: &Project,
        database: &Database,
        place: &Place,
        args: &[&str],
    ) -> Result<(Invocation, Option<OneOff>)> {
        let session = Database::session_name();
        let program = self.tool.program;
        Ok(match place {
            Place::Machine(program) => {
                let login = database.login_here(project)?;
                let paths = |path: &Utf8Path| path.to_string();
                let call = login.on_host(Invocation::new(program.clone())).dir(&self.home);
                let call = self.variables(&login, &paths).into_iter().fold(call, |call, variable| variable.set(call));
                (call.args(self.words(args, &login, &paths)), None)
            }
            Place::Service(container, context) => {
                let login = database.login_in_stack().ok_or_else(|| MigrationError::NotInstalled {
                    tool: self.tool.name,
                    program,
                    services: "cannot reach the database".to_owned(),
                })?;
                // Paths are relative to the image's working directory, as they are to its build context.
                let paths = |path: &Utf8Path| relative(path, context);
                let call = login.in_container(Invocation::new("docker").args(["exec", "-i"]));
                let call = self.exported(call, &login, &paths).arg(container.id.clone()).arg(program);
                (call.args(self.words(args, &login, &paths)), None)
            }
            Place::Image(image) => {
                let (login, network) = database.login_alone(project)?;
                let paths = |path: &Utf8Path| format!("{MOUNTED}/{}", relative(path, project.root()));
                let (call, one_off) = OneOff::new(session)?;
                let files = format!("{},readonly", mount("bind", project.root().as_str(), MOUNTED));
                let call = call
                    .args(["--pull", "missing", "--init", "--network", &network, "--tmpfs", "/tmp", "-e", "HOME=/tmp"])
                    .args(["--mount", &files, "--workdir", &paths(&self.home), "--entrypoint", program]);
                let call = self.exported(login.in_container(call), &login, &paths).arg(image.clone());
                (call.args(self.words(args, &login, &paths)), Some(one_off))
            }
        })
    }

    fn exported(&self, call: Invocation, login: &Login, paths: &dyn Fn(&Utf8Path) -> String) -> Invocation {
        let variables = self.variables(login, paths);
        variables.into_iter().fold(call, |call, variable| variable.set(call.args(["-e", variable.key])))
    }

    /// The environment variables for the tool's connection.
    fn variables(&self, login: &Login, paths: &dyn Fn(&Utf8Path) -> String) -> Vec<Variable> {
        let content = |value: Value| match value {
            Value::Url => Some(Content::Secret(login.url())),
            Value::JdbcUrl => Some(Content::Plain(login.jdbc_url())),
            Value::User => Some(Content::Plain(login.user().to_owned())),
            Value::Password => login.password().cloned().map(Content::Secret),
            Value::Location => Some(Content::Plain(format!("filesystem:{}", paths(&self.dir)))),
        };
        self.tool.env.iter().filter_map(|(key, value)| Some(Variable { key, content: content(*value)? })).collect()
    }

    fn words(&self, args: &[&str], login: &Login, paths: &dyn Fn(&Utf8Path) -> String) -> Vec<String> {
        let word = |arg: &&str| {
            let arg = arg.replace("{dir}", &paths(&self.dir)).replace("{home}", &paths(&self.home));
            if arg == "{url}" { login.url_without_password() } else { arg }
        };
        args.iter().map(word).collect()
    }
}

fn relative(path: &Utf8Path, base: &Utf8Path) -> String {
    match path.strip_prefix(base) {
        Ok(rest) if rest.as_str().is_empty() => ".".to_owned(),
        Ok(rest) => rest.to_string(),
        Err(_) => path.to_string(),
    }
}

/// The build context of a service.
pub(crate) fn context(project: &Project, service: &str) -> Option<Utf8PathBuf> {
    let service = project.model().ok()?.services.get(service)?;
    Some(Utf8PathBuf::from(service.build.as_ref()?.context.as_ref()?))
}

/// The services whose build context contains this folder.
fn around(project: &Project, dir: &Utf8Path) -> Vec<String> {
    if !project.has_services() {
        return Vec::new();
    }
    let Ok(model) = project.model() else { return Vec::new() };
    let names =
        model.services.keys().filter(|name| context(project, name).is_some_and(|context| dir.starts_with(context)));
    names.cloned().collect()
}
