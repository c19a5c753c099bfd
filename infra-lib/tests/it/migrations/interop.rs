//! The real tools and ours take turns on one database: sqlx's command line, a program with sqlx's `Migrator`, and one with
//! refinery.

use std::path::PathBuf;
use std::process::Output;

use super::locks::url;
use super::*;

/// A program that works on the project's database and files.
struct Other<'a> {
    project: &'a TestProject,
    url: String,
    program: PathBuf,
}

impl<'a> Other<'a> {
    fn new(project: &'a TestProject, program: PathBuf) -> Self {
        Self { project, url: url(project), program }
    }

    fn run(&self, words: &str) -> (bool, String) {
        let mut call = command(&self.program);
        call.args(words.split_whitespace()).env("DATABASE_URL", &self.url).current_dir(self.project.dir());
        let Output { status, stdout, stderr } = call.output().unwrap();
        (status.success(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
    }

    #[track_caller]
    fn ok(&self, words: &str) -> String {
        let (success, said) = self.run(words);
        assert!(success, "{words}: {said}");
        said
    }

    #[track_caller]
    fn refuses(&self, words: &str, why: &str) {
        let (success, said) = self.run(words);
        assert!(!success && said.contains(why), "{words}: {said}");
    }
}

fn more(project: &TestProject, version: u32) {
    project.write(&format!("migrations/{version}_more.up.sql"), &format!("CREATE TABLE t{version} (id int);\n"));
    project.write(&format!("migrations/{version}_more.down.sql"), &format!("DROP TABLE t{version};\n"));
}

/// Both ways: up, down, outside of a transaction, edited, missing, half way.
fn takes_turns(project: &TestProject, other: &Other<'_>, up: &str, down: impl Fn(u32) -> String) {
    other.ok(up);
    migrate(project, "status").ok();
    more(project, 2);
    other.ok(up);
    more(project, 3);
    migrate(project, "").ok().shows("applied 3\n");
    more(project, 4);
    other.ok(up);
    assert_eq!(ask(project, ROWS), "1:true 2:true 3:true 4:true");
    migrate(project, "status").ok();

    // Each reverts what the other has applied.
    other.ok(&down(3));
    migrate(project, "down --yes").ok().shows("reverted 3\n");
    other.ok(up);
    migrate(project, "down --to 2 --yes").ok().shows("reverted 4, 3\n");
    other.ok(&down(1));
    assert_eq!(ask(project, ROWS), "1:true");
    migrate(project, "").ok().shows("applied 2, 3, 4\n");

    // Outside of a transaction.
    let index = |version: u32, table: u32| {
        let name = |end: &str| format!("migrations/{version}_index.{end}.sql");
        project.write(
            &name("up"),
            &format!("-- no-transaction\nCREATE INDEX CONCURRENTLY i{version} ON t{table} (id);\n"),
        );
        project.write(&name("down"), &format!("-- no-transaction\nDROP INDEX CONCURRENTLY i{version};\n"));
    };
    index(5, 2);
    other.ok(up);
    index(6, 3);
    migrate(project, "").ok().shows("applied 6\n");
    other.ok(&down(5));
    migrate(project, "down --yes").ok().shows("reverted 5\n");
    migrate(project, "").ok().shows("applied 5, 6\n");
    other.ok(up);

    // A file that was edited is refused by both, and accepted by both when it is as it was.
    let text = project.read("migrations/2_more.up.sql");
    project.write("migrations/2_more.up.sql", &text.replace('\n', "\r\n"));
    other.refuses(up, "has been modified");
    migrate(project, "").code(65).says("only its line ends");
    project.write("migrations/2_more.up.sql", "CREATE TABLE other (id int);\n");
    other.refuses(up, "has been modified");
    migrate(project, "").code(65).says("was changed after it was applied");
    migrate(project, "repair").ok();
    other.ok(up);
    project.write("migrations/2_more.up.sql", &text);
    other.refuses(up, "has been modified");
    migrate(project, "repair").ok();

    // One that is gone is refused by both.
    let both = ["6_index.up.sql", "6_index.down.sql"];
    for name in both {
        std::fs::rename(project.path("migrations").join(name), project.path(name)).unwrap();
    }
    other.refuses(up, "missing");
    migrate(project, "").code(65).says("its file is missing");
    for name in both {
        std::fs::rename(project.path(name), project.path("migrations").join(name)).unwrap();
    }

    // One that fails leaves nothing, whoever tries; one that fails half way with us keeps the other away until it is repaired.
    project.write("migrations/7_bad.up.sql", "CREATE TABLE half (id int);\nSELECT 1/0;\n");
    project.write("migrations/7_bad.down.sql", "");
    other.refuses(up, "division by zero");
    migrate(project, "").code(1);
    assert_eq!(ask(project, "SELECT to_regclass('half') IS NULL"), "t");
    ask(project, "INSERT INTO t2 VALUES (1), (1)");
    project.write("migrations/7_bad.up.sql", "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY one ON t2 (id);\n");
    migrate(project, "").code(3);
    other.refuses(up, "partially applied");
    ask(project, "DROP INDEX one");
    ask(project, "TRUNCATE t2");
    migrate(project, "repair").ok().shows("pending again: 7\n");
    other.ok(up);
    migrate(project, "status").ok();
}

#[test]
fn sqlx_cli_and_ours_take_turns() {
    let Some(_postgres) = postgres() else { return };
    let Some(sqlx) = tool("sqlx") else { return };
    let project = migrated();
    let other = Other::new(&project, sqlx);
    takes_turns(&project, &other, "migrate run", |version| format!("migrate revert --target-version {version}"));
    let info = other.ok("migrate info");
    assert!(info.contains("7/installed") && !info.contains("pending"), "{info}");
}

#[test]
fn a_service_that_migrates_at_its_start_and_ours_take_turns() {
    let Some(_postgres) = postgres() else { return };
    let Some(interop) = interop() else { return };
    let project = migrated();
    let other = Other::new(&project, interop);
    takes_turns(&project, &other, "sqlx up migrations", |version| format!("sqlx down {version} migrations"));
}

#[test]
fn sqlx_waits_for_us_and_we_for_it() {
    let Some(_postgres) = postgres() else { return };
    let Some(interop) = interop() else { return };
    let project = migrated();
    let other = Other::new(&project, interop);
    project.write("migrations/2_slow.sql", "SELECT pg_sleep(2);\nCREATE TABLE slow (id int);\n");
    let ours = project.xtask(["db-migrate"]).spawn();
    ours.until("applying 2_slow.sql");
    // It waits inside of the lock, and finds everything done.
    other.ok("sqlx up migrations");
    ours.wait().ok().shows("applied 2\n");

    project.write("migrations/3_slow.sql", "SELECT pg_sleep(2);\nCREATE TABLE slower (id int);\n");
    std::thread::scope(|scope| {
        let theirs = scope.spawn(|| other.ok("sqlx up migrations"));
        let sleeps =
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(2)%' AND wait_event = 'PgSleep'";
        wait_until("it is at work", std::time::Duration::from_secs(20), || match ask(&project, sleeps).as_str() {
            "1" => Ok(()),
            other => Err(other.to_owned()),
        });
        migrate(&project, "")
            .ok()
            .says("another migrator is running on this database: process ")
            .shows("nothing to do");
        theirs.join().unwrap();
    });
    assert_eq!(ask(&project, ROWS), "1:true 2:true 3:true");
}

#[test]
fn what_refinery_has_applied_is_known_and_what_was_edited_is_found() {
    let Some(_postgres) = postgres() else { return };
    let Some(interop) = interop() else { return };
    let manifest = "[project]\nname = \"@name@\"\n[compose]\nservices = \"none\"\n[migrations]\nbackup-first = false\n";
    let project = TestProject::new().file("infra.toml", manifest);
    setup(&project).code(0);
    project.write("Cargo.toml", "[dependencies]\nrefinery = \"0.9\"\n");
    project.write("migrations/V1__first_one.sql", "CREATE TABLE a (id int);\n");
    project.write("migrations/V2__second.sql", "CREATE TABLE b (id int);\r\n");
    let other = Other::new(&project, interop);
    migrate(&project, "status").code(2).shows("1  first one  pending");
    other.ok("refinery up migrations");
    // Its checksums are known: nothing is edited.
    migrate(&project, "status").ok().shows("2 applied, 0 pending\n");
    project.write("migrations/V3__third.sql", "CREATE TABLE c (id int);\n");
    migrate(&project, "status").code(2).shows("2 applied, 1 pending\n");
    if tool("refinery").is_some() {
        migrate(&project, "up").ok().shows("applied 3\n");
        migrate(&project, "status").ok().shows("3 applied, 0 pending\n");
    }
    project.write("migrations/V2__second.sql", "CREATE TABLE b (id bigint);\n");
    migrate(&project, "status").code(2).shows("edited after it was applied");
    other.refuses("refinery up migrations", "V2");
    project.write("migrations/V2__second.sql", "CREATE TABLE b (id int);\r\n");
    other.ok("refinery up migrations");
    migrate(&project, "status").ok();
    // Sqlx's files on refinery's database: never two owners.
    std::fs::remove_dir_all(project.path("migrations")).unwrap();
    project.write("migrations/1_x.sql", "SELECT 1;\n");
    migrate(&project, "").code(77).says("refinery_schema_history of refinery");
}
