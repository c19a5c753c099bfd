//! Names of backups, sources that are no files, and what a name must not do to a terminal.

use std::os::unix::ffi::OsStringExt as _;

use super::*;

#[test]
fn b04_a_name_that_the_server_would_cut_is_refused() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    for length in 64..=70 {
        point_at(&project, &"x".repeat(length));
        for words in [&["db-backup"][..], &["db-verify", "--drill"], &["db-restore", "latest", "--yes"]] {
            let ended = project.xtask(words.iter().copied()).end();
            assert!(ended.exit == 64 || words[0] == "db-verify" && ended.exit == 66, "{length}: {ended}");
        }
    }
    point_at(&project, &project.name().replace('-', "_"));
    project.xtask(["db-backup"]).end().ok();
    let long = "x".repeat(64);
    project.xtask(["db-restore", "latest", "--into", &long]).end().code(64);
}

#[test]
fn b07_a_label_is_a_plain_word_and_leads_nowhere_else() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    let long = "x".repeat(300);
    for label in ["../../x", "/etc/x", "-x", "", &long, ".hidden", "a b", "a\nb", "latest", "é", "a/b", "$(x)"] {
        let ended = project.xtask(["db-backup".to_owned(), format!("--name={label}")]).end();
        ended.code(64);
        for word in ["db-verify", "db-restore"] {
            let ended = project.xtask([word, "--yes", "--", label]).end();
            assert!([64, 66].contains(&ended.exit), "{label:?}: {ended}");
        }
    }
    assert!(!project.dir().parent().unwrap().join("x").exists());
    let longest = "x".repeat(100);
    project.xtask(["db-backup", "--name", &longest]).end().ok();
    project.xtask(["db-verify", &longest]).end().ok();
    project.xtask(["db-restore", &longest, "--yes"]).end().ok();
}

#[test]
fn b08_what_is_no_file_is_no_source() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    project.xtask(["db-backup"]).end().ok();
    let path = |name: &str| project.path(name).to_str().unwrap().to_owned();
    assert!(command("mkfifo").arg(path("pipe")).status().unwrap().success());
    std::os::unix::fs::symlink("/etc/passwd", path("link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    for source in [path("pipe"), path("link"), path("socket"), "/dev/zero".to_owned(), "/dev/stdin".to_owned()] {
        let ended = project.xtask(["db-restore", &source, "--yes", "--unverified"]).end();
        ended.code(64).says("neither a file nor a folder");
    }
    // A folder may be a dump; this is none.
    std::fs::create_dir(path("folder")).unwrap();
    let ended = project.xtask(["db-restore", &path("folder"), "--yes", "--unverified"]).end();
    assert!([64, 65].contains(&ended.exit), "{ended}");
    project.xtask(["db-restore", &path("gone"), "--yes"]).end().code(66);
}

#[test]
fn b09_names_do_not_move_the_cursor() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    let cluster = Cluster::of(&project);
    let name = "\u{1b}[2J\u{1b}]0;owned\u{7}red";
    cluster.ask("postgres", &format!("CREATE DATABASE {};", identifier(name)));
    let table = identifier("\u{1b}[31mtable");
    cluster.ask(name, &format!("CREATE TABLE {table} AS SELECT 1 AS a;"));
    point_at(&project, name);
    for words in [
        &["db-backup"][..],
        &["db-backup", "--list"],
        &["db-verify", "--drill", "-v"],
        &["db-restore", "latest", "--yes", "-v"],
        &["db-restore", "--rollback", "--yes"],
        &["db-restore", "--drop-previous", "--yes"],
    ] {
        project.xtask(words.iter().copied()).end().ok().never_says("\u{1b}").never_says("\u{7}");
    }
    let made = project.xtask(["db-backup", "--json"]).end().ok().outcome();
    assert_eq!(made["database"], name);
    // What the server says of it is no different.
    point_at(&project, &format!("{name} missing"));
    project.xtask(["db-backup"]).end().code(66).never_says("\u{1b}");
}

/// Every character of a keyboard.
#[test]
fn b10_any_printable_password_logs_in() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    let cluster = Cluster::of(&project);
    let name = project.name().replace('-', "_");
    let password: String = (b' '..=b'~').map(char::from).collect::<String>().trim().to_owned();
    assert_eq!(password.len(), 94);
    cluster.ask(
        &name,
        &format!("CREATE ROLE keyed SUPERUSER LOGIN PASSWORD {}; CREATE TABLE t AS SELECT 1 AS a;", literal(&password)),
    );
    project.write("password.txt", "x");
    std::fs::write(project.path("password.txt"), &password).unwrap();
    let settings = format!("name = \"{name}\"\nuser = \"keyed\"\npassword = \"file:password.txt\"\n");
    project.write("infra.toml", &format!("[project]\nname = \"@name@\"\n[database]\n{settings}"));
    let url: String = password.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).map(char::from).collect();
    let url = format!("postgres://keyed:{url}@127.0.0.1:{}/{name}", cluster.port);
    let elsewhere = TestProject::new()
        .file("infra.toml", "[project]\nname = \"@name@\"\n[database]\nurl = \"env:DATABASE_URL\"\n")
        .file(".env", &format!("DATABASE_URL='{url}'\n"));
    for project in [&project, &elsewhere] {
        for words in [
            &["db-backup", "-v"][..],
            &["db-backup", "--format", "directory", "--verify", "drill"],
            &["db-verify", "latest", "--drill", "-v"],
        ] {
            project.xtask(words.iter().copied()).end().ok().never_says(&password[40..]).never_says(&url[40..200]);
        }
    }
}

