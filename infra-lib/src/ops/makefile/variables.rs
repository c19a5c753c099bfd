//! Variables, and what a text is once they stand in it.

use std::collections::BTreeMap;

use super::arguments;

/// A variable of a Makefile.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    /// Its text as written; references in it are resolved where it is used.
    pub(super) text: String,
    /// Why only make knows its value.
    pub(super) unknown: Option<String>,
    /// Whether the caller's environment goes before it (`?=`).
    pub(super) is_default: bool,
    /// Whether a condition has chosen its value.
    pub(super) is_chosen: bool,
}

/// The variables that hold somewhere, the nearest last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) global: &'a BTreeMap<String, Variable>,
    pub(super) own: &'a BTreeMap<String, Variable>,
    pub(super) target: &'a str,
    pub(super) needs: &'a [String],
}

/// What was met while a text was expanded.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// Names of variables that the caller's environment may have changed.
    pub(super) defaults: Vec<String>,
    /// Names of variables whose value depends on a condition.
    pub(super) chosen: Vec<String>,
    /// Whether a variable that is not assigned becomes a mark.
    pub(super) marks_arguments: bool,
    /// Whether a condition is evaluated: what is not assigned is empty, and the machine is asked.
    pub(super) is_condition: bool,
    /// How much text was made; a few lines of Makefile can ask for more than there is memory.
    made: usize,
}

/// The length above which a text is not converted.
const LONGEST: usize = 64 * 1024;
/// References inside of references.
const DEEPEST: usize = 24;

/// What the shell calls the same.
const SHELL: [(&str, &str); 4] = [("CURDIR", "$PWD"), ("PWD", "$PWD"), ("HOME", "$HOME"), ("USER", "$USER")];

/// Make's predefined variables.
const BUILT_IN: [(&str, &str); 3] = [("RM", "rm -f"), ("CC", "cc"), ("SHELL", "/bin/sh")];

impl Scope<'_> {
    /// The text with its references replaced, or why that is make's own affair.
    pub(super) fn expand(&self, text: &str, met: &mut Met) -> Result<String, String> {
        self.expand_to(text, met, 0)
    }

    fn expand_to(&self, text: &str, met: &mut Met, depth: usize) -> Result<String, String> {
        if depth > DEEPEST {
            return Err("its variables refer to each other too deeply".to_owned());
        }
        let mut made = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            made.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let Some(first) = rest.chars().next() else {
                made.push('$');
                break;
            };
            let name = match first {
                '$' => {
                    made.push('$');
                    rest = &rest[1..];
                    continue;
                }
                '(' | '{' => {
                    let inner = inside(rest).ok_or("a reference is never closed")?;
                    rest = &rest[inner.len() + 2..];
                    inner
                }
                other => {
                    let (name, behind) = rest.split_at(other.len_utf8());
                    rest = behind;
                    name
                }
            };
            made.push_str(&self.value(name, met, depth)?);
            if made.len() > LONGEST || met.made > LONGEST {
                return Err("it becomes too long".to_owned());
            }
        }
        made.push_str(rest);
        met.made += made.len();
        Ok(made)
    }

    fn value(&self, name: &str, met: &mut Met, depth: usize) -> Result<String, String> {
        match name {
            "@" => return Ok(self.target.to_owned()),
            "<" => return Ok(self.needs.first().cloned().unwrap_or_default()),
            "^" | "+" => return Ok(self.needs.join(" ")),
            "MAKE" => return Err("it calls make again".to_owned()),
            _ => {}
        }
        if met.is_condition
            && let Some(value) = super::conditions::function(name)
        {
            return Ok(value);
        }
        if let Some((function, _)) = name.split_once([' ', '\t', ',']) {
            return Err(format!("it calls make's function `{function}`"));
        }
        if name.contains(':') {
            return Err(format!("it replaces parts of a variable, `$({name})`"));
        }
        if name.contains('$') {
            return Err("the name of a variable is a variable itself".to_owned());
        }
        if let Some(variable) = self.own.get(name).or_else(|| self.global.get(name)) {
            if let Some(why) = &variable.unknown
                && (!met.is_condition || variable.text.is_empty())
            {
                return Err(format!("`{name}` {why}"));
            }
            if crate::dotenv::looks_secret(name) && !variable.text.trim().is_empty() {
                return Err(format!("`{name}` is a secret, which belongs in an env file"));
            }
            if variable.is_default && !met.defaults.iter().any(|known| known == name) {
                met.defaults.push(name.to_owned());
            }
            if variable.is_chosen && !met.chosen.iter().any(|known| known == name) {
                met.chosen.push(name.to_owned());
            }
            return self.expand_to(&variable.text, met, depth + 1);
        }
        let known = SHELL.iter().chain(&BUILT_IN).find(|(known, _)| *known == name);
        match known {
            Some((_, text)) => Ok((*text).to_owned()),
            None if name.len() == 1 || name.ends_with(['D', 'F']) && name.len() == 2 => {
                Err(format!("only make knows `${name}`"))
            }
            None if met.is_condition => Ok(String::new()),
            None if met.marks_arguments && arguments::is_argument(name) => Ok(arguments::mark(name)),
            None => Err(format!("`{name}` is not assigned here; it came with `make {name}=…` or from the environment")),
        }
    }
}

