//! From lines to rules and variables.

use std::collections::BTreeMap;

use super::conditions::Conditions;
use super::include::{Files, Included, is_env_file};
use super::lines::{Line, Lines, without_comment};
use super::rules::{Makefile, Odd, RecipeLine};
use super::statement::{Assignment, Statement, statement};
use super::variables::{Met, Scope, Variable};

/// Targets that speak to make, and change nothing of what is run.
const SETTINGS: [&str; 9] = [
    ".SUFFIXES",
    ".PRECIOUS",
    ".INTERMEDIATE",
    ".SECONDARY",
    ".DELETE_ON_ERROR",
    ".NOTPARALLEL",
    ".POSIX",
    ".SILENT",
    ".WAIT",
];

/// Reads a file, and those that it includes.
pub(super) fn parse(files: &Files, name: &str, text: &str) -> Makefile {
    let mut parser = Parser {
        files,
        made: Makefile::default(),
        open: Vec::new(),
        conditions: Conditions::default(),
        doc: None,
        rule: 0,
    };
    parser.file(name, text, 0);
    parser.made
}

struct Parser<'a> {
    files: &'a Files,
    made: Makefile,
    /// The targets whose recipe the next recipe lines belong to.
    open: Vec<usize>,
    /// The `ifeq` and the like that are open.
    conditions: Conditions,
    /// The line of the rule that is open.
    rule: usize,
    /// The `## comment` above.
    doc: Option<String>,
}

