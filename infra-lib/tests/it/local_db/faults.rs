//! What befalls a server.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::*;

#[test]
fn f01_a_port_that_was_taken_meanwhile_is_exchanged() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    execute(&project, "CREATE TABLE kept AS SELECT 1 AS n");
    project.xtask(["stop"]).end().ok();
    let port = recorded_port(&project);
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    project.xtask(["start"]).end().ok().says(&format!("{port} was taken"));
    assert_ne!(recorded_port(&project), port);
    assert_eq!(ask(&project, "SELECT n FROM kept"), "1");
    drop(taken);
    // It stays where it is now.
    let moved = recorded_port(&project);
    project.xtask(["stop"]).end().ok();
    project.xtask(["start"]).end().ok();
    assert_eq!(recorded_port(&project), moved);
}

#[test]
fn a_killed_server_starts_again_with_what_was_committed() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    execute(&project, "CREATE TABLE kept AS SELECT generate_series(1, 50000) AS n");
    // A query that its process does not interrupt by itself.
    let busy = project.xtask(["db-shell", "-c", "SELECT count(*) FROM generate_series(1, 100000000)"]).spawn();
    std::thread::sleep(Duration::from_millis(300));
    signal(server(&project), Signal::KILL);
    project.xtask(["ps"]).end().ok().shows("stopped");
    project.xtask(["start"]).end().ok();
    assert_eq!(ask(&project, "SELECT count(*) FROM kept"), "50000");
    drop(busy);
}

#[test]
fn a_number_that_another_process_got_after_a_crash_fools_nobody() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    let data = home(&project).join("data");
    project.xtask(["stop"]).end().ok();
    // A process of the server's own user, so that PostgreSQL itself is fooled.
    let uid = std::os::unix::fs::MetadataExt::uid(&data.metadata().unwrap());
    let mut other = if is_root() {
        command("setpriv").args([&format!("--reuid={uid}"), "--clear-groups", "sleep", "60"]).spawn().unwrap()
    } else {
        command("sleep").arg("60").spawn().unwrap()
    };
    let stale = format!("{}\n{}\n1700000000\n5999\n\n127.0.0.1\n\nready   \n", other.id(), data.display());
    std::fs::write(data.join("postmaster.pid"), stale).unwrap();
    chown(data.join("postmaster.pid"), Some(uid), None).unwrap();
    project.xtask(["ps"]).end().ok().shows("stopped");
    project.xtask(["stop"]).stdout("nothing was running\n").check();
    assert!(other.try_wait().unwrap().is_none(), "the other process was stopped");
    project.xtask(["start"]).end().ok();
    assert_eq!(ask(&project, "SELECT 1"), "1");
    assert!(other.try_wait().unwrap().is_none(), "the other process was stopped");
    // A file of which a crash has left only the name.
    project.xtask(["stop"]).end().ok();
    std::fs::write(data.join("postmaster.pid"), "").unwrap();
    project.xtask(["start"]).end().ok();
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn a_setup_that_was_killed_at_any_moment_heals() {
    let Some(_postgres) = postgres() else { return };
    let project = project().file("infra.toml", "[project]\nname = \"@name@\"\n[database]\ninit = [\"init.sql\"]\n");
    project.write("init.sql", "CREATE TABLE made (n int); SELECT pg_sleep(0.3); INSERT INTO made VALUES (1);\n");
    for delay in [50, 300, 700, 1200, 1800] {
        let running = project.xtask(["setup", "--yes"]).spawn();
        std::thread::sleep(Duration::from_millis(delay));
        // The whole group of ours; what runs in groups of its own goes on, as after a crash of this tool.
        running.signal(Signal::KILL);
        drop(running.wait());
        project.xtask(["start"]).end();
    }
    project.xtask(["setup", "--yes"]).end().ok();
    assert_eq!(ask(&project, "SELECT count(*) FROM made"), "1");
    let home = home(&project);
    assert!(!home.join("data.new").exists() && !home.join("pwfile").exists());
    project.xtask(["stop"]).end().ok();
    assert_eq!(processes_in(&home), [""; 0]);
}

