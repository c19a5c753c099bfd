//! What is printed: for people, for programs, for cron, and never a secret.

use std::collections::BTreeSet;

use super::*;

/// The keys of an object, with those of objects in it.
fn keys(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match value {
        Value::Object(map) => {
            for (key, below) in map {
                found.extend(keys(below).into_iter().map(|inner| format!("{key}.{inner}")));
                found.insert(key.clone());
            }
        }
        Value::Array(items) => found.extend(items.iter().flat_map(keys).map(|inner| format!("[].{inner}"))),
        _ => {}
    }
    found
}

#[track_caller]
fn has_exactly(value: &Value, expected: &str) {
    let expected: BTreeSet<String> = expected.split_whitespace().map(str::to_owned).collect();
    assert_eq!(keys(value), expected);
}

/// Others rely on these keys: a new one is added here, and none goes.
#[test]
fn the_keys_of_every_json_document_are_these() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(&name, "CREATE TABLE t AS SELECT 1 AS a;");
    let (made, file) = back_up(&project);
    has_exactly(
        &made,
        "path id label database created format bytes sha256 server tables rows duration_ms drill_ms warnings suspect",
    );
    let list = project.xtask(["db-backup", "--list", "--json"]).end().ok().outcome();
    has_exactly(
        &list,
        "folder backups problems backups.[].file backups.[].id backups.[].label backups.[].created backups.[].database \
         backups.[].format backups.[].bytes backups.[].server backups.[].decoded backups.[].drilled backups.[].drill_ms \
         backups.[].suspect backups.[].is_there",
    );
    let verified = project.xtask(["db-verify", "--drill", "--json"]).end().ok().outcome();
    has_exactly(
        &verified,
        "backups backups.[].file backups.[].ok backups.[].decode_ms backups.[].drill_ms backups.[].error",
    );
    let restored = project.xtask(["db-restore", "latest", "--yes", "--json"]).end().ok().outcome();
    has_exactly(&restored, "database backup old dropped safety_backup tables rows duration_ms restarted not_ready");
    // And the manifest, whose keys the schema lists.
    let schema: Value = serde_json::from_str(
        &std::fs::read_to_string(crate::readme::markdown::root().join("docs/backup.schema.json")).unwrap(),
    )
    .unwrap();
    let known = schema["properties"].as_object().unwrap();
    let manifest = manifest(&file);
    assert!(manifest.as_object().unwrap().keys().all(|key| known.contains_key(key)), "{manifest}");
    assert!(schema["required"].as_array().unwrap().iter().all(|key| manifest.get(key.as_str().unwrap()).is_some()));
}

/// As `docs/backups.md` says: anybody's tools will do.
#[test]
fn sha256sum_and_plain_pg_restore_and_psql_read_what_is_published() {
    let (Some(_postgres), Some(_sum)) = (postgres(), tool("sha256sum")) else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(&name, "CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n;");
    for (format, database) in [("custom", "one"), ("directory", "two"), ("sql", "three")] {
        let made = project.xtask(["db-backup", "--format", format, "--json"]).end().ok().outcome();
        let path = PathBuf::from(made["path"].as_str().unwrap());
        let manifest = manifest(&path);
        let line = |file: &Value, name: &str| {
            format!("{}  {}\n", file["sha256"].as_str().unwrap(), file[name].as_str().unwrap())
        };
        let files = manifest["files"].as_array().cloned().unwrap_or_default();
        let (sums, dir) = if format == "directory" {
            (files.iter().map(|file| line(file, "file")).collect::<String>(), path.clone())
        } else {
            (line(&manifest, "file"), path.parent().unwrap().to_owned())
        };
        std::fs::write(project.path("SUMS"), &sums).unwrap();
        let check =
            command("sha256sum").args(["--check", "--strict"]).arg(project.path("SUMS")).current_dir(dir).output();
        assert!(check.unwrap().status.success(), "{format}: {sums}");
        if format == "directory" {
            let whole = command("sha256sum").arg(project.path("SUMS")).output().unwrap();
            assert!(String::from_utf8_lossy(&whole.stdout).starts_with(manifest["sha256"].as_str().unwrap()));
        }
        cluster.ask("postgres", &format!("CREATE DATABASE {database};"));
        let restored = if format == "sql" {
            let text = command("gunzip").arg("-c").arg(&path).output().unwrap().stdout;
            cluster.ask(database, &String::from_utf8(text).unwrap());
            true
        } else {
            cluster.tool("pg_restore", database).args(["-d", database]).arg(&path).status().unwrap().success()
        };
        assert!(restored, "{format}");
        assert_eq!(cluster.ask(database, "SELECT count(*) FROM t;"), "1000", "{format}");
    }
}

