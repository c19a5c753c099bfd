//! What is said about env files, and what a call does with them.

use crate::support::*;

use super::{WEB, project};

#[test]
fn e03_a_key_that_stands_twice_is_told_with_both_lines() {
    let project = project(&[(".env", "A=1\nJWT_SECRET=x\n\nA=canary\n")]);
    for command in [&["env", "check"][..], &["start"], &["health"]] {
        let ended = project.xtask(command).end();
        ended.code(78).says(".env: duplicate key A (lines 1 and 4)").never_says("canary");
    }
}

#[test]
fn e04_what_nobody_reads_alike_is_refused_with_its_place() {
    let cases: [(&[u8], &str); 6] = [
        (b"A=1\nB='canary\n", ".env:2:"),
        (b"A=1\n\nB=\"canary\n", ".env:3:"),
        (b"A=can\0ary\n", ".env:1:"),
        (b"A=1\nB=\xff\xfecanary\n", ".env:2:"),
        (b"A='x' canary\n", ".env:1:"),
        (b"A=${canary\n", ".env:1:"),
    ];
    for (bytes, place) in cases {
        let project = project(&[]);
        std::fs::write(project.path(".env"), bytes).unwrap();
        for command in [&["env", "check"][..], &["start"]] {
            let ended = project.xtask(command).end();
            ended.code(78).says(place).never_says("canary");
            let at = ended.stderr.split(place).nth(1).unwrap();
            assert!(at.starts_with(|c: char| c.is_ascii_digit()), "a column: {ended}");
        }
    }
}

#[test]
fn e04_windows_files_are_read_and_warned_about() {
    let project = project(&[(".env", "\u{feff}A=one\r\nB=two\r\n")]);
    project.xtask(["env", "check"]).end().ok().shows("byte order mark").shows("Windows line endings");
    project.xtask(["env", "print"]).stdout("A=one\nB=two\n").check();
    let Some(_engine) = engine() else { return };
    project.write("compose.yml", &WEB.replace("${JWT_SECRET-}", "${B}"));
    project.xtask(["start"]).end().ok();
    let env = docker(["inspect", "--format", "{{json .Config.Env}}", &project.container("web")]);
    assert!(env.contains("\"SECRET=two\""), "{env}");
}

#[test]
fn e05_values_that_others_read_otherwise_are_warned_about() {
    let project = project(&[(".env", "A=pa$$sword#1\nB=two words\nC='quoted'\nD=fine-1.2:3/4@5\nE=back\\slash\n")]);
    let ended = project.xtask(["env", "check"]).end();
    for line in [".env:1: A ", ".env:2: B ", ".env:3: C ", ".env:5: E "] {
        ended.ok().shows(&format!("warning: {line}"));
    }
    ended.never_says(".env:4: D ");
}

#[test]
fn e06_the_shell_that_hides_the_file_is_shown() {
    let project = project(&[(".env", "POSTGRES_DB=shop\nPOSTGRES_USER=shop\nDB_PASSWORD=fixture-canary\n")]);
    let call = |key: &str| {
        let call = project.xtask(["env", "explain", key, "--json"]);
        let call = call.env("POSTGRES_DB", "other").env("DB_PASSWORD", "shell-canary");
        let ended = call.end();
        ended.ok().never_says("canary");
        ended.outcome()["variables"][0].clone()
    };
    let shadowed = call("POSTGRES_DB");
    assert_eq!((&shadowed["value"], &shadowed["origin"]["kind"]), (&"other".into(), &"shell".into()), "{shadowed}");
    assert_eq!(shadowed["shadowed"][0]["origin"]["line"], 1, "{shadowed}");
    assert_eq!(shadowed["shadowed"][0]["same"], false, "{shadowed}");
    assert_eq!(call("POSTGRES_USER")["origin"]["kind"], "file");
    assert_eq!(call("DB_PASSWORD")["value"], "***");
    project.xtask(["env", "explain", "POSTGRES_BD"]).end().code(66).says("did you mean `POSTGRES_DB`?");
    project.xtask(["env", "explain"]).env("POSTGRES_DB", "other").end().ok().shows("shell").shows("overrides ");
}

/// What `start` would run.
fn dry(project: &TestProject, env: &[(&str, &str)]) -> String {
    let call = env.iter().fold(project.xtask(["start", "--dry-run"]), |call, (key, value)| call.env(key, value));
    call.end().ok().stdout.clone()
}

