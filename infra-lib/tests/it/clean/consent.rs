//! What is asked before anything is removed.

use super::*;

/// Environment, words, what is typed at a terminal (none: no terminal), exit code, whether containers and the volume go.
type Row<'a> = (&'a str, &'a [&'a str], Option<&'a str>, i32, bool, bool);

/// What the matrix of `CLI.md` says, row by row.
#[test]
fn g05_g06_g07_g10_the_matrix_of_consent() {
    let Some(_engine) = engine() else { return };
    let Some(_script) = tool("script") else { return };
    let project = shop().file(".env.production", "A=1\n");
    // A protected environment starts on no open file and no placeholder.
    std::fs::set_permissions(project.path(".env.production"), PermissionsExt::from_mode(0o600)).unwrap();
    let name = project.name().to_owned();
    let production = format!("{name}-production");
    let volume = |environment: &str| match environment {
        "production" => format!("{production}_data"),
        _ => format!("{name}_data"),
    };
    let running = |environment: &str| {
        let label = match environment {
            "production" => format!("label=com.docker.compose.project={production}"),
            _ => format!("label=com.docker.compose.project={name}"),
        };
        !docker(["ps", "-q", "--filter", &label]).is_empty()
    };
    let confirm: &str = &production;
    let typed = format!("{production}\n");
    let rows: [Row<'_>; 22] = [
        ("development", &["clean"], None, 64, false, false),
        ("development", &["clean", "--confirm", "other"], None, 64, false, false),
        ("development", &["clean", "--volumes"], None, 64, false, false),
        ("development", &["clean", "--all"], None, 64, false, false),
        ("development", &["clean"], Some("n"), 64, false, false),
        ("development", &["clean", "--volumes"], Some("n"), 64, false, false),
        ("development", &["clean"], Some("\r"), 64, false, false),
        ("development", &["clean"], Some("y"), 0, true, false),
        ("development", &["clean", "--yes"], None, 0, true, false),
        ("development", &["clean", "--volumes"], Some("y"), 0, true, true),
        ("development", &["clean", "--volumes", "--yes"], None, 0, true, true),
        ("production", &["clean"], None, 77, false, false),
        ("production", &["clean", "--yes"], None, 77, false, false),
        ("production", &["clean", "--confirm", &name], None, 64, false, false),
        ("production", &["clean"], Some("y\n"), 64, false, false),
        ("production", &["clean", "--yes"], Some("\n"), 64, false, false),
        ("production", &["clean", "--volumes", "--confirm", confirm], None, 77, false, false),
        ("production", &["clean", "--volumes", "--yes", "--discard-data"], None, 77, false, false),
        ("production", &["clean", "--all", "--confirm", confirm], None, 77, false, false),
        ("production", &["clean", "--confirm", confirm], None, 0, true, false),
        ("production", &["clean"], Some(&typed), 0, true, false),
        ("production", &["clean", "--volumes", "--discard-data"], Some(&typed), 0, true, true),
    ];
    for (environment, words, answer, code, containers_go, volume_goes) in rows {
        let words: Vec<&str> = ["-e", environment].into_iter().chain(words.iter().copied()).collect();
        if !running(environment) {
            project.xtask(["-e", environment, "start"]).end().ok();
        }
        let call = project.xtask(&words).env("INFRA_YES", "1").env("YES", "1").env("INFRA_CONFIRM", &production);
        let prompt = if environment == "production" { "Type `" } else { "Continue?" };
        let ended = match answer {
            None => call.no_tty().end(),
            Some(answer) => call.pty([(prompt, answer)]).end(),
        };
        let told = format!("{words:?} with {answer:?}: {ended}");
        assert_eq!(ended.exit, code, "{told}");
        assert_eq!(running(environment), !containers_go, "containers after {told}");
        assert_eq!(volume_exists(&volume(environment)), !volume_goes, "volume after {told}");
        if code != 0 {
            assert!(!ended.stdout.contains("removed "), "{told}");
        }
    }
}

#[test]
fn g05_what_will_go_is_listed_before_the_question_and_a_pipe_is_no_yes() {
    let Some(_engine) = engine() else { return };
    let Some(_script) = tool("script") else { return };
    let project = shop();
    project.xtask(["start"]).end().ok();
    let ended = project.xtask(["clean", "--volumes"]).input("y\ny\nyes\n").no_tty().end();
    ended.code(64).says("no terminal").says("--yes");
    let ended = project.xtask(["clean", "--volumes"]).pty([("Continue?", "n")]).end();
    ended.code(64);
    let question = ended.stdout.find("Continue?").unwrap();
    for thing in ["-web-1", "_inner", "_data"] {
        let at = ended.stdout.find(&format!("{}{thing}", project.name())).unwrap_or_else(|| panic!("{thing}: {ended}"));
        assert!(at < question, "{ended}");
    }
    project.xtask(["clean", "--volumes"]).env("CI", "true").pty([]).end().code(64);
    assert_eq!(project.state("web"), "running");
    let ended = project.xtask(["clean", "--volumes", "--dry-run"]).end();
    ended.ok().shows("docker volume rm");
    assert_eq!(project.state("web"), "running");
}
