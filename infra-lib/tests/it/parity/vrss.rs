//! The Makefile and its scripts, and ours, on one copy of the stack.

use std::collections::BTreeSet;
use std::time::Duration;

use super::names::TARGETS;
use super::old::{Done, cut, files, lay, run, unpacked};
use crate::support::*;

const IMAGES: [&str; 4] = ["postgres:16-alpine", "oven/bun:1.1-alpine", "node:20-alpine", "nginx:alpine"];

/// Longer than any build.
const BUILD: Duration = Duration::from_secs(1200);

struct Both {
    stack: Stack,
}

#[test]
fn the_makefile_and_ours_do_the_same_and_ours_does_it_right() {
    if tool("make").is_none() || tool("bash").is_none() || !stack_can_run(&IMAGES) {
        return;
    }
    let stack = Stack::of("vrss").ports(
        ".env.example",
        &[("BACKEND_PORT_PUBLISHED", "backend"), ("FRONTEND_PORT_PUBLISHED", "frontend"), ("DB_PORT_PUBLISHED", "db")],
    );
    lay("vrss", &stack.project);
    let both = Both { stack };
    part("help", || both.help());
    part("setup", || both.setup());
    part("start and stop", || both.start_and_stop());
    part("looking around", || both.looking_around());
    part("tests", || both.tests());
    part("a backup and a restore", || both.back_up_and_restore());
    part("a dump that fails", || both.a30_a31_a_dump_that_fails());
    part("a file that is cut", || both.c01_c04_a_file_that_is_cut());
    part("health", || both.f14_health());
    part("clean", || both.g10_g05_clean());
}

impl Both {
    fn make(&self, target: &str) -> Done {
        self.make_with(target, &[], "")
    }

    fn make_with(&self, target: &str, env: &[(&str, &str)], input: &str) -> Done {
        run(&self.stack.project, &["make", "--no-print-directory", target], env, input)
    }

    fn running(&self) -> BTreeSet<String> {
        let project = format!("label=com.docker.compose.project={}", self.stack.project.name());
        let format = "{{.Label \"com.docker.compose.service\"}}";
        docker(["ps", "--filter", &project, "--format", format]).lines().map(str::to_owned).collect()
    }

    /// The rows of each table.
    fn rows(&self, database: &str) -> Vec<String> {
        let query = "select format('%s %s', c.relname, (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %I', c.relname), \
            false, true, '')))[1]) from pg_class c where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not like '%migrations%' order by 1";
        let id = self.stack.project.container("db");
        let user = self.stack.variable(".env", "DB_USER");
        docker(["exec", &id, "psql", "-U", &user, "-d", database, "-tAc", query]).lines().map(str::to_owned).collect()
    }

    fn help(&self) {
        let old = self.make("help");
        old.code(0);
        let ours = self.stack.run(["help"]).end();
        for target in TARGETS.split_whitespace() {
            old.says(&format!("  {target} "));
        }
        ours.ok().shows("db-backup").shows("test-backend");
    }

    /// The old setup leaves a stack that cannot start.
    fn setup(&self) {
        self.make("setup").code(0).says("Setup complete!");
        self.make("start").code(2).says("is missing a value").lacks("Services started!");
        assert!(self.running().is_empty());
        std::fs::remove_file(self.stack.project.path(".env")).unwrap();
        self.stack.run(["setup", "--yes"]).limit(BUILD).end().ok().shows("ready after");
        assert_eq!(self.running(), ["backend", "db", "frontend"].map(str::to_owned).into());
    }

    fn start_and_stop(&self) {
        let all = self.running();
        self.make("stop").code(0);
        assert!(self.running().is_empty());
        self.make("start").code(0).says("Services started!");
        assert_eq!(self.running(), all);
        // It is said to be started, and what answers is seen by waiting alone.
        self.stack.run(["health", "--wait=120"]).limit(BUILD).end().ok();
        self.stack.run(["stop"]).limit(BUILD).end().ok();
        assert!(self.running().is_empty());
        self.stack.run(["start"]).limit(BUILD).end().ok().shows("ready after");
        assert_eq!(self.running(), all);
    }

