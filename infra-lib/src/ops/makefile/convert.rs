//! From targets to commands and tasks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::builtin::can_be_needed;
use super::decide::{Decision, decide};
use super::facts::Facts;
use super::report::{LeftOut, MadeTask, NowCommand};
use super::rules::{Makefile, Target};
use crate::config::{Config, Task};

/// What a Makefile becomes.
#[derive(Debug, Default)]
pub(super) struct Converted {
    pub(super) commands: Vec<NowCommand>,
    pub(super) tasks: Vec<MadeTask>,
    pub(super) left: Vec<LeftOut>,
}

pub(super) fn convert(makefile: &Makefile, facts: &Facts<'_>) -> (Converted, Config) {
    let (decisions, settings) = decide(makefile, facts);
    let names = names(makefile, &decisions, facts);
    let used = names.values().cloned().collect();
    let mut work = Work { makefile, facts, names, used, state: BTreeMap::new(), made: Converted::default() };
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
    (made, settings)
}

/// The name of each target that becomes a task; it is never the name of a command.
fn names(makefile: &Makefile, decisions: &[Decision], facts: &Facts<'_>) -> BTreeMap<String, String> {
    let mut used = BTreeSet::new();
    let mut names = BTreeMap::new();
    for (target, _) in
        makefile.targets.iter().zip(decisions).filter(|(_, decision)| matches!(decision, Decision::Task { .. }))
    {
        names.insert(target.name.clone(), free(&mut used, task_name(&target.name, facts)));
    }
    names
}

fn task_name(target: &str, facts: &Facts<'_>) -> String {
    let plain = sanitized(target);
    if facts.is_command(&plain) { format!("make-{plain}") } else { plain }
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

/// This name, or one like it.
fn free(used: &mut BTreeSet<String>, name: String) -> String {
    let all = std::iter::once(name.clone()).chain((2_usize..).map(|number| format!("{name}-{number}")));
    let mut free = all.filter(|name| !used.contains(name));
    let name = free.next().unwrap_or(name);
    used.insert(name.clone());
    name
}

/// How another target needs this one.
#[derive(Debug, Clone)]
enum State {
    /// By this name in `needs`.
    Needed(String),
    /// By a task that is made once one needs it.
    Small(usize, Task),
    /// Not at all.
    Not(String),
}

struct Work<'a> {
    makefile: &'a Makefile,
    facts: &'a Facts<'a>,
    /// The task of each target that becomes one.
    names: BTreeMap<String, String>,
    /// All names of tasks.
    used: BTreeSet<String>,
    state: BTreeMap<&'a str, State>,
    made: Converted,
}

