//! How `setup` makes env files.

use std::time::{Duration, SystemTime};

use crate::support::*;

use super::{drafts, is_fresh_secret, mode, project, value};

const TEMPLATE: &str = "# the shop\nPORT=8080\nDB_PASSWORD=\nJWT_SECRET=change_me # signs sessions\nSTRIPE_API_KEY=\n";

/// Needs no engine: the database is elsewhere. `setup` checks that PostgreSQL's client programs are installed.
fn elsewhere() -> TestProject {
    project(&[(".env.example", TEMPLATE), ("infra.toml", "[database]\nurl = \"env:DATABASE_URL\"\n")])
}

/// Only makes the files.
fn setup(project: &TestProject) -> Call {
    project.xtask(["setup", "--yes", "--no-start", "--services", "none", "--database", "url"])
}

#[test]
fn e01_setup_makes_it_private_with_fresh_secrets_of_our_own() {
    let Some(_postgres) = postgres() else { return };
    let (one, two) = (elsewhere(), elsewhere());
    for project in [&one, &two] {
        setup(project).umask("000").end().ok().shows("write .env (mode 0600)").shows("DB_PASSWORD, JWT_SECRET");
        assert_eq!(mode(&project.path(".env")), 0o600, "whatever the umask");
        assert_eq!(mode(&project.path(".infra")), 0o700);
        assert_eq!(drafts(project), [] as [&str; 0]);
        let text = project.read(".env");
        assert!(text.starts_with("# the shop\nPORT=8080\n") && text.contains(" # signs sessions\n"), "{text}");
        assert_eq!(value(project, ".env", "STRIPE_API_KEY"), "", "what another gives out is not made up");
    }
    for key in ["DB_PASSWORD", "JWT_SECRET"] {
        let secret = |project| value(project, ".env", key).split(' ').next().unwrap().to_owned();
        assert!(is_fresh_secret(&secret(&one)) && is_fresh_secret(&secret(&two)), "{key}");
        assert_ne!(secret(&one), secret(&two), "{key} of two checkouts");
    }
}

#[test]
fn e01_every_other_command_says_who_makes_it() {
    let Some(_engine) = engine() else { return };
    let project = project(&[(".env.example", TEMPLATE)]);
    for command in [&["start"][..], &["stop"], &["ps"], &["build"], &["env", "check"], &["db-shell", "-c", "select 1"]]
    {
        let ended = project.xtask(command).end();
        // Compose may do without.
        if command == ["start"] || command == ["env", "check"] {
            ended.says("the env file .env of environment `development` is missing").says("cargo xtask setup");
        }
        assert!(!project.path(".env").exists());
    }
    project.xtask(["env", "check"]).end().code(78);
    project.xtask(["-e", "development", "env", "fill"]).end().code(78).says("setup");
}

#[test]
fn e01_s07_it_has_its_mode_from_birth_and_is_never_overwritten() {
    let Some(_postgres) = postgres() else { return };
    let Some(_strace) = tool("strace") else { return };
    let project = elsewhere();
    let log = project.path("trace");
    setup(&project).strace("trace=%file,%desc", &log).end().ok();
    let trace = std::fs::read_to_string(&log).unwrap();
    let birth = trace.lines().find(|line| line.contains("/.env.") || line.contains("\"..env.")).into_iter();
    let birth =
        birth.chain(trace.lines().find(|line| line.contains(".env.") && line.contains("O_CREAT"))).last().unwrap();
    assert!(birth.contains("O_EXCL") && birth.contains("O_NOFOLLOW") && birth.contains(", 0600)"), "{birth}");
    let changed = trace.lines().find(|line| line.contains("chmod") && line.contains(".env"));
    assert_eq!(changed, None);
    assert!(trace.contains("RENAME_NOREPLACE"), "the name is only taken if nobody has it");
}

#[test]
fn e02_an_env_file_that_is_there_is_never_touched() {
    let Some(_postgres) = postgres() else { return };
    let project = elsewhere();
    setup(&project).end().ok();
    let first = std::fs::read(project.path(".env")).unwrap();
    let made = project.path(".env").metadata().unwrap().modified().unwrap();
    project.write(".env.example", &format!("{TEMPLATE}NEW_TOKEN=\nNEW_PORT=9\n"));
    setup(&project).end().ok().never_says(".env");
    assert_eq!(std::fs::read(project.path(".env")).unwrap(), first);
    assert_eq!(project.path(".env").metadata().unwrap().modified().unwrap(), made);
    // What it lacks is told, and appended on demand.
    project.xtask(["env", "check"]).end().code(2).shows("NEW_TOKEN is missing").shows("NEW_PORT is missing");
    project.xtask(["env", "fill"]).end().ok().shows("NEW_PORT from the template").shows("new secrets: NEW_TOKEN");
    let text = project.read(".env");
    assert!(text.as_bytes().starts_with(&first) && text.contains("\nNEW_PORT=9\n"), "{text}");
    assert!(is_fresh_secret(&value(&project, ".env", "NEW_TOKEN")));
    assert_eq!(mode(&project.path(".env")), 0o600);
    project.xtask(["env", "fill"]).stdout(".env: nothing to add\n").check();
    assert_eq!(project.read(".env"), text);
}

