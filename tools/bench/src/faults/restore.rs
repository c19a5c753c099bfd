//! What happens to a restore, on the day on which it is needed.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use xshell::cmd;

use super::scene::{Scene, Way, name_of};
use super::{Fault, Verdict};
use crate::Outcome;
use crate::timing::{self, succeeds};

pub(super) const FAULTS: &[Fault] = &[
    Fault { name: "the backup's second half is missing", run: |scene| scene.damaged(cut) },
    Fault { name: "one byte of the backup has changed", run: |scene| scene.damaged(flip) },
    Fault { name: "the backup is empty", run: |scene| scene.damaged(empty) },
    Fault { name: "the backup is another database's", run: another_database },
    Fault { name: "a role that may read is gone", run: role_is_gone },
    Fault { name: "the server is killed in the middle", run: server_killed },
    Fault { name: "it is killed in the middle", run: killed },
    Fault { name: "a client is connected", run: a_client_is_connected },
];

/// The backup, what is in it, and what the database has had since.
struct Before {
    backup: PathBuf,
    then: String,
    now: String,
}

impl Scene<'_> {
    /// A good backup, and a database that has gone on since.
    fn before(&self) -> Outcome<Before> {
        let backup = self.good_backup()?;
        let then = self.contents()?;
        self.sql("CREATE TABLE since AS SELECT 1 AS id; DELETE FROM orders WHERE id <= 10;")?;
        Ok(Before { backup, then, now: self.contents()? })
    }

    /// What a restore has left. `again`: it is tried once more, with what is as good as new.
    fn after(&self, before: &Before, succeeded: bool, again: impl FnOnce() -> Outcome<()>) -> Outcome<Verdict> {
        let is = self.contents()?;
        let done = is == before.then;
        let kept = done || is == before.now || self.any_restores_to(&before.now)?;
        again()?;
        let again = succeeds(self.restore(&before.backup)) && self.contents()? == before.then;
        Ok(Verdict { honest: succeeded == done, kept, again })
    }

    fn damaged(&self, damage: fn(&Path) -> Outcome<()>) -> Outcome<Verdict> {
        let before = self.before()?;
        let whole = std::fs::read(&before.backup)?;
        damage(&before.backup)?;
        let succeeded = succeeds(self.restore(&before.backup));
        self.after(&before, succeeded, || Ok(std::fs::write(&before.backup, whole)?))
    }
}

fn cut(backup: &Path) -> Outcome<()> {
    let file = OpenOptions::new().write(true).open(backup)?;
    Ok(file.set_len(file.metadata()?.len() / 2)?)
}

fn flip(backup: &Path) -> Outcome<()> {
    let middle = backup.metadata()?.len() / 2;
    let byte = std::fs::read(backup)?[usize::try_from(middle)?];
    let mut file = OpenOptions::new().write(true).open(backup)?;
    file.seek(SeekFrom::Start(middle))?;
    Ok(file.write_all(&[byte ^ 0xff])?)
}

fn empty(backup: &Path) -> Outcome<()> {
    Ok(OpenOptions::new().write(true).open(backup)?.set_len(0)?)
}

/// Both ways take the database's name from the environment; here another one was set when the backup was made.
fn another_database(scene: &Scene<'_>) -> Outcome<Verdict> {
    let before = scene.before()?;
    scene.sql("CREATE DATABASE shop")?;
    let shop = "CREATE TABLE baskets AS SELECT 1 AS id";
    let user = scene.stack.database.user;
    cmd!(scene.stack.sh, "docker compose exec -T postgres psql -Xqw -U {user} -d shop -c {shop}").quiet().run()?;
    // Names tell seconds apart.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let known = scene.all_backups();
    let file = scene.stack.sh.current_dir().join(".env");
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(&file, text.replace(&format!("POSTGRES_DB={}", scene.stack.database.name), "POSTGRES_DB=shop"))?;
    let made = timing::run(scene.backup());
    std::fs::write(&file, text)?;
    made?;
    let foreign = scene.all_backups().into_iter().find(|it| !known.contains(it)).ok_or("no backup of the other")?;
    let succeeded = succeeds(scene.restore(&foreign));
    scene.after(&before, succeeded, || Ok(()))
}

fn role_is_gone(scene: &Scene<'_>) -> Outcome<Verdict> {
    scene.sql("DROP ROLE IF EXISTS reporter; CREATE ROLE reporter; GRANT SELECT ON orders TO reporter;")?;
    let before = scene.before()?;
    scene.sql("REVOKE ALL ON orders FROM reporter; DROP ROLE reporter;")?;
    let before = Before { now: scene.contents()?, ..before };
    let succeeded = succeeds(scene.restore(&before.backup));
    let verdict = scene.after(&before, succeeded, || scene.sql("CREATE ROLE reporter"));
    scene.sql("DROP OWNED BY reporter")?;
    verdict
}

fn server_killed(scene: &Scene<'_>) -> Outcome<Verdict> {
    let before = scene.before()?;
    let mut restore = scene.start_restore(&before.backup)?;
    scene.when("COPY %", "pid")?;
    timing::run(scene.stack.compose(&["kill", "postgres"]))?;
    let succeeded = restore.end()?.success();
    scene.revive()?;
    scene.after(&before, succeeded, || Ok(()))
}

fn killed(scene: &Scene<'_>) -> Outcome<Verdict> {
    let before = scene.before()?;
    let mut restore = scene.start_restore(&before.backup)?;
    scene.when("COPY %", "pid")?;
    restore.kill();
    let succeeded = restore.end()?.success();
    scene.after(&before, succeeded, || Ok(()))
}

fn a_client_is_connected(scene: &Scene<'_>) -> Outcome<Verdict> {
    let before = scene.before()?;
    let (user, name) = (scene.stack.database.user, scene.stack.database.name);
    let sleep = "SELECT pg_sleep(600)";
    let mut somebody = scene
        .spawn(cmd!(scene.stack.sh, "docker compose exec -T postgres psql -Xqw -U {user} -d {name} -c {sleep}"))?;
    scene.when("SELECT pg_sleep(600)%", "pid")?;
    let succeeded = succeeds(scene.restore(&before.backup));
    somebody.kill();
    let _ = somebody.end()?;
    scene.after(&before, succeeded, || Ok(()))
}

impl Scene<'_> {
    /// A restore to be met in its middle. The script asks before it begins.
    fn start_restore(&self, backup: &Path) -> Outcome<super::scene::Running> {
        match self.way {
            Way::Scripts => {
                let script = self.script("pagodirecto/restore-db.sh", &[&name_of(backup)]).to_string();
                let said_yes = format!("echo yes | {script}");
                self.spawn(cmd!(self.stack.sh, "bash -c {said_yes}").env("DOCKER_DIR", self.stack.sh.current_dir()))
            }
            Way::Ours => self.spawn(self.restore(backup)),
        }
    }
}
