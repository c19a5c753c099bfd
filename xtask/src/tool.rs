//! Chores that are packages of their own below `tools/`, so that not every clone compiles them.

use std::error::Error;
use std::ffi::OsString;
use std::path::Path;

use xshell::{Shell, cmd};

/// The words for such a tool, passed on as they are.
#[derive(clap::Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Tool {
    /// See --help of the tool
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

impl Tool {
    /// Compiles the tool and runs it, where this checkout has it.
    pub(crate) fn run(&self, name: &str) -> Result<(), Box<dyn Error>> {
        let shell = Shell::new()?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = root.join(format!("tools/{name}/Cargo.toml"));
        if !manifest.is_file() {
            return Err(format!(
                "{} does not exist: `{name}` runs in a checkout of this repository only",
                manifest.display()
            )
            .into());
        }
        let args = &self.args;
        let run = cmd!(shell, "cargo run --quiet --locked --manifest-path {manifest} -- {args...}");
        Ok(run.env("XTASK", std::env::current_exe()?).quiet().run()?)
    }
}
