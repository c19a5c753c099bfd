//! What a call of ours adds to the commands that it runs.

use std::time::Duration;

use xshell::{Cmd, cmd};

use super::stack::{Checks, Stack};
use super::stats::Samples;
use super::table::{Cell, Table};
use super::{Outcome, Site, timing};

/// Single calls are short, and what else the machine does shows in them.
const TIMES: usize = 5;
/// What a call may add, in seconds.
const GOAL: f64 = 0.050;

/// A command of ours, and the call that a user of Compose would make. The stack is up and healthy.
const COMMANDS: [(&[&str], &[&str]); 5] = [
    (&["help"], &[]),
    (&["ps"], &["ps", "-a"]),
    (&["logs", "--tail", "5"], &["logs", "--tail", "5"]),
    (&["exec", "web", "--", "true"], &["exec", "-T", "web", "true"]),
    (&["start"], &["up", "-d"]),
];

pub(super) fn measure(site: &Site) -> Outcome<Vec<Table>> {
    let mut table = Table {
        title: "What a call adds",
        about: "Each command of ours on a stack that is up, the commands that it ran (`-v` shows them) again without \
                us, and the call that a user of Compose would make in its place. \"Added\" is ours less the very \
                commands that it ran, taken in the same round; the goal is under 50 ms. \"Reads\" are those among \
                them that ask for the compose model or the containers. `xtask` is the binary that Cargo has built; \
                \"Cargo\" is what `cargo xtask` takes longer than that."
            .to_owned(),
        columns: &["xtask …", "docker compose …", "", "xtask", "its commands", "reads", "added", "Cargo"],
        rows: Vec::new(),
        notes: Vec::new(),
    };
    let stack = match Stack::small(Checks::Eager) {
        Ok(stack) => stack,
        Err(why) => {
            table.missing(why)?;
            return Ok(vec![table]);
        }
    };
    stack.up()?;
    let mut worst = f64::MIN;
    for (args, call) in COMMANDS {
        let (row, added) = one(site, &stack, args, call)?;
        worst = worst.max(added);
        table.rows.push(row);
    }
    let verdict = if worst < GOAL { "The goal is met" } else { "The goal is missed" };
    table.notes.push(format!("{verdict}: at most {:.0} ms are added.", worst * 1e3));
    Ok(vec![table])
}

fn one(site: &Site, stack: &Stack, args: &[&str], call: &[&str]) -> Outcome<(Vec<Cell>, f64)> {
    let verbose: Vec<&str> = ["-v"].iter().chain(args).copied().collect();
    let calls = Call::all(&timing::run(stack.ours(site, &verbose))?.stderr);
    let [mut bare, mut ours, mut cargo, mut replayed, mut reads] = [const { Samples::new() }; 5];
    for round in site.rounds(&format!("overhead, {}", args[0]), site.rounds * TIMES) {
        round?;
        if !call.is_empty() {
            bare.push(timing::time(stack.compose(call))?);
        }
        ours.push(timing::time(stack.ours(site, args))?);
        let mut all = Duration::ZERO;
        let mut reading = Duration::ZERO;
        for call in &calls {
            let took = timing::time(call.again(stack))?;
            all += took;
            reading += if call.is_read() { took } else { Duration::ZERO };
        }
        replayed.push(all);
        reads.push(reading);
        let dir = stack.sh.current_dir();
        cargo.push(timing::time(cmd!(site.sh, "cargo xtask -C {dir} {args...}"))?);
    }
    let added = ours.minus(&replayed);
    let median = added.median();
    let count = calls.iter().filter(|call| call.is_read()).count();
    let none = |times: Samples, is_none: bool| if is_none { Cell::from("-") } else { Cell::from(times) };
    let row = vec![
        format!("`{}`", args.join(" ")).into(),
        if call.is_empty() { "-".into() } else { format!("`{}`", call.join(" ")).into() },
        none(bare, call.is_empty()),
        ours.clone().into(),
        none(replayed, calls.is_empty()),
        if count == 0 { "-".into() } else { format!("{count}: {reads}").into() },
        added.into(),
        cargo.minus(&ours).into(),
    ];
    Ok((row, median))
}

/// A command that one of ours ran, as `-v` shows it.
#[derive(Debug, PartialEq)]
struct Call {
    env: Vec<(String, String)>,
    words: Vec<String>,
}

impl Call {
    /// The commands in what `-v` prints: each is what a shell would read, after a plus sign.
    fn all(talk: &str) -> Vec<Self> {
        talk.lines().filter_map(|line| Self::read(line.strip_prefix("+ ")?)).collect()
    }

    fn read(line: &str) -> Option<Self> {
        let mut words = shlex::split(line)?;
        let is_variable = |word: &&String| word.split_once('=').is_some_and(|(key, _)| !key.contains(['/', '-']));
        let variables = words.iter().take_while(is_variable).count();
        let env = words
            .drain(..variables)
            .filter_map(|word| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())));
        let env = env.collect();
        (!words.is_empty()).then_some(Self { env, words })
    }

    /// Whether it asks for the compose model or the containers.
    fn is_read(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        matches!(words[..], ["docker", "ps", ..] | ["docker", "container" | "volume", "inspect" | "ls", ..])
            || words.starts_with(&["docker", "compose"]) && words.contains(&"config")
    }

    /// The same once more. Secrets are masked in what `-v` prints; a stack here has only one.
    fn again<'a>(&self, stack: &'a Stack) -> Cmd<'a> {
        let (program, args) = (&self.words[0], &self.words[1..]);
        let known = |(key, value): &(String, String)| {
            let value = if value == "***" { &stack.database.password } else { value };
            (key.clone(), value.clone())
        };
        cmd!(stack.sh, "{program} {args...}").envs(self.env.iter().map(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_read_back_from_what_is_shown() {
        let talk = "+ COMPOSE_ANSI=never docker compose -p x --profile '*' config --format json\nstarting db\n\
                    + docker ps -a --filter 'label=a b'\n+ PGPASSWORD=*** docker exec -i -e PGPASSWORD id psql -F '\t'\n";
        let calls = Call::all(talk);
        assert_eq!(calls[0].env, [("COMPOSE_ANSI".to_owned(), "never".to_owned())]);
        assert_eq!(calls[1].words, ["docker", "ps", "-a", "--filter", "label=a b"]);
        assert_eq!(calls[2].words.last().map(String::as_str), Some("\t"));
        assert_eq!(calls.iter().map(Call::is_read).collect::<Vec<_>>(), [true, true, false]);
    }
}
