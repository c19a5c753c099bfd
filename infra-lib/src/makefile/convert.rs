//! From targets to commands and tasks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use camino::Utf8Path;

use super::decide::{Decision, Draft, decide};
use super::known;
use super::pieces::Piece;
use super::report::{LeftOut, MadeTask, NowCommand};
use super::rules::{Makefile, Target};
use crate::manifest::Task;

/// What a Makefile becomes.
#[derive(Debug, Default)]
pub(super) struct Converted {
    pub(super) commands: Vec<NowCommand>,
    pub(super) tasks: Vec<MadeTask>,
    pub(super) left: Vec<LeftOut>,
}

pub(super) fn convert(makefile: &Makefile, root: &Utf8Path) -> Converted {
    let decisions: Vec<Decision> = makefile.targets.iter().map(|target| decide(makefile, target, root)).collect();
    let names = names(makefile, &decisions);
    let used = names.values().cloned().collect();
    let mut work = Work { makefile, root, names, used, state: BTreeMap::new(), made: Converted::default() };
    work.run(decisions);
    let mut made = work.made;
    let odd = makefile.odd.iter().map(|odd| LeftOut {
        file: odd.file.clone(),
        line: odd.number,
        what: odd.what.clone(),
        why: odd.why.clone(),
    });
    made.left.extend(odd);
    made.left.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
    made.tasks.sort_by_key(|task| task.place);
    made.commands.sort_by_key(|command| command.place);
    made
}

/// The name of each target that becomes a task; a command's name is no task's.
fn names(makefile: &Makefile, decisions: &[Decision]) -> BTreeMap<String, String> {
    let mut used = BTreeSet::new();
    let mut names = BTreeMap::new();
    for (target, _) in
        makefile.targets.iter().zip(decisions).filter(|(_, decision)| matches!(decision, Decision::Task(_)))
    {
        let plain = sanitized(&target.name);
        let name = if known::is_taken(&plain) { format!("make-{plain}") } else { plain };
        names.insert(target.name.clone(), free(&mut used, name));
    }
    names
}

/// A target's name as a task can have it.
fn sanitized(name: &str) -> String {
    let allowed = |char: char| if char.is_ascii_alphanumeric() || "._-".contains(char) { char } else { '-' };
    let plain: String = name.chars().map(allowed).collect();
    match plain.trim_start_matches(['-', '.']) {
        "" => "task".to_owned(),
        plain => plain.to_owned(),
    }
}

/// This name, or one beside it.
fn free(used: &mut BTreeSet<String>, name: String) -> String {
    let all = std::iter::once(name.clone()).chain((2_usize..).map(|number| format!("{name}-{number}")));
    let mut free = all.filter(|name| !used.contains(name));
    let name = free.next().unwrap_or(name);
    used.insert(name.clone());
    name
}

/// How another target is asked for.
#[derive(Debug, Clone)]
enum State {
    /// By this name in `needs`.
    Needed(String),
    /// Not at all.
    Not(String),
}

struct Work<'a> {
    makefile: &'a Makefile,
    root: &'a Utf8Path,
    /// The task of each target that becomes one.
    names: BTreeMap<String, String>,
    /// All names of tasks.
    used: BTreeSet<String>,
    state: BTreeMap<&'a str, State>,
    made: Converted,
}