    fn looking_around(&self) {
        let old = self.make("ps");
        let ours = self.stack.run(["ps", "--json"]).end().ok().outcome();
        for row in ours["services"].as_array().unwrap().iter().filter(|row| row["state"] == "healthy") {
            old.says(row["service"].as_str().unwrap());
        }
        let old = addresses(&self.make("ip").code(0).text);
        let ours = addresses(&self.stack.run(["ip"]).end().ok().stdout);
        assert!(old.len() == 3 && old.is_subset(&ours), "{old:?} {ours:?}");
        let old = self.make("docs");
        assert!(old.code(0).text.ends_with(&self.stack.run(["docs"]).end().ok().stdout), "{old:?}");
        // Containers of all projects, and only ours.
        self.make("stats").code(0).says(self.stack.project.name());
        self.stack.run(["stats"]).end().ok().shows("backend");
        for service in ["backend", "db"] {
            let target = format!("logs-{service}");
            let old = run(&self.stack.project, &["timeout", "5", "make", &target], &[], "");
            assert!(old.code(124).text.contains(service), "it follows for ever: {old:?}");
            self.stack.project.xtask([target]).end().ok().shows(service);
        }
    }

    fn tests(&self) {
        let old = self.make("test-frontend");
        let ours = self.stack.run(["test-frontend"]).limit(BUILD).end();
        assert_eq!((old.exit, ours.exit), (0, 0), "{old:?} {ours}");
        self.make("db-migrate").code(0);
        self.stack.run(["db-migrate", "status"]).end().ok();
    }

    /// Into an empty database both bring all rows back.
    fn back_up_and_restore(&self) {
        self.stack.run(["db-seed", "--yes"]).end().ok();
        let database = self.stack.variable(".env", "DB_NAME");
        let before = self.rows(&database);
        assert!(
            before.len() >= 14 && before.iter().any(|row| row.starts_with("users ") && !row.ends_with(" 0")),
            "{before:?}"
        );
        self.make("db-backup").code(0).says("Backup created");
        let old = files(&self.stack.project, "backups", ".sql.gz");
        assert_eq!(old.len(), 1);
        self.stack.run(["db-backup", "--name", "base"]).end().ok();

        let id = self.stack.project.container("db");
        let user = self.stack.variable(".env", "DB_USER");
        docker(["exec", &id, "createdb", "-U", &user, "by_make"]);
        let file = format!("backups/{}", old[0]);
        self.make_with("db-restore", &[("DB_NAME", "by_make"), ("FILE", &file)], "").code(0).says("Database restored!");
        self.stack.run(["db-restore", "base", "--into", "by_us"]).limit(BUILD).end().ok();
        assert_eq!(self.rows("by_make"), before);
        assert_eq!(self.rows("by_us"), before);
    }

    /// A failed dump behind a pipe: 0, "created", and an empty archive; ours says no and leaves nothing.
    fn a30_a31_a_dump_that_fails(&self) {
        let id = self.stack.project.container("db");
        docker(["stop", &id]);
        let before = files(&self.stack.project, "backups", "");
        std::thread::sleep(Duration::from_millis(1100)); // Names have a second in them.
        self.make("db-backup").code(0).says("Backup created");
        let made = files(&self.stack.project, "backups", "").into_iter().find(|name| !before.contains(name)).unwrap();
        assert_eq!(unpacked(&self.stack.project, &format!("backups/{made}")), "");
        std::fs::remove_file(self.stack.project.path(&format!("backups/{made}"))).unwrap();

        let script = run(&self.stack.project, &["docker/db/scripts/backup.sh"], &[], "");
        script.code(0).says("Backup finished successfully");
        let made = files(&self.stack.project, "backups", "").into_iter().find(|name| !before.contains(name)).unwrap();
        let inside = unpacked(&self.stack.project, &format!("backups/{made}"));
        assert!(
            inside.contains("not running") && !inside.contains("CREATE TABLE"),
            "the complaint is the dump: {inside}"
        );
        std::fs::remove_file(self.stack.project.path(&format!("backups/{made}"))).unwrap();

        self.stack.run(["db-backup"]).end().code(69);
        assert_eq!(files(&self.stack.project, "backups", ""), before);
        docker(["start", &id]);
        self.stack.run(["health", "--wait=120"]).limit(BUILD).end().ok();
    }

