//! Init scripts.

use std::os::unix::fs::PermissionsExt;

use super::*;

const COMPOSE: &str = "name: @name@\nservices:\n  db:\n    image: postgres:15\n    environment:\n      POSTGRES_DB: shop\n      \
                       POSTGRES_USER: ${DB_USER:-keeper}\n      POSTGRES_PASSWORD: ${PW}\n    volumes:\n      \
                       - ./init:/docker-entrypoint-initdb.d:ro\n";

fn with_scripts(scripts: &[(&str, &str)]) -> TestProject {
    let mut project = TestProject::new().compose(COMPOSE).file(".env", "PW=pass_word_of_the_keeper\nEXTRA=e x\n");
    for (name, text) in scripts {
        project = project.file(&format!("init/{name}"), text);
    }
    project
}

fn setup(project: &TestProject) -> Call {
    project.xtask(["setup", "--yes", "--services", "none", "--database", "local"])
}

#[test]
fn scripts_run_once_in_order_as_in_the_image() {
    let Some(_postgres) = postgres() else { return };
    let shell = "set -eu\npsql -v ON_ERROR_STOP=1 --username \"$POSTGRES_USER\" --dbname \"$POSTGRES_DB\" <<-EOSQL\n\
                 INSERT INTO steps (what) VALUES ('shell $EXTRA');\nEOSQL\n";
    let project = with_scripts(&[
        ("10-schema.sql", "CREATE TABLE steps (n serial, what text);\nINSERT INTO steps (what) VALUES ('sql');\n"),
        ("20-shell.sh", shell),
        ("25-own.sh", "#!/bin/sh\npsql -c \"INSERT INTO steps (what) VALUES ('own ${0##*/}')\"\n"),
        ("30-packed.sql", "INSERT INTO steps (what) VALUES ('packed');\n"),
        ("README", "not a script"),
    ]);
    std::fs::set_permissions(project.path("init/25-own.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    assert!(command("gzip").arg(project.path("init/30-packed.sql")).status().unwrap().success());
    setup(&project).end().ok().says("running init/10-schema.sql").never_says("pass_word_of_the_keeper");
    let all = "SELECT string_agg(what, ', ' ORDER BY n) FROM steps";
    assert_eq!(ask(&project, all), "sql, shell e x, own 25-own.sh, packed");
    assert_eq!(ask(&project, "SELECT current_user || '@' || current_database()"), "keeper@shop");
    // Never again.
    setup(&project).end().ok().never_says("running init");
    project.xtask(["stop"]).end().ok();
    project.xtask(["start"]).end().ok();
    assert_eq!(ask(&project, "SELECT count(*) FROM steps"), "4");
}

#[test]
fn a_script_that_fails_is_named_with_its_line_and_the_next_setup_begins_anew() {
    let Some(_postgres) = postgres() else { return };
    let project = with_scripts(&[
        ("1.sql", "CREATE ROLE helper;\nCREATE TABLE one (n int);\n"),
        ("2.sql", "SELECT 1;\n\nINSERT INTO two VALUES (1);\n"),
    ]);
    let failed = setup(&project).end();
    failed.code(1).says("init/2.sql failed: line 3: ERROR:  relation \"two\" does not exist");
    assert_eq!(survivors(&failed.mark), [""; 0]);
    assert!(!project.path(".infra/setup.json").exists() && !project.path(".infra/postgres").exists());
    project.xtask(["start"]).end();
    project.write("init/2.sql", "CREATE TABLE two (n int);\n");
    setup(&project).end().ok();
    assert_eq!(ask(&project, "SELECT count(*) FROM pg_tables WHERE tablename IN ('one', 'two')"), "2");

    let shell = with_scripts(&[("1.sh", "echo begun\necho broken >&2\nexit 3\n")]);
    setup(&shell).end().code(1).says("init/1.sh failed: broken");
    let extension = with_scripts(&[("1.sql", "CREATE EXTENSION no_such_extension;\n")]);
    setup(&extension).end().code(1).says("no_such_extension").says("install the extension's package");
}

#[test]
fn what_the_manifest_names_must_be_there() {
    let Some(_postgres) = postgres() else { return };
    let project =
        TestProject::new().file("infra.toml", "[project]\nname = \"@name@\"\n[database]\ninit = [\"no.sql\"]\n");
    project.xtask(["setup", "--yes"]).end().code(78).says("no.sql does not exist");
}

#[test]
fn a_version_that_is_not_here_is_said() {
    let Some(_postgres) = postgres() else { return };
    let toml = "[project]\nname = \"@name@\"\n[database]\nlocal = { version = \">=99\" }\n";
    let project = TestProject::new().file("infra.toml", toml);
    project.xtask(["setup", "--yes"]).end().code(69).says("a server of version >=99; here are 15");
    let wrong = TestProject::new().file("infra.toml", "[database]\nlocal = { version = \"newest\" }\n");
    wrong.xtask(["setup", "--yes"]).end().code(78).says("`newest` is not a version");
}
