//! Commands one after the other, and how long each took.

use std::error::Error;
use std::time::Instant;

use xshell::Cmd;

/// What has run so far.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<(String, String)>);

impl Steps {
    /// Runs a command and shows it.
    ///
    /// # Errors
    ///
    /// Fails when the command does.
    pub(crate) fn run(&mut self, name: &str, command: Cmd<'_>) -> Result<(), Box<dyn Error>> {
        let began = Instant::now();
        eprintln!("\n== {name}: {command}");
        let result = command.quiet().run();
        let took = format!("{:5.0} s", began.elapsed().as_secs_f64());
        eprintln!("== {name}: {}", took.trim_start());
        self.0.push((name.to_owned(), took));
        Ok(result?)
    }

    /// Notes that a step cannot run on this machine.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        eprintln!("\n== {name}: skipped, {why}");
        self.0.push((name.to_owned(), format!("skipped, {why}")));
    }

    /// Prints all steps with their times.
    pub(crate) fn report(&self) {
        eprintln!("\n== where the time went");
        for (name, took) in &self.0 {
            eprintln!("{name:40} {took}");
        }
    }
}
