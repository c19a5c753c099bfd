//! Compose reads what we read, value for value.

use std::collections::BTreeMap;

use infra_lib::internals::{DotenvError, EnvFile, SyntaxCause, Variable, resolve};
use xshell::{Shell, cmd};

use super::lines::{Random, filler, line};
use crate::support::{compose, path, scale, seed};

const KEYS: usize = 80;
const SHELL: [(&str, &str); 4] =
    [("S1", "shell"), ("S2", "a $K1 ${K2} \"q'\\n # $$"), ("S3", ""), ("K9", "shell wins")];

fn shell(name: &str) -> Option<String> {
    SHELL.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

/// Two files with `KEYS` lines each that we accept, and how many lines we did not.
fn files(random: &mut Random) -> (Vec<EnvFile>, usize) {
    let mut files: Vec<EnvFile> = Vec::new();
    let mut refused = 0;
    for name in ["a.env", "b.env"] {
        let mut text = random.of(&["", "", "\u{feff}"]).to_owned();
        let mut accepted = EnvFile::parse(name, text.as_bytes()).unwrap();
        let mut count = 0;
        while count < KEYS {
            // Few keys are written often and referred to often; the rest once per file.
            let key = if random.below(20) == 0 { random.below(10) } else { count };
            let more = format!("{text}{}{}", filler(random), line(random, &format!("K{key}")));
            let Ok(file) = EnvFile::parse(name, more.as_bytes()) else {
                refused += 1;
                continue;
            };
            files.push(file);
            if resolve(&files, shell).is_ok() {
                text = more;
                accepted = files.remove(files.len() - 1);
                count += 1;
            } else {
                files.pop();
                refused += 1;
            }
        }
        files.push(accepted);
    }
    (files, refused)
}

/// E04, E05 and the twelfth guarantee: no accepted value is read otherwise by Compose.
#[test]
fn e04_e05_compose_reads_every_accepted_value_alike() {
    if compose().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sh = Shell::new().unwrap();
    sh.change_dir(folder.path());
    let mut random = Random(seed());
    let (mut compared, mut refused) = (0, 0);
    while compared < 1000 * scale() {
        let (files, more) = files(&mut random);
        refused += more;
        for file in &files {
            sh.write_file(file.path(), file.text()).unwrap();
        }
        let resolved = resolve(&files, shell).unwrap();
        // Only such names can be asked for in a compose file.
        let variables = || resolved.variables().iter().filter(|variable| variable.key.starts_with('K'));
        let lines: Vec<String> =
            variables().map(|Variable { key, .. }| format!("      {key}: \"${{{key}-UNSET}}\"")).collect();
        let lines = lines.join("\n");
        sh.write_file("c.yml", format!("services:\n  s:\n    image: i\n    environment:\n{lines}\n")).unwrap();

        let args =
            ["-p", "p", "--env-file", "a.env", "--env-file", "b.env", "-f", "c.yml", "config", "--format", "json"];
        let command = cmd!(sh, "docker compose {args...}").quiet().env_clear().envs(SHELL);
        let command = command.envs(std::env::vars().filter(|(key, _)| key == "HOME")).env("PATH", path());
        let output = command.ignore_status().output().unwrap();
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            panic!("compose refuses what we accept: {}: {error}", keep(folder));
        }
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let theirs: BTreeMap<String, String> =
            serde_json::from_value(json["services"]["s"]["environment"].clone()).unwrap();
        for variable in variables() {
            let value = theirs[&variable.key].replace("$$", "$");
            if value != variable.value.expose() {
                let (key, origin, ours) = (&variable.key, &variable.origin, variable.value.expose());
                panic!("{key} of {origin}: we {ours:?}, compose {value:?}: {}", keep(folder));
            }
            compared += 1;
        }
    }
    eprintln!("{compared} values read alike, {refused} lines refused, 0 disagreements");
}

/// The other direction: nothing is refused that Compose takes, but for text behind a closing quote, which it loses.
#[test]
fn e04_compose_refuses_what_is_refused() {
    if compose().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sh = Shell::new().unwrap();
    sh.change_dir(folder.path());
    sh.write_file("c.yml", "services: {s: {image: i}}\n").unwrap();
    let mut random = Random(seed());
    let mut refused = 0;
    while refused < 20 * scale() {
        let text = line(&mut random, "K1");
        let read = EnvFile::parse("f", text.as_bytes()).and_then(|file| resolve(&[file], shell));
        let on_purpose = matches!(read, Err(DotenvError::Syntax { cause: SyntaxCause::TextAfterQuote, .. }));
        if read.is_ok() || on_purpose {
            continue;
        }
        refused += 1;
        sh.write_file("f", &text).unwrap();
        let args = ["-p", "p", "--env-file", "f", "-f", "c.yml", "config", "-q"];
        let output = cmd!(sh, "docker compose {args...}")
            .quiet()
            .env("PATH", path())
            .envs(SHELL)
            .ignore_status()
            .output()
            .unwrap();
        assert!(!output.status.success(), "compose reads {text:?}");
    }
}

fn keep(folder: tempfile::TempDir) -> String {
    folder.keep().display().to_string()
}
