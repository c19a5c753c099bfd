//! Which program the completion scripts run, in real shells.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use crate::support::*;

/// Any user but root and the caller.
const ANOTHER_USER: u32 = 65533;

/// The shells of this machine, and their scripts, which the binary under test has printed.
fn shells(project: &TestProject) -> Vec<&'static str> {
    let shells = ["bash", "zsh", "fish"].into_iter().filter(|shell| tool(shell).is_some());
    let shells: Vec<_> = shells.collect();
    for shell in &shells {
        let script = project.xtask(["completions", shell]).end().ok().stdout.clone();
        project.write(&format!("script.{shell}"), &script);
    }
    shells
}

/// What a shell offers in this folder of the project for `PROGRAM [xtask] st`.
fn offered(project: &TestProject, shell: &str, folder: &str, program: &str) -> Vec<String> {
    let script = project.path(&format!("script.{shell}"));
    let (typed, function) = match program {
        "cargo" => ("cargo xtask st".to_owned(), "_xtask_cargo"),
        path => (format!("{path} st"), "_xtask"),
    };
    let (script, count) = (script.display(), typed.split(' ').count());
    let text = match shell {
        "bash" => format!(
            "source {script}; COMP_WORDS=({typed}); COMP_CWORD={}; {function}; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            count - 1
        ),
        // Its completion works at a terminal only, except for what is ours.
        "zsh" => format!(
            "compdef() {{ :; }}; _describe() {{ print -l -- $described; }}; source {script}; words=({typed}); CURRENT={count}; {function}"
        ),
        _ => format!("source {script}; complete -C '{typed}'"),
    };
    let mut call = command(shell);
    let options: &[&str] = match shell {
        "bash" => &["--norc", "--noprofile", "-c"],
        "zsh" => &["-f", "-c"],
        _ => &["--no-config", "-c"],
    };
    for variable in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"] {
        call.env_remove(variable);
    }
    let output = call.args(options).arg(text).current_dir(project.path(folder)).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{shell} is silent");
    let lines = String::from_utf8(output.stdout).unwrap();
    let first = |line: &str| line.split(['\t', ':']).next().unwrap_or_default().to_owned();
    lines.lines().map(first).filter(|line| !line.is_empty()).collect()
}

/// A workspace whose program leaves a mark and offers `stolen`.
fn plant(project: &TestProject, folder: &str) {
    project.write(&format!("{folder}/Cargo.toml"), "[workspace]\n");
    plant_program(project, &format!("{folder}/target/debug/xtask"));
}

