//! Removals that do not end.

use super::*;

#[test]
fn g08_a_volume_in_use_is_3_and_the_next_run_converges() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["start"]).end().ok();
    let volume = format!("{}_data", project.name());
    let user = format!("{}-user", project.name());
    docker([
        "run",
        "-d",
        "--init",
        "--network=none",
        "--name",
        &user,
        "-v",
        &format!("{volume}:/x"),
        "--entrypoint=sleep",
        IMAGE,
        "99",
    ]);
    let mut others = Bystanders::new();
    others.watch("container", &*user);
    let ended = project.xtask(["clean", "--all", "--yes"]).end();
    ended.code(3).shows(&format!("not removed: volume {volume}")).shows("-web-1");
    others.unchanged();
    assert!(project.containers("").is_empty() && volume_exists(&volume));
    drop(others);
    project.xtask(["clean", "--all", "--yes"]).end().ok().shows(&volume);
    project.xtask(["clean", "--all", "--yes"]).end().ok().shows("nothing to remove");
}

#[test]
fn g08_a_clean_that_was_killed_is_finished_by_the_next() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!(
        "services:\n  a: {{{SLEEPS}}}\n  b: {{{SLEEPS}}}\n  c: {{{SLEEPS}, volumes: ['data:/data']}}\nvolumes: {{data: {{}}}}\n"
    ));
    for step in ["-a-1", "-b-1", "network"] {
        project.xtask(["start"]).end().ok();
        let running = project.xtask(["clean", "--all", "--yes"]).spawn();
        running.until(&format!("removing {}", if step == "network" { "network" } else { "container" }));
        running.until(step);
        running.signal(Signal::KILL);
        running.wait().code(137);
        project.xtask(["clean", "--all", "--yes"]).end().ok();
        assert!(project.containers("").is_empty());
        assert!(!volume_exists(&format!("{}_data", project.name())));
        assert!(!network_exists(&format!("{}_default", project.name())));
    }
}

#[test]
fn g08_an_interrupted_clean_says_what_is_left() {
    let Some(_engine) = engine() else { return };
    // It takes its time to stop, so that there is a moment to interrupt.
    let slow = "image: @image@, entrypoint: [sh, -c, \"trap 'sleep 3; exit 0' TERM INT; sleep 99 & wait\"]";
    let project = TestProject::new().compose(&format!("services:\n  a: {{{SLEEPS}}}\n  b: {{{slow}}}\n"));
    project.xtask(["start"]).end().ok();
    let running = project.xtask(["clean", "--yes"]).spawn();
    running.until("-b-1");
    running.signal(Signal::INT);
    let ended = running.wait();
    assert!([3, 130].contains(&ended.exit), "{ended}");
    assert!((ended.stdout.clone() + &ended.stderr).contains(&format!("{}-b-1", project.name())), "{ended}");
    assert!(ended.took < Duration::from_secs(60), "{ended}");
    project.xtask(["clean", "--yes"]).end().ok();
    assert!(project.containers("").is_empty());
}
