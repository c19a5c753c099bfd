//! Users of the system, made for one test.

use std::io::Write as _;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use super::call::Call;
use super::pace::wait_until;
use super::processes::command;
use super::project::{TestProject, random_hex};

/// A user with a home and a crontab of their own; gone with both when dropped. Only root can make one, see
/// [`cron`](super::cron).
#[derive(Debug)]
pub(crate) struct Somebody {
    pub(crate) name: String,
    pub(crate) uid: u32,
    home: PathBuf,
}

impl Somebody {
    /// Makes one.
    #[track_caller]
    pub(crate) fn new() -> Self {
        let name = format!("it-{}", random_hex());
        let home = PathBuf::from("/tmp").join(&name);
        let home_text = home.to_str().unwrap();
        // Others may be changing the list of users.
        wait_until("a new user", Duration::from_secs(20), || {
            run("useradd", &["--no-log-init", "--user-group", "--create-home", "--home-dir", home_text, &name], b"")
                .map(drop)
        });
        let uid = String::from_utf8(run("id", &["-u", &name], b"").unwrap()).unwrap();
        let uid = uid.trim().parse().unwrap();
        Self { name, uid, home }
    }

    /// Gives the project to them.
    pub(crate) fn own(&self, project: &TestProject) {
        for dir in [project.dir().parent().unwrap(), project.dir()] {
            std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        give(project.dir(), self.uid);
    }

    /// Lets them make the call.
    pub(crate) fn calls(&self, call: Call) -> Call {
        let Self { name, home, .. } = self;
        let call = call.env("HOME", home).env("USER", name).env("LOGNAME", name);
        call.inside([
            "setpriv".to_owned(),
            format!("--reuid={name}"),
            format!("--regid={name}"),
            "--clear-groups".to_owned(),
        ])
    }

    /// Their crontab; empty where there is none.
    #[track_caller]
    pub(crate) fn crontab(&self) -> Vec<u8> {
        match run("crontab", &["-u", &self.name, "-l"], b"") {
            Ok(text) => text,
            Err(error) if error.contains("no crontab for") => Vec::new(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Writes their crontab.
    #[track_caller]
    pub(crate) fn write_crontab(&self, text: impl AsRef<[u8]>) {
        run("crontab", &["-u", &self.name, "-"], text.as_ref()).unwrap();
    }
}

fn give(path: &Path, uid: u32) {
    chown(path, Some(uid), Some(uid)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), uid);
        }
    }
}

/// What a program prints, or what it complains about.
fn run(program: &str, args: &[&str], input: &[u8]) -> Result<Vec<u8>, String> {
    let mut call = command(program);
    call.args(args).env("LC_ALL", "C").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = call.spawn().map_err(|error| error.to_string())?;
    let _ = child.stdin.take().unwrap().write_all(input);
    let Output { status, stdout, stderr } = child.wait_with_output().map_err(|error| error.to_string())?;
    if status.success() { Ok(stdout) } else { Err(format!("{program} {args:?}: {}", String::from_utf8_lossy(&stderr))) }
}

impl Drop for Somebody {
    fn drop(&mut self) {
        let _ = run("crontab", &["-u", &self.name, "-r"], b"");
        let _ = run("userdel", &["--force", "--remove", &self.name], b"");
        let _ = std::fs::remove_dir_all(&self.home);
    }
}
