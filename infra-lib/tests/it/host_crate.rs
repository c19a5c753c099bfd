//! A crate of somebody else's, outside this workspace, with the whole command line from a flattened variant.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::support::*;

const MANIFEST: &str = r#"
[package]
name = "host"
version = "0.1.0"
edition = "2024"

[dependencies]
clap = { version = "4.5", features = ["derive"] }
infra-lib = { path = "@infra-lib@" }

[workspace]

# As in this workspace, so that what is built there serves here too.
[profile.dev]
debug = "line-tables-only"
[profile.dev.package.sha2]
opt-level = 3
"#;

const MAIN: &str = r#"
use std::process::ExitCode;

#[derive(clap::Subcommand)]
enum Xtask {
    @first@
    /// Build the handbook.
    Handbook {
        /// Leave the pictures out.
        #[arg(long)]
        fast: bool,
    },
    /// Stop the press.
    Stop,
    @last@
}

fn main() -> ExitCode {
    let cli = infra_lib::cli::parse::<Xtask>();
    match cli.command {
        Xtask::Handbook { fast } => println!("handbook, fast: {fast}"),
        Xtask::Stop => match cli.context.project() {
            Ok(project) => println!("stopped the press of {}", project.name()),
            Err(error) => return error.exit().into(),
        },
        Xtask::Infra(command) => return cli.context.run(command),
    }
    ExitCode::SUCCESS
}
"#;

const FLATTENED: &str = "#[command(flatten)] Infra(infra_lib::cli::Command),";

const TWO_OPERATIONS: &str = r#"
use infra_lib::ops::{Start, Stop};

fn main() -> infra_lib::Result<()> {
    let project = infra_lib::Project::discover(".")?;
    let started = project.run(&Start { services: vec!["web".into()], ..Default::default() })?;
    let stopped = project.run(&Stop::default())?;
    println!("{}; {}", started.services[0].state, stopped.stopped.join(", "));
    Ok(())
}
"#;

/// The crate, built: a program for each place of the flattened variant, and an example.
struct Host {
    first: PathBuf,
    last: PathBuf,
    two_operations: PathBuf,
}

/// Built once, beside what this workspace has built: its dependencies are there already.
fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(|| {
        let library = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = target_dir();
        // A path that stays: Cargo builds anew what has moved.
        let dir = target.join("host-crate");
        for folder in ["src/bin", "examples"] {
            std::fs::create_dir_all(dir.join(folder)).unwrap();
        }
        let write = |file: &str, text: &str| write_if_other(&dir.join(file), text);
        let main = |first: &str, last: &str| MAIN.replace("@first@", first).replace("@last@", last);
        write("Cargo.toml", &MANIFEST.replace("@infra-lib@", library.to_str().unwrap()));
        write("src/bin/host-first.rs", &main(FLATTENED, ""));
        write("src/bin/host-last.rs", &main("", FLATTENED));
        write("examples/host-operations.rs", TWO_OPERATIONS);
        // The same versions as here, which are on this machine.
        write("Cargo.lock", &std::fs::read_to_string(library.join("../Cargo.lock")).unwrap());
        let mut build = command(env!("CARGO"));
        build.args(["build", "--offline", "--quiet", "--bins", "--examples"]).env("CARGO_TARGET_DIR", &target);
        let output = build.current_dir(&dir).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let bin = target.join("debug");
        Host {
            first: bin.join("host-first"),
            last: bin.join("host-last"),
            two_operations: bin.join("examples/host-operations"),
        }
    })
}

/// An unchanged file keeps its time, so that nothing is built again.
fn write_if_other(path: &Path, text: &str) {
    if std::fs::read_to_string(path).ok().as_deref() != Some(text) {
        std::fs::write(path, text).unwrap();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of another crate, whose environment the harness does not know"
)]
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    for key in ["INFRA_ENV", "CARGO_MANIFEST_DIR", "RUSTFLAGS"] {
        command.env_remove(key);
    }
    command
}

fn project() -> TestProject {
    TestProject::new()
        .file("infra.toml", "[tasks.greet]\nhost = true\nrun = ['echo', 'hello']\n[tasks.handbook]\nhost = true\nrun = ['false']\n")
        .compose("services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true, healthcheck: {test: [CMD, 'true'], start_interval: 200ms, start_period: 30s}}}")
}

fn run(project: &TestProject, program: &Path, words: &[&str]) -> Output {
    command(program).args(words).current_dir(project.dir()).output().unwrap()
}

/// Its stdout, stderr and exit code.
fn said(output: &Output) -> (String, String, i32) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

#[test]
fn a_host_has_its_own_commands_and_all_of_ours() {
    let host = host();
    let project = project();
    let ok = |text: &str| (text.to_owned(), String::new(), 0);
    for program in [&host.first, &host.last] {
        let run = |words: &[&str]| said(&run(&project, program, words));
        assert_eq!(
            run(&["handbook", "--fast"]),
            ok("handbook, fast: true\n"),
            "its own, although a task has that name"
        );
        assert_eq!(
            run(&["stop"]),
            ok(&format!("stopped the press of {}\n", project.name())),
            "its own, although ours has it too"
        );
        assert_eq!(run(&["-C", "/", "stop"]).2, 78, "with our global options");
        assert_eq!(run(&["greet", "you"]), ok("hello you\n"), "a task");
        assert!(run(&["tasks"]).0.contains("greet"), "ours");

        let (help, _, code) = run(&["help"]);
        assert_eq!(code, 0);
        for part in [
            "Commands\n  handbook     Build the handbook\n  stop         Stop the press\n",
            "Lifecycle\n",
            "Tasks\n  greet ",
        ] {
            assert!(help.contains(part), "{part:?} is not in {help}");
        }
        assert_eq!(help.matches("\n  stop ").count(), 1, "{help}");
        assert_eq!(help.matches("\n  handbook ").count(), 1, "{help}");
        assert_eq!(run(&[]).0, help);

        for (typo, meant) in [("handbok", "handbook"), ("strat", "start"), ("gret", "greet")] {
            let (_, stderr, code) = run(&[typo]);
            assert!(code == 64 && stderr.contains(&format!("did you mean `{meant}`?")), "{stderr}");
        }
        assert_eq!(run(&["handbook", "--fats"]).2, 64);
        if compose().is_some() {
            assert_eq!(run(&["shell", "wbe"]).2, 66);
        }
        assert_eq!(run(&["__complete", "han"]).0, "handbook\tBuild the handbook\n");
    }
}

#[test]
fn two_operations_run_from_rust() {
    let host = host();
    let Some(_engine) = engine() else { return };
    let project = project();
    assert_eq!(said(&run(&project, &host.two_operations, &[])), ("healthy; web\n".to_owned(), String::new(), 0));
    assert_eq!(project.state("web"), "exited");
}
