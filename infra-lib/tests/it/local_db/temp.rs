//! Throw-away databases.

use std::io::{BufRead as _, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Stdio};
use std::time::Duration;

use infra_lib::postgres::TempDatabase;
use rustix::process::Signal;

use super::*;

/// Its folder.
fn folder(database: &TempDatabase) -> PathBuf {
    let data = PathBuf::from(database.query("SHOW data_directory").unwrap());
    data.parent().unwrap().to_owned()
}

#[track_caller]
fn gone(folder: &Path) {
    assert!(!folder.exists(), "{} is still there", folder.display());
    assert_eq!(processes_in(folder), [""; 0]);
}

#[test]
fn one_line_and_it_is_gone_when_dropped() {
    let Some(_postgres) = postgres() else { return };
    let database = TempDatabase::start().unwrap();
    assert_eq!(database.query("CREATE TABLE t AS SELECT 1 AS a, 'x' AS b; SELECT * FROM t").unwrap(), "1\tx");
    let error = database.query("SELECT * FROM missing").unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    let url = database.url();
    assert!(url.expose().starts_with("postgres://postgres:") && url.to_string() == "***");
    let psql = command("psql").arg(url.expose()).args(["-Atc", "SELECT current_user"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&psql.stdout), "postgres\n");
    assert!(!format!("{database:?}").contains(database.password().expose()));
    let folder = folder(&database);
    drop(database);
    gone(&folder);
}

#[test]
fn several_at_once_and_one_that_panics() {
    let Some(_postgres) = postgres() else { return };
    std::thread::scope(|scope| {
        let folders: Vec<_> = (0..4)
            .map(|n| {
                scope.spawn(move || {
                    let mut seen = PathBuf::new();
                    let result = catch_unwind(AssertUnwindSafe(|| {
                        let database = TempDatabase::start().unwrap();
                        seen = folder(&database);
                        database.query(&format!("CREATE TABLE t AS SELECT {n} AS n")).unwrap();
                        assert_eq!(database.query("SELECT n FROM t").unwrap(), n.to_string());
                        assert_ne!(n, 1, "on purpose");
                    }));
                    assert_eq!(result.is_err(), n == 1);
                    seen
                })
            })
            .collect();
        for folder in folders {
            gone(&folder.join().unwrap());
        }
    });
}

const CHILD: &str = "INFRA_TEST_TEMP_CHILD";

/// Not a test by itself: the process that the tests below kill.
#[test]
fn a_child_that_waits_to_be_killed() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let database = TempDatabase::start().unwrap();
    println!("\nin {}", folder(&database).display());
    std::thread::sleep(Duration::from_secs(60));
}

/// This test binary once more, with a database, and where that is.
fn child(around: &[&str]) -> (Child, PathBuf) {
    let test = "local_db::temp::a_child_that_waits_to_be_killed";
    let binary = std::env::current_exe().unwrap();
    let mut words: Vec<&str> = around.to_vec();
    words.extend([binary.to_str().unwrap(), "--exact", test, "--nocapture"]);
    let mut child = command(words[0]).args(&words[1..]).env(CHILD, "1").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let folder = lines.find_map(|line| line.unwrap().strip_prefix("in ").map(PathBuf::from)).expect("a database");
    (child, folder)
}

#[test]
fn what_a_killed_test_left_is_removed_by_the_next_start() {
    let Some(_postgres) = postgres() else { return };
    let (mut dead, left) = child(&[]);
    let (mut alive, kept) = child(&[]);
    dead.kill().unwrap();
    dead.wait().unwrap();
    assert!(left.exists() && !processes_in(&left).is_empty());
    let database = TempDatabase::start().unwrap();
    gone(&left);
    // Another test's database, which is in use, is left alone.
    assert!(kept.exists() && !processes_in(&kept).is_empty());
    drop(database);
    signal(alive.id().cast_signed(), Signal::KILL);
    alive.wait().unwrap();
    drop(TempDatabase::start().unwrap());
    gone(&kept);
}

#[test]
fn an_ordinary_user_has_it_too_and_root_without_a_reachable_temporary_folder() {
    let Some(_postgres) = postgres() else { return };
    let somewhere = tempfile::tempdir().unwrap();
    if !is_root() {
        return;
    }
    // As root, below a folder of mode 0700 that PostgreSQL's user cannot enter.
    std::fs::set_permissions(somewhere.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let private = format!("TMPDIR={}", somewhere.path().display());
    let (mut root, folder) = child(&["env", &private]);
    assert!(!folder.starts_with(somewhere.path()));
    root.kill().unwrap();
    root.wait().unwrap();
    let probe = project().open_to_all();
    if give_to_nobody(&probe) {
        let temp = format!("TMPDIR={}", probe.dir().display());
        let (mut user, folder) = child(&["env", &temp, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
        assert!(folder.starts_with(probe.dir()), "{}", folder.display());
        assert_eq!(std::os::unix::fs::MetadataExt::uid(&folder.join("data").metadata().unwrap()), NOBODY);
        user.kill().unwrap();
        user.wait().unwrap();
        for process in processes_in(&folder) {
            let pid: i32 = process.trim_start_matches("/proc/").parse().unwrap();
            signal(pid, Signal::QUIT);
        }
    }
    drop(TempDatabase::start().unwrap());
    gone(&folder);
}
