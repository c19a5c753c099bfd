//! A call of the binary under test, as a value.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::binary;
use super::declared::{ENGINE, POSTGRES, hiding_servers, path_of};
use super::ended::Ended;
use super::processes::{MARK, unchecked};
use super::project::random_hex;
use super::running::Running;

/// What will be run, and what is expected of it.
#[derive(Debug, Clone)]
#[must_use = "nothing runs before `check`, `end` or `spawn`"]
pub(crate) struct Call {
    program: PathBuf,
    args: Vec<OsString>,
    dir: PathBuf,
    env: Vec<(OsString, OsString)>,
    input: String,
    /// Programs around the binary, outermost first.
    around: Vec<Vec<OsString>>,
    /// At a terminal: what to type after what has been printed.
    conversation: Option<Vec<(String, String)>>,
    limit: Duration,
    replacements: Vec<(String, String)>,
    expected: (String, String, i32),
    /// Whether PostgreSQL's servers are out of its sight.
    without_servers: bool,
}

/// Variables of this machine that a command needs to find its tools and its engine.
const PASSED_ON: [&str; 5] = ["HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "TMPDIR"];

/// Where no engine listens, for tests that have declared Compose alone.
const NO_ENGINE: &str = "unix:///nowhere/docker.sock";

/// No command of a test has reason to take longer, on two slow cores.
const LIMIT: Duration = Duration::from_secs(600);

impl Call {
    pub(super) fn new(
        dir: &Path,
        args: Vec<OsString>,
        replacements: Vec<(String, String)>,
        declared: &BTreeSet<String>,
    ) -> Self {
        let inherited = PASSED_ON.iter().filter_map(|key| Some((OsString::from(key), std::env::var_os(key)?)));
        let call = Self {
            program: binary::xtask().to_owned(),
            args,
            dir: dir.to_owned(),
            env: inherited
                .chain([("PATH".into(), path_of(declared).into()), ("LANG".into(), "C.UTF-8".into())])
                .collect(),
            input: String::new(),
            around: Vec::new(),
            conversation: None,
            limit: LIMIT,
            replacements,
            expected: Default::default(),
            without_servers: !declared.contains(POSTGRES),
        };
        let engine_is_hidden = declared.contains("docker") && !declared.contains(ENGINE);
        if engine_is_hidden { call.env_remove("DOCKER_CONTEXT").env("DOCKER_HOST", NO_ENGINE) } else { call }
    }

    /// The binary that will be run.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Runs this copy of the binary.
    pub(crate) fn of(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub(crate) fn args<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let key = key.into();
        self.env.retain(|(known, _)| *known != key);
        self.env.push((key, value.into()));
        self
    }

    /// Removes a variable.
    pub(crate) fn env_remove(mut self, key: &str) -> Self {
        self.env.retain(|(known, _)| known != key);
        self
    }

    /// Runs in this folder instead of the project's.
    pub(crate) fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = dir.into();
        self
    }

    /// Feeds this to its stdin.
    pub(crate) fn input(mut self, text: impl Into<String>) -> Self {
        self.input = text.into();
        self
    }

    /// Fails the test if it takes longer.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it inside another program, whose words these are; the last one added is the outermost.
    pub(crate) fn inside<I: IntoIterator<Item = S>, S: Into<OsString>>(mut self, words: I) -> Self {
        self.around.insert(0, words.into_iter().map(Into::into).collect());
        self
    }

    /// Without a controlling terminal, its input closed.
    pub(crate) fn no_tty(self) -> Self {
        self.inside(["setsid", "--wait"])
    }

    /// As cron runs a job: next to no environment, in the home folder.
    pub(crate) fn cron(mut self) -> Self {
        let project = std::mem::replace(&mut self.dir, PathBuf::from("/"));
        self.args.splice(0..0, ["-C".into(), project.into()]);
        self.env = [("PATH", "/usr/bin:/bin"), ("HOME", "/root"), ("LOGNAME", "root"), ("SHELL", "/bin/sh")]
            .map(|(key, value)| (key.into(), value.into()))
            .into();
        self.no_tty()
    }

    /// At a terminal: waits for each first text to be printed, and then types the second. Stderr is part of
    /// stdout there, and lines end with CR LF.
    pub(crate) fn pty<const N: usize>(mut self, conversation: [(&str, &str); N]) -> Self {
        self.conversation = Some(conversation.map(|(wait, say)| (wait.to_owned(), say.to_owned())).into());
        self.env("TERM", "xterm")
    }

    /// With this file mode creation mask.
    pub(crate) fn umask(self, mask: &str) -> Self {
        self.shell(&format!("umask {mask}"))
    }

    /// With these limits, in the words of the shell's `ulimit`: `-n 20`.
    pub(crate) fn limits(self, limits: &str) -> Self {
        self.shell(&format!("ulimit {limits}"))
    }

    /// After this line of shell, such as `umask 077` or `exec 1>&-`.
    pub(crate) fn shell(self, line: &str) -> Self {
        self.inside(["sh", "-c", &format!("{line}; exec \"$@\""), "sh"])
    }

    /// As another user, without any group.
    pub(crate) fn user(self, uid: u32) -> Self {
        self.inside([
            "setpriv".to_owned(),
            format!("--reuid={uid}"),
            format!("--regid={uid}"),
            "--clear-groups".to_owned(),
        ])
    }

    /// Under `strace -f`, with an expression for `-e` (`trace=openat,chmod`, `inject=…`) and a file for what it sees.
    pub(crate) fn strace(self, expression: &str, log: &Path) -> Self {
        let log = log.to_str().unwrap();
        self.inside(["strace", "-f", "-y", "-qq", "-s", "256", "-e", "signal=none", "-e", expression, "-o", log])
    }

    /// The same for the binary's main thread alone, and none of the programs that it starts.
    pub(crate) fn strace_alone(self, expression: &str, log: &Path) -> Self {
        let log = log.to_str().unwrap();
        self.inside(["strace", "-y", "-qq", "-s", "256", "-e", "signal=none", "-e", expression, "-o", log])
    }

    /// Expects exactly this on stdout, after names and times were replaced; see [`Ended::scrub`].
    pub(crate) fn stdout(mut self, text: impl Into<String>) -> Self {
        self.expected.0 = text.into();
        self
    }

    /// Expects exactly this on stderr, after names and times were replaced.
    pub(crate) fn stderr(mut self, text: impl Into<String>) -> Self {
        self.expected.1 = text.into();
        self
    }

    /// Expects this exit code.
    pub(crate) fn code(mut self, code: i32) -> Self {
        self.expected.2 = code;
        self
    }

    /// Runs it and compares everything with what was expected: empty output and exit code 0, unless stated.
    #[track_caller]
    pub(crate) fn check(self) -> Ended {
        let expected = self.expected.clone();
        let ended = self.end();
        let found = (ended.scrub(&ended.stdout), ended.scrub(&ended.stderr), ended.exit);
        let show = |(stdout, stderr, exit): &(String, String, i32)| {
            format!("exit code {exit}\n--- stdout\n{stdout}--- stderr\n{stderr}---")
        };
        assert!(found == expected, "`{}`\nexpected: {}\nfound: {}", ended.line, show(&expected), show(&found));
        ended
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn end(self) -> Ended {
        let conversation = self.conversation.clone();
        let input = self.input.clone();
        let mut running = self.spawn();
        running.type_in(&input);
        for (wait, say) in conversation.iter().flatten() {
            running.until(wait);
            running.type_in(say);
        }
        if conversation.is_none() {
            running.close_input();
        }
        running.wait()
    }

    /// Starts it.
    pub(crate) fn spawn(self) -> Running {
        let Self { program, args, dir, env, input: _, around, conversation, limit, replacements, .. } = self;
        let mut words: Vec<OsString> = vec![program.into()];
        let line = args.iter().fold("xtask".to_owned(), |line, arg| line + " " + &arg.to_string_lossy());
        words.extend(args);
        for program in around.into_iter().rev() {
            words.splice(0..0, program);
        }
        if conversation.is_some() {
            let line = shlex::try_join(words.iter().map(|word| word.to_str().unwrap())).unwrap();
            words = ["script", "--quiet", "--return", "--command", &line, "/dev/null"].map(OsString::from).into();
        }
        if self.without_servers {
            words.splice(0..0, hiding_servers().iter().cloned());
        }
        let mark = random_hex();
        let mut command = unchecked(&words[0]);
        command.args(&words[1..]).current_dir(dir).env_clear().envs(env).env(MARK, &mark);
        let template = Ended {
            line,
            stdout: String::new(),
            stderr: String::new(),
            exit: -1,
            took: Duration::ZERO,
            mark,
            replacements,
        };
        Running::start(command, limit, template)
    }
}
