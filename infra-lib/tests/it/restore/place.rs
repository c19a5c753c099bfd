//! Servers that are short of room or of rights.

use infra_lib::postgres::TempDatabase;

use super::*;

#[test]
fn c16_a_server_whose_disk_is_full_keeps_the_old_database_and_gets_its_room_back() {
    let Some(_engine) = engine() else { return };
    let shop = Shop::of("@image@", "    tmpfs: [\"/small:size=60m,mode=0777\"]\n", GOODS);
    shop.sql("INSERT INTO goods SELECT i, md5(i::text), i FROM generate_series(100001, 160000) i");
    docker(["exec", &shop.container, "chown", "postgres", "/small"]);
    shop.sql_in("postgres", "CREATE TABLESPACE small LOCATION '/small'");
    shop.sql_in("postgres", "ALTER DATABASE shop SET TABLESPACE small");
    shop.backup(&[]);
    shop.backup(&["--format", "sql", "--name", "text"]);
    let before = (shop.probe("shop"), shop.databases());
    // Room for an empty database, and for a part of this one.
    let empty: u64 = shop.sql("SELECT pg_database_size('template0') / 1024").parse().unwrap();
    let fill = format!(
        "set -- $(df -Pk /small | tail -1); free=$4; head -c $(( (free - {empty} - 1000) * 1024 )) /dev/zero >/small/filler"
    );
    docker(["exec", &shop.container, "sh", "-c", &fill]);
    let used = || {
        shop.sql_in("postgres", "CHECKPOINT");
        let size = docker(["exec", &shop.container, "du", "-sm", "/small"]);
        size.split_whitespace().next().unwrap().parse::<u32>().unwrap()
    };
    let room = used();
    for what in ["latest", "text"] {
        shop.restore([what]).end().code(73).says("the server ran out of space").says("No space left on device");
        assert_eq!((shop.probe("shop"), shop.databases()), before);
        assert!(used() <= room + 1, "the room is free again: {room} MB, and now {}", used());
    }
}

/// A server elsewhere, with a database whose owner may neither create nor rename databases.
struct Managed {
    server: TempDatabase,
    project: TestProject,
}

impl Managed {
    fn new(role: &str) -> Self {
        let server = TempDatabase::start().unwrap();
        let managed = Self { server, project: TestProject::new() };
        managed.sql("postgres", &format!("CREATE ROLE owner LOGIN PASSWORD 'secret-of-owner' {role}"));
        managed.sql("postgres", "CREATE DATABASE shop OWNER owner");
        managed.sql("shop", "ALTER SCHEMA public OWNER TO owner");
        let url = managed.server.url().expose().to_owned();
        let (_, place) = url.rsplit_once('@').unwrap();
        let place = place.split('/').next().unwrap();
        let url = format!("postgres://owner:secret-of-owner@{place}/shop?sslmode=disable");
        managed.project.write(
            "infra.toml",
            "[project]\nname = \"@name@\"\n[compose]\nservices = \"none\"\n[database]\nurl = \"env:DATABASE_URL\"\n",
        );
        managed.project.write(".env", &format!("DATABASE_URL={url}\n"));
        managed.as_owner(GOODS);
        managed
    }

    fn url(&self, database: &str, login: Option<&str>) -> String {
        let url = self.server.url().expose().to_owned();
        let (login_of, place) = url.split_once("://").unwrap().1.split_once('@').unwrap();
        let (place, rest) = place.split_once('/').unwrap();
        let options = rest.split_once('?').map_or(String::new(), |(_, options)| format!("?{options}"));
        format!("postgres://{}@{place}/{database}{options}", login.unwrap_or(login_of))
    }

