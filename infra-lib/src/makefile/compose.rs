//! `docker compose …` as people write it.

/// A call of Compose.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ComposeCall {
    /// The environment that its files, profiles or env files speak of.
    pub(super) environment: Option<String>,
    /// `up`, `exec`…
    pub(super) command: String,
    pub(super) args: Vec<String>,
}

/// Options of `docker compose` itself that have a value.
const WITH_VALUE: [&str; 10] = [
    "-f",
    "--file",
    "-p",
    "--project-name",
    "--profile",
    "--env-file",
    "--project-directory",
    "--ansi",
    "--progress",
    "--parallel",
];

/// Reads a command of Compose, of either generation.
pub(super) fn compose_call(words: &[String]) -> Option<ComposeCall> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let words = match &words[..] {
        ["sudo", rest @ ..] => rest,
        all => all,
    };
    let (["docker", "compose", rest @ ..] | ["docker-compose", rest @ ..]) = words else { return None };
    let mut rest = rest;
    let mut call = ComposeCall::default();
    while let [option, behind @ ..] = rest {
        if !option.starts_with('-') {
            break;
        }
        let (name, value, behind) = match (option.split_once('='), behind) {
            (Some((name, value)), behind) => (name, Some(value), behind),
            (None, [value, behind @ ..]) if WITH_VALUE.contains(option) => (*option, Some(*value), behind),
            (None, behind) => (*option, None, behind),
        };
        if ["-f", "--file", "--profile", "--env-file"].contains(&name) {
            call.environment = value.and_then(environment).or(call.environment);
        }
        rest = behind;
    }
    let [command, args @ ..] = rest else { return None };
    (*command).clone_into(&mut call.command);
    call.args = args.iter().map(|word| (*word).to_owned()).collect();
    Some(call)
}

/// The environment after which a file or a profile is named; development is nobody's special case.
fn environment(name: &str) -> Option<String> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let words: Vec<&str> = file.split(['.', '-', '_']).collect();
    let known = [
        ("prod", "production"),
        ("production", "production"),
        ("staging", "staging"),
        ("stage", "staging"),
        ("testing", "testing"),
    ];
    known.iter().find(|(word, _)| words.contains(word)).map(|(_, name)| (*name).to_owned())
}

impl ComposeCall {
    /// The arguments that are no options; `with_value` are the options that take the next word.
    pub(super) fn names(&self, with_value: &[&str]) -> Vec<&str> {
        let mut names = Vec::new();
        let mut args = self.args.iter().map(String::as_str);
        while let Some(arg) = args.next() {
            if with_value.contains(&arg) {
                args.next();
            } else if !arg.starts_with('-') {
                names.push(arg);
            }
        }
        names
    }

    pub(super) fn has(&self, options: &[&str]) -> bool {
        self.args.iter().any(|arg| options.contains(&arg.as_str()))
    }

    /// For `exec` and `run`: the service and its command, where no option says more than a task can.
    pub(super) fn inside(&self) -> Option<(&str, &[String])> {
        let plain = [
            "-T",
            "--no-TTY",
            "-it",
            "-i",
            "-t",
            "-ti",
            "--interactive",
            "--tty",
            "--rm",
            "--no-deps",
            "--build",
            "--quiet-pull",
        ];
        let at = self.args.iter().position(|arg| !arg.starts_with('-'))?;
        self.args[..at]
            .iter()
            .all(|arg| plain.contains(&arg.as_str()))
            .then(|| (self.args[at].as_str(), &self.args[at + 1..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(line: &str) -> Option<ComposeCall> {
        compose_call(&shlex::split(line).unwrap())
    }

    #[test]
    fn both_generations_are_read() {
        let read =
            call("docker-compose -f docker-compose.yml -f docker-compose.prod.yml --profile=x up -d backend").unwrap();
        assert_eq!((read.environment.as_deref(), read.command.as_str()), (Some("production"), "up"));
        assert_eq!(read.names(&[]), ["backend"]);
        assert_eq!(call("docker compose ps").unwrap().command, "ps");
        assert_eq!(call("docker ps"), None);
        assert_eq!(call("docker compose --profile"), None);
    }

    #[test]
    fn a_command_inside_of_a_service() {
        let read = call("docker compose exec -T backend bun test --watch").unwrap();
        assert_eq!(
            read.inside().unwrap(),
            ("backend", &["bun".to_owned(), "test".to_owned(), "--watch".to_owned()][..])
        );
        assert!(call("docker compose run -e A=b x y").unwrap().inside().is_none(), "a task has no place for -e");
    }
}