impl Work<'_> {
    /// What others need comes before them; what is never reached is in a circle.
    fn run(&mut self, decisions: Vec<Decision>) {
        let targets = &self.makefile.targets;
        let mut waiting: Vec<usize> = Vec::with_capacity(targets.len());
        let mut dependents: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, target) in targets.iter().enumerate() {
            let needs: BTreeSet<&str> = match &decisions[at] {
                Decision::Task(draft) => {
                    asked(target, draft).filter_map(|name| Some(self.makefile.find(name)?.name.as_str())).collect()
                }
                _ => BTreeSet::new(),
            };
            waiting.push(needs.len());
            for need in needs {
                dependents.entry(need).or_default().push(at);
            }
        }
        let mut ready: VecDeque<usize> = (0..targets.len()).filter(|at| waiting[*at] == 0).collect();
        let mut decisions: Vec<Option<Decision>> = decisions.into_iter().map(Some).collect();
        while let Some(at) = ready.pop_front() {
            if let Some(decision) = decisions[at].take() {
                self.settle(at, decision);
            }
            for dependent in dependents.get(targets[at].name.as_str()).into_iter().flatten() {
                waiting[*dependent] -= 1;
                if waiting[*dependent] == 0 {
                    ready.push_back(*dependent);
                }
            }
        }
        for (at, _) in decisions.iter().enumerate().filter(|(_, decision)| decision.is_some()) {
            self.leave(at, "it needs itself in a circle, or what does".to_owned());
        }
    }

    fn settle(&mut self, at: usize, decision: Decision) {
        let target = &self.makefile.targets[at];
        match decision {
            Decision::Left(why) => self.leave(at, why),
            Decision::Command { words, dropped, notes } => {
                let line = words.join(" ");
                let state = if known::stands_alone(&words) {
                    State::Needed(line.clone())
                } else {
                    State::Not(format!(
                        "it needs `{}`, now `cargo xtask {line}`, which has to be run by itself",
                        target.name
                    ))
                };
                self.state.insert(&target.name, state);
                if known::stands_alone(&words) && !known::is_taken(&target.name) {
                    // The name that people are used to goes on working.
                    let name = free(&mut self.used, sanitized(&target.name));
                    let task = Task { needs: vec![line.clone()], describe: target.describe.clone(), ..Task::default() };
                    self.made.tasks.push(made(at, target, name, task, Vec::new()));
                }
                let dropped = dropped.into_iter().map(|(line, text)| format!("line {line}: {text}")).collect();
                let (file, number) = (target.file.clone(), target.number);
                self.made.commands.push(NowCommand {
                    place: at,
                    file,
                    line: number,
                    target: target.name.clone(),
                    command: line,
                    dropped,
                    notes,
                });
            }
            Decision::Task(draft) => match self.needs(target, &draft) {
                Ok((first, notes)) => self.task(at, draft, first, notes),
                Err(why) => self.leave(at, why),
            },
        }
    }

    fn leave(&mut self, at: usize, why: String) {
        let target = &self.makefile.targets[at];
        self.state.insert(&target.name, State::Not(format!("it needs `{}`, which is not converted", target.name)));
        let (file, line, what) = (target.file.clone(), target.number, format!("target `{}`", target.name));
        self.made.left.push(LeftOut { file, line, what, why });
    }

    /// What comes first by the target's own line, in our words; a plain file is nobody's task.
    fn needs(&self, target: &Target, draft: &Draft) -> Result<(Vec<String>, Vec<String>), String> {
        let (mut needs, mut files) = (Vec::new(), Vec::new());
        for name in &target.needs {
            match self.need(name) {
                Some(Ok(need)) => needs.push(need),
                Some(Err(why)) => return Err(why),
                None if is_file(self.root, name) => files.push(name.as_str()),
                None => return Err(format!("it needs `{name}`, which nothing here makes")),
            }
        }
        for name in asked(target, draft).skip(target.needs.len()) {
            match self.need(name) {
                Some(Ok(_)) => {}
                Some(Err(why)) => return Err(why),
                None => return Err(format!("it makes `{name}`, which is not in this Makefile")),
            }
        }
        let notes = if files.is_empty() {
            Vec::new()
        } else {
            vec![format!("it runs each time; make looked at {} first", files.join(", "))]
        };
        Ok((needs, notes))
    }

    fn need(&self, name: &str) -> Option<Result<String, String>> {
        Some(match self.state.get(name)? {
            State::Needed(name) => Ok(name.clone()),
            State::Not(why) => Err(why.clone()),
        })
    }

    /// One task for the last piece, which needs those of the others.
    fn task(&mut self, at: usize, draft: Draft, mut needs: Vec<String>, more: Vec<String>) {
        let target = &self.makefile.targets[at];
        let name = self.names.get(&target.name).cloned().unwrap_or_else(|| target.name.clone());
        let last = draft.pieces.len().saturating_sub(1);
        let mut own = Task::default();
        for (number, piece) in draft.pieces.into_iter().enumerate() {
            match piece {
                Piece::Command(command) => needs.push(command),
                Piece::Targets(targets) => needs.extend(targets.iter().filter_map(|name| self.need(name)?.ok())),
                Piece::Own(task) if number == last => own = task,
                Piece::Own(task) => {
                    let part = free(&mut self.used, format!("{name}-{}", number + 1));
                    let describe = Some(format!("Part {} of {name}", number + 1));
                    self.made.tasks.push(made(at, target, part.clone(), Task { describe, ..task }, Vec::new()));
                    needs.push(part);
                }
            }
        }
        let mut known = BTreeSet::new();
        needs.retain(|need| known.insert(need.clone()));
        own.needs = needs;
        own.describe.clone_from(&target.describe);
        let mut notes = draft.notes;
        notes.extend(more);
        if name != target.name {
            notes.insert(0, format!("`{}` is a command, or no name for a task", target.name));
        }
        self.state.insert(&target.name, State::Needed(name.clone()));
        self.made.tasks.push(made(at, target, name, own, notes));
    }
}

fn made(place: usize, target: &Target, name: String, task: Task, notes: Vec<String>) -> MadeTask {
    MadeTask { place, file: target.file.clone(), line: target.number, target: target.name.clone(), name, task, notes }
}

/// The names that a target asks for: first those of its own line, then those of its recipe.
fn asked<'a>(target: &'a Target, draft: &'a Draft) -> impl Iterator<Item = &'a str> {
    let inside = draft.pieces.iter().flat_map(|piece| match piece {
        Piece::Targets(targets) => targets.as_slice(),
        _ => &[],
    });
    target.needs.iter().chain(inside).map(String::as_str)
}

fn is_file(root: &Utf8Path, name: &str) -> bool {
    name.contains(['.', '/']) || root.join(name).exists()
}
