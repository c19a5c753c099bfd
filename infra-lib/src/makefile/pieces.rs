//! The parts of a recipe, each of which runs in one place.

use super::compose::compose_call;
use super::known;
use super::recipe::Step;
use super::rules::Makefile;
use crate::manifest::Task;

/// A part of a recipe.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// Targets of the same Makefile, called by name.
    Targets(Vec<String>),
    /// A command of ours that does the same.
    Command(String),
    /// Something of its own.
    Own(Task),
}

/// What must be said about the way in which a recipe was taken over.
pub(super) type Notes = Vec<String>;

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

/// Cuts a recipe's steps where the place changes. Lines that only speak are left out beside one command, or commands that
/// run elsewhere; a script keeps them.
pub(super) fn pieces(makefile: &Makefile, steps: &[Step], notes: &mut Notes) -> Vec<Piece> {
    let talk = steps.iter().filter(|step| step.is_talk).count();
    let real: Vec<&Step> = steps.iter().filter(|step| !step.is_talk).collect();
    let is_script = real.iter().all(|step| elsewhere(step, &mut Notes::new()).is_none())
        && !matches!(real[..], [step] if step.words.is_some() && !step.may_fail);
    let silent = !real.is_empty() && !is_script;
    if silent && talk > 0 {
        notes.push(format!("{talk} {} left out that only {}", lines(talk), if talk == 1 { "speaks" } else { "speak" }));
    }
    let mut pieces = Vec::new();
    let mut host: Vec<&Step> = Vec::new();
    for step in steps.iter().filter(|step| !(silent && step.is_talk)) {
        match elsewhere(step, notes) {
            Some(piece) => {
                pieces.extend(on_host(makefile, &host, notes));
                host.clear();
                pieces.push(piece);
            }
            None => host.push(step),
        }
    }
    pieces.extend(on_host(makefile, &host, notes));
    pieces
}

fn lines(count: usize) -> &'static str {
    if count == 1 { "line is" } else { "lines are" }
}

/// What a step is where it is no command of this machine.
fn elsewhere(step: &Step, notes: &mut Notes) -> Option<Piece> {
    if !step.makes.is_empty() {
        return Some(Piece::Targets(step.makes.clone()));
    }
    let call = compose_call(step.words.as_deref()?).filter(|_| !step.may_fail)?;
    let command = known::by_step(step);
    if let Some(command) = command.filter(|command| known::stands_alone(command)) {
        return Some(Piece::Command(command.concat()));
    }
    let (service, run) = call.inside().filter(|(_, run)| !run.is_empty())?;
    let mut task = Task { run: run.to_vec(), ..Task::default() };
    match call.command.as_str() {
        "exec" => task.service = Some(service.to_owned()),
        "run" => task.oneoff = Some(service.to_owned()),
        _ => return None,
    }
    if let Some(environment) = &call.environment {
        notes.push(format!("it was meant for {environment}: run it with `-e {environment}`"));
    }
    Some(Piece::Own(task))
}

/// Neighbours on this machine: one command as it is, anything else as a script.
fn on_host(makefile: &Makefile, steps: &[&Step], notes: &mut Notes) -> Option<Piece> {
    let first = steps.first()?;
    if steps.iter().any(|step| step.text.contains("docker compose") || step.text.contains("docker-compose")) {
        notes.push("it calls Compose by itself, which knows nothing of `-e`".to_owned());
    }
    let run = if let (Some(words), false, [_]) = (&first.words, first.may_fail, steps) {
        words.clone()
    } else {
        notes.push("it is the Makefile's own text, run by a shell: read it".to_owned());
        shell(makefile).into_iter().chain([script(steps)]).collect()
    };
    Some(Piece::Own(Task { host: true, run, ..Task::default() }))
}

/// Each line of a recipe has a shell of its own, and the first that fails ends it.
fn script(steps: &[&Step]) -> String {
    let apart = |step: &Step| {
        let text = &step.text;
        if text.contains(['\n', '#']) { format!("(\n{text}\n)") } else { format!("({text})") }
    };
    let line = |step: &Step| match (step.may_fail, step.words.is_some() || steps.len() == 1) {
        (true, _) => format!("{} || true", apart(step)),
        (false, true) => step.text.clone(),
        (false, false) => apart(step),
    };
    let lines: Vec<String> = steps.iter().map(|step| line(step)).collect();
    if lines.len() == 1 { lines.concat() } else { format!("set -e\n{}", lines.join("\n")) }
}
