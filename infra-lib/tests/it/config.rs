//! `infra.toml`, and what is inferred without it, through the command line.

use crate::support::*;

const WEB: &str = "services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true}}\n";

fn project(manifest: &str) -> TestProject {
    TestProject::new().compose(WEB).file("infra.toml", manifest)
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_nearest_known_one() {
    let cases = [
        ("[databse]\n", "infra.toml:1:2: unknown field `databse`", "`database`"),
        ("[database]\nservcie = \"db\"\n", "infra.toml:2:1: unknown field `servcie`", "`service`"),
        ("# a\n\n[backup]\nkeep = { dayly = 1 }\n", "infra.toml:4:", "`daily`"),
        ("[environments.production]\nprotectd = true\n", "infra.toml:2:1: unknown field `protectd`", "`protected`"),
        ("[environments.production]\nenv_files = []\n", "infra.toml:2:1: unknown field `env_files`", "`env-files`"),
        ("[tasks.test]\nhost = true\nrum = ['x']\n", "infra.toml:3:1: unknown field `rum`", "`run`"),
        ("[env.A]\ngenerat = 'hex:32'\n", "infra.toml:2:1: unknown field `generat`", "`generate`"),
        ("[health.web]\nhtpp = 'http://x'\n", "infra.toml:2:1: unknown field `htpp`", "`http`"),
        ("[compose]\nservices = 'compos'\n", "infra.toml:2:12: unknown variant `compos`", "`compose`"),
    ];
    for (manifest, place, nearest) in cases {
        let project = project(manifest);
        for command in ["start", "tasks", "clean"] {
            project.xtask([command]).end().code(78).says(place).says(&format!("did you mean {nearest}?"));
        }
        let error = project.xtask(["ps", "--json"]).end().code(78).clone().error();
        assert_eq!((&error["code"], error["hint"].as_str().unwrap().contains(nearest)), (&"config".into(), true));
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_told_with_its_line() {
    let cases = [
        ("[backup]\nmax-age = \"soon\"\n", "infra.toml:2:11:", "`soon` is not a duration"),
        ("[backup]\nmin-size = \"big\"\n", "infra.toml:2:12:", "`big` is not a size"),
        ("[env.A]\ngenerate = \"hex:4\"\n", "infra.toml:2:12:", "`hex:4` is not a generator"),
        ("[database]\npassword = 5\n", "infra.toml:2:12:", "expected a string"),
        ("[project]\nname = \"a\n", "infra.toml:2:", ""),
        ("[project\n", "infra.toml:1:", ""),
        ("[project]\nname = 'a'\nname = 'b'\n", "infra.toml:3:", "duplicate"),
    ];
    for (manifest, place, message) in cases {
        project(manifest).xtask(["ps"]).end().code(78).says(place).says(message);
    }
}

#[test]
fn help_works_however_broken_the_manifest_is() {
    for manifest in ["[databse]\n", "[", "tasks = 1\n"] {
        let project = project(manifest);
        for words in [
            &["help"][..],
            &["--help"],
            &["help", "start"],
            &["start", "--help"],
            &["--version"],
            &["completions", "bash"],
        ] {
            project.xtask(words).end().ok().never_says("error:");
        }
        // A word that is no command may be a task of the file that cannot be read.
        project.xtask(["publish"]).end().code(78).says("infra.toml:1:");
        project.xtask(["start", "--no-such-option"]).end().code(64);
    }
    project("").xtask(["publish"]).end().code(64);
}

/// What Compose would be told.
fn dry(project: &TestProject, environment: &str) -> Ended {
    project.xtask(["-e", environment, "start", "--dry-run"]).end()
}

#[test]
fn an_overlay_that_could_be_a_project_of_its_own_must_be_said() {
    let Some(_engine) = engine() else { return };
    // It has an image of its own, so it could stand alone.
    let project = TestProject::new().compose(WEB).file("compose.staging.yml", &WEB.replace("init: true", "tty: true"));
    let ended = dry(&project, "staging");
    ended.code(78).says("compose.staging.yml").says("could be an overlay or a separate project");
    for files in ["files = [\"compose.yml\", \"compose.staging.yml\"]", "files = [\"compose.staging.yml\"]"] {
        ended.says("[environments.staging]").says(files);
        project.write("infra.toml", &format!("[environments.staging]\n{files}\n"));
        let line = dry(&project, "staging").ok().stdout.clone();
        assert_eq!(line.contains("/compose.yml "), files.contains("compose.yml"), "{line}");
        assert!(line.contains("/compose.staging.yml ") && line.contains(&format!(" -p {}-staging ", project.name())));
    }
}

#[test]
fn an_overlay_that_can_be_nothing_else_is_one() {
    let Some(_engine) = engine() else { return };
    let overlay = "services: {web: {environment: {MODE: production}}}\n";
    let project = TestProject::new().compose(WEB).file("docker-compose.prod.yml", overlay);
    let line = dry(&project, "production").ok().stdout.clone();
    assert!(line.contains("/compose.yml ") && line.contains("/docker-compose.prod.yml "), "{line}");
    // Two of them, and nobody can tell.
    project.write("compose.production.yml", overlay);
    dry(&project, "production").code(78).says("compose.production.yml").says("docker-compose.prod.yml");
}

#[test]
fn an_environment_that_nothing_speaks_of_is_a_typo() {
    let project =
        TestProject::new().compose(WEB).file(".env.staging", "A=1\n").file("infra.toml", "[environments.production]\n");
    dry(&project, "stagign").code(78).says("unknown environment `stagign`").says("did you mean `staging`?");
    dry(&project, "prodution").code(78).says("did you mean `production`?");
    dry(&project, "../x").code(64);
    project.xtask(["start"]).env("INFRA_ENV", "nowhere").end().code(78).says("`nowhere`");
}

#[test]
fn what_the_manifest_names_must_exist() {
    let Some(_engine) = engine() else { return };
    let cases = [
        ("[compose]\nfiles = [\"other.yml\"]\n", &["start"][..], 78, "other.yml"),
        ("[environments.ci]\nfiles = [\"ci.yml\"]\n", &["-e", "ci", "start"], 78, "ci.yml"),
        ("[database]\nservice = \"dbb\"\n", &["db-shell", "-c", "x"], 78, "they have: web"),
        ("[database]\nurl = \"env:NO_SUCH_URL\"\n", &["db-shell", "-c", "x"], 78, "env:NO_SUCH_URL"),
        ("[project]\ndir = \"nowhere\"\n", &["start"], 78, "nowhere"),
        ("[tasks.a]\nservice = \"wbe\"\nrun = [\"x\"]\n", &["a"], 66, "did you mean `web`?"),
        ("[tasks.a]\nhost = true\nrun = [\"true\"]\nneeds = [\"b\"]\n", &["a"], 78, "needs `b`"),
        ("[tasks.a]\nneeds = [\"b\"]\n[tasks.b]\nneeds = [\"a\"]\n", &["a"], 78, "a -> b -> a"),
        ("[tasks.a]\nrun = [\"x\"]\n", &["a"], 78, "exactly one of `service`, `oneoff` and `host = true`"),
        ("[tasks.a]\nhost = true\nservice = \"web\"\nrun = [\"x\"]\n", &["a"], 78, "exactly one"),
        ("[tasks.a]\nhost = true\n", &["a"], 78, "no `run`"),
    ];
    for (manifest, words, code, message) in cases {
        project(manifest).xtask(words).end().code(code).says(message);
    }
}

#[test]
fn a_folder_without_a_project_says_so() {
    let project = TestProject::new();
    project.xtask(["start"]).end().code(78).says("no project at").says("cargo xtask init");
    project.xtask(["-C", "/no/such/folder", "start"]).end().code(78).says("-C");
    project.xtask(["help"]).end().ok();
}

/// A task that was there before the command keeps its name.
#[test]
fn a_task_hides_a_younger_command_and_no_other() {
    let project =
        project("[tasks.deploy]\nhost = true\nrun = [\"echo\", \"our own\"]\n[tasks.all]\nneeds = [\"deploy\"]\n");
    project.xtask(["deploy"]).end().ok().shows("our own");
    project.xtask(["all"]).end().ok().shows("our own");
    project.xtask(["tasks"]).end().ok().says("hides the command `deploy`");
}
