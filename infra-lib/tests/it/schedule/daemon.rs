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

#[test]
fn i10_a_real_cron_makes_backups_and_a_missed_one_turns_health_red() {
    let Some(()) = cron() else { return };
    let Some(_postgres) = postgres() else { return };
    let owned = owned();
    owned.project.write("infra.toml", "[backup]\nmax-age = \"1h\"\n");
    owned.user.own(&owned.project);
    owned.xtask("setup --services none --database local --yes").end().ok();
    owned.xtask("db-shell -c 'create table goods as select generate_series(1, 1000) as id'").end().ok();
    owned.xtask("schedule install --at 'every 1m' -- db-backup --name nightly").end().ok();
    let daemon = Daemon::ensure(&owned);
    wait_until("cron has made a backup", Duration::from_secs(75), || {
        let outcome = owned.xtask("schedule check --json").end().outcome();
        let last = &outcome["jobs"][0]["last"];
        if last["outcome"] == "ok" { Ok(()) } else { Err(outcome.to_string()) }
    });
    owned.xtask("schedule check").end().ok().shows("ok    daemon cron").shows("no problems");
    drop(daemon);

    let list = owned.xtask("db-backup --list --json").end().ok().outcome();
    assert!(list.to_string().contains("nightly"), "{list}");
    owned.xtask("db-verify latest --drill").end().ok();
    owned.xtask("health --only backup-age,job").end().ok();
    // A night on which it cannot be made is short to read, and known.
    owned.xtask("stop").end().ok();
    let ended = owned.as_cron(&owned.lines()[0]);
    assert!(ended.exit != 0 && ended.stdout.is_empty() && ended.stderr.lines().count() <= 20, "{ended}");
    owned.xtask("health --only job").end().code(2).shows("FAIL    job ");
    // Nobody has made another one in time.
    owned.project.write("infra.toml", "[backup]\nmax-age = \"1s\"\n");
    wait_until("the backup is too old", Duration::from_secs(5), || {
        let health = owned.xtask("health --only backup-age").end();
        if health.exit == 2 { Ok(()) } else { Err(health.to_string()) }
    });
}
