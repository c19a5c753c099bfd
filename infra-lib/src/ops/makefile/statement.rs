//! What one line of a Makefile, outside of recipes, says.

use super::lines::without_comment;
use super::variables::Variable;

/// A line's meaning.
#[derive(Debug)]
pub(super) enum Statement<'a> {
    /// An empty line.
    Nothing,
    /// A line that is a comment alone.
    Comment(&'a str),
    /// `define NAME`
    Define(String),
    /// `ifeq`, `ifneq`, `ifdef`, `ifndef`, with what follows
    If(&'a str, &'a str),
    /// `else`, with a condition or without
    Else(&'a str),
    /// `endif`
    EndIf,
    /// `include`, `-include`, `sinclude`
    Include(&'a str),
    /// `export` without an assignment
    Export(&'a str),
    /// `unexport`, and what has no effect on commands
    Ignored,
    Assign(Assignment),
    Rule(Rule),
    /// A call of a function, or nothing that make knows.
    Other,
}

/// `NAME = value`
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) value: String,
    /// `:=`
    pub(super) is_immediate: bool,
    /// `?=`
    is_default: bool,
    /// `+=`
    is_addition: bool,
    /// `!=`
    pub(super) asks_shell: bool,
    /// `export`
    pub(super) is_exported: bool,
}

/// `targets: needs ; recipe ## comment`
#[derive(Debug, Default)]
pub(super) struct Rule {
    pub(super) targets: String,
    pub(super) needs: String,
    pub(super) recipe: Option<String>,
    pub(super) describe: Option<String>,
    /// `target: NAME = value`
    pub(super) assignment: Option<Assignment>,
    pub(super) obstacle: Option<&'static str>,
}

impl Assignment {
    /// The variable after this; `resolved` is what the value is now, for one that is settled at once.
    pub(super) fn apply(
        &self,
        old: Option<&Variable>,
        conditional: bool,
        resolved: Option<Result<String, String>>,
    ) -> Variable {
        let unknown = |text: &str, why: &str| Variable {
            text: text.to_owned(),
            unknown: Some(why.to_owned()),
            is_default: false,
            is_chosen: false,
        };
        if conditional {
            return unknown("", "depends on a condition");
        }
        if self.asks_shell {
            return unknown("", "is what a command says");
        }
        let text = match resolved {
            Some(Ok(text)) => text.replace('$', "$$"),
            Some(Err(why)) => return unknown(&self.value, &format!("is not known here: {why}")),
            None => self.value.clone(),
        };
        match old {
            Some(old) if self.is_default => old.clone(),
            Some(old) if self.is_addition => Variable { text: format!("{} {text}", old.text), ..old.clone() },
            _ => Variable { text, unknown: None, is_default: self.is_default, is_chosen: false },
        }
    }
}

/// Reads a line.
pub(super) fn statement(text: &str) -> Statement<'_> {
    let (code, comment) = without_comment(text);
    let code = code.trim_start();
    if code.is_empty() {
        return comment.map_or(Statement::Nothing, Statement::Comment);
    }
    let (word, rest) = code.split_once(char::is_whitespace).map_or((code, ""), |(word, rest)| (word, rest.trim()));
    let assigned = |text: &str| assignment(text);
    // `define = 1` and `export: x` are no directives.
    let is_directive = !rest.starts_with(['=', ':', '?', '+']) || rest.is_empty();
    match word {
        _ if !is_directive => {}
        "ifeq" | "ifneq" | "ifdef" | "ifndef" => return Statement::If(word, rest),
        "else" => return Statement::Else(rest),
        "endif" => return Statement::EndIf,
        "define" => return Statement::Define(rest.trim_end_matches(['=', ':', '?', '+']).trim().to_owned()),
        "include" | "-include" | "sinclude" => return Statement::Include(rest),
        "export" => {
            let exported = |assignment| Statement::Assign(Assignment { is_exported: true, ..assignment });
            return assigned(rest).map_or(Statement::Export(rest), exported);
        }
        "override" | "private" => return assigned(rest).map_or(Statement::Other, Statement::Assign),
        "unexport" | "undefine" | "vpath" | "endef" => return Statement::Ignored,
        _ => {}
    }
    if let Some(assignment) = assigned(code) {
        return Statement::Assign(assignment);
    }
    rule(code, comment).map_or(Statement::Other, Statement::Rule)
}

/// The places of a sign outside of references.
fn outside(text: &str, wanted: impl Fn(char) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, char) in text.char_indices() {
        match char {
            '(' | '{' if depth > 0 || before == '$' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            char if depth == 0 && wanted(char) => return Some(at),
            _ => {}
        }
        before = char;
    }
    None
}

fn assignment(code: &str) -> Option<Assignment> {
    let at = outside(code, |char| char == '=' || char == ':')?;
    let (left, right) = code.split_at(at);
    let (is_immediate, value) = if let Some(value) = right.strip_prefix('=') {
        (false, value)
    } else {
        let colons = right.trim_start_matches(':');
        (true, colons.strip_prefix('=').filter(|_| right.len() - colons.len() <= 3)?)
    };
    let sign = left.chars().next_back().filter(|sign| !is_immediate && "?+!".contains(*sign));
    let name = left.strip_suffix(|char| Some(char) == sign).unwrap_or(left).trim();
    let is_name = !name.is_empty() && !name.contains([' ', '\t', '$', '#']);
    is_name.then(|| Assignment {
        name: name.to_owned(),
        value: value.trim_start().to_owned(),
        is_immediate,
        is_default: sign == Some('?'),
        is_addition: sign == Some('+'),
        asks_shell: sign == Some('!'),
        is_exported: false,
    })
}

fn rule(code: &str, comment: Option<&str>) -> Option<Rule> {
    let at = outside(code, |char| char == ':')?;
    let (left, right) = (code[..at].trim_end(), &code[at + 1..]);
    if left.is_empty() {
        return None;
    }
    let mut rule = Rule { targets: left.trim_end_matches('&').to_owned(), ..Rule::default() };
    if left.ends_with('&') {
        rule.obstacle = Some("one recipe makes several targets at once (`&:`)");
    }
    let right = match right.strip_prefix(':') {
        Some(right) => {
            rule.obstacle = Some("it has several independent recipes (`::`)");
            right
        }
        None => right,
    };
    rule.describe = comment.and_then(|text| text.strip_prefix('#')).map(|text| text.trim().to_owned());
    let (needs, recipe) = match outside(right, |char| char == ';') {
        Some(at) => (&right[..at], Some(right[at + 1..].trim_start().to_owned())),
        None => (right, None),
    };
    rule.recipe = recipe;
    let own = needs.trim_start();
    let own = own.strip_prefix("private ").or_else(|| own.strip_prefix("export ")).unwrap_or(own);
    rule.assignment = assignment(own);
    if rule.assignment.is_none() {
        if outside(needs, |char| char == ':').is_some() {
            rule.obstacle = Some("it is a pattern for several targets");
        }
        rule.needs = needs.replace('|', " ");
    }
    Some(rule)
}
