//! Carries out a plan after it was confirmed.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use crate::compose::{ComposeError, Engine};
use crate::consent::Destruction;
use crate::exec::Invocation;
use crate::exit::Exit;
use crate::project::Project;
use crate::project::error::{Error, Result};

use super::{Need, Plan};

/// A mirror that sends nothing for this long is considered down.
const STALL: Duration = Duration::from_secs(10 * 60);
/// A newly installed engine first creates its folders and networks.
const ENGINE_PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(500);

impl Plan {
    /// Shows the commands, asks, and runs them. In a dry run they are shown and nothing else happens.
    pub(crate) fn run(&self, project: &Project) -> Result<()> {
        let runner = project.runner();
        if !runner.is_dry_run() {
            project.note(self);
            // Installing packages concerns the machine, not an environment: a yes is enough, even for a protected one.
            let commands = self.steps.commands.iter().chain(&self.steps.start);
            let items = commands.map(Invocation::to_string).collect();
            project.consent(&Destruction { protected: false, ..project.destruction("setup --install", items) })?;
            self.become_root(project)?;
        }
        for command in &self.steps.commands {
            project.step(command);
            runner.change(&command.clone().stall(STALL).relay("install"))?;
        }
        for remark in &self.steps.remarks {
            project.note(remark);
        }
        if self.needs.contains(&Need::Engine) { self.start_engine(project) } else { Ok(()) }
    }

    /// Starts the engine in the first way that works, unless installing it did.
    fn start_engine(&self, project: &Project) -> Result<()> {
        let runner = project.runner();
        if runner.is_dry_run() {
            return self.steps.start.iter().take(1).try_for_each(|way| Ok(runner.change(way).map(drop)?));
        }
        let Some(mut last) = answers(project, Duration::ZERO)? else { return Ok(()) };
        for way in &self.steps.start {
            project.step(way);
            if let Err(error) = runner.change(&way.clone().stall(STALL).relay("install")) {
                project.note(format_args!("{error}"));
                last = error.into();
                continue;
            }
            match answers(project, ENGINE_PATIENCE)? {
                None => return Ok(()),
                Some(error) => last = error,
            }
        }
        Err(last)
    }

    /// sudo asks once, at the terminal; the commands themselves have none.
    fn become_root(&self, project: &Project) -> Result<()> {
        if !self.sudo {
            return Ok(());
        }
        let refused = |message: &str| {
            Error::new(Exit::Refused, message).with_hint("run the commands above yourself, or this command as root")
        };
        if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
            match project.runner().interactive(&Invocation::new("sudo").arg("-v"))? {
                0 => Ok(()),
                _ => Err(refused("sudo refused; nothing was installed")),
            }
        } else {
            let without_asking = Invocation::new("sudo").args(["-n", "true"]);
            let asks = |_| refused("sudo needs a password, but no terminal is available; nothing was installed");
            project.runner().read(&without_asking).map(drop).map_err(asks)
        }
    }
}

/// Waits until the engine answers; else says what it answered last. One that refuses this user will not change its
/// mind while we wait.
fn answers(project: &Project, patience: Duration) -> Result<Option<Error>> {
    let until = Instant::now() + patience;
    loop {
        match Engine::query(project.runner()) {
            Ok(_) => return Ok(None),
            Err(error @ ComposeError::Forbidden { .. }) => return Err(error.into()),
            Err(error) if Instant::now() >= until => return Ok(Some(error.into())),
            Err(_) => {
                project.waiting("waiting for the engine");
                project.cancel().sleep(POLL)?;
            }
        }
    }
}