impl Parser<'_> {
    fn file(&mut self, name: &str, text: &str, depth: usize) {
        let mut lines = Lines::new(text);
        let conditions = self.conditions.depth();
        while let Some(line) = lines.next() {
            if line.is_recipe && !self.open.is_empty() {
                self.recipe(name, &line);
                continue;
            }
            match statement(&line.text) {
                Statement::Nothing => self.doc = None,
                Statement::Comment(text) => self.comment(text),
                Statement::Define(variable) => {
                    self.define(name, line.number, &variable);
                    let mut nested = 1_usize;
                    for inner in lines.by_ref() {
                        match inner.text.split_whitespace().next() {
                            Some("define") => nested += 1,
                            Some("endef") => nested -= 1,
                            _ => {}
                        }
                        if nested == 0 {
                            break;
                        }
                    }
                }
                Statement::If(kind, rest) => self.conditions.open(kind, rest, &self.made.variables),
                Statement::Else(rest) if self.conditions.depth() > conditions => {
                    self.conditions.otherwise(rest, &self.made.variables);
                }
                Statement::EndIf if self.conditions.depth() > conditions => {
                    self.conditions.close(&mut self.made.variables);
                }
                Statement::Include(paths) => self.include(name, line.number, paths, depth),
                Statement::Export(what) if !what.is_empty() && !what.contains('$') => {
                    self.made.exported.extend(what.split_whitespace().map(str::to_owned));
                }
                Statement::Export(what) => {
                    let what = if what.is_empty() { "all variables".to_owned() } else { format!("`{what}`") };
                    self.odd(
                        name,
                        line.number,
                        format!("export of {what}"),
                        "a task has the environment of its caller",
                    );
                }
                Statement::Else(_) | Statement::EndIf | Statement::Ignored => {}
                Statement::Assign(assignment) => {
                    if assignment.name == ".RECIPEPREFIX" {
                        lines.prefix = assignment.value.trim().chars().next().unwrap_or('\t');
                    } else {
                        self.assign(name, line.number, &assignment);
                    }
                    self.close();
                }
                Statement::Rule(rule) => self.rule(name, &line, &rule),
                Statement::Other => {
                    self.odd(name, line.number, format!("`{}`", shortened(&line.text)), "only make can run that");
                    self.close();
                }
            }
        }
        if self.conditions.depth() > conditions {
            self.odd(name, 1, "a condition".to_owned(), "it is never closed");
            while self.conditions.depth() > conditions {
                self.conditions.close(&mut self.made.variables);
            }
        }
        self.close();
    }

    fn close(&mut self) {
        self.open.clear();
        self.doc = None;
    }

    fn odd(&mut self, file: &str, number: usize, what: String, why: &str) {
        self.made.odd.push(Odd { file: file.to_owned(), number, what, why: why.to_owned() });
    }

    fn recipe(&mut self, file: &str, line: &Line) {
        for at in self.open.clone() {
            let target = &mut self.made.targets[at];
            if !target.recipe.is_empty() && target.recipe_of != self.rule {
                let what = format!("the recipe of `{}` in line {}", target.name, target.recipe_of);
                let why = "a later one replaces it".to_owned();
                self.made.odd.push(Odd { file: file.to_owned(), number: target.recipe_of, what, why });
                target.recipe.clear();
            }
            target.recipe_of = self.rule;
            if self.conditions.depth() > 0 {
                target.obstacle.get_or_insert_with(|| format!("line {} of it depends on a condition", line.number));
            }
            target.recipe.push(RecipeLine { file: file.to_owned(), number: line.number, text: line.text.clone() });
        }
    }

    /// `## what it does` above a rule, or `## name: what it does` anywhere.
    fn comment(&mut self, text: &str) {
        self.doc = text.strip_prefix('#').map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    }

    fn define(&mut self, file: &str, number: usize, name: &str) {
        let unknown = Some("is a canned recipe (`define`)".to_owned());
        let variable = Variable { text: String::new(), unknown, is_default: false, is_chosen: false };
        self.made.variables.insert(name.to_owned(), variable);
        self.odd(file, number, format!("define {name}"), "what uses it is not converted");
        self.close();
    }

    fn include(&mut self, file: &str, number: usize, paths: &str, depth: usize) {
        self.close();
        let (own, needs) = (BTreeMap::new(), Vec::new());
        let scope = Scope { global: &self.made.variables, own: &own, target: "", needs: &needs };
        let paths = match scope.expand(paths, &mut Met::default()) {
            Ok(paths) => paths,
            Err(why) => return self.odd(file, number, format!("include {paths}"), &why),
        };
        for path in paths.split_whitespace() {
            let what = format!("include {path}");
            if is_env_file(path) {
                self.made.env_files.push(path.to_owned());
            }
            if self.conditions.depth() > 0 {
                self.odd(file, number, what, "it depends on a condition");
                continue;
            }
            match self.files.read(path, depth) {
                Included::Text(text) => self.file(path, &text, depth + 1),
                Included::Not(why) => self.odd(file, number, what, &why),
            }
        }
    }

    fn assign(&mut self, file: &str, number: usize, assignment: &Assignment) {
        if assignment.is_exported {
            self.made.exported.insert(assignment.name.clone());
        }
        let applies = self.conditions.assigned(&assignment.name);
        if applies == Some(false) {
            return;
        }
        let conditional = applies.is_none();
        if assignment.asks_shell {
            self.odd(file, number, format!("`{}`", assignment.name), "a command says what it is (`!=`)");
        }
        let resolved = (!conditional && assignment.is_immediate).then(|| {
            let (own, needs) = (BTreeMap::new(), Vec::new());
            let scope = Scope { global: &self.made.variables, own: &own, target: "", needs: &needs };
            scope.expand(&assignment.value, &mut Met::default())
        });
        let old = self.made.variables.get(&assignment.name);
        let variable = assignment.apply(old, conditional, resolved);
        self.made.variables.insert(assignment.name.clone(), variable);
    }

    fn rule(&mut self, file: &str, line: &Line, rule: &super::statement::Rule) {
        let doc = self.doc.take();
        self.open.clear();
        self.rule = line.number;
        let (own, needs) = (BTreeMap::new(), Vec::new());
        let scope = Scope { global: &self.made.variables, own: &own, target: "", needs: &needs };
        let words = |text: &str| {
            let expanded = scope.expand(text, &mut Met::default())?;
            Ok::<_, String>(expanded.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        };
        let targets = match words(&rule.targets) {
            Ok(targets) => targets,
            Err(why) => return self.odd(file, line.number, format!("target `{}`", rule.targets.trim()), &why),
        };
        let needs = words(&rule.needs);
        let inline = rule.recipe.as_deref().map(|text| Line { text: text.to_owned(), is_recipe: true, ..line.clone() });
        for name in &targets {
            if self.special(file, line.number, name, needs.as_ref().map_or(&[], Vec::as_slice)) {
                continue;
            }
            let conditional = self.conditions.depth() > 0;
            let at = self.made.place(name, file, line.number);
            let target = &mut self.made.targets[at];
            if conditional {
                target.obstacle.get_or_insert_with(|| "it depends on a condition".to_owned());
            }
            if let Some(why) = &rule.obstacle {
                target.obstacle.get_or_insert_with(|| (*why).to_owned());
            }
            if name.starts_with('.') && name[1..].contains('.') && !name.contains('/') {
                target.obstacle.get_or_insert_with(|| "it is a suffix rule, not a target".to_owned());
            }
            if name.contains('%') {
                target.obstacle.get_or_insert_with(|| "it is a pattern, not a target".to_owned());
            }
            if let Some(assignment) = &rule.assignment {
                let variable = assignment.apply(
                    target.own.get(&assignment.name).or_else(|| self.made.variables.get(&assignment.name)),
                    false,
                    None,
                );
                target.own.insert(assignment.name.clone(), variable);
                continue;
            }
            match &needs {
                Ok(needs) => {
                    let new = needs.iter().filter(|need| !target.needs.contains(need)).cloned();
                    let new: Vec<String> = new.collect();
                    target.needs.extend(new);
                }
                Err(why) => drop(target.obstacle.get_or_insert_with(|| why.clone())),
            }
            let above = doc.as_ref().map(|doc| doc.strip_prefix(&format!("{name}:")).unwrap_or(doc).trim().to_owned());
            let said = rule.describe.clone().or(above);
            target.describe = target.describe.take().or(said);
            self.open.push(at);
        }
        // A second recipe takes the first one's place; make warns, and so do we.
        if let Some(inline) = inline {
            self.recipe(file, &inline);
        }
    }

    /// Whether this is a special target, which configures make.
    fn special(&mut self, file: &str, number: usize, name: &str, needs: &[String]) -> bool {
        let is_special =
            name.starts_with('.') && name[1..].chars().all(|char| char.is_ascii_uppercase() || char == '_');
        match name {
            ".PHONY" => self.made.phony.extend(needs.iter().cloned()),
            ".ONESHELL" => self.made.one_shell = true,
            _ if !is_special => return false,
            name if SETTINGS.contains(&name) => {}
            name => self.odd(file, number, format!("`{name}`"), "it is a setting of make's own"),
        }
        true
    }
}

/// A line as it is quoted in a report.
fn shortened(text: &str) -> String {
    let (text, _) = without_comment(text);
    let line = text.lines().next().unwrap_or_default().trim();
    match line.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