#[test]
fn e07_only_the_projects_own_env_file_points_compose_somewhere() {
    let Some(_engine) = engine() else { return };
    let project = project(&[(".env", ""), ("other.yml", "services: {other: {image: @image@}}\n")]);
    let evil = [
        ("COMPOSE_PROJECT_NAME", "evil"),
        ("COMPOSE_FILE", "other.yml"),
        ("COMPOSE_PROFILES", "evil"),
        ("COMPOSE_ENV_FILES", "other.env"),
        ("COMPOSE_DISABLE_ENV_FILE", "1"),
    ];
    let plain = dry(&project, &[]);
    assert!(plain.contains(&format!(" -p {} ", project.name())) && plain.contains("/compose.yml "), "{plain}");
    assert_eq!(dry(&project, &evil), plain, "the shell redirects nothing");
    // The project's own file counts, also where the shell says something else.
    project
        .write(".env", "COMPOSE_PROJECT_NAME=@name@-own\nCOMPOSE_FILE=compose.yml:other.yml\nCOMPOSE_PROFILES=a,b\n");
    let own = dry(&project, &[]);
    for part in [&format!(" -p {}-own ", project.name()), "/other.yml ", " --profile a --profile b "] {
        assert!(own.contains(part), "{own}");
    }
    assert_eq!(dry(&project, &evil), own, "nor does it hide what the project says");
    project.xtask(["env", "check"]).end().ok().never_says("COMPOSE_PROJECT_NAME");
}

#[test]
fn e07_a_redirected_start_leaves_the_bystander_alone() {
    let Some(_engine) = engine() else { return };
    let victim = project(&[(".env", "")]);
    victim.xtask(["start"]).end().ok();
    let mut bystanders = Bystanders::new();
    bystanders.watch("container", victim.container("web"));
    // Somebody else's name in our own file: the containers there belong to another folder.
    let redirected = project(&[(".env", &format!("COMPOSE_PROJECT_NAME={}\n", victim.name()))]);
    for command in [&["start"][..], &["stop"], &["clean", "--all", "--yes"]] {
        redirected.xtask(command).end().code(77).says(victim.dir().to_str().unwrap());
    }
    bystanders.unchanged();
    // Watched things are removed with the bystanders; this one is its project's.
    drop(victim);
}

#[test]
fn e07_keys_that_reach_further_are_errors_and_reach_nobody() {
    let project = project(&[(".env", "PATH=/nowhere\nLD_PRELOAD=/nowhere.so\nIFS=x\n")]);
    let ended = project.xtask(["env", "check"]).end();
    ended.code(2).shows("error: .env:1: PATH ").shows("error: .env:2: LD_PRELOAD ").shows("error: .env:3: IFS ");
    let Some(_engine) = engine() else { return };
    project.xtask(["start"]).end().ok();
    assert_eq!(project.state("web"), "running");
}

#[test]
fn i09_s31_variables_that_compose_never_sees_are_not_resolved_either() {
    let text = "PGPASSWORD=of-the-file\nURL=postgres://h:5432/${PGDATABASE-none}\nTAG=file\n";
    let project = project(&[(".env", text)]);
    let call = project.xtask(["env", "explain", "PGPASSWORD", "--json"]).env("PGPASSWORD", "of-the-shell");
    assert_eq!(call.end().ok().clone().outcome()["variables"][0]["origin"]["kind"], "file");
    let call = project.xtask(["env", "print"]).env("PGDATABASE", "evil").env("TAG", "shell");
    call.end().ok().shows("URL=postgres://h:5432/none\n").shows("TAG=shell\n");
}

#[test]
fn e08_a_required_variable_that_is_set_nowhere_stops_before_the_start() {
    let Some(_engine) = engine() else { return };
    let project = project(&[(".env", "A=1\n"), (".env.production", "A=1\n")]);
    project.write("compose.yml", &WEB.replace("${JWT_SECRET-}", "${TAG_OF_WEB:?say it}"));
    project.xtask(["start"]).end().code(78).says("TAG_OF_WEB");
    // An optional one stops a protected environment only.
    project.write("compose.yml", &WEB.replace("${JWT_SECRET-}", "${TAG_OF_WEB}"));
    project.xtask(["-e", "production", "start"]).end().code(78).says("TAG_OF_WEB");
    assert!(project.containers("").is_empty());
}

#[test]
fn p18_what_compose_does_without_is_a_warning() {
    let Some(_engine) = engine() else { return };
    let project = project(&[(".env.example", "JWT_SECRET=\n")]);
    for command in ["describe", "ps", "policy"] {
        assert!(project.xtask([command]).end().exit <= 2, "{command}");
    }
    project.xtask(["doctor"]).end().shows("warn  env .env");
    project.write("compose.yml", &WEB.replace("${JWT_SECRET-}", "${OPTIONAL_TAG}"));
    project.xtask(["start"]).end().ok().says("OPTIONAL_TAG").says(".env of environment `development` is missing");
    assert_eq!(project.containers("").len(), 1);
}

#[test]
fn looking_changes_nothing() {
    let project = project(&[(".env", "A=1\n"), (".env.example", "A=1\n")]);
    for words in
        [&["env"][..], &["env", "print"], &["env", "explain"], &["env", "check"], &["env", "fill", "--dry-run"]]
    {
        project.xtask(words).end().ok();
    }
    assert!(!project.path(".infra").exists(), "not even a journal");
}
