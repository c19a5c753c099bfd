//! This program in one file that runs in any container of this machine's kind, whatever C library is in there.

use std::error::Error;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

/// Build this program as one static file, for the services that run it in a container
#[derive(clap::Args, Debug)]
pub(crate) struct Static {
    /// Where it goes; default: `.infra/bin/xtask-static` of the project
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Static {
    /// Builds it and puts it there, in one step.
    pub(crate) fn run(&self, project_dir: &Path) -> Result<(), Box<dyn Error>> {
        let shell = Shell::new()?;
        shell.change_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let version = cmd!(shell, "rustc -vV").quiet().read()?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        if !host.contains("linux") {
            return Err(format!("containers run Linux, and this machine is {host}; build it on a Linux machine").into());
        }
        // With a target that is stated, the flags are not for build scripts and macros, which cannot be static.
        cmd!(
            shell,
            "cargo build --quiet --release --locked --package xtask --target {host} --target-dir target/static"
        )
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .quiet()
        .run()?;
        let built = shell.current_dir().join(format!("target/static/{host}/release/xtask"));
        let file = if let Some(file) = &self.file {
            file.clone()
        } else {
            let project = infra_lib::Project::discover(project_dir)?;
            let folder = project.state_folder()?.join("bin");
            shell.create_dir(&folder)?;
            folder.join("xtask-static").into_std_path_buf()
        };
        let draft = file.with_extension("new");
        std::fs::copy(&built, &draft)?;
        std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755))?;
        std::fs::rename(&draft, &file)?;
        eprintln!("wrote {}", file.display());
        Ok(())
    }
}
