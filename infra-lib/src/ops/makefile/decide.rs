//! What becomes of each target: its recipe decides.

use std::collections::BTreeMap;

use super::arguments;
use super::builtin::builtin;
use super::compose::{ComposeCall, compose_call};
use super::contexts::{Contexts, Place};
use super::database;
use super::facts::Facts;
use super::migrating::{Migrating, Ways, migrating};
use super::recipe::{Step, steps};
use super::risk;
use super::rules::{Makefile, Target};
use super::script::{host_task, host_words};
use super::variables::{Met, Variable};
use crate::config::{Config, Task};

/// What a target is from now on.
#[derive(Debug)]
pub(super) enum Decision {
    /// A command of ours; the task does the same, for other targets that need it.
    Command { words: Vec<String>, task: Task, notes: Vec<String> },
    /// A task; what it needs is still to be found.
    Task { task: Task, makes: Vec<String>, notes: Vec<String> },
    /// Nothing, and why.
    Left(String),
}

/// A target's steps, or why they cannot be read.
struct Recipe {
    steps: Result<Vec<Step>, String>,
    notes: Vec<String>,
}

/// The decisions for all targets, and what infra.toml has to say for them.
pub(super) fn decide(makefile: &Makefile, facts: &Facts<'_>) -> (Vec<Decision>, Config) {
    let recipes: Vec<Recipe> = makefile.targets.iter().map(|target| recipe(makefile, target, facts)).collect();
    let calls: Vec<ComposeCall> = recipes
        .iter()
        .flat_map(|recipe| recipe.steps.as_deref().unwrap_or_default())
        .filter_map(|step| call(makefile, step))
        .collect();
    let contexts = Contexts::new(&calls.iter().map(|call| &call.options).collect::<Vec<_>>(), facts);
    let mut work = Work { makefile, facts, contexts, places: BTreeMap::new(), ways: Ways::default() };
    work.places = makefile.targets.iter().enumerate().map(|(at, target)| (target.name.as_str(), at)).collect();
    let found: Vec<Option<Migrating>> =
        makefile.targets.iter().zip(&recipes).map(|(target, recipe)| work.migrating(target, recipe)).collect();
    work.ways = Ways::new(&found.iter().flatten().collect::<Vec<_>>());
    let decisions = (0..recipes.len()).map(|at| work.target(at, &recipes, found[at].as_ref())).collect();
    let mut settings = Config::default();
    work.contexts.write(&mut settings, facts);
    work.ways.write(&mut settings.migrations);
    (decisions, settings)
}

fn recipe(makefile: &Makefile, target: &Target, facts: &Facts<'_>) -> Recipe {
    let mut met = Met::default();
    let steps = match &target.obstacle {
        Some(why) => Err(why.clone()),
        None => steps(makefile, target, &mut met).map_err(|(line, why)| format!("line {line}: {why}")),
    };
    let mut notes = Vec::new();
    let list = |names: &[String]| format!("`{}`", names.join("`, `"));
    if !met.defaults.is_empty() {
        notes.push(format!("{} as the Makefile has it; make let the environment decide (`?=`)", list(&met.defaults)));
    }
    if !met.chosen.is_empty() {
        notes.push(format!("{} as it is on this machine; a condition of the Makefile decides", list(&met.chosen)));
    }
    let is_phony = makefile.phony.contains(&target.name);
    if !is_phony && !target.name.contains(['$', '*']) && facts.root.join(&target.name).exists() {
        notes.push("it runs each time; make checked the file of that name first".to_owned());
    }
    if !target.own.is_empty() && !target.needs.is_empty() {
        let names: Vec<String> = target.own.keys().cloned().collect();
        notes.push(format!("{} applies here only, no longer in what it needs", list(&names)));
    }
    Recipe { steps, notes }
}

/// The call of Compose that a step is, with what the Makefile exports for Compose.
fn call(makefile: &Makefile, step: &Step) -> Option<ComposeCall> {
    let mut call = compose_call(step.words.as_deref()?).filter(|_| !step.may_fail)?;
    let exported = |name: &str| {
        let variable: &Variable = makefile.exported.contains(name).then(|| makefile.variables.get(name))??;
        Some(variable.text.trim().to_owned())
    };
    let list = |text: String, mark: char| text.split(mark).map(str::to_owned).collect::<Vec<_>>();
    let options = &mut call.options;
    if let Some(files) = exported("COMPOSE_FILE").filter(|_| options.files.is_empty()) {
        options.files = list(files, ':');
    }
    if let Some(profiles) = exported("COMPOSE_PROFILES").filter(|_| options.profiles.is_empty()) {
        options.profiles = list(profiles, ',');
    }
    options.project = options.project.take().or_else(|| exported("COMPOSE_PROJECT_NAME"));
    Some(call)
}

