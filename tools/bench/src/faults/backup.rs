//! What happens to a backup at night.

use std::path::Path;

use xshell::cmd;

use super::scene::Scene;
use super::{Fault, Verdict};
use crate::Outcome;
use crate::timing::succeeds;

pub(super) const FAULTS: &[Fault] = &[
    Fault { name: "the server is down", run: |scene| scene.night(Scene::stop, Scene::revive) },
    Fault { name: "the database has another name now", run: |scene| scene.night(Scene::rename, Scene::rename_back) },
    Fault { name: "a table cannot be read", run: |scene| scene.night(Scene::damage, Scene::mend) },
    Fault { name: "the connection is lost in the middle", run: lost_connection },
    Fault { name: "it is killed in the middle", run: killed },
    Fault { name: "the disk is full", run: full },
    Fault { name: "the last good one looks 31 days old, the server is down", run: only_an_old_one },
    Fault { name: "two at once", run: two_at_once },
];

impl Scene<'_> {
    /// A backup under a fault, after a good one.
    fn night(&self, fault: fn(&Self) -> Outcome<()>, mend: fn(&Self) -> Outcome<()>) -> Outcome<Verdict> {
        self.good_backup()?;
        fault(self)?;
        let succeeded = succeeds(self.backup());
        mend(self)?;
        self.morning(succeeded, 1)
    }

    /// What the night has left, with `before` backups made before it.
    fn morning(&self, succeeded: bool, before: usize) -> Outcome<Verdict> {
        let expected = self.contents()?;
        let backups = self.all_backups();
        let newest = backups.last().filter(|_| backups.len() > before);
        let done = newest.map_or(Ok(false), |newest| self.restores_to(newest, &expected))?;
        let kept = done || self.any_restores_to(&expected)?;
        // Names tell seconds apart.
        std::thread::sleep(std::time::Duration::from_millis(1100));
        let again = succeeds(self.backup())
            && self.all_backups().last().map_or(Ok(false), |it| self.restores_to(it, &expected))?;
        // A file that is there and is no backup is a lie too: it is what one finds in need.
        let trap = newest.is_some() && !done;
        Ok(Verdict { honest: succeeded == done && !trap, kept, again })
    }

    fn stop(&self) -> Outcome<()> {
        self.stack.stop()
    }

    fn rename(&self) -> Outcome<()> {
        let (user, name) = (self.stack.database.user, self.stack.database.name);
        let sql = format!("ALTER DATABASE {name} RENAME TO elsewhere");
        Ok(cmd!(self.stack.sh, "docker compose exec -T postgres psql -Xqw -U {user} -d postgres -c {sql}")
            .quiet()
            .run()?)
    }

    fn rename_back(&self) -> Outcome<()> {
        let (user, name) = (self.stack.database.user, self.stack.database.name);
        let sql = format!("ALTER DATABASE elsewhere RENAME TO {name}");
        Ok(cmd!(self.stack.sh, "docker compose exec -T postgres psql -Xqw -U {user} -d postgres -c {sql}")
            .quiet()
            .run()?)
    }

    /// A page in a table's middle is overwritten; the server has to read it from the disk again.
    fn damage(&self) -> Outcome<()> {
        self.on_table("cp \"$PGDATA/$1\" /tmp/kept && yes damage | dd of=\"$PGDATA/$1\" bs=8192 seek=500 count=1 conv=notrunc iflag=fullblock")
    }

    fn mend(&self) -> Outcome<()> {
        self.on_table("cat /tmp/kept > \"$PGDATA/$1\"")
    }

    /// Runs this on the file of the table `orders`; the server reads it anew afterwards.
    fn on_table(&self, script: &str) -> Outcome<()> {
        let (user, name) = (self.stack.database.user, self.stack.database.name);
        let ask = "SELECT pg_relation_filepath('orders')";
        let file = cmd!(self.stack.sh, "docker compose exec -T postgres psql -XqwtA -U {user} -d {name} -c {ask}")
            .quiet()
            .read()?;
        self.sql("CHECKPOINT")?;
        cmd!(self.stack.sh, "docker compose exec -T postgres sh -c {script} sh {file}")
            .quiet()
            .ignore_stderr()
            .run()?;
        // Nothing of it may be in memory.
        self.stack.stop()?;
        self.stack.up()
    }
}

fn lost_connection(scene: &Scene<'_>) -> Outcome<Verdict> {
    scene.good_backup()?;
    let mut backup = scene.spawn(scene.backup())?;
    scene.when("COPY %", "pg_terminate_backend(pid)")?;
    let succeeded = backup.end()?.success();
    scene.morning(succeeded, 1)
}

fn killed(scene: &Scene<'_>) -> Outcome<Verdict> {
    scene.good_backup()?;
    let mut backup = scene.spawn(scene.backup())?;
    scene.when("COPY %", "pid")?;
    backup.kill();
    let succeeded = backup.end()?.success();
    scene.morning(succeeded, 1)
}

/// A file system of its own under the folder, with room for one and a half.
fn full(scene: &Scene<'_>) -> Outcome<Verdict> {
    let folder = scene.backups();
    let one = scene.good_backup()?.metadata()?.len();
    scene.forget()?;
    std::fs::create_dir(&folder)?;
    let disk = Disk::mount(scene, &folder, one * 3 / 2)?;
    scene.good_backup()?;
    let succeeded = succeeds(scene.backup());
    let size = format!("remount,size={}", one * 8);
    cmd!(scene.stack.sh, "mount -o {size} {folder}").quiet().run()?;
    let verdict = scene.morning(succeeded, 1);
    drop(disk);
    verdict
}

struct Disk<'a>(&'a Scene<'a>, &'a Path);

impl<'a> Disk<'a> {
    fn mount(scene: &'a Scene<'_>, folder: &'a Path, bytes: u64) -> Outcome<Self> {
        let size = format!("size={bytes}");
        cmd!(scene.stack.sh, "mount -t tmpfs -o {size} tmpfs {folder}").quiet().run()?;
        Ok(Self(scene, folder))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let folder = self.1;
        let _ = cmd!(self.0.stack.sh, "umount -l {folder}").quiet().run();
    }
}

fn only_an_old_one(scene: &Scene<'_>) -> Outcome<Verdict> {
    scene.good_backup()?;
    let folder = scene.backups();
    let old = "find \"$1\" -type f -exec touch -d '31 days ago' {} +";
    cmd!(scene.stack.sh, "sh -c {old} sh {folder}").quiet().run()?;
    scene.stop()?;
    let succeeded = succeeds(scene.backup());
    scene.revive()?;
    scene.morning(succeeded, 1)
}

fn two_at_once(scene: &Scene<'_>) -> Outcome<Verdict> {
    scene.good_backup()?;
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let mut both = [scene.spawn(scene.backup())?, scene.spawn(scene.backup())?];
    let mut succeeded = 0;
    for backup in &mut both {
        succeeded += usize::from(backup.end()?.success());
    }
    let expected = scene.contents()?;
    let news = scene.all_backups().split_off(1);
    let mut good = 0;
    for backup in &news {
        good += usize::from(scene.restores_to(backup, &expected)?);
    }
    let verdict = scene.morning(succeeded > 0, 1)?;
    Ok(Verdict { honest: succeeded == good && good == news.len(), ..verdict })
}
