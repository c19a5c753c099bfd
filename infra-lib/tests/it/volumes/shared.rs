//! One volume of several checkouts.

use rustix::process::Signal;

use super::*;

#[test]
fn d35_two_checkouts_do_not_work_on_one_volume_at_the_same_time() {
    let Some(_engine) = engine() else { return };
    let first = TestProject::new();
    let volume = format!("{}-shared", first.name());
    docker(["volume", "create", &volume]);
    let compose = format!(
        "services:\n  web: {{{SLEEPS}, volumes: ['media:/data']}}\nvolumes: {{media: {{external: true, name: {volume}}}}}\n"
    );
    let (first, second) = (first.compose(&compose), TestProject::new().compose(&compose));
    first.xtask(["start"]).end().ok();
    within(&first, "echo good >file; dd if=/dev/urandom of=big bs=1M count=100 2>/dev/null");
    first.xtask(["volume-backup", "media"]).end().ok();
    within(&first, "echo bad >file");

    let running = first.xtask(["volume-restore", "media", "latest", "--confirm", first.name()]).spawn();
    running.until("restoring the volume");
    running.signal(Signal::STOP);
    let refused = second.xtask(["volume-backup", "media"]).end();
    refused.code(75).says(&format!("`volume-restore of {} in {}`", first.name(), first.dir().display()));
    let refused = second.xtask(["backup"]).end();
    assert_ne!(refused.exit, 101, "{refused}");
    running.signal(Signal::CONT);
    running.wait().ok();
    assert_eq!(within(&first, "cat file; ls -A | wc -l"), "good\n2");
    second.xtask(["volume-backup", "media"]).end().ok();

    // A run that is killed releases it.
    let running = second.xtask(["volume-backup", "media"]).spawn();
    running.until("backing up the volume");
    running.signal(Signal::KILL);
    running.wait();
    first.xtask(["volume-restore", "media", "latest", "--confirm", first.name()]).end().ok();
    let left = || docker(["ps", "-aq", "--filter", &format!("label=infra.lock.volume={volume}")]);
    assert_eq!(left(), "");
    first.xtask(["stop"]).end().ok();
    first.xtask(["clean", "--yes"]).end();
    drop((first, second));
    docker(["volume", "rm", &volume]);
}