struct Work<'a> {
    makefile: &'a Makefile,
    facts: &'a Facts<'a>,
    contexts: Contexts,
    places: BTreeMap<&'a str, usize>,
    ways: Ways,
}

/// The most steps of one script, with those of other targets in it.
const LONGEST: usize = 500;
/// Targets that call make inside of each other.
const DEEPEST: usize = 16;

impl Work<'_> {
    fn migrating(&self, target: &Target, recipe: &Recipe) -> Option<Migrating> {
        let steps = recipe.steps.as_deref().ok()?;
        let [step] = real(steps)[..] else { return None };
        if !step.makes.is_empty() || risk::reaches_beyond(&step.text) {
            return None;
        }
        let host =
            |notes: &mut Vec<String>| host_words(self.makefile, std::slice::from_ref(step), self.facts.root, notes);
        migrating(&target.name, step, &self.contexts, self.facts, host)
    }

    fn target(&self, at: usize, recipes: &[Recipe], migrating: Option<&Migrating>) -> Decision {
        let target = &self.makefile.targets[at];
        if Self::prints_targets(target) {
            return Decision::Command { words: vec!["help".to_owned()], task: Task::default(), notes: Vec::new() };
        }
        let steps = match &recipes[at].steps {
            Ok(steps) => steps,
            Err(why) => return Decision::Left(why.clone()),
        };
        let real = real(steps);
        if real.is_empty() && target.name == "help" && target.needs.is_empty() {
            return Decision::Command { words: vec!["help".to_owned()], task: Task::default(), notes: Vec::new() };
        }
        if steps.is_empty() && target.needs.is_empty() {
            return Decision::Left("it has neither a recipe nor needs".to_owned());
        }
        let first = real.iter().take_while(|step| !step.makes.is_empty()).count();
        let makes: Vec<String> = real[..first].iter().flat_map(|step| step.makes.clone()).collect();
        let mut notes = recipes[at].notes.clone();
        let task = match self.task(at, &real[first..], recipes, &mut notes) {
            Ok(task) => task,
            Err(why) => return Decision::Left(why),
        };
        let command = migrating
            .and_then(|found| Some((self.ways.command(found)?, found.notes.clone())))
            .or_else(|| self.command(&real));
        match command {
            Some((words, more)) => {
                Decision::Command { words, task, notes: recipes[at].notes.iter().cloned().chain(more).collect() }
            }
            None => Decision::Task { task, makes, notes },
        }
    }

    /// Whether the recipe prints the targets that the Makefile describes.
    fn prints_targets(target: &Target) -> bool {
        let reads = ["grep", "egrep", "awk", "gawk", "sed", "cat", "perl"];
        target.obstacle.is_none()
            && target.needs.is_empty()
            && target.recipe.iter().any(|line| line.text.contains("MAKEFILE_LIST"))
            && target.recipe.iter().all(|line| {
                let text = line.text.trim_start_matches(['@', '-', ' ']);
                let program = text.split_whitespace().next().unwrap_or_default();
                let is_reading = reads.contains(&program) && text.contains("MAKEFILE_LIST") && !text.contains("-i ");
                is_reading || super::output::is_output(text)
            })
    }

    /// The command of ours that does exactly what the recipe does.
    fn command(&self, real: &[&Step]) -> Option<(Vec<String>, Vec<String>)> {
        if let Some(file) = self.dump(real) {
            let note = format!(
                "backups are in `backups/`, in the format of `[backup]`; the recipe wrote {}",
                arguments::for_shell(&file)
            );
            return Some((vec!["db-backup".to_owned()], vec![note]));
        }
        let [step] = real else { return None };
        let call = call(self.makefile, step)?;
        builtin(&call, &self.place(&call), self.facts)
    }

    /// Where a call belongs; one that depends on what the Makefile exports is its own.
    fn place(&self, call: &ComposeCall) -> Place {
        let is_known =
            |name: &str| name.starts_with("COMPOSE_") || name.starts_with("DOCKER_") || name.starts_with("BUILDKIT_");
        let exports = self.makefile.exported.iter().filter(|name| self.makefile.variables.contains_key(*name));
        if exports.into_iter().any(|name| !is_known(name) && (self.facts.interpolates)(name)) {
            return Place::Own;
        }
        self.contexts.place(&call.options)
    }

    /// The file that the recipe dumps the database to, where it does nothing else but make the file's folder.
    fn dump(&self, real: &[&Step]) -> Option<String> {
        let (step, folder) = match real {
            [step] => (step, None),
            [make, step] => match make.words.as_deref()? {
                [program, option, folder] if program == "mkdir" && option == "-p" => (step, Some(folder)),
                _ => return None,
            },
            _ => return None,
        };
        let file = (!step.may_fail).then(|| database::dump_file(&step.text, &self.contexts, self.facts))??;
        folder.is_none_or(|folder| file.starts_with(folder.trim_end_matches('/'))).then_some(file)
    }

    /// A task that does what these steps do.
    fn task(&self, at: usize, real: &[&Step], recipes: &[Recipe], notes: &mut Vec<String>) -> Result<Task, String> {
        let all = recipes[at].steps.as_deref().unwrap_or_default();
        if real.is_empty() && all.iter().any(|step| !step.makes.is_empty() || step.is_output) {
            let printed: Vec<Step> = all.iter().filter(|step| step.makes.is_empty()).cloned().collect();
            return Ok(host_task(self.makefile, &printed, self.facts.root, notes));
        }
        if real.iter().any(|step| risk::reaches_beyond(&step.text)) {
            return Err(
                "it also removes other projects' resources on this machine; `clean` removes only this project's"
                    .to_owned(),
            );
        }
        if let [step] = real
            && let Some(task) = self.in_service(step, notes)
        {
            return Ok(task);
        }
        // What make itself runs first has become a need.
        let skipped = all.iter().position(|step| !step.is_output && step.makes.is_empty()).unwrap_or_default();
        let begins_with_make = all.iter().find(|step| !step.is_output).is_some_and(|step| !step.makes.is_empty());
        let own = if begins_with_make { &all[skipped..] } else { all };
        let mut script = Vec::new();
        self.inline(own, recipes, 0, &mut script)?;
        if script.iter().any(|step| risk::reaches_beyond(&step.text)) {
            return Err(
                "it also removes other projects' resources on this machine; `clean` removes only this project's"
                    .to_owned(),
            );
        }
        if script.iter().any(|step| risk::loads_a_file(&step.text)) {
            notes.push("`db-restore` restores a backup, verified and into a staging copy first".to_owned());
        }
        if script.iter().any(|step| step.text.contains("docker compose") || step.text.contains("docker-compose")) {
            notes.push("it calls Compose itself, so `-e` has no effect on it".to_owned());
        }
        Ok(host_task(self.makefile, &script, self.facts.root, notes))
    }

    /// One `exec` or `run`, as a task in that service.
    fn in_service(&self, step: &Step, notes: &mut Vec<String>) -> Option<Task> {
        let call = call(self.makefile, step).filter(|call| self.place(call) == Place::Base)?;
        let (service, words) = call.inside().filter(|(_, words)| !words.is_empty())?;
        let mut run = words.to_vec();
        let argument = run.last().filter(|_| self.makefile.env_files.is_empty() && words.len() > 1);
        let argument = argument.and_then(|word| arguments::whole(word)).map(str::to_owned);
        if argument.is_some() {
            run.pop();
        }
        if run.iter().any(|word| arguments::looks_marked(word)) {
            return None;
        }
        let note = |name| format!("the arguments after its name replace `{name}`");
        notes.extend(argument.map(note));
        let service = Some(service.to_owned());
        Some(match call.command.as_str() {
            "exec" => Task { service, run, ..Task::default() },
            _ => Task { oneoff: service, run, ..Task::default() },
        })
    }

    /// The steps, with those of the targets that make is called for in their place.
    fn inline(&self, steps: &[Step], recipes: &[Recipe], depth: usize, script: &mut Vec<Step>) -> Result<(), String> {
        for step in steps {
            if step.makes.is_empty() {
                script.push(step.clone());
            }
            for name in &step.makes {
                self.inline_target(name, recipes, depth + 1, script)?;
            }
            if script.len() > LONGEST {
                return Err("it is too long with the targets that it makes".to_owned());
            }
        }
        Ok(())
    }

    fn inline_target(
        &self,
        name: &str,
        recipes: &[Recipe],
        depth: usize,
        script: &mut Vec<Step>,
    ) -> Result<(), String> {
        let at = *self.places.get(name).ok_or_else(|| format!("it makes `{name}`, which is not in this Makefile"))?;
        if depth > DEEPEST {
            return Err(format!("it makes `{name}`, which makes others too deeply"));
        }
        let steps = recipes[at].steps.as_deref().map_err(|_| format!("it makes `{name}`, which is not converted"))?;
        for need in self.makefile.targets[at].needs.iter().filter(|need| self.places.contains_key(need.as_str())) {
            self.inline_target(need, recipes, depth + 1, script)?;
        }
        self.inline(steps, recipes, depth, script)
    }
}

/// The steps that do something.
fn real(steps: &[Step]) -> Vec<&Step> {
    steps.iter().filter(|step| !step.is_output).collect()
}
