//! `schedule`: jobs that cron runs, with the machine's own `crontab` and cron.
//!
//! Each test has a user of its own, so that nobody's crontab is touched.

mod check;
mod crontab;
mod daemon;
mod jobs;
mod quiet;

use crate::support::*;

/// A project, and whose it is.
struct Owned {
    project: TestProject,
    user: Somebody,
}

/// A project without services, of a user without a crontab.
fn owned() -> Owned {
    own(TestProject::new(), Somebody::new())
}

fn own(project: TestProject, user: Somebody) -> Owned {
    let project = project.compose("services: {}\n");
    user.own(&project);
    Owned { project, user }
}

impl Owned {
    fn xtask(&self, line: &str) -> Call {
        self.user.calls(self.project.xtask(shlex::split(line).unwrap()))
    }

    fn crontab(&self) -> String {
        String::from_utf8(self.user.crontab()).unwrap()
    }

    /// The jobs of the crontab: its lines that are no comments.
    fn lines(&self) -> Vec<String> {
        self.crontab().lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    /// Runs a line of the crontab as cron would: by its rule for `%`, by `sh`, with its environment, in the user's home.
    fn as_cron(&self, line: &str) -> Ended {
        let command = line.splitn(6, ' ').nth(5).unwrap_or_else(|| panic!("no job: {line}"));
        let (before, after) = (command.replace("\\%", ""), command.replace("\\%", "%"));
        assert!(!before.contains('%') && !before.contains('\\'), "cron would not take it as it stands: {line}");
        let call = self.project.xtask(["unused"]).dir("/").env_remove("LANG").env_remove("DOCKER_HOST");
        let call = call.env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh");
        self.user.calls(call.inside(["sh", "-c", "shift $#; eval \"$0\"", &after])).no_tty().end()
    }
}