    /// Half an archive: "restored", 0; ours says what is wrong and touches nothing.
    fn c01_c04_a_file_that_is_cut(&self) {
        let database = self.stack.variable(".env", "DB_NAME");
        let before = self.rows(&database);
        let whole = files(&self.stack.project, "backups", ".sql.gz").remove(0);
        cut(&self.stack.project, &format!("backups/{whole}"), "cut.sql.gz");
        let id = self.stack.project.container("db");
        let user = self.stack.variable(".env", "DB_USER");
        docker(["exec", &id, "createdb", "-U", &user, "by_half"]);
        self.make_with("db-restore", &[("DB_NAME", "by_half"), ("FILE", "cut.sql.gz")], "")
            .code(0)
            .says("Database restored!");
        assert_ne!(self.rows("by_half"), before);
        let script = run(
            &self.stack.project,
            &["docker/db/scripts/restore.sh", "cut.sql.gz"],
            &[("DB_NAME", "by_half")],
            "yes\n",
        );
        script.code(0).says("Database restored from");

        let ours = self.stack.run(["db-restore", "cut.sql.gz", "--unverified", "--yes"]).limit(BUILD).end();
        ours.code(65);
        assert_eq!(self.rows(&database), before);
    }

    /// The old check asks the ports of the template, and says nothing after the first that does not answer.
    fn f14_health(&self) {
        let old = self.make("health");
        assert_ne!(old.exit, 0, "everything is healthy: {old:?}");
        old.says("PostgreSQL accepts connections").lacks("frontend answers").lacks("checks failed").lacks("Disk");
        self.stack.run(["health", "--wait=180"]).limit(BUILD).end().ok();

        let id = self.stack.project.container("backend");
        docker(["stop", &id]);
        let ours = self.stack.run(["health"]).end();
        ours.code(2).shows("backend").shows("frontend").shows("disk");
        docker(["start", &id]);
        self.stack.run(["health", "--wait=120"]).limit(BUILD).end().ok();
    }

    /// The old question is none in `sh`; whoever says yes is told "Cancelled", with 0.
    fn g10_g05_clean(&self) {
        let mut bystanders = Bystanders::new();
        bystanders.volume(&[]);
        bystanders.container(&[]);
        let all = self.running();
        self.make_with("clean", &[], "y").code(0).says("Cancelled");
        assert_eq!(self.running(), all);
        self.stack.run(["clean"]).end().code(64);
        assert_eq!(self.running(), all);
        self.stack.run(["clean", "--yes"]).limit(BUILD).end().ok();
        assert!(self.stack.objects("development", "container").is_empty());
        assert!(!self.stack.objects("development", "volume").is_empty());

        // With bash the question works; what it would remove beyond the project is held back here.
        self.stack.run(["clean-volumes"]).end().code(64);
        assert!(!self.stack.objects("development", "volume").is_empty());
        self.make("clean-volumes").code(0);
        // Without a question; what a profile has that is off just now stays.
        let left = self.stack.objects("development", "volume");
        assert!(left.iter().all(|volume| volume.contains("_nginx_")), "{left:?}");
        self.stack.run(["clean", "--volumes", "--yes"]).limit(BUILD).end().ok();
        assert!(self.stack.objects("development", "volume").is_empty());
        let bash = run(&self.stack.project, &["make", "clean", "SHELL=/bin/bash"], &[], "y");
        bash.code(0).says("left out: docker system prune -af --volumes");
        bystanders.unchanged();
    }
}

/// The IPv4 addresses in a text.
fn addresses(text: &str) -> BTreeSet<String> {
    let words = text.split(|char: char| !char.is_ascii_digit() && char != '.');
    words.filter(|word| word.parse::<std::net::Ipv4Addr>().is_ok()).map(str::to_owned).collect()
}
