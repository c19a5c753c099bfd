//! Backups that are not to be believed, and clocks.

use sha2::Digest as _;

use super::*;

#[test]
fn a30_half_of_the_tables_gone_is_published_marked_and_a_no() {
    let Some(_postgres) = postgres() else { return };
    let (project, cluster, name) = set_up();
    let tables = |verb: &str, range: &str| {
        let sql = format!("SELECT format('{verb}', n) FROM generate_series({range}) n \\gexec");
        cluster.ask(&name, &sql);
    };
    tables("CREATE TABLE t%s AS SELECT 1 AS a", "1, 10");
    let (_, good) = back_up(&project);
    tables("DROP TABLE t%s", "1, 5");
    let suspect = project.xtask(["db-backup"]).end();
    suspect.code(2).shows("SUSPECT: ").shows("it has 5 tables, the last good one has 10").never_says("verified:");
    let quiet = project.xtask(["db-backup", "-q"]).end();
    quiet.code(2);
    assert!(!quiet.stdout.is_empty() && quiet.stdout.lines().count() <= 20, "{quiet}");
    let listed = project.xtask(["db-backup", "--list"]).end().ok().stdout.clone();
    assert_eq!(listed.matches("suspect").count(), 2, "{listed}");
    // It is whole, can be restored by its name, and is not what `latest` means.
    let newest = std::fs::read_link(project.path("backups/latest")).unwrap();
    assert_eq!(newest.to_str(), good.file_name().unwrap().to_str());
    let dry = project.xtask(["db-restore", "latest", "--dry-run"]).end();
    dry.ok().says("is newer but not used: it has 5 tables").says("cargo xtask db-verify");
    let outcome = project.xtask(["db-verify", "latest", "--json"]).end().ok().outcome();
    assert_eq!(outcome["backups"][0]["file"].as_str(), good.file_name().unwrap().to_str());
    // As it was before, it is believed again.
    tables("CREATE TABLE t%s AS SELECT 1 AS a", "1, 5");
    let (again, file) = back_up(&project);
    assert_eq!(again["suspect"], serde_json::json!([]));
    let newest = std::fs::read_link(project.path("backups/latest")).unwrap();
    assert_eq!(newest.to_str(), file.file_name().unwrap().to_str());
}

#[test]
fn a30_smaller_than_stated_is_suspect() {
    let Some(_postgres) = postgres() else { return };
    let (project, _, _) = set_up();
    project.write("infra.toml", "[project]\nname = \"@name@\"\n[backup]\nmin-size = \"1MB\"\n");
    project.xtask(["db-backup"]).end().code(2).shows("and `min-size` is 976.6 KiB");
}

/// `psql` and `pg_restore` are the machine's own; `pg_dump` ends well at once, or writes only the beginning.
#[test]
fn a31_a_tool_that_ends_well_and_has_written_nothing_publishes_nothing() {
    let Some(_postgres) = postgres() else { return };
    let (_local, cluster, name) = set_up();
    cluster.ask(&name, "CREATE TABLE t AS SELECT 1 AS a;");
    let url = format!("postgres://{}:{}@127.0.0.1:{}/{name}", cluster.user, cluster.password, cluster.port);
    let elsewhere = TestProject::new()
        .file("infra.toml", "[project]\nname = \"@name@\"\n[database]\nurl = \"env:DATABASE_URL\"\n")
        .file(".env", &format!("DATABASE_URL={url}\n"));
    // Newer than the real one, so that it is preferred, and still one whose dumps the server can restore.
    let is_older = cluster.ask(&name, "SHOW server_version_num").trim() < "170000";
    let newest = if is_older { "16.99" } else { "99.0" };
    let version = format!("case \"$1\" in --version) echo 'pg_dump (PostgreSQL) {newest}'; exit 0;; esac");
    let out = "for arg; do case \"$arg\" in --file=*) file=${arg#--file=};; esac; done";
    for (script, code, says) in [
        ("exit 0", 69, "incomplete"),
        ("printf PGDMP >\"$file\"", 1, "cannot be decoded"),
        ("echo 'pg_dump: warning: nothing done' >&2", 69, "incomplete"),
    ] {
        let fakes = Fakes::new().program("pg_dump", &format!("{version}\n{out}\n{script}"));
        let ended = elsewhere.xtask(["db-backup"]).env("PATH", fakes.path()).end();
        assert!(fakes.calls().iter().any(|call| call.argv.iter().any(|arg| arg.starts_with("--file="))), "{ended}");
        ended.code(code).says(says);
        assert_eq!(files(&elsewhere), [""; 0], "{script}");
    }
    let made = elsewhere.xtask(["db-backup", "--json"]).end();
    assert_eq!(made.ok().outcome()["rows"], 1);
    made.never_says(&cluster.password);
}

/// Says another time of a backup, as if it had been made by another clock.
fn made_at(file: &std::path::Path, created: &str) {
    let path = file.with_extension("json");
    let mut manifest = manifest(file);
    let keys = manifest.as_object_mut().unwrap();
    keys.shift_remove("checksum");
    keys["created"] = created.into();
    let digest = sha2::Sha256::digest(serde_json::to_vec(&manifest).unwrap());
    let checksum: String = digest.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).map(char::from).collect();
    manifest["checksum"] = checksum.into();
    std::fs::write(path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
}

/// The order goes by number, whatever the clock says; and a clock that cannot be right is spoken of.
#[test]
fn a35_a_clock_that_jumps_changes_no_order_and_is_spoken_of() {
    let Some(_postgres) = postgres() else { return };
    let (project, _, _) = set_up();
    let (_, fast) = back_up(&project);
    made_at(&fast, "2036-11-20T02:30:05Z");
    let now = project.xtask(["db-backup", "--json"]).end();
    now.ok().says("2036-11-20T02:30:05Z").says("this machine's clock").says("one of them is wrong");
    let (_, slow) = back_up(&project);
    made_at(&slow, "2016-11-20T02:30:05Z");
    let list = project.xtask(["db-backup", "--list", "--json"]).env("TZ", "Pacific/Kiritimati").end().ok().outcome();
    let created =
        list["backups"].as_array().unwrap().iter().map(|one| one["created"].as_str().unwrap()[..4].to_owned());
    let created: Vec<String> = created.collect();
    assert_eq!((created[0].as_str(), created[2].as_str()), ("2016", "2036"), "newest first, by their order");
    let latest = project.xtask(["db-verify", "latest", "--json"]).end().ok().outcome();
    assert_eq!(latest["backups"][0]["file"].as_str(), slow.file_name().unwrap().to_str());
    // A time zone is nobody's clock: names and times are UTC.
    let zone = project.xtask(["db-backup", "--json"]).env("TZ", "America/New_York").end().ok().outcome();
    let name = zone["path"].as_str().unwrap().to_owned();
    let hour = zone["created"].as_str().unwrap()[11..13].to_owned();
    assert!(name.contains(&format!("T{hour}")), "{name} was made at {}", zone["created"]);
}
