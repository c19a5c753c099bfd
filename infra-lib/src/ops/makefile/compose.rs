//! `docker compose …` as people write it.

use super::arguments;

/// A call of Compose.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct ComposeCall {
    pub(super) options: Options,
    /// `up`, `exec`…
    pub(super) command: String,
    pub(super) args: Vec<String>,
}

/// The options before the command, which say what project it is.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) files: Vec<String>,
    pub(super) project: Option<String>,
    pub(super) env_files: Vec<String>,
    pub(super) profiles: Vec<String>,
    pub(super) directory: Option<String>,
    /// Whether there is anything that cannot be carried over.
    pub(super) is_other: bool,
}

/// Options with a value that change nothing but the output.
const LOOKS: [&str; 3] = ["--ansi", "--progress", "--parallel"];

impl Options {
    fn add(&mut self, name: &str, value: &str) {
        let value = value.to_owned();
        self.is_other |= arguments::looks_marked(&value);
        match name {
            "-f" | "--file" => self.files.push(value),
            "-p" | "--project-name" => self.project = Some(value),
            "--env-file" => self.env_files.push(value),
            "--profile" => self.profiles.push(value),
            "--project-directory" => self.directory = Some(value),
            name => self.is_other |= !LOOKS.contains(&name),
        }
    }
}

/// Reads a command of Compose, of either generation.
pub(super) fn compose_call(words: &[String]) -> Option<ComposeCall> {
    const WITH_VALUE: [&str; 7] =
        ["-f", "--file", "-p", "--project-name", "--env-file", "--profile", "--project-directory"];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (["docker", "compose", rest @ ..] | ["docker-compose", rest @ ..]) = &words[..] else { return None };
    let mut rest = rest;
    let mut call = ComposeCall::default();
    while let [option, behind @ ..] = rest {
        if !option.starts_with('-') {
            break;
        }
        rest = behind;
        match (option.split_once('='), behind) {
            (Some((name, value)), _) => call.options.add(name, value),
            (None, [value, behind @ ..]) if WITH_VALUE.contains(option) || LOOKS.contains(option) => {
                call.options.add(option, value);
                rest = behind;
            }
            _ => call.options.is_other = true,
        }
    }
    let [command, args @ ..] = rest else { return None };
    (*command).clone_into(&mut call.command);
    call.args = args.iter().map(|word| (*word).to_owned()).collect();
    Some(call)
}

impl ComposeCall {
    /// The services, where all other arguments are these flags and none depends on an argument of make.
    pub(super) fn services(&self, flags: &[&str]) -> Option<Vec<String>> {
        let (options, services): (Vec<_>, Vec<_>) = self.args.iter().partition(|arg| arg.starts_with('-'));
        let is_plain = options.iter().all(|option| flags.contains(&option.as_str()))
            && !services.iter().any(|service| arguments::looks_marked(service));
        is_plain.then(|| services.into_iter().cloned().collect())
    }

    pub(super) fn has(&self, options: &[&str]) -> bool {
        self.args.iter().any(|arg| options.contains(&arg.as_str()))
    }

    /// For `exec` and `run`: the service and its command, where no option says more than a task can.
    pub(super) fn inside(&self) -> Option<(&str, &[String])> {
        const PLAIN: [&str; 9] = ["-T", "--no-TTY", "-it", "-i", "-t", "-ti", "--interactive", "--tty", "--rm"];
        let at = self.args.iter().position(|arg| !arg.starts_with('-'))?;
        let is_plain = self.args[..at].iter().all(|arg| PLAIN.contains(&arg.as_str()))
            && ["exec", "run"].contains(&self.command.as_str())
            && !arguments::looks_marked(&self.args[at]);
        is_plain.then(|| (self.args[at].as_str(), &self.args[at + 1..]))
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
        assert_eq!(read.options.files, ["docker-compose.yml", "docker-compose.prod.yml"]);
        assert_eq!((read.options.profiles.join(","), read.command.as_str()), ("x".to_owned(), "up"));
        assert_eq!(read.services(&["-d"]).unwrap(), ["backend"]);
        assert_eq!(read.services(&[]), None, "-d is not known");
        assert_eq!(call("docker compose ps").unwrap().command, "ps");
        assert!(call("docker compose --dry-run ps").unwrap().options.is_other);
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
        for line in ["run -e A=b x y", "exec -u root x y", "exec -w /app x y", "run --no-deps x y", "up x"] {
            assert!(
                call(&format!("docker compose {line}")).unwrap().inside().is_none(),
                "{line}: a task has no place for that"
            );
        }
    }
}