impl Work<'_> {
    /// What others need comes before them; what is never reached is in a cycle.
    fn run(&mut self, decisions: Vec<Decision>) {
        let targets = &self.makefile.targets;
        let mut waiting: Vec<usize> = Vec::with_capacity(targets.len());
        let mut dependents: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, target) in targets.iter().enumerate() {
            let makes: &[String] = match &decisions[at] {
                Decision::Task { makes, .. } => makes,
                _ => &[],
            };
            let needs: BTreeSet<&str> = (target.needs.iter().chain(makes))
                .filter(|_| !matches!(decisions[at], Decision::Left(_)))
                .filter_map(|name| Some(self.makefile.find(name)?.name.as_str()))
                .collect();
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
            self.leave(at, "it depends on itself, or on a target that does".to_owned());
        }
    }

    fn settle(&mut self, at: usize, decision: Decision) {
        let target = &self.makefile.targets[at];
        match decision {
            Decision::Left(why) => self.leave(at, why),
            Decision::Command { words, task, notes } if target.needs.is_empty() => {
                self.command(at, words.join(" "), can_be_needed(&words), task, notes);
            }
            Decision::Command { words, mut task, notes } => match self.needs(target, &[]) {
                Ok((needs, files)) if !files.is_empty() && needs.is_empty() => {
                    self.command(at, words.join(" "), can_be_needed(&words), task, notes);
                }
                Ok((mut needs, _)) => {
                    if can_be_needed(&words) {
                        needs.extend(words);
                        task = Task::default();
                    }
                    let name = free(&mut self.used, task_name(&target.name, self.facts));
                    self.names.insert(target.name.clone(), name);
                    self.task(at, task, needs, notes);
                }
                Err(why) => self.leave(at, why),
            },
            Decision::Task { task, makes, mut notes } => match self.needs(target, &makes) {
                Ok((needs, more)) => {
                    notes.extend(more);
                    self.task(at, task, needs, notes);
                }
                Err(why) => self.leave(at, why),
            },
        }
    }

    fn command(&mut self, at: usize, line: String, can_be_needed: bool, task: Task, notes: Vec<String>) {
        let target = &self.makefile.targets[at];
        let state = if can_be_needed {
            State::Needed(line.clone())
        } else if task.run.is_empty() {
            State::Not(format!("it needs `{}`, which is the help now", target.name))
        } else {
            State::Small(at, task)
        };
        self.state.insert(&target.name, state);
        if can_be_needed && !self.facts.is_command(&target.name) {
            // The name that people are used to keeps working.
            let name = free(&mut self.used, sanitized(&target.name));
            let task = Task { needs: vec![line.clone()], describe: target.describe.clone(), ..Task::default() };
            self.made.tasks.push(made(at, target, name, task, Vec::new()));
        }
        self.made.commands.push(NowCommand {
            place: at,
            file: target.file.clone(),
            line: target.number,
            target: target.name.clone(),
            command: line,
            notes,
        });
    }

    fn leave(&mut self, at: usize, why: String) {
        let target = &self.makefile.targets[at];
        self.state.insert(&target.name, State::Not(format!("it needs `{}`, which is not converted", target.name)));
        let (file, line, what) = (target.file.clone(), target.number, format!("target `{}`", target.name));
        self.made.left.push(LeftOut { file, line, what, why });
    }

    /// What comes first, in our words, and a note about files that make would have checked.
    fn needs(&mut self, target: &Target, makes: &[String]) -> Result<(Vec<String>, Vec<String>), String> {
        let (mut needs, mut files) = (Vec::new(), Vec::new());
        for name in &target.needs {
            match self.need(name) {
                Some(need) => needs.push(need?),
                None if is_file(self.facts.root, name) => files.push(name.as_str()),
                None => return Err(format!("it needs `{name}`, which nothing here makes")),
            }
        }
        for name in makes {
            let need = self.need(name).ok_or_else(|| format!("it makes `{name}`, which is not in this Makefile"))?;
            needs.push(need?);
        }
        let notes = if files.is_empty() {
            Vec::new()
        } else {
            vec![format!("it runs each time; make checked {} first", files.join(", "))]
        };
        Ok((needs, notes))
    }

    fn need(&mut self, name: &str) -> Option<Result<String, String>> {
        let target = self.makefile.find(name)?;
        Some(match self.state.get(name)?.clone() {
            State::Needed(name) => Ok(name),
            State::Not(why) => Err(why),
            State::Small(at, task) => {
                let name = free(&mut self.used, task_name(&target.name, self.facts));
                let describe = target.describe.clone();
                self.made.tasks.push(made(at, target, name.clone(), Task { describe, ..task }, Vec::new()));
                self.state.insert(&target.name, State::Needed(name.clone()));
                Ok(name)
            }
        })
    }

    fn task(&mut self, at: usize, mut task: Task, mut needs: Vec<String>, mut notes: Vec<String>) {
        let target = &self.makefile.targets[at];
        let name = self.names.get(&target.name).cloned().unwrap_or_else(|| target.name.clone());
        let mut known = BTreeSet::new();
        needs.retain(|need| known.insert(need.clone()));
        task.needs = needs;
        task.describe.clone_from(&target.describe);
        if name != target.name {
            notes.insert(0, format!("`{}` is the name of a command, or not a valid task name", target.name));
        }
        self.state.insert(&target.name, State::Needed(name.clone()));
        self.made.tasks.push(made(at, target, name, task, notes));
    }
}

fn made(place: usize, target: &Target, name: String, task: Task, notes: Vec<String>) -> MadeTask {
    MadeTask { place, file: target.file.clone(), line: target.number, target: target.name.clone(), name, task, notes }
}

fn is_file(root: &camino::Utf8Path, name: &str) -> bool {
    name.contains(['.', '/']) || root.join(name).exists()
}
