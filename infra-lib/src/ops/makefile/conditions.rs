//! `ifeq` and the like around assignments: a variable that every branch assigns has the value that applies here.

use std::collections::{BTreeMap, BTreeSet};

use super::output::parts;
use super::variables::{Met, Scope, Variable};

/// The conditions that are open, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    /// The names that each branch assigns.
    branches: Vec<BTreeSet<String>>,
    /// Whether the branch that is read applies here; `None`: only make knows.
    applies: Option<bool>,
    /// Whether an earlier branch has applied.
    is_taken: bool,
    has_else: bool,
}

impl Conditions {
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    pub(super) fn open(&mut self, kind: &str, rest: &str, variables: &BTreeMap<String, Variable>) {
        let applies = holds(kind, rest, variables);
        self.open.push(Open { branches: vec![BTreeSet::new()], applies, is_taken: false, has_else: false });
    }

    /// `else`, or `else ifeq …`.
    pub(super) fn otherwise(&mut self, rest: &str, variables: &BTreeMap<String, Variable>) {
        let Some(open) = self.open.last_mut() else { return };
        open.branches.push(BTreeSet::new());
        open.is_taken |= open.applies == Some(true);
        let (kind, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let holds = if kind.is_empty() { Some(true) } else { holds(kind, rest, variables) };
        open.has_else |= kind.is_empty();
        open.applies = match (open.applies, open.is_taken) {
            (None, _) => None,
            (_, true) => Some(false),
            (_, false) => holds,
        };
    }

    /// Notes that a variable is assigned here, and returns whether that applies.
    pub(super) fn assigned(&mut self, name: &str) -> Option<bool> {
        if let Some(open) = self.open.last_mut()
            && let Some(branch) = open.branches.last_mut()
        {
            branch.insert(name.to_owned());
        }
        self.open.iter().try_fold(true, |applies, open| Some(applies && open.applies?))
    }

    pub(super) fn close(&mut self, variables: &mut BTreeMap<String, Variable>) {
        let Some(open) = self.open.pop() else { return };
        for name in open.branches.iter().flatten().collect::<BTreeSet<_>>() {
            let is_everywhere = open.has_else && open.branches.iter().all(|branch| branch.contains(name));
            match variables.get_mut(name) {
                Some(variable) if is_everywhere => variable.is_chosen = true,
                variable => {
                    let unknown = Some("depends on a condition".to_owned());
                    let text = variable.map(|variable| variable.text.clone()).unwrap_or_default();
                    let variable = Variable { text, unknown, is_default: false, is_chosen: false };
                    variables.insert(name.clone(), variable);
                }
            }
            if let Some(branch) = self.open.last_mut().and_then(|outer| outer.branches.last_mut()) {
                branch.insert(name.clone());
            }
        }
    }
}

/// Whether a condition holds on this machine.
fn holds(kind: &str, rest: &str, variables: &BTreeMap<String, Variable>) -> Option<bool> {
    let own = BTreeMap::new();
    let scope = Scope { global: variables, own: &own, target: "", needs: &[] };
    let value = |text: &str| {
        let mut met = Met::default();
        met.is_condition = true;
        scope.expand(text.trim(), &mut met).ok().map(|it| it.trim().to_owned())
    };
    match kind {
        "ifdef" | "ifndef" => {
            let is_defined = variables.get(rest.trim()).is_some_and(|variable| !variable.text.is_empty());
            Some(is_defined == (kind == "ifdef"))
        }
        "ifeq" | "ifneq" => {
            let (one, other) = pair(rest.trim())?;
            Some((value(&one)? == value(&other)?) == (kind == "ifeq"))
        }
        _ => None,
    }
}

/// `(a,b)`, `"a" "b"`, `'a' 'b'`
fn pair(text: &str) -> Option<(String, String)> {
    if let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        let [one, other] = parts(inner, |char| char == ',')?[..] else { return None };
        return Some((one.to_owned(), other.to_owned()));
    }
    let quote = text.chars().next().filter(|char| "'\"".contains(*char))?;
    let (one, rest) = text[1..].split_once(quote)?;
    let rest = rest.trim();
    let quote = rest.chars().next().filter(|char| "'\"".contains(*char))?;
    let (other, _) = rest[1..].split_once(quote)?;
    Some((one.to_owned(), other.to_owned()))
}

/// What a function says that only asks what machine this is.
pub(super) fn function(call: &str) -> Option<String> {
    let system = match std::env::consts::OS {
        "linux" => "Linux",
        "macos" => "Darwin",
        other => other,
    };
    match call.split_whitespace().collect::<Vec<_>>()[..] {
        ["shell", "uname"] | ["shell", "uname", "-s"] => Some(system.to_owned()),
        ["shell", "uname", "-m"] => Some(std::env::consts::ARCH.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_evaluated() {
        let variable =
            |text: &str| Variable { text: text.to_owned(), unknown: None, is_default: false, is_chosen: false };
        let variables = BTreeMap::from([("ENV".to_owned(), variable("prod"))]);
        for (kind, rest, expected) in [
            ("ifeq", "($(ENV),prod)", Some(true)),
            ("ifneq", "($(ENV), prod)", Some(false)),
            ("ifeq", "\"$(ENV)\" \"dev\"", Some(false)),
            ("ifdef", "ENV", Some(true)),
            ("ifndef", "CI", Some(true)),
            ("ifeq", "($(OS),Windows_NT)", Some(false)),
            ("ifeq", "($(shell git rev-parse HEAD),x)", None),
        ] {
            assert_eq!(holds(kind, rest, &variables), expected, "{kind} {rest}");
        }
    }
}