/// The text between the bracket at the start and the one that closes it.
fn inside(text: &str) -> Option<&str> {
    let (open, close) = if text.starts_with('(') { ('(', ')') } else { ('{', '}') };
    let mut depth = 0_usize;
    for (at, char) in text.char_indices() {
        if char == open {
            depth += 1;
        } else if char == close {
            depth -= 1;
            if depth == 0 {
                return Some(&text[1..at]);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(pairs: &[(&str, &str)], text: &str) -> Result<String, String> {
        let plain = |text: &str| Variable { text: text.to_owned(), unknown: None, is_default: false, is_chosen: false };
        let global = pairs.iter().map(|(name, text)| ((*name).to_owned(), plain(text))).collect();
        let needs = ["a".to_owned(), "b".to_owned()];
        let scope = Scope { global: &global, own: &BTreeMap::new(), target: "t", needs: &needs };
        scope.expand(text, &mut Met::default())
    }

    #[test]
    fn simple_references_are_replaced() {
        let pairs = [("DC", "docker compose -f $(FILE)"), ("FILE", "x.yml"), ("Q", "@")];
        assert_eq!(
            expand(&pairs, "$(Q)${DC} up $$HOME $@ $< $^ $Qecho").unwrap(),
            "@docker compose -f x.yml up $HOME t a a b @echo"
        );
    }

    #[test]
    fn what_only_make_knows_is_said() {
        for (text, why) in [
            ("$(shell date)", "function `shell`"),
            ("$(SRC:.c=.o)", "replaces parts"),
            ("$(FILE)", "not assigned"),
            ("$*", "only make knows"),
            ("$(MAKE) x", "calls make again"),
            ("$(A", "never closed"),
        ] {
            let said = expand(&[], text).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
        assert!(expand(&[("A", "$(B)"), ("B", "$(A)")], "$(A)").unwrap_err().contains("deeply"));
        assert!(expand(&[("DB_PASSWORD", "hunter2")], "$(DB_PASSWORD)").unwrap_err().contains("a secret"));
    }

    #[test]
    fn a_few_lines_cannot_ask_for_all_memory() {
        let names: Vec<String> = (0..20).map(|at| format!("V{at}")).collect();
        let texts: Vec<String> = (1..21).map(|at| format!("$(V{at})$(V{at})$(V{at})$(V{at})")).collect();
        let mut pairs: Vec<(&str, &str)> =
            names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
        pairs.push(("V20", "0123456789"));
        assert!(expand(&pairs, "$(V0)").is_err());
    }
}