#[test]
fn e02_what_fill_changes_is_kept_as_it_was_and_no_copy_replaces_another() {
    let old = "\u{feff}A=1 # \u{e9}\r\nB='x";
    let project = project(&[(".env.example", "A=1\nC=2\n"), (".env", &format!("{old}'"))]);
    project.write("infra.toml", "[env.TOKEN]\ngenerate = \"hex:16\"\n");
    let fill = || project.xtask(["env", "fill", "--json"]).end().ok().json()["outcome"]["copy"].clone();
    let first = fill();
    let filled = std::fs::read(project.path(".env")).unwrap();
    project.write(".env.example", "A=1\nC=2\nD=3\n");
    let second = fill();
    project.write(".env.example", "A=1\nC=2\nD=3\nE=4\n");
    fill();
    let copy = |path: &serde_json::Value| std::fs::read(path.as_str().unwrap()).unwrap();
    assert_eq!((copy(&first), copy(&second)), (format!("{old}'").into_bytes(), filled));
    let copies = std::fs::read_dir(project.path(".infra/env")).unwrap().map(|entry| entry.unwrap().path());
    let copies: Vec<_> = copies.collect();
    assert!(copies.len() == 3 && copies.iter().all(|copy| mode(copy) == 0o600), "{copies:?}");
    assert_eq!(mode(&project.path(".infra/env")), 0o700);
    project.xtask(["env", "fill"]).stdout(".env: nothing to add\n").check();
    assert_eq!(
        std::fs::read_dir(project.path(".infra/env")).unwrap().count(),
        3,
        "nothing changed, so nothing is kept"
    );
}

#[test]
fn e02_a_dry_run_fills_nothing() {
    let project = project(&[(".env.example", "A=1\nB=2\n"), (".env", "A=1\n")]);
    project.xtask(["env", "fill", "--dry-run"]).end().ok().shows("# .env: appended B");
    assert_eq!(project.read(".env"), "A=1\n");
}

#[test]
fn e12_ten_setups_at_once_make_one_whole_file() {
    let Some(_postgres) = postgres() else { return };
    let project = elsewhere();
    let running: Vec<Running> = (0..10).map(|_| setup(&project).spawn()).collect();
    let ended: Vec<Ended> = running.into_iter().map(Running::wait).collect();
    // One that had to wait too long says so.
    assert!(ended.iter().all(|ended| [0, 75].contains(&ended.exit)), "{}", ended[0]);
    let made = ended.iter().filter(|ended| ended.stdout.contains("write .env ")).count();
    assert_eq!(made, 1, "one of them made it");
    let text = project.read(".env");
    assert_eq!(text.lines().count(), TEMPLATE.lines().count(), "{text}");
    assert_eq!(drafts(&project), [] as [&str; 0]);
    setup(&project).end().ok();
    assert_eq!(project.read(".env"), text);
}

#[test]
fn e12_killed_at_any_call_the_file_is_whole_or_not_there() {
    let Some(_postgres) = postgres() else { return };
    let Some(_strace) = tool("strace") else { return };
    let mut killed = 0;
    for call in ["openat", "write", "fsync", "renameat2"] {
        // Those of the start of a process are many; what writes files comes after.
        let log = tempfile::NamedTempFile::new().unwrap();
        let counted = elsewhere();
        setup(&counted).strace(&format!("trace={call}"), log.path()).end().ok();
        let trace = std::fs::read_to_string(log.path()).unwrap();
        let all: Vec<&str> = trace.lines().filter(|line| line.contains(&format!("{call}("))).collect();
        let of_file = |line: &&str| line.contains(".env.") && !line.contains(".example");
        let from = all.iter().position(of_file).map_or(1, |at| at + 1);
        for at in (from..=all.len()).take(4) {
            let project = elsewhere();
            let expression = format!("inject={call}:signal=KILL:when={at}");
            let ended = setup(&project).strace(&expression, log.path()).end();
            killed += usize::from(ended.exit == 137);
            if project.path(".env").exists() {
                assert_eq!(project.read(".env").lines().count(), TEMPLATE.lines().count(), "{expression}");
            }
            for draft in drafts(&project) {
                let draft = std::fs::File::options().write(true).open(project.path(&draft)).unwrap();
                draft.set_modified(SystemTime::now() - Duration::from_secs(100)).unwrap();
            }
            setup(&project).end().ok();
            assert!(is_fresh_secret(&value(&project, ".env", "DB_PASSWORD")), "{expression}");
            let left = drafts(&project);
            assert!(left.is_empty() || project.path(".env").exists() && left.len() == 1, "{expression}: {left:?}");
        }
    }
    assert!(killed >= 8, "only {killed} were killed");
}

#[test]
fn e13_without_randomness_nothing_is_written() {
    let Some(_strace) = tool("strace") else { return };
    let project = elsewhere();
    let log = tempfile::NamedTempFile::new().unwrap();
    let ended = setup(&project).strace("inject=getrandom:error=EIO", log.path()).end();
    ended.code(74).says("random");
    assert!(!project.path(".env").exists());
    assert_eq!(drafts(&project), [] as [&str; 0]);
}

#[test]
fn e10_s09_setup_makes_env_files_private_and_says_what_git_would_give_away() {
    let Some(_postgres) = postgres() else { return };
    let Some(_git) = tool("git") else { return };
    let project = elsewhere();
    project.write(".env", "PORT=1\nDB_PASSWORD=fixture-password-of-this-test\n");
    let git = |words: &str| project.xtask(["unused"]).inside(["sh", "-c", &format!("git {words}")]).end().ok().clone();
    git("init -q .");
    std::fs::set_permissions(project.path(".env"), std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let ended = setup(&project).end();
    ended.ok().shows("make .env private (mode 0600)").says("git does not ignore .env");
    assert_eq!(mode(&project.path(".env")), 0o600);
    project.write(".gitignore", ".env\n");
    setup(&project).end().ok().never_says("git");
    git("add -f .env");
    setup(&project).end().ok().says(".env is committed").says("git rm --cached .env");
}