/// Where the project lies; a local cluster and a container's mount see the same path.
#[test]
fn b11_any_path_of_a_project_works() {
    let Some(_postgres) = postgres() else { return };
    let first = set_up();
    let cluster = Cluster::of(&first);
    let name = first.name().replace('-', "_");
    cluster.ask(&name, "CREATE TABLE t AS SELECT 1 AS a;");
    let url = format!("postgres://{}:{}@127.0.0.1:{}/{name}", cluster.user, cluster.password, cluster.port);
    for folder in [
        "with space @name@",
        "ünïcödé 🐘 @name@",
        "new\nline @name@",
        "comma,=equals @name@",
        "q'u\"o$(x)`t;e @name@",
        "-dash @name@",
        "%s%41 @name@",
    ] {
        let project = TestProject::in_folder(folder, "@name@")
            .file("infra.toml", "[project]\nname = \"@name@\"\n[database]\nurl = \"env:DATABASE_URL\"\n")
            .file(".env", &format!("DATABASE_URL={url}\n"));
        for format in ["custom", "directory", "sql"] {
            let made = project.xtask(["db-backup", "--format", format, "--json"]).end();
            assert_eq!(made.exit, 0, "{folder:?}: {made}");
            assert_eq!(made.outcome()["rows"], 1, "{folder:?}");
        }
        project.xtask(["db-verify", "--all", "--drill"]).end().ok();
    }
    // What is no text is refused, and not guessed at.
    let strange = first.dir().join(std::ffi::OsString::from_vec(b"x\xff".to_vec()));
    std::fs::create_dir(&strange).unwrap();
    std::fs::write(strange.join("infra.toml"), "[project]\nname = \"strange\"\n").unwrap();
    first.xtask(["db-backup"]).dir(&strange).end().code(78);
}

/// Schemas, tables and columns; the rows are counted under their own names, and come back.
#[test]
fn b03_b05_tables_of_any_name_are_counted_and_come_back() {
    let Some(_postgres) = postgres() else { return };
    let project = set_up();
    let cluster = Cluster::of(&project);
    let database = project.name().replace('-', "_");
    let names = [
        "plain",
        "UPPER",
        "with space",
        "quote\"d",
        "quo'te",
        "new\nline",
        "tab\there",
        "back\\slash",
        "dot.ted",
        "$dollar$",
        "$1",
        "COPY x.y (a) FROM stdin;",
        "\n\\.\n",
        "-- PostgreSQL database dump complete",
        "; DROP TABLE plain; --",
        "%I %L %s",
        ":name",
        ":'name'",
        "emoji 🐘",
        "\u{1b}[2J",
        "select",
        "-F",
        "$$ $_$ $body$",
        "\r\n",
        "E'\\''",
    ];
    for (nr, name) in names.iter().enumerate() {
        let (schema, table) = (identifier(&format!("s {name}")), identifier(name));
        cluster.ask(&database, &format!("CREATE SCHEMA {schema}; CREATE TABLE {schema}.{table} ({table} text); INSERT INTO {schema}.{table} SELECT {} FROM generate_series(0, {nr});", literal(name)));
    }
    let total: usize = (1..=names.len()).sum();
    for format in ["custom", "directory", "sql"] {
        let made = project.xtask(["db-backup", "--format", format, "--verify", "drill", "--json"]).end();
        let made = made.ok().outcome();
        assert_eq!(made["suspect"], serde_json::json!([]));
        assert_eq!(
            (made["tables"].as_u64(), made["rows"].as_u64()),
            (Some(names.len() as u64), Some(total as u64)),
            "{format}"
        );
        let manifest = std::fs::read_to_string(
            made["path"]
                .as_str()
                .unwrap()
                .replace(".dump", ".json")
                .replace(".dir", ".json")
                .replace(".sql.gz", ".json"),
        );
        let manifest: serde_json::Value = serde_json::from_str(&manifest.unwrap()).unwrap();
        for (nr, name) in names.iter().enumerate() {
            let is_it = |table: &&serde_json::Value| table["name"] == *name && table["schema"] == format!("s {name}");
            let found = manifest["tables"].as_array().unwrap().iter().find(is_it);
            assert_eq!(found.unwrap_or_else(|| panic!("{format}: {name:?}"))["rows"], nr + 1, "{format}: {name:?}");
        }
    }
    cluster.ask(
        &database,
        "SELECT format('TRUNCATE %I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname ~ '^s ' \\gexec",
    );
    project.xtask(["db-restore", "latest", "--yes"]).end().ok();
    let (schema, table) = (identifier(&format!("s {}", names[12])), identifier(names[12]));
    assert_eq!(cluster.ask(&database, &format!("SELECT count(*) FROM {schema}.{table};")), "13");
}
