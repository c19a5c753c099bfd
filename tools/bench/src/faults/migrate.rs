//! What happens to migrations.

use std::fs;

use super::scene::Scene;
use super::{Fault, Verdict};
use crate::Outcome;
use crate::timing::{self, succeeds};

pub(super) const FAULTS: &[Fault] = &[
    Fault { name: "an error in the middle of a file", run: error_in_the_middle },
    Fault { name: "it is killed in the middle of a file", run: killed },
    Fault { name: "two at once", run: two_at_once },
    Fault { name: "an applied file was edited", run: edited },
];

const FIRST: &str = "CREATE TABLE tally (n int);\nINSERT INTO tally VALUES (1);\n";
const BROKEN: &str = "UPDATE tally SET n = n + 10;\nSELECT 1 / 0;\nUPDATE tally SET n = n + 100;\n";
const SLOW: &str = "UPDATE tally SET n = n + 10;\nSELECT pg_sleep(2);\nUPDATE tally SET n = n + 100;\n";
const MENDED: &str = "UPDATE tally SET n = n + 10;\nUPDATE tally SET n = n + 100;\n";

impl Scene<'_> {
    fn write(&self, number: u32, text: &str) -> Outcome<()> {
        let folder = self.stack.sh.current_dir().join("migrations");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{number:04}_tally.up.sql")), text)?;
        Ok(fs::write(folder.join(format!("{number:04}_tally.down.sql")), "SELECT 1;\n")?)
    }

    /// Migrations begin with an empty database.
    fn first(&self) -> Outcome<()> {
        self.sql("DROP TABLE orders, events")?;
        self.write(1, FIRST)?;
        timing::run(self.migrate()).map(|_| ())
    }

    /// Whether the tally is this: each file adds what no other adds, so it tells which were applied, and how often.
    fn tally_is(&self, n: u32) -> bool {
        let check = format!("DO $$ BEGIN ASSERT (SELECT array_agg(t.n) FROM tally t) = ARRAY[{n}]; END $$");
        self.sql(&check).is_ok()
    }
}

fn error_in_the_middle(scene: &Scene<'_>) -> Outcome<Verdict> {
    scene.first()?;
    scene.write(2, BROKEN)?;
    let succeeded = succeeds(scene.migrate());
    let kept = scene.tally_is(1);
    scene.write(2, MENDED)?;
    let again = succeeds(scene.migrate()) && scene.tally_is(111);
    Ok(Verdict { honest: !succeeded, kept, again })
}

fn killed(scene: &Scene<'_>) -> Outcome<Verdict> {
    scene.first()?;
    scene.write(2, SLOW)?;
    let mut migrate = scene.spawn(scene.migrate())?;
    scene.when("%SELECT pg_sleep(2)%", "pid")?;
    migrate.kill();
    let succeeded = migrate.end()?.success();
    // What it has left running in the server ends meanwhile.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let (none, whole) = (scene.tally_is(1), scene.tally_is(111));
    let again = succeeds(scene.migrate()) && scene.tally_is(111);
    Ok(Verdict { honest: !succeeded, kept: none || whole, again })
}

fn two_at_once(scene: &Scene<'_>) -> Outcome<Verdict> {
    scene.first()?;
    scene.write(2, SLOW)?;
    let mut both = [scene.spawn(scene.migrate())?, scene.spawn(scene.migrate())?];
    let mut succeeded = false;
    for migrate in &mut both {
        succeeded |= migrate.end()?.success();
    }
    let once = scene.tally_is(111);
    let again = succeeds(scene.migrate()) && scene.tally_is(111);
    Ok(Verdict { honest: succeeded == once, kept: once, again })
}

/// The file says what the database does not have: a second environment would get another schema.
fn edited(scene: &Scene<'_>) -> Outcome<Verdict> {
    scene.first()?;
    scene.write(1, &FIRST.replace("(1)", "(5)"))?;
    let succeeded = succeeds(scene.migrate());
    let kept = scene.tally_is(1);
    scene.write(1, FIRST)?;
    let again = succeeds(scene.migrate()) && scene.tally_is(1);
    Ok(Verdict { honest: !succeeded, kept, again })
}
