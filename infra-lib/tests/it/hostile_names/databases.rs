//! Names of databases, tables and schemas that something on the way could take for something else.

use super::*;

/// Each is a legal name of a database.
fn hostile() -> Vec<String> {
    let fixed = [
        "dbname=template1",
        "postgresql://postgres@localhost/template1",
        "postgres:///template1?user=x",
        "host=/nowhere dbname=postgres",
        "a=b",
        "service=x",
        "-Fd",
        "--version",
        "-d template1",
        "--",
        "-",
        "..",
        "../../etc/passwd",
        "/dev/null",
        ".hidden",
        "with space",
        " leading and trailing ",
        "quote'single",
        "quote\"double",
        "back\\slash",
        "new\nline",
        "carriage\rreturn",
        "tab\there",
        "$(touch pwned)",
        "`touch pwned`",
        "; touch pwned; #",
        "a|b>c<d&e",
        "*?[a]{b,c}~",
        "%41%00%s%n",
        ":name :'name' :\"name\"",
        "{{.Names}} ${HOME} $HOME",
        "comma,equals=src=/,dst=/",
        "\u{1b}[2J\u{1b}[31mred",
        "ünïcödé",
        "emoji 🐘🦀",
        "\u{202e}right to left",
        "NULL",
        "] of=x]",
        "template",
        "UPPER.lower",
    ];
    let long = ["x".repeat(63), "é".repeat(31), "🐘".repeat(15)];
    fixed.into_iter().map(str::to_owned).chain(long).collect()
}

/// Each database says by a row which one it is.
#[test]
fn b01_b02_b03_b05_every_legal_name_is_the_right_database_through_backup_drill_and_restore() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    let cluster = Cluster::of(&project);
    let names = sample(&hostile(), 8);
    for (nr, name) in names.iter().enumerate() {
        cluster.ask("postgres", &format!("CREATE DATABASE {};", identifier(name)));
        cluster.ask(name, &format!("CREATE TABLE marker AS SELECT {nr} AS nr, {} AS name;", literal(name)));
    }
    let marker = |name: &str| cluster.ask(name, "SELECT nr FROM marker WHERE name = current_database();");
    for (nr, name) in names.iter().enumerate() {
        point_at(&project, name);
        let made = project.xtask(["db-backup", "--verify", "drill", "--json"]).end();
        let made = made.ok().outcome();
        assert_eq!((made["database"].as_str(), made["rows"].as_u64()), (Some(name.as_str()), Some(1)), "{name:?}");
        let file = std::path::Path::new(made["path"].as_str().unwrap());
        assert_eq!(file.parent(), Some(project.path("backups").as_path()), "{name:?}");

        cluster.ask(name, "UPDATE marker SET nr = -1; CREATE TABLE later (a int);");
        let restored = project.xtask(["db-restore", "latest", "--yes", "--json"]).end();
        assert_eq!(restored.exit, 0, "{name:?}: {restored}");
        assert_eq!(restored.outcome()["database"], name.as_str());
        assert_eq!(marker(name), nr.to_string(), "{name:?}");
        assert_eq!(cluster.ask(name, "SELECT to_regclass('later') IS NULL;"), "t", "{name:?}");
        if nr % 3 > 0 {
            continue;
        }
        for expected in ["-1".to_owned(), nr.to_string()] {
            let undone = project.xtask(["db-restore", "--rollback", "--yes"]).end();
            assert_eq!((undone.exit, marker(name)), (0, expected), "{name:?}: {undone}");
        }
        let finished = project.xtask(["db-restore", "--drop-previous", "--yes"]).end();
        assert_eq!(finished.exit, 0, "{name:?}: {finished}");
    }
    // Every database is there once, and no other; each holds its own row.
    let listed = "SELECT json_agg(datname ORDER BY datname COLLATE \"C\") FROM pg_database \
                  WHERE NOT datistemplate AND coalesce(shobj_description(oid, 'pg_database'), '') !~ 'beside=old';";
    let listed: Vec<String> = serde_json::from_str(&cluster.ask("postgres", listed)).unwrap();
    let mut expected = names.clone();
    expected.extend(["postgres".to_owned(), project.name().replace('-', "_")]);
    expected.sort();
    assert_eq!(listed, expected);
    for (nr, name) in names.iter().enumerate() {
        assert_eq!(marker(name), nr.to_string(), "{name:?}");
    }
    assert!(!project.path("pwned").exists() && !project.path("backups/pwned").exists());
}
