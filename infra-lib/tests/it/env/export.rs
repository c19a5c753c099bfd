//! `env export`, for `eval` and for programs.

use crate::support::*;

/// Values with every character that a shell treats specially.
const TEXT: &str = "PLAIN=a\nQUOTES='a\"b`c$HOME\\\\'\nAPOSTROPHE=\"it's\"\nLINES=\"one\ntwo\"\nNAME='`cargo xtask start` ü'\n\
    API_SECRET=canary-of-export\nCOLOUR=\"\u{1b}[31m\"\nEMPTY=\n";

#[test]
fn p28_the_lines_of_env_export_set_every_value_as_it_is() {
    let Some(bash) = tool("bash") else { return };
    let project = TestProject::new().file("infra.toml", "[compose]\nservices = \"none\"\n").file(".env", TEXT);
    let exported = project.xtask(["env", "export"]).end().ok().stdout.clone();
    let script = format!(
        "{exported}printf '<%s>' \"$PLAIN\" \"$QUOTES\" \"$APOSTROPHE\" \"$LINES\" \"$NAME\" \"$API_SECRET\" \"$COLOUR\" \"$EMPTY\""
    );
    let shell = project.xtask(["-c", &script]).of(bash).end();
    let expected = "<a><a\"b`c$HOME\\\\><it's><one\ntwo><`cargo xtask start` ü><canary-of-export><\u{1b}[31m><>";
    assert_eq!(shell.ok().stdout, expected);
    let json = project.xtask(["env", "export", "--json"]).end().ok().outcome();
    let values: Vec<&str> =
        json["variables"].as_array().unwrap().iter().map(|it| it["value"].as_str().unwrap()).collect();
    assert!(values.contains(&"canary-of-export") && values.contains(&"\u{1b}[31m"), "{json}");
}

#[test]
fn p28_a_terminal_needs_a_yes_for_secrets() {
    let Some(_script) = tool("script") else { return };
    let project = TestProject::new().file("infra.toml", "[compose]\nservices = \"none\"\n").file(".env", TEXT);
    project.xtask(["env", "export"]).pty([]).end().code(64).shows("--yes").never_says("canary-of-export");
    project.xtask(["env", "export", "--json"]).pty([]).end().code(64).never_says("canary-of-export");
    project.xtask(["env", "export", "--yes"]).pty([]).end().ok().shows("canary-of-export");
}

#[test]
fn p28_the_url_of_the_database_is_one_that_works_here() {
    let Some(_engine) = engine() else { return };
    let Some(programs) = postgres() else { return };
    let text = format!("services:{DATABASE}    ports: ['127.0.0.1:@port:db@:5432']\n");
    let project = TestProject::new().compose(&text).file(".env", "DATABASE_URL=postgres://u:p@db/x\n");
    project.xtask(["start"]).end().ok();
    let exported = project.xtask(["env", "export"]).end().ok().stdout.clone();
    let url = exported.trim().strip_prefix("export DATABASE_URL='").and_then(|url| url.strip_suffix('\'')).unwrap();
    let asked = project.xtask([url, "-At", "-c", "select current_database()"]).of(programs.join("psql")).end();
    assert_eq!(asked.ok().stdout, "postgres\n");
}

#[test]
fn p20_a_value_with_a_secret_in_it_is_masked_and_a_name_with_a_word_in_it_is_not() {
    let key = "{\"type\":\"service_account\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\\\ncanary\\\\n\"}";
    let project = TestProject::new()
        .file("infra.toml", "[compose]\nservices = \"none\"\n")
        .file(".env", &format!("GOOGLE_ACCOUNT='{key}'\nTOKEN=acmecorp\n"));
    project.xtask(["env", "print"]).end().ok().never_says("canary").shows("GOOGLE_ACCOUNT=***");
    let Some(_engine) = engine() else { return };
    let text = format!(
        "services: {{web: {{{SLEEPS}, volumes: ['data:/d']}}}}\nvolumes: {{data: {{external: true, name: acmecorp-data}}}}\n"
    );
    let project = TestProject::new().compose(&text).file(".env", "TOKEN=acmecorp\n");
    let ended = project.xtask(["start"]).end();
    assert_ne!(ended.exit, 0);
    ended.says("acmecorp-data");
}
