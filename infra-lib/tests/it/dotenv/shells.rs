//! Where nothing is said about bash or make, they read what we read.

use std::collections::BTreeMap;

use infra_lib::internals::{EnvFile, Expectations, FindingCode, Resolved, check, resolve};
use xshell::{Shell, cmd};

use super::lines::Random;
use crate::support::{scale, seed, tool};

/// No piece, and no word of several, is a program or a builtin with an effect: a line that is misjudged does no harm.
const PIECES: [&str; 48] = [
    "a", "b", "0", "ab", "a0", "a", "b", "0", " ", "  ", "\t", "#", " #", "$", "$$", "${", "}", "{", "$K1", "${K2}",
    "${K3:-a}", "$a", "'", "\"", "\\", "\\\\", "\\\"", "\\'", "\\$", "\\n", "`", ";", "&", "|", "<", "(", ")", "~",
    ":~", "*", "?", "!", "%", "^", ",", "@", ":", "=",
];

/// A file of lines, each judged to be read alike by `reader`, and what it resolves to.
fn unambiguous(random: &mut Random, reader: &str, count: usize) -> (EnvFile, Resolved) {
    let (rules, rotated) = (BTreeMap::new(), BTreeMap::new());
    let now = jiff::Timestamp::UNIX_EPOCH;
    let expected = Expectations { templates: &[], rules: &rules, rotated: &rotated, now, protected: false };
    let mut text = String::new();
    let mut file = EnvFile::parse("f", b"").unwrap();
    let mut kept = 0;
    while kept < count {
        let key = random.of(&["K", "K", "K", "K", "export K", "K.", "0K"]);
        let quote = random.of(&["", "", "'", "\""]);
        let separator = random.of(&["=", "=", "=", "=", ":", " = ", "= "]);
        let value: String = (0..random.below(6)).map(|_| random.of(&PIECES)).collect();
        let newline = if !quote.is_empty() && random.below(8) == 0 { "\n" } else { "" };
        let end = random.of(&["", "", "", " ", " # a", "\t# b", "\t"]);
        let line = format!("{key}{kept}{separator}{quote}{value}{newline}{quote}{end}\n");
        let Ok(alone) = EnvFile::parse("f", line.as_bytes()) else { continue };
        let findings = check(&[alone], |_| Some(String::new()), &expected);
        let mut said = findings.iter().filter(|finding| finding.code == FindingCode::Ambiguous);
        if said.any(|finding| finding.message.contains(reader)) {
            continue;
        }
        let more = format!("{text}{line}");
        let Ok(longer) = EnvFile::parse("f", more.as_bytes()) else { continue };
        if resolve(std::slice::from_ref(&longer), |_| None).is_ok() {
            (text, file) = (more, longer);
            kept += 1;
        }
    }
    let resolved = resolve(std::slice::from_ref(&file), |_| None).unwrap();
    (file, resolved)
}

fn compare(reader: &str, resolved: &Resolved, theirs: &str, separator: char, file: &EnvFile) {
    let theirs: Vec<&str> = theirs.split(separator).collect();
    for (variable, value) in resolved.variables().iter().zip(theirs) {
        let line = file.text().lines().find(|line| line.contains(&variable.key)).unwrap_or_default();
        assert_eq!(variable.value.expose(), value, "{reader} reads {line:?} otherwise, and nothing is said");
    }
}

#[test]
fn e05_bash_reads_alike_where_nothing_is_said() {
    let Some(bash) = tool("bash") else { return };
    let folder = tempfile::tempdir().unwrap();
    let sh = Shell::new().unwrap();
    sh.change_dir(folder.path());
    let mut random = Random(seed());
    for _ in 0..2 * scale() {
        let (file, resolved) = unambiguous(&mut random, "bash", 300);
        sh.write_file("f", file.text()).unwrap();
        let keys: Vec<&str> = resolved.variables().iter().map(|variable| variable.key.as_str()).collect();
        let script = r#"PATH=/nowhere; . ./f && for key; do printf '%s\001' "${!key}"; done"#;
        let command = cmd!(sh, "{bash} --norc -c {script} bash {keys...}").quiet().env_remove("BASH_ENV");
        let theirs = command.read().unwrap_or_else(|error| panic!("{error}: {}", file.text()));
        compare("bash", &resolved, &theirs, '\u{1}', &file);
    }
}

#[test]
fn e05_make_reads_alike_where_nothing_is_said() {
    let Some(make) = tool("make") else { return };
    let folder = tempfile::tempdir().unwrap();
    let sh = Shell::new().unwrap();
    sh.change_dir(folder.path());
    let mut random = Random(seed());
    for _ in 0..2 * scale() {
        let (file, resolved) = unambiguous(&mut random, "make", 300);
        sh.write_file("f", file.text()).unwrap();
        let keys = resolved.variables().iter().map(|variable| format!("$(info $({}))\n", variable.key));
        let keys: String = keys.collect();
        sh.write_file("Makefile", format!("include f\n{keys}all: ;\n.PHONY: all\n")).unwrap();
        let command = cmd!(sh, "{make} -s all").quiet().env_remove("MAKEFLAGS").env_remove("MAKELEVEL");
        compare("make", &resolved, &command.read().unwrap(), '\n', &file);
    }
}
