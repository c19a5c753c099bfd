//! Where clusters live.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use super::*;

/// The user a process runs as.
fn user_of(pid: i32) -> u32 {
    std::fs::metadata(format!("/proc/{pid}")).unwrap().uid()
}

#[test]
fn as_root_below_a_private_folder_the_server_runs_as_somebody_else_and_outside() {
    let Some(_postgres) = postgres() else { return };
    if !is_root() {
        eprintln!("left out: this needs root");
        return;
    }
    let project = project();
    set_permissions(project.dir().parent().unwrap(), Permissions::from_mode(0o700)).unwrap();
    project.xtask(["setup", "--yes"]).umask("077").end().ok();
    let home = home(&project);
    assert!(home.starts_with("/var/lib/infra"), "{}", home.display());
    let server = server(&project);
    assert_ne!(user_of(server), 0);
    assert_eq!(home.join("data").metadata().unwrap().uid(), user_of(server));
    // The folder itself is not the server's.
    assert_eq!((home.metadata().unwrap().uid(), home.metadata().unwrap().mode() & 0o777), (0, 0o711));
}

#[test]
fn as_root_without_the_right_to_look_into_processes_as_in_a_container() {
    let (Some(_postgres), Some(_setpriv)) = (postgres(), tool("setpriv")) else { return };
    if !is_root() {
        return;
    }
    let project = project();
    let run =
        |args: &[&str]| project.xtask(args.iter().copied()).inside(["setpriv", "--bounding-set", "-sys_ptrace"]).end();
    run(&["setup", "--yes"]).ok();
    run(&["ps"]).ok().shows("running");
    run(&["stop"]).ok().says("shut down cleanly");
    run(&["start"]).ok();
    signal(server(&project), rustix::process::Signal::KILL);
    run(&["start"]).ok();
    run(&["clean", "--all", "--yes"]).ok();
}

#[test]
fn an_ordinary_users_cluster_lies_in_the_project() {
    let Some(_postgres) = postgres() else { return };
    let Some(project) = of_nobody(project()) else { return };
    let run = |args: &[&str]| project.xtask(args.iter().copied()).user(NOBODY).end();
    run(&["setup", "--yes"]).ok();
    run(&["db-shell", "-c", "SELECT 1"]).ok();
    assert_eq!(home(&project), project.path(".infra/postgres"));
    assert_eq!(user_of(server(&project)), NOBODY);
    run(&["stop"]).ok().says("shut down cleanly");
    run(&["start"]).ok();
    run(&["clean", "--all", "--yes"]).ok();
    assert!(!project.path(".infra/postgres").exists());
}

#[test]
fn another_users_cluster_is_refused_and_root_can_work_on_anybodys() {
    let Some(_postgres) = postgres() else { return };
    let Some(project) = of_nobody(project()) else { return };
    project.xtask(["setup", "--yes"]).user(NOBODY).end().ok();
    project.xtask(["stop"]).end().ok().says("shut down cleanly");
    project.xtask(["start"]).end().ok();
    assert_eq!(user_of(server(&project)), NOBODY);
}

#[test]
fn paths_longer_than_a_socket_allows_and_of_any_characters() {
    let Some(_postgres) = postgres() else { return };
    let folder = format!("{}/a b'c\"d$(touch pwned)`e`;é*/@name@", "long".repeat(30));
    let project = TestProject::in_folder(&folder, "@name@").file("infra.toml", "[project]\nname = \"@name@\"\n");
    if is_root() {
        // As an ordinary user, since root's cluster lies elsewhere.
        let mut dir = project.dir().to_owned();
        while dir.parent().is_some_and(|parent| parent != std::env::temp_dir().canonicalize().unwrap()) {
            dir.pop();
            set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        }
        let Some(project) = of_nobody(project) else { return };
        let run = |args: &[&str]| project.xtask(args.iter().copied()).user(NOBODY).end();
        run(&["setup", "--yes"]).ok();
        run(&["db-shell", "-c", "SELECT 1"]).ok();
        run(&["stop"]).ok().says("shut down cleanly");
        assert!(home(&project).starts_with(project.dir()) && home(&project).as_os_str().len() > 150);
        assert!(!project.path("pwned").exists() && !home(&project).join("pwned").exists());
    } else {
        project.xtask(["setup", "--yes"]).end().ok();
        project.xtask(["stop"]).end().ok().says("shut down cleanly");
    }
}

#[test]
fn two_checkouts_and_two_environments_have_four_databases() {
    let Some(_postgres) = postgres() else { return };
    let make = || project().file(".env.staging", "# another one\n");
    let (first, second) = (make(), make());
    for (project, base) in [(&first, 10), (&second, 20)] {
        project.xtask(["setup", "--yes"]).end().ok();
        // Not before its own setup.
        project.xtask(["-e", "staging", "start"]).end().code(69).says("-e staging setup");
        project.xtask(["-e", "staging", "setup", "--yes"]).end().ok();
        for (environment, number) in [("development", base), ("staging", base + 1)] {
            let sql = format!("CREATE TABLE kept AS SELECT {number} AS n");
            project.xtask(["-e", environment, "db-shell", "-c", &sql]).end().ok();
        }
    }
    for (project, base) in [(&first, 10), (&second, 20)] {
        for (environment, number) in [("development", base), ("staging", base + 1)] {
            let answer = project.xtask(["-e", environment, "db-shell", "-c", "TABLE kept"]).end();
            answer.ok().shows(&format!(" {number}\n"));
        }
        assert_ne!(home_of(project, "development"), home_of(project, "staging"));
        project.xtask(["-e", "staging", "stop"]).end().ok();
        assert_eq!(ask(project, "SELECT count(*) FROM kept"), "1");
    }
}

#[test]
fn a_copied_checkout_never_opens_the_originals_data() {
    let Some(_postgres) = postgres() else { return };
    let original = set_up();
    execute(&original, "CREATE TABLE kept AS SELECT 1 AS n");
    let copy = TestProject::new();
    let from = format!("{}/.", original.dir().display());
    assert!(command("cp").args(["-r", &from]).arg(copy.dir()).status().unwrap().success());
    if home(&original).starts_with(original.dir()) {
        return; // Inside the project, the data was copied with it.
    }
    copy.xtask(["start"]).end().code(77).says("belongs to");
    copy.xtask(["clean", "--all", "--yes"]).end();
    assert_eq!(ask(&original, "SELECT n FROM kept"), "1");
    copy.xtask(["setup", "--yes"]).end().ok().says("a new, empty one");
    assert_ne!(home(&copy), home(&original));
    assert_eq!(ask(&copy, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'"), "0");
    assert_eq!(ask(&original, "SELECT n FROM kept"), "1");
}

#[test]
fn a_moved_checkout_and_a_lost_state_folder_keep_their_database() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    execute(&project, "CREATE TABLE kept AS SELECT 1 AS n");
    let outside = home(&project).is_absolute() && !home(&project).starts_with(project.dir());
    if outside {
        std::fs::remove_dir_all(project.path(".infra")).unwrap();
        project.xtask(["start"]).end().code(69);
        project.xtask(["setup", "--yes"]).end().ok().says("found this checkout's local database");
        assert_eq!(ask(&project, "SELECT n FROM kept"), "1");
    }
    // What is there under the new name is the same project.
    let moved = TestProject::new();
    std::fs::remove_dir(moved.dir()).unwrap();
    std::fs::rename(project.dir(), moved.dir()).unwrap();
    moved.xtask(["start"]).end().ok();
    assert_eq!(ask(&moved, "SELECT n FROM kept"), "1");
}
