//! A real cron daemon, with its own environment.

use std::process::{Child, Stdio};
use std::time::Duration;

use super::*;

/// The daemon that runs, or one of our own that ends with the test.
struct Daemon(Option<Child>);

impl Daemon {
    fn ensure(owned: &Owned) -> Self {
        if owned.xtask("schedule check").end().stdout.contains("ok    daemon cron") {
            return Self(None);
        }
        // The machine's own jobs are none of this test's business.
        let script = "mount -t tmpfs none /etc/cron.d && mount --bind /dev/null /etc/crontab && exec cron -f";
        let mut cron = command("unshare");
        let cron = cron.args(["--mount", "sh", "-c", script]).stdin(Stdio::null()).stderr(Stdio::null());
        Self(Some(cron.spawn().unwrap()))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What cron does here.
const JOB: &str = "describe";

#[test]
fn i10_a_real_cron_runs_the_job_and_a_silent_cron_is_noticed() {
    let Some(()) = cron() else { return };
    let Some(_postgres) = postgres() else { return };
    let owned = owned();
    owned.xtask("setup --services none --database local --yes").end().ok();
    owned.xtask(&format!("schedule install --at 'every 1m' -- {JOB}")).end().ok();
    let daemon = Daemon::ensure(&owned);
    wait_until("cron has run the job", Duration::from_secs(75), || {
        let outcome = owned.xtask("schedule check --json").end().outcome();
        let last = &outcome["jobs"][0]["last"];
        if last["outcome"] == "ok" { Ok(()) } else { Err(outcome.to_string()) }
    });
    owned.xtask("schedule check").end().ok().shows("ok    daemon cron").shows("nothing is wrong");
    drop(daemon);
}
