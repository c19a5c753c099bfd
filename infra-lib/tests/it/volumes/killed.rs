//! Runs that are killed, and what the next one finds.

use rustix::process::Signal;

use super::*;

#[test]
fn a05_kill_mid_backup() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    within(&project, "dd if=/dev/urandom of=big bs=1M count=300 2>/dev/null");
    for enough in [1_u64, 20_000_000, 100_000_000] {
        let running = project.xtask(["volume-backup", "media"]).spawn();
        wait_until("part of the archive is written", Duration::from_secs(60), || {
            let parts = std::fs::read_dir(project.path("backups")).into_iter().flatten().flatten();
            let parts = parts.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tar.gz.infra-part"));
            let bytes: u64 = parts.filter_map(|entry| entry.metadata().ok()).map(|stat| stat.len()).sum();
            if bytes >= enough { Ok(()) } else { Err(format!("{bytes} bytes")) }
        });
        running.signal(Signal::KILL);
        running.wait().code(137);
        assert!(kept(&project).is_empty());
    }
    let ended = project.xtask(["volume-backup", "media"]).end();
    ended.ok().says("left behind by an interrupted run");
    let _ = archive(&project);
    no_one_offs(&project);
    let hidden = std::fs::read_dir(project.path("backups")).unwrap().flatten();
    assert!(
        hidden
            .map(|entry| entry.file_name().into_string().unwrap())
            .all(|name| !name.ends_with("-part") && !name.contains("pipe"))
    );
}

#[test]
fn c09_kill_mid_restore_leaves_exactly_the_old_or_exactly_the_new() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    within(
        &project,
        "for n in $(seq 1 400); do echo old >old-$n; done; mkdir d; echo 1 >d/x; dd if=/dev/urandom of=big bs=1M count=60 2>/dev/null",
    );
    let archived = portrait(&project);
    project.xtask(["volume-backup", "media", "--name", "base"]).end().ok();
    within(&project, "rm -rf ./*; for n in $(seq 1 400); do echo new >new-$n; done; mkdir d; echo 2 >d/x");
    let mut ends = [0, 0];
    let moments = [
        ("stopping web", 0),
        ("backing up the volume", 300),
        ("restoring the volume", 100),
        ("restoring the volume", 900),
        ("restoring the volume", 1500),
        ("starting web", 50),
    ];
    for (moment, pause) in sample(&moments, 2) {
        let other = portrait(&project);
        let running = project.xtask(["volume-restore", "media", "base", "--yes"]).spawn();
        running.until(moment);
        std::thread::sleep(Duration::from_millis(pause));
        running.signal(Signal::KILL);
        running.wait();
        // Whatever it left: the services start, and see one of the two.
        project.xtask(["start"]).end().ok();
        let now = portrait(&project);
        assert!(now == archived || now == other, "after {moment} and {pause} ms:\n{now}");
        ends[usize::from(now == archived)] += 1;
        assert_eq!(project.state("web"), "running");
        no_one_offs(&project);
        // It can be done again, and then is.
        project.xtask(["volume-restore", "media", "base", "--yes"]).end().ok();
        assert_eq!(portrait(&project), archived);
        within(&project, "rm -rf ./*; for n in $(seq 1 400); do echo new >new-$n; done; mkdir d; echo 2 >d/x");
    }
    assert!(ends[0] > 0, "{ends:?}");
}

/// Each state that a crash can leave, put there by hand.
#[test]
fn c09_each_step_of_an_exchange_is_undone_or_finished() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    let word = ".infra-restore-0123456789abcdef";
    let make = |script: &str| within(&project, &format!("rm -rf ./* ./.i*; {}", script.replace('@', word)));
    let root = "printf '7:8\\n750\\n1000000000\\n'";
    let cases = [
        // Unpacking: nothing was moved.
        ("mkdir -p @/new @/old; echo n >@/new/f; echo o >f; echo o >g", "f o g o", "undone"),
        // Some of the old is away.
        ("mkdir -p @.away/new @.away/old; echo n >@.away/new/f; echo o >@.away/old/f; echo o >g", "f o g o", "undone"),
        // All of the old is away, and some of the new is in.
        (
            &*format!(
                "mkdir -p @.in/new @.in/old; {root} >@.in/root; echo n >@.in/new/f; echo n >'h i'; echo o >@.in/old/f"
            ),
            "f n h i n",
            "completed",
        ),
        // Only the old is still to be removed.
        ("mkdir -p @.done/new @.done/old; echo o >@.done/old/f; echo n >f", "f n", "undone"),
    ];
    for (state, expected, word) in cases {
        make(state);
        let ended = project.xtask(["volume-backup", "media"]).end();
        ended.ok();
        let found =
            within(&project, "for f in *; do echo \"$f\" $(cat \"$f\"); done; ls -A | grep -c infra-restore || true");
        assert_eq!(found.replace('\n', " "), format!("{expected} 0"), "{state}");
        if !state.contains("@.done") {
            ended.says(&format!("an interrupted restore of the volume media was {word}"));
        }
    }
    make(cases[2].0);
    project.xtask(["volume-backup", "media"]).end().ok();
    assert_eq!(within(&project, "stat -c '%u:%g %a' ."), "7:8 750");
}