#[test]
fn i04_success_is_silent_where_that_was_asked_for() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(&name, "CREATE TABLE t AS SELECT 1 AS a;");
    for words in [
        &["db-backup"][..],
        &["db-backup", "--format", "directory", "--verify", "drill"],
        &["db-backup", "--list"],
        &["db-verify", "--all", "--drill"],
        &["db-restore", "latest", "--yes"],
        &["db-restore", "--drop-previous", "--yes"],
    ] {
        project.xtask(words.iter().chain(&["-q"])).no_tty().end().ok().silent();
    }
}

/// Progress comes after two seconds; the dump is held up until it has come.
#[test]
fn at_a_terminal_a_long_dump_shows_bytes_rate_and_estimate() {
    let (Some(_postgres), Some(_script)) = (postgres(), tool("script")) else { return };
    let (project, cluster, name) = set_up();
    cluster.ask(&name, "CREATE TABLE held AS SELECT n, md5(n::text) FROM generate_series(1, 1000) n;");
    // The last one says how much there will be.
    back_up(&project);
    let held = cluster.hold(&name, "held");
    let dump = project.xtask(["db-backup"]).pty([]).spawn();
    // `dumping 0 B/23.61 KiB 0 B/s 0s`
    wait_until("bytes, rate and estimate", std::time::Duration::from_secs(30), || {
        let said = dump.so_far();
        let whole = |step: &&str| step.contains(" B/") && step.contains(" KiB ") && step.contains("B/s ");
        said.split("dumping ").find(whole).map(drop).ok_or(said.clone())
    });
    drop(held);
    dump.wait().ok();
    // Nowhere but at a terminal.
    let held = cluster.hold(&name, "held");
    let dump = project.xtask(["db-backup"]).spawn();
    cluster.until_somebody_waits();
    drop(held);
    dump.wait().ok().never_says("dumping ");
}

/// The password of the database, in all the ways in which it could be written.
#[test]
fn s02_s06_no_secret_is_in_any_output_manifest_journal_or_file() {
    let Some(_postgres) = postgres() else { return };
    let canary = "Zanary_92ac_password+slash";
    let project = TestProject::new()
        .file("infra.toml", "[project]\nname = \"@name@\"\n")
        .file(".env", &format!("DB_PASSWORD={canary}\n"));
    project.xtask(["setup", "--yes"]).end().ok();
    let sampler = Sampler::watch(&[canary]);
    let mut said = Vec::new();
    let mut run = |words: &[&str], code: i32| {
        let ended = project.xtask(words.iter().copied()).end();
        ended.code(code);
        said.push(ended);
    };
    for format in ["custom", "directory", "sql"] {
        run(&["db-backup", "-v", "--format", format], 0);
    }
    run(&["db-backup", "--dry-run", "-v"], 0);
    run(&["db-backup", "--list", "--json"], 0);
    run(&["db-verify", "--all", "--drill", "-v"], 0);
    run(&["db-restore", "latest", "--yes", "-v"], 0);
    run(&["db-restore", "--rollback", "--yes", "-v"], 0);
    run(&["db-restore", "nothing", "--yes", "-v"], 66);
    run(&["history", "--json"], 0);
    project.write("infra.toml", "[project]\nname = \"@name@\"\n[database]\nname = \"missing\"\n");
    run(&["db-backup", "-v"], 66);
    project.write("infra.toml", "[project]\nname = \"@name@\"\n[database]\nuser = \"nobody_here\"\n");
    run(&["db-backup", "-v", "--json"], 77);
    let seen = sampler.finish();
    assert!(seen.rounds > 100, "{}", seen.rounds);
    assert_eq!(seen.hits.into_iter().collect::<Vec<_>>(), [""; 0]);
    for ended in said {
        for form in [canary.to_owned(), "WmFuYXJ5".to_owned(), canary.replace('+', "%2B").replace('/', "%2F")] {
            ended.never_says(&form);
        }
    }
    for dir in ["backups", ".infra"] {
        let found = command("grep")
            .args(["-rlF", "--exclude=password", "-e", canary, "-e", "SCRAM-SHA"])
            .arg(project.path(dir))
            .output();
        assert_eq!(String::from_utf8_lossy(&found.unwrap().stdout), "", "{dir}");
    }
}