fn plant_program(project: &TestProject, path: &str) {
    project.write(path, "#!/bin/sh\n: >@dir@/ran\necho stolen\n");
    allow(&project.path(path), 0o755);
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Fails unless every shell runs the planted program in this folder, or none does; typed as `cargo`, or as a path.
#[track_caller]
fn runs(project: &TestProject, shells: &[&str], folder: &str, program: &str, expected: bool) {
    for shell in shells {
        let words = offered(project, shell, folder, program);
        let ran = std::fs::remove_file(project.path("ran")).is_ok();
        assert_eq!((ran, words.contains(&"stolen".to_owned())), (expected, expected), "{shell} {program}: {words:?}");
        // Cargo's command line is completed all the same, by the program that has printed the script.
        if program == "cargo" && !expected {
            assert!(words.contains(&"start".to_owned()), "{shell}: {words:?}");
        }
    }
}

#[test]
fn p27_the_program_of_the_users_own_workspace_completes() {
    let project = TestProject::new();
    let shells = shells(&project);
    plant(&project, "mine");
    project.write("mine/member/Cargo.toml", "[package]\nname = \"member\"\n");
    runs(&project, &shells, "mine", "cargo", true);
    runs(&project, &shells, "mine/member", "cargo", true);
    runs(&project, &shells, "mine", "./target/debug/xtask", true);
    // What Cargo would not run there is not run either: this folder is no package, and that one another workspace.
    plant_program(&project, "no-package/target/debug/xtask");
    runs(&project, &shells, "no-package", "cargo", false);
    project.write("mine/inner/Cargo.toml", "[workspace]\n");
    runs(&project, &shells, "mine/inner", "cargo", false);
}

#[test]
fn p27_completion_runs_nothing_that_others_could_have_put_there() {
    let project = TestProject::new();
    let shells = shells(&project);
    plant(&project, "mine");
    let program = project.path("mine/target/debug/xtask");
    for (path, mode) in [
        ("mine/target/debug/xtask", 0o757),
        ("mine/target/debug/xtask", 0o775),
        ("mine/target", 0o777),
        ("mine", 0o775),
    ] {
        allow(&project.path(path), mode);
        runs(&project, &shells, "mine", "cargo", false);
        runs(&project, &shells, "mine", "./target/debug/xtask", false);
        allow(&project.path(path), 0o755);
    }
    runs(&project, &shells, "mine", "cargo", true);
    // A folder of links, in which only the place of the program is open to others.
    plant_program(&project, "open/xtask");
    allow(&project.path("open"), 0o777);
    std::fs::remove_file(&program).unwrap();
    symlink(project.path("open/xtask"), &program).unwrap();
    runs(&project, &shells, "mine", "cargo", false);
    allow(&project.path("open"), 0o755);
    runs(&project, &shells, "mine", "cargo", true);
}

#[test]
fn p27_completion_runs_no_program_of_another_user() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let project = TestProject::new().open_to_all();
    let shells = shells(&project);
    let give = |path: &str| chown(project.path(path), Some(ANOTHER_USER), Some(ANOTHER_USER)).unwrap();
    plant(&project, "theirs");
    project.write("theirs/deep/down/file", "");
    for path in ["theirs", "theirs/deep", "theirs/Cargo.toml", "theirs/target", "theirs/target/debug"] {
        give(path);
    }
    // The program is ours, and its folder another user's.
    runs(&project, &shells, "theirs", "cargo", false);
    give("theirs/target/debug/xtask");
    for folder in ["theirs", "theirs/deep/down"] {
        runs(&project, &shells, folder, "cargo", false);
        runs(&project, &shells, folder, project.path("theirs/target/debug/xtask").to_str().unwrap(), false);
    }
    // A link in a folder of ours to a folder of theirs, and the reverse.
    project.write("mine/Cargo.toml", "[workspace]\n");
    symlink(project.path("theirs/target"), project.path("mine/target")).unwrap();
    runs(&project, &shells, "mine", "cargo", false);
    plant(&project, "ours");
    std::fs::remove_dir_all(project.path("theirs/target")).unwrap();
    symlink(project.path("ours/target"), project.path("theirs/target")).unwrap();
    rustix::fs::chownat(
        rustix::fs::CWD,
        project.path("theirs/target"),
        Some(rustix::process::Uid::from_raw(ANOTHER_USER)),
        None,
        rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
    )
    .unwrap();
    runs(&project, &shells, "theirs", "cargo", false);
    runs(&project, &shells, "ours", "cargo", true);
}

/// Its own completion script is looked for without the folder's `rust-toolchain.toml`, which can name any `rustc`.
#[test]
fn p27_completion_asks_rustc_outside_of_the_folder() {
    let Some(_bash) = tool("bash") else { return };
    let project = TestProject::new();
    let fakes = Fakes::new().program("rustc", "exit 1");
    let script = project.xtask(["completions", "bash"]).end().ok().stdout.clone();
    project.write("script", &script);
    let line = "source script; COMP_WORDS=(cargo te); COMP_CWORD=1; _xtask_cargo; exit 0";
    let call = project.xtask(["unused"]).env("PATH", fakes.path()).inside(["bash", "--norc", "-c", line]);
    call.end().ok().silent();
    assert_eq!(fakes.calls().len(), 1, "it was asked");
    let at = fakes.calls()[0].var("PWD").map(str::to_owned);
    assert_eq!(at.as_deref(), Some("/"));
}
