//! `db-shell`, with a stack and with a URL.

use crate::support::*;

#[test]
fn db_shell_asks_the_database_of_the_stack() {
    let Some(_script) = tool("script") else { return };
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:{DATABASE}"));
    project.xtask(["db-shell", "-c", "select 1"]).end().code(69);
    project.xtask(["start"]).end().ok();
    let quiet = ["--", "-At"];
    project.xtask(["db-shell", "-c", "select 6*7"].iter().chain(&quiet)).stdout("42\n").check();
    project.xtask(["db-shell"].iter().chain(&quiet)).input("select 1;\nselect 2;\n").stdout("1\n2\n").check();
    // What psql alone answers with 0.
    project
        .xtask(["db-shell"])
        .input("select 1/0;\nselect 2;\n")
        .end()
        .code(1)
        .says("division by zero")
        .never_says("2\n");
    // The test's terminal has no height, so that psql would page.
    let talk = [("postgres=#", "select 'it is ' || 42;\n"), ("it is 42", "\\q\n")];
    project.xtask(["db-shell", "--", "-P", "pager=off"]).pty(talk).end().ok();
}

/// A loop over lines must not lose them to the first command in it.
#[test]
fn i07_db_shell_with_sql_leaves_stdin_alone() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:{DATABASE}"));
    project.xtask(["start"]).end().ok();
    let each = "while read line; do \"$@\" -c \"select '$line'\" -- -At; done";
    project.xtask(["db-shell"]).inside(["sh", "-c", each, "sh"]).input("one\ntwo\n").stdout("one\ntwo\n").check();
}

#[test]
fn db_shell_asks_a_database_by_its_url() {
    let Some(_postgres) = postgres() else { return };
    let server = infra_lib::postgres::TempDatabase::start().unwrap();
    let project = TestProject::new().file("infra.toml", "[database]\nurl = \"env:DATABASE_URL\"\n");
    let url = server.url();
    project
        .xtask(["db-shell", "-c", "select 6*7", "--", "-At"])
        .env("DATABASE_URL", url.expose())
        .stdout("42\n")
        .check();
    let verbose = project.xtask(["-v", "db-shell", "-c", "select 1"]).env("DATABASE_URL", url.expose()).end();
    verbose.ok().says("PGPASSWORD=***").never_says(server.password().expose());
    let gone = url.expose().replace(&server.port().to_string(), "1");
    project.xtask(["db-shell", "-c", "select 1"]).env("DATABASE_URL", gone).end().code(69);
    project.xtask(["db-shell"]).end().code(78).says("`[database] url`");
}
