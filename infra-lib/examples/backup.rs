//! The README's example: starts the stack of the folder that it is run in, and backs its database up.
#![expect(clippy::print_stdout, reason = "a program of its own speaks to its user")]

use infra_lib::ops::{DbBackup, Start};
use infra_lib::{Outcome, Project};

fn main() -> infra_lib::Result<()> {
    let project = Project::discover(".")?;
    project.run(&Start::default())?;
    let backup = project.run(&DbBackup { name: Some("before-upgrade".into()), ..Default::default() })?;
    println!("{backup}, exit code {}", backup.exit().code());
    Ok(())
}
