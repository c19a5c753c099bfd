//! A fresh database with one good backup, for one fault and one of the two ways.

use std::fmt;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use xshell::{Cmd, Shell, cmd};

use crate::stack::Stack;
use crate::timing::succeeds;
use crate::{Outcome, Site, data, timing};

/// Enough that a dump and a restore can be met in their middle.
const MEGABYTES: u64 = 60;
/// Nothing here takes as long as this, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Scripts,
    Ours,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scripts => "the scripts",
            Self::Ours => "xtask",
        })
    }
}

/// The server, with a database to copy.
pub(super) struct Ground<'a> {
    site: &'a Site,
    stack: &'a Stack,
}

/// Makes the database that each scene begins with.
pub(super) fn prepare<'a>(site: &'a Site, stack: &'a Stack) -> Outcome<Ground<'a>> {
    let (sh, database) = (&stack.sh, &stack.database);
    let (user, name, password) = (database.user, database.name, &database.password);
    sh.write_file(".env", format!("POSTGRES_DB={name}\nPOSTGRES_USER={user}\nPOSTGRES_PASSWORD={password}\n"))?;
    sh.write_file(
        "infra.toml",
        "[database]\nservice = \"postgres\"\nname = \"env:POSTGRES_DB\"\n[migrations]\ndir = \"migrations\"\n\
         backup-first = false\n[backup]\nkeep = { last = 1, daily = 30 }\nprune = true\n",
    )?;
    stack.up()?;
    data::fill(stack, MEGABYTES)?;
    let ground = Ground { site, stack };
    ground.admin(&format!("CREATE DATABASE seed TEMPLATE {name}"))?;
    Ok(ground)
}

impl<'a> Ground<'a> {
    /// The database as it was, and nothing else.
    pub(super) fn scene(&'a self, way: Way) -> Outcome<Scene<'a>> {
        let scene = Scene { site: self.site, stack: self.stack, way };
        scene.forget()?;
        self.stack.up()?;
        let others = "SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE datname NOT IN \
                      ('seed', 'postgres') AND NOT datistemplate \\gexec";
        self.admin(others)?;
        self.admin(&format!("CREATE DATABASE {} TEMPLATE seed", self.stack.database.name))?;
        Ok(scene)
    }

    fn admin(&self, sql: &str) -> Outcome<()> {
        let user = self.stack.database.user;
        let call =
            cmd!(self.stack.sh, "docker compose exec -T postgres psql -Xqw -v ON_ERROR_STOP=1 -U {user} -d template1");
        Ok(call.stdin(sql).quiet().ignore_stdout().run()?)
    }
}

/// What a fault happens to.
pub(super) struct Scene<'a> {
    site: &'a Site,
    pub(super) stack: &'a Stack,
    pub(super) way: Way,
}