#[test]
fn i05_an_interrupted_setup_leaves_nothing() {
    let Some(_postgres) = postgres() else { return };
    let project = project().file("infra.toml", "[project]\nname = \"@name@\"\n[database]\ninit = [\"init.sql\"]\n");
    project.write("init.sql", "SELECT pg_sleep(60);\n");
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        for after in ["creating a local database", "running init.sql"] {
            let running = project.xtask(["setup", "--yes"]).spawn();
            running.until(after);
            std::thread::sleep(Duration::from_millis(100));
            let began = Instant::now();
            running.signal(signal);
            let ended = running.wait();
            ended.code(code);
            assert!(began.elapsed() < Duration::from_secs(30), "{:?} after {after}", began.elapsed());
            assert_eq!(survivors(&ended.mark), [""; 0]);
            let inside = project.path(".infra/postgres");
            assert!(!inside.exists());
        }
    }
    let outside = std::fs::read_dir("/var/lib/infra").into_iter().flatten().flatten();
    let ours = outside.filter(|entry| entry.file_name().to_string_lossy().starts_with(project.name()));
    assert_eq!(ours.count(), 0);
}

#[test]
fn data_that_is_gone_is_never_replaced_by_an_empty_database_but_by_setup() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    project.xtask(["stop"]).end().ok();
    let data = home(&project).join("data");
    std::fs::rename(&data, data.with_extension("away")).unwrap();
    project.xtask(["start"]).end().code(69).says("no longer in");
    project.xtask(["db-shell", "-c", "SELECT 1"]).end().code(69);
    assert!(!data.exists());
    // A new one that cannot be made does not take with it what was put aside.
    project.write("infra.toml", "[project]\nname = \"@name@\"\n[database]\nuser = \"a'b\"\n");
    project.xtask(["setup", "--yes"]).end().code(78);
    project.write("infra.toml", "[project]\nname = \"@name@\"\n");
    std::fs::rename(data.with_extension("away"), &data).unwrap();
    project.xtask(["start"]).end().ok();
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    project.xtask(["stop"]).end().ok();
    let conf = home(&project).join("data/postgresql.conf");
    let text = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, format!("{text}\nno_such_setting = 1\n")).unwrap();
    project.xtask(["start"]).end().code(1).says("no_such_setting").says("cargo xtask logs");
    std::fs::write(&conf, text).unwrap();
    project.xtask(["start"]).end().ok();
}

#[test]
fn i01_two_setups_at_once_make_one_database() {
    let Some(_postgres) = postgres() else { return };
    let project = project();
    let calls = [0, 1].map(|_| project.xtask(["setup", "--yes"]).spawn());
    let codes = calls.map(|call| call.wait().exit);
    assert!(codes.contains(&0) && codes.iter().all(|code| matches!(code, 0 | 75)), "{codes:?}");
    assert_eq!(ask(&project, "SELECT 1"), "1");
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing() {
    let (Some(_postgres), Some(_unshare)) = (postgres(), tool("unshare")) else { return };
    let Some(project) = of_nobody(project().file(".infra/.gitignore", "*\n")) else { return };
    let state = project.path(".infra");
    let mount = format!("mount -t tmpfs -o size=12m,mode=700,uid={NOBODY},gid={NOBODY} none '{}'", state.display());
    let look = format!("{mount} && \"$@\"; code=$?; ls -A '{}'; exit $code", state.display());
    let setup = project.xtask(["setup", "--yes"]).user(NOBODY).inside(["unshare", "-m", "sh", "-c", &look, "sh"]).end();
    setup.code(73).says("No space left on device").never_says("postgres\n");
    assert_eq!(survivors(&setup.mark), [""; 0]);
}

#[test]
fn the_version_that_made_a_cluster_is_needed_to_run_it() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    project.xtask(["stop"]).end().ok();
    let identity = home(&project).join("cluster.json");
    let text = std::fs::read_to_string(&identity).unwrap();
    let mut other: serde_json::Value = serde_json::from_str(&text).unwrap();
    other["major"] = 99.into();
    std::fs::write(&identity, other.to_string()).unwrap();
    project.xtask(["start"]).end().code(69).says("version 99, which created the local database; here are");
    std::fs::write(&identity, text).unwrap();
    project.write("infra.toml", "[project]\nname = \"@name@\"\n[database]\nlocal = { version = \"<13\" }\n");
    project.xtask(["setup", "--yes"]).end().code(78).says("infra.toml requires one of version <13");
    // What is there is used all the same.
    project.xtask(["start"]).end().ok();
}
