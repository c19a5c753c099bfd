//! What a recipe runs on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use camino::Utf8Path;

use super::arguments::{self, for_shell};
use super::recipe::Step;
use super::rules::Makefile;
use super::variables::{Met, Scope};
use crate::config::Task;
use crate::dotenv::EnvFile;

/// The shell of a Makefile and its arguments, up to the script.
fn shell(makefile: &Makefile) -> Vec<String> {
    let simple = |name: &str| {
        let variable = makefile.variables.get(name)?;
        (variable.unknown.is_none() && !variable.text.contains('$')).then(|| variable.text.trim().to_owned())
    };
    let program =
        simple("SHELL").filter(|text| !text.is_empty() && !text.contains(' ')).unwrap_or_else(|| "sh".to_owned());
    let program = program.strip_prefix("/bin/").unwrap_or(&program).to_owned();
    let flags = simple(".SHELLFLAGS").unwrap_or_else(|| "-c".to_owned());
    std::iter::once(program).chain(flags.split_whitespace().map(str::to_owned)).collect()
}

/// A task that runs these steps on this machine, as make would.
pub(super) fn host_task(makefile: &Makefile, steps: &[Step], root: &Utf8Path, notes: &mut Vec<String>) -> Task {
    if steps.is_empty() {
        return Task::default();
    }
    Task { host: true, run: host_words(makefile, steps, root, notes), ..Task::default() }
}

/// The words by which these steps run on this machine.
pub(super) fn host_words(makefile: &Makefile, steps: &[Step], root: &Utf8Path, notes: &mut Vec<String>) -> Vec<String> {
    let names: BTreeSet<String> = steps.iter().flat_map(|step| arguments::names(&step.text)).collect();
    let mut head = String::new();
    let from_env: Vec<&String> =
        makefile.env_files.iter().filter(|file| names.iter().any(|name| has(root, file, name))).collect();
    for file in &from_env {
        let path = if file.contains('/') { (*file).clone() } else { format!("./{file}") };
        if let Ok(path) = shlex::try_quote(&path) {
            let _ = writeln!(head, "[ ! -f {path} ] || {{ set -a; . {path}; set +a; }}");
        }
    }
    let given: Vec<&String> = names.iter().filter(|name| !from_env.iter().any(|file| has(root, file, name))).collect();
    for name in &given {
        notes.push(format!("`{name}` comes from the environment: `{name}=… cargo xtask …`"));
    }
    if !from_env.is_empty() {
        let files: Vec<&str> = from_env.iter().map(|file| file.as_str()).collect();
        notes.push(format!("it reads {} as a shell does", files.join(", ")));
    }
    head.push_str(&exports(makefile));
    if let ([step], true) = (steps, head.is_empty() && names.is_empty())
        && let (Some(words), false) = (&step.words, step.may_fail)
    {
        return words.clone();
    }
    notes.push("it is the text of the Makefile, run by a shell: read it".to_owned());
    let shell = shell(makefile);
    let errexit = shell
        .iter()
        .skip(1)
        .any(|flag| flag.starts_with('-') && !flag.starts_with("--") && flag.contains('e') && flag != "-o");
    let lines: Vec<String> = steps
        .iter()
        .enumerate()
        .map(|(at, step)| line(step, at + 1 == steps.len(), steps.len() == 1, errexit))
        .collect();
    shell.into_iter().chain([format!("{head}{}", lines.join("\n"))]).collect()
}

/// Each line of a recipe has a shell of its own, and the first that fails ends it.
fn line(step: &Step, is_last: bool, is_only: bool, errexit: bool) -> String {
    let text = for_shell(&step.text);
    let apart = match () {
        () if step.words.is_some() || is_only && !step.may_fail => text,
        () if text.contains(['\n', '#']) => format!("(\n{text}\n)"),
        () => format!("({text})"),
    };
    match (step.may_fail, is_last, errexit) {
        (true, ..) => format!("{apart} || true"),
        (false, true, _) | (false, _, true) => apart,
        (false, false, false) => format!("{apart} || exit"),
    }
}

/// Whether an env file, or its template, has this variable; one that is not there yet is taken to have it.
fn has(root: &Utf8Path, file: &str, name: &str) -> bool {
    let own = root.join(file);
    let read = EnvFile::read(&own).or_else(|_| EnvFile::read(root.join(format!("{file}.example"))));
    read.map_or(true, |read| read.entry(name).is_some())
}

/// The variables that the recipes' commands have in their environment.
fn exports(makefile: &Makefile) -> String {
    let own = BTreeMap::new();
    let scope = Scope { global: &makefile.variables, own: &own, target: "", needs: &[] };
    let lines = makefile.exported.iter().filter_map(|name| {
        let value = scope.expand(&format!("$({name})"), &mut Met::default()).ok()?;
        Some(format!("export {name}={}\n", shlex::try_quote(&value).ok()?))
    });
    lines.collect()
}