impl Scene<'_> {
    pub(super) fn backups(&self) -> PathBuf {
        self.stack.sh.current_dir().join("backups")
    }

    /// Removes what was made in the project's folder, and our notes of it.
    pub(super) fn forget(&self) -> Outcome<()> {
        for leaf in ["backups", "migrations", ".infra"] {
            match fs::remove_dir_all(self.stack.sh.current_dir().join(leaf)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn backup(&self) -> Cmd<'_> {
        match self.way {
            Way::Scripts => self.script("pagodirecto/backup-db.sh", &[]),
            Way::Ours => self.stack.ours(self.site, &["-q", "db-backup"]),
        }
    }

    pub(super) fn restore(&self, backup: &Path) -> Cmd<'_> {
        match self.way {
            // It asks whether it may; whoever is in need says yes.
            Way::Scripts => self.script("pagodirecto/restore-db.sh", &[&name_of(backup)]).stdin("yes\n"),
            Way::Ours => {
                let xtask = &self.site.xtask;
                cmd!(self.stack.sh, "{xtask} -q --yes db-restore {backup}")
            }
        }
    }

    pub(super) fn migrate(&self) -> Cmd<'_> {
        match self.way {
            Way::Scripts => self.script("migrate.sh", &[]),
            Way::Ours => self.stack.ours(self.site, &["-q", "--yes", "db-migrate"]),
        }
    }

    /// One of the scripts where they are, at work on this project.
    pub(super) fn script(&self, name: &str, args: &[&str]) -> Cmd<'_> {
        let script = self.site.sh.current_dir().join("scripts-legacy").join(name);
        cmd!(self.stack.sh, "bash {script} {args...}").env("DOCKER_DIR", self.stack.sh.current_dir())
    }

    /// Makes a backup that must come out right, and says which it is.
    pub(super) fn good_backup(&self) -> Outcome<PathBuf> {
        let before = self.all_backups();
        timing::run(self.backup())?;
        let made = self.all_backups().into_iter().find(|it| !before.contains(it));
        made.ok_or_else(|| format!("{} made no backup", self.way).into())
    }

    /// The backups, oldest first.
    pub(super) fn all_backups(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.backups()).into_iter().flatten().flatten().map(|entry| entry.path());
        let endings: &[&str] = match self.way {
            Way::Scripts => &["gz", "sql"],
            Way::Ours => &["dump"],
        };
        let is_backup = |path: &PathBuf| path.extension().is_some_and(|it| endings.iter().any(|ending| it == *ending));
        let mut all: Vec<PathBuf> = entries.filter(is_backup).collect();
        all.sort_by_key(|path| path.metadata().and_then(|data| data.modified()).ok());
        all
    }

    /// Whether the backup restores, into a scratch database, to exactly this.
    pub(super) fn restores_to(&self, backup: &Path, expected: &str) -> Outcome<bool> {
        let (service, user) = (self.stack.database.service, self.stack.database.user);
        let restored = match self.way {
            // As the script does it, which goes on after errors; what counts is what comes out.
            Way::Scripts => {
                self.sql("CREATE DATABASE scratch")?;
                let load = "gunzip -c \"$1\" | docker compose exec -T \"$2\" psql -Xqw -U \"$3\" -d scratch";
                timing::run(cmd!(self.stack.sh, "bash -c {load} restore {backup} {service} {user}")).is_ok()
            }
            Way::Ours => {
                let xtask = &self.site.xtask;
                succeeds(cmd!(self.stack.sh, "{xtask} -q db-restore {backup} --into scratch"))
            }
        };
        let same = restored && self.contents_of("scratch")? == expected;
        self.sql("DROP DATABASE IF EXISTS scratch WITH (FORCE)")?;
        Ok(same)
    }

    /// Whether any backup that is there restores to exactly this.
    pub(super) fn any_restores_to(&self, expected: &str) -> Outcome<bool> {
        for backup in self.all_backups().iter().rev() {
            if self.restores_to(backup, expected)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is in the database, in a line: every table's rows, in whatever order they lie, and who may read it.
    pub(super) fn contents(&self) -> Outcome<String> {
        self.contents_of(self.stack.database.name)
    }

    fn contents_of(&self, database: &str) -> Outcome<String> {
        let user = self.stack.database.user;
        let tables = "SELECT coalesce(string_agg(format('SELECT %L, count(*), sum(hashtext(t::text)) FROM %s t', \
                      c.oid::regclass, c.oid::regclass), ' UNION ALL ' ORDER BY c.oid::regclass::text), 'SELECT 0') || ' ORDER BY 1' \
                      FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace \\gexec\n\
                      SELECT c.relname, a.grantee::regrole, a.privilege_type FROM pg_class c, \
                      aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a \
                      WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1, 2, 3;";
        let call = cmd!(
            self.stack.sh,
            "docker compose exec -T postgres psql -XqwtA -v ON_ERROR_STOP=1 -U {user} -d {database}"
        );
        Ok(call.stdin(tables).quiet().ignore_stderr().ignore_status().read()?)
    }

    pub(super) fn sql(&self, sql: &str) -> Outcome<()> {
        data::psql(self.stack, sql)
    }

    /// Starts a command that is to be met in its middle, in a process group of its own.
    pub(super) fn spawn(&self, command: Cmd<'_>) -> Outcome<Running> {
        let mut command: Command = command.into();
        let command = command.current_dir(self.stack.sh.current_dir()).process_group(0);
        Ok(Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?))
    }

    /// Waits, inside the server, until one of its sessions does this, and does something to it at once.
    pub(super) fn when(&self, query: &str, then: &str) -> Outcome<()> {
        self.sql(&format!(
            "DO $$ BEGIN FOR i IN 1..6000 LOOP \
               PERFORM pg_stat_clear_snapshot(); \
               PERFORM {then} FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '{query}' AND state = 'active'; \
               IF FOUND THEN RETURN; END IF; PERFORM pg_sleep(0.005); END LOOP; \
               RAISE 'nobody did this'; END $$"
        ))
    }

    /// Up again after whatever happened to the server.
    pub(super) fn revive(&self) -> Outcome<()> {
        self.stack.up()
    }
}

/// What the script calls a backup.
pub(super) fn name_of(backup: &Path) -> String {
    let name = backup.file_name().unwrap_or_default().to_string_lossy();
    name.trim_end_matches(".sql.gz").to_owned()
}

/// A command under way. Dropped, it and all that it has started end.
pub(super) struct Running(Child);

impl Running {
    /// As by the kernel when memory is short: the command cannot do anything more.
    pub(super) fn kill(&mut self) {
        let group = format!("-{}", self.0.id());
        if let Ok(sh) = Shell::new() {
            let _ = cmd!(sh, "kill -9 -- {group}").quiet().ignore_stderr().run();
        }
    }

    /// Its end, which one that hangs does not have.
    pub(super) fn end(&mut self) -> Outcome<ExitStatus> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err("it hangs".into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(Some(_))) {
            self.kill();
            let _ = self.0.wait();
        }
    }
}