    fn psql(url: &str, sql: &str) -> String {
        let output = command("psql").args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn sql(&self, database: &str, sql: &str) -> String {
        Self::psql(&self.url(database, None), sql)
    }

    fn as_owner(&self, sql: &str) -> String {
        Self::psql(&self.url("shop", Some("owner:secret-of-owner")), sql)
    }

    /// How a fake `pg_dump` gets to be used: it is newer than all others. `None` where a dump of that version is refused.
    fn preferred(&self) -> Option<String> {
        let version: u32 =
            self.sql("postgres", "SELECT current_setting('server_version_num')::int / 10000").parse().unwrap();
        let newer = format!("case \"$*\" in *--version*) echo 'pg_dump (PostgreSQL) {}.99'; exit;; esac", version + 1);
        (version != 16).then_some(newer)
    }

    fn restore(&self, what: &str) -> Call {
        self.project.xtask(["db-restore", what, "--confirm", self.project.name()])
    }

    fn probe(&self) -> String {
        let path = self.project.path("probe.sql");
        std::fs::write(&path, PROBE).unwrap();
        let url = self.url("shop", None);
        let output = command("psql").args(["-XAtq", "-d", &url, "-f"]).arg(&path).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn c19_in_place_it_is_all_or_nothing_and_after_a_safety_backup_only() {
    let Some(_postgres) = postgres() else { return };
    let managed = Managed::new("NOCREATEDB");
    managed.project.xtask(["db-backup", "--name", "good"]).end().ok();
    managed.project.xtask(["db-backup", "--format", "sql", "--name", "text"]).end().ok();
    let backed_up = managed.probe();
    managed.as_owner("DELETE FROM sales; UPDATE goods SET price = 0 WHERE id < 100; CREATE TABLE extra (id int)");
    let changed = managed.probe();
    let refused = |ended: Ended, code: i32, why: &str| {
        ended.code(code).says(why);
        assert_eq!(managed.probe(), changed, "nothing was touched");
    };
    // Without a mark, somebody else's server counts as protected.
    refused(managed.project.xtask(["db-restore", "good", "--yes"]).end(), 77, "--confirm");
    refused(managed.restore("text").end(), 77, "plain SQL cannot replace");
    // No safety backup, no restore: a full disk, and a table that may not be read.
    let full = managed.restore("good").limits("-f 20").end();
    assert_ne!(full.exit, 0);
    assert_eq!(managed.probe(), changed, "nothing was touched");
    managed.sql("shop", "CREATE TABLE secret (id int)");
    let changed = managed.probe();
    managed.restore("good").end().code(77).says("permission denied");
    assert_eq!(managed.probe(), changed, "nothing was touched");
    managed.sql("shop", "DROP TABLE secret");
    // What stands in the way half through takes all of it back.
    managed.sql("shop", "CREATE VIEW watcher AS SELECT * FROM sales");
    managed.sql("shop", "GRANT SELECT ON watcher TO owner");
    let changed = managed.probe();
    managed.restore("good").end().code(1).says("watcher");
    assert_eq!(managed.probe(), changed, "all of it was taken back");
    managed.sql("shop", "DROP VIEW watcher");

    let done = managed.restore("good").end();
    done.ok().says("in place, in one transaction").shows("the previous content is in");
    let extra = managed.probe();
    let without: Vec<&str> = extra.lines().filter(|line| !line.starts_with("public.extra ")).collect();
    assert_eq!(without, backed_up.lines().collect::<Vec<_>>(), "what the backup does not have stays");
    managed.project.xtask(["db-backup", "--list"]).end().ok().shows("before-restore");
    assert_eq!(managed.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "1");
}

#[test]
fn d33_a_dump_of_a_killed_run_writes_to_no_file_of_the_next() {
    let (Some(_postgres), Some(_dump)) = (postgres(), tool("pg_dump")) else { return };
    let managed = Managed::new("CREATEDB");
    let Some(version) = managed.preferred() else { return };
    let once = managed.project.path("once");
    // The first one has not connected yet when its run is killed.
    let script = format!(
        "{version}; umask >>{0}.umask; echo \"$*\" >>{0}.words
         if [ ! -e {0} ]; then echo $$ >{0}; sleep 4; fi; exec \"$REAL\" \"$@\"",
        once.display()
    );
    let fakes = Fakes::new().program("pg_dump", &script);
    let backup = |format: &str| managed.project.xtask(["db-backup", "--format", format]).env("PATH", fakes.path());
    for format in ["custom", "directory", "sql"] {
        let _ = std::fs::remove_file(&once);
        let killed = backup(format).spawn();
        wait_until("it dumps", std::time::Duration::from_secs(20), || {
            once.metadata().map_err(|error| error.to_string())
        });
        killed.signal(rustix::process::Signal::KILL);
        killed.wait();
        let orphan = std::fs::read_to_string(&once).unwrap();
        backup(format).end().ok();
        // One that has ended has no words, and may wait for its parent.
        let words = std::fs::read(format!("/proc/{}/cmdline", orphan.trim())).unwrap_or_default();
        assert!(words.is_empty(), "{format}: the orphan was ended");
        managed.project.xtask(["db-verify", "latest"]).end().ok();
        let left = std::fs::read_dir(managed.project.path("backups")).unwrap().flatten();
        let left: Vec<_> =
            left.map(|entry| entry.file_name()).filter(|name| name.to_string_lossy().contains("infra-part")).collect();
        assert!(left.is_empty(), "{format}: {left:?}");
    }
    // Whatever the format, others may read nothing, and a path that was replaced is not written to.
    let umasks = std::fs::read_to_string(managed.project.path("once.umask")).unwrap();
    assert!(umasks.lines().count() == 6 && umasks.lines().all(|umask| umask == "0077"), "{umasks}");
    let words = std::fs::read_to_string(managed.project.path("once.words")).unwrap();
    assert!(words.lines().all(|words| words.contains("--file=/dev/stdin")), "{words}");
}

#[test]
fn d38_a_link_in_the_place_of_what_is_dumped_leads_nowhere() {
    let (Some(_postgres), Some(_dump)) = (postgres(), tool("pg_dump")) else { return };
    let managed = Managed::new("CREATEDB");
    let Some(version) = managed.preferred() else { return };
    let victim = managed.project.path("victim");
    let script = format!(
        "{version}
         for part in {0}/backups/.*.infra-part; do rm -r \"$part\"; ln -s {0}/victim \"$part\"; done; exec \"$REAL\" \"$@\"",
        managed.project.dir().display()
    );
    let fakes = Fakes::new().program("pg_dump", &script);
    for format in ["custom", "sql", "directory"] {
        std::fs::write(&victim, "untouched").unwrap();
        let ended = managed.project.xtask(["db-backup", "--format", format]).env("PATH", fakes.path()).end();
        ended.code(77).says("was replaced while it was written to");
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "untouched", "{format}");
    }
}

#[test]
fn d34_in_place_the_safety_copy_is_never_the_latest_backup() {
    let (Some(_postgres), Some(_psql)) = (postgres(), tool("psql")) else { return };
    let managed = Managed::new("NOCREATEDB");
    let made = managed.project.xtask(["db-backup", "--json"]).end().ok().outcome();
    let file = made["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let backed_up = managed.probe();
    managed.as_owner("DELETE FROM sales");
    managed.sql("shop", "CREATE VIEW watcher AS SELECT * FROM sales; GRANT SELECT ON watcher TO owner");
    managed.restore("latest").end().code(1).says("watcher");
    managed.sql("shop", "DROP VIEW watcher");
    managed.restore("latest").end().ok().shows(&file);
    assert_eq!(managed.probe(), backed_up);
    managed.project.xtask(["db-verify", "latest"]).end().ok().shows(&file);
    let link = std::fs::read_link(managed.project.path("backups/latest")).unwrap();
    assert_eq!(link.to_str().unwrap(), file);
}

#[test]
fn d28_extensions_that_the_role_may_not_create_are_reported_before_anything_is_restored() {
    let (Some(_postgres), Some(_psql)) = (postgres(), tool("psql")) else { return };
    let managed = Managed::new("CREATEDB");
    managed.sql("shop", "CREATE EXTENSION pg_stat_statements; CREATE EXTENSION hstore");
    managed.sql("shop", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO owner");
    managed.project.xtask(["db-backup"]).end().ok();
    managed.as_owner("DELETE FROM sales");
    let changed = managed.probe();
    let refused = managed.restore("latest").end();
    refused.code(65).says("the role owner may not create the extension pg_stat_statements");
    refused.never_says("hstore").says("superuser");
    let drilled = managed.project.xtask(["db-verify", "--drill"]).end();
    drilled.code(65).says("may not create the extension pg_stat_statements").never_says("damaged");
    assert_eq!(managed.probe(), changed, "nothing was touched");
    assert_eq!(managed.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname LIKE 'shop%'"), "1");
}

#[test]
fn d29_a_session_that_may_not_be_terminated_is_named_and_nothing_is_changed() {
    let (Some(_postgres), Some(_psql)) = (postgres(), tool("psql")) else { return };
    let managed = Managed::new("CREATEDB");
    managed.project.xtask(["db-backup"]).end().ok();
    managed.as_owner("TRUNCATE sales");
    let changed = managed.probe();
    let sleep_in = |database: &str| {
        let url = managed.url(database, None);
        let mut call = command("psql");
        let session = call
            .args(["-XAtq", "-d", &url, "-c", "SELECT pg_sleep(600)"])
            .env("PGAPPNAME", "the boss")
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let found = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'the boss'";
        wait_until("the session is there", std::time::Duration::from_secs(10), || {
            match managed.sql("postgres", found).as_str() {
                "1" => Ok(()),
                other => Err(other.to_owned()),
            }
        });
        (session, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'the boss'")
    };
    let (mut session, end) = sleep_in("shop");
    let boss = managed.sql("postgres", "SELECT current_user");
    managed.restore("latest").end().code(75).says(&format!(" of {boss} (the boss)")).never_says("must be");
    assert_eq!(managed.probe(), changed, "nothing was touched");
    // Since when, is seen by who may see it.
    managed.sql("postgres", "GRANT pg_read_all_stats TO owner");
    managed.restore("latest").end().code(75).says(" (the boss), since 2");
    managed.sql("postgres", end);
    let _ = session.wait();
    managed.restore("latest").end().ok();
    // The same for one that is to be dropped.
    let old = managed.sql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'shop__old%'");
    let (mut session, end) = sleep_in(&old);
    let kept = managed.restore("--drop-previous").end();
    kept.code(75).says("could not be dropped").says(&format!(" of {boss} (the boss), since 2"));
    managed.sql("postgres", end);
    let _ = session.wait();
    managed.restore("--drop-previous").end().ok();
}

#[test]
fn c15_a_psql_that_cannot_be_restrained_runs_our_own_sql_only() {
    let (Some(_postgres), Some(_psql)) = (postgres(), tool("psql")) else { return };
    let managed = Managed::new("CREATEDB");
    let fakes = Fakes::new().program(
        "psql",
        "case \"$*\" in *--version*) echo 'psql (PostgreSQL) 99.0';; *--help=commands*) \"$REAL\" \"$@\" | grep -v restrict;; *) exec \"$REAL\" \"$@\";; esac",
    );
    let whole = managed.probe();
    let made = managed.project.xtask(["db-backup", "--format", "sql", "--json"]).end();
    let path = PathBuf::from(made.ok().outcome()["path"].as_str().unwrap());
    managed.as_owner("TRUNCATE sales");
    let alone = managed.project.path("alone.sql.gz");
    std::fs::copy(&path, &alone).unwrap();
    let ended = managed.restore(alone.to_str().unwrap()).arg("--unverified").env("PATH", fakes.path()).end();
    ended.code(77).says("\\restrict");
    managed.restore("latest").env("PATH", fakes.path()).end().ok();
    assert_eq!(managed.probe(), whole);
    assert!(fakes.calls().iter().any(|call| call.has(&["--help=commands"])), "it was this psql that was asked");
}
