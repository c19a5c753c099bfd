//! What becomes of one target.

use camino::Utf8Path;

use super::known;
use super::pieces::{Notes, Piece, pieces};
use super::recipe::{Step, steps};
use super::risk;
use super::rules::{Makefile, Target};
use super::variables::Met;

/// What a target is from now on.
#[derive(Debug)]
pub(super) enum Decision {
    /// A command of ours, and what its recipe did beyond that.
    Command { words: Vec<String>, dropped: Vec<(usize, String)>, notes: Notes },
    /// A task; what it needs is still to be found.
    Task(Draft),
    /// Nothing, and why.
    Left(String),
}

/// A task in the making.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) pieces: Vec<Piece>,
    pub(super) notes: Notes,
}

pub(super) fn decide(makefile: &Makefile, target: &Target, root: &Utf8Path) -> Decision {
    if let Some(why) = &target.obstacle {
        return Decision::Left(why.clone());
    }
    let mut met = Met::default();
    let parsed = steps(makefile, target, &mut met);
    if let Some(words) = named(makefile, target, parsed.as_deref().ok()) {
        return command(target, words, parsed.ok());
    }
    let steps = match parsed {
        Ok(steps) => steps,
        Err((line, why)) => return Decision::Left(format!("line {line}: {why}")),
    };
    if steps.iter().any(|step| risk::reaches_beyond(&step.text)) {
        return Decision::Left(
            "it removes what other projects have on this machine too; `clean` removes what this one has".to_owned(),
        );
    }
    let real: Vec<&Step> = steps.iter().filter(|step| !step.is_talk).collect();
    if let [step] = real[..]
        && let Some(words) = known::by_step(step).filter(|words| !known::stands_alone(words))
        && target.needs.is_empty()
    {
        return command(target, words, Some(steps));
    }
    let mut notes = notes(makefile, target, root, &met);
    let pieces = match real[..] {
        [step] if is_command(step) => vec![Piece::Command(known::by_step(step).unwrap_or_default().concat())],
        _ => pieces(makefile, &steps, &mut notes),
    };
    if pieces.is_empty() && target.needs.is_empty() {
        return Decision::Left("it has neither a recipe nor needs".to_owned());
    }
    Decision::Task(Draft { pieces, notes })
}

fn is_command(step: &Step) -> bool {
    known::by_step(step).is_some_and(|words| known::stands_alone(&words))
}

/// The command that the target's name means, where its recipe does not say that it is something else.
fn named(makefile: &Makefile, target: &Target, steps: Option<&[Step]>) -> Option<Vec<String>> {
    let words = known::by_name(&target.name)?;
    if target.recipe.iter().any(|line| risk::is_remote(&line.text)) {
        return None;
    }
    let only_talks = steps.is_some_and(|steps| steps.iter().all(|step| step.is_talk)) && target.name == "help";
    let is_ours = is_name_for_ours(makefile, target)
        || only_talks
        || target.recipe.iter().any(|line| known::is_ours(&line.text))
        || steps.unwrap_or_default().iter().any(|step| known::is_ours(&step.text));
    is_ours.then_some(words)
}

/// Whether it has no recipe, and what it needs is ours too: `restart: stop start`, and not `build: bin/program`.
fn is_name_for_ours(makefile: &Makefile, target: &Target) -> bool {
    let needed = || target.needs.iter().filter_map(|name| makefile.find(name));
    let is_ours = |need: &Target| {
        need.recipe.iter().any(|line| known::is_ours(&line.text)) || known::by_name(&need.name).is_some()
    };
    target.recipe.is_empty() && (needed().next().is_none() || needed().any(is_ours))
}

/// The command, as exactly as the recipe tells, and the lines that it does not stand for.
fn command(target: &Target, named: Vec<String>, steps: Option<Vec<Step>>) -> Decision {
    let mut notes = Notes::new();
    let Some(steps) = steps else {
        return Decision::Command { words: named, dropped: Vec::new(), notes };
    };
    let real: Vec<&Step> = steps.iter().filter(|step| !step.is_talk).collect();
    let exact = real.iter().filter(|step| !risk::reaches_beyond(&step.text));
    let done: Vec<Vec<String>> = exact.filter_map(|step| known::by_step(step)).collect();
    let mut words = named;
    // `backup` often means the database's alone, and `shell-db` psql.
    let loose = ["backup", "restore", "shell"].contains(&words[0].as_str()) || !known::is_taken(&target.name);
    if let [only] = &done[..]
        && (loose || refines(only, &words))
    {
        words.clone_from(only);
    } else if let Some(environment) = done.iter().find_map(|words| words.strip_prefix(&["-e".to_owned()][..])?.first())
        && words[0] != "-e"
    {
        words.splice(0..0, ["-e".to_owned(), environment.clone()]);
    }
    if real.iter().any(|step| risk::reaches_beyond(&step.text)) {
        notes.push("the recipe removed what other projects have too; ours removes what this one has".to_owned());
    }
    let is_other = |step: &&&Step| {
        known::by_step(step).is_none()
            && step.makes.is_empty()
            && !known::is_ours(&step.text)
            && !is_housekeeping(&step.text)
    };
    let dropped = real.iter().filter(is_other).map(|step| (step.number, step.text.clone())).collect();
    for program in real.iter().filter_map(|step| risk::sender(&step.text)) {
        notes.push(format!("the recipe also called `{program}`, which is not taken over"));
    }
    if !target.needs.is_empty() {
        notes.push(format!("`{}` no longer come first", target.needs.join("`, `")));
    }
    Decision::Command { words, dropped, notes }
}

/// Whether this says the same and more: `clean --volumes` for `clean`, `-e production start` for `start`. A `down` that takes
/// the volumes along is no `stop`.
fn refines(exact: &[String], named: &[String]) -> bool {
    if named == ["stop"] && exact.first().is_some_and(|word| word == "clean") {
        return true;
    }
    let bare = |words: &[String]| {
        words.strip_prefix(&["-e".to_owned()][..]).map_or_else(|| words.to_vec(), |rest| rest[1..].to_vec())
    };
    bare(exact).first() == bare(named).first() && exact.len() >= named.len()
}

/// What every such recipe has, and ours does where it is needed.
fn is_housekeeping(text: &str) -> bool {
    ["mkdir ", "sleep ", "read ", "chmod ", "sudo docker", "test -f", "[ -f"]
        .iter()
        .any(|start| text.starts_with(start))
}

fn notes(makefile: &Makefile, target: &Target, root: &Utf8Path, met: &Met) -> Notes {
    let mut notes = Notes::new();
    if !met.defaults.is_empty() {
        let names = met.defaults.join("`, `");
        notes.push(format!("`{names}` as the Makefile has it; make let the environment decide (`?=`)"));
    }
    let is_phony = makefile.phony.contains(&target.name);
    if !is_phony && !target.name.contains(['$', '*']) && root.join(&target.name).exists() {
        notes.push("it runs each time; make looked at the file of that name first".to_owned());
    }
    if !target.own.is_empty() && !target.needs.is_empty() {
        let names: Vec<&str> = target.own.keys().map(String::as_str).collect();
        notes.push(format!("`{}` holds here alone, no longer in what it needs", names.join("`, `")));
    }
    notes
}
