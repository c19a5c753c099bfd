//! The scripts and this command line against the same injected failures.
//!
//! Not who is faster, but who says what happened, and what is left of the data. `scripts-legacy/` is one side.

mod backup;
mod migrate;
mod restore;
mod scene;

use std::fmt;

use scene::{Scene, Way};

use super::stack::Stack;
use super::table::{Cell, Table};
use super::{Outcome, Site};

/// The server's image; its `pg_dump` is the one that both sides run.
const IMAGE: &str = "postgres:17-alpine";

/// A failure, and what is to be seen of it.
struct Fault {
    name: &'static str,
    /// Lets it happen to one of the two ways, and judges.
    run: fn(&Scene<'_>) -> Outcome<Verdict>,
}

/// How one way took a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Verdict {
    /// The exit code says what was done: zero where the work was done, another where it was not.
    honest: bool,
    /// What there was can still be had: the database, and a backup that restores to it.
    kept: bool,
    /// With the cause gone, the same command does its work, with nothing done by hand.
    again: bool,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = if self.honest { "says so" } else { "says wrong" };
        let kept = if self.kept { "kept" } else { "lost" };
        let again = if self.again { "goes on" } else { "stuck" };
        write!(f, "{said}, {kept}, {again}")
    }
}

pub(super) fn measure(site: &Site) -> Outcome<Vec<Table>> {
    let mut table = Table {
        title: "Injected failures",
        about:
            "`backup-db.sh` and `restore-db.sh` of `scripts-legacy/pagodirecto`, the most careful scripts of the five systems, \
                `scripts-legacy/migrate.sh`, and `xtask`: each, on a fresh database with one good backup, meets the \
                same failure. \"Says so\": the exit code is that of what was really done, and no file that is no backup lies among the \
                backups. \"Kept\": the database, and a backup that restores to it, can still be had, row for row and \
                grant for grant; a migration is there wholly or not at all. \"Goes on\": with the cause gone, the same \
                command does its work with nothing mended by hand."
            .to_owned(),
        columns: &["command", "failure", "scripts", "xtask"],
        rows: Vec::new(),
        notes: Vec::new(),
    };
    let stack = match Stack::database(IMAGE) {
        Ok(stack) => stack,
        Err(why) => {
            table.missing(why)?;
            return Ok(vec![table]);
        }
    };
    let ground = scene::prepare(site, &stack)?;
    let mut verdicts = Vec::new();
    for (command, faults) in [("backup", backup::FAULTS), ("restore", restore::FAULTS), ("migrate", migrate::FAULTS)] {
        for Fault { name, run } in faults {
            let mut both = Vec::new();
            for way in [Way::Scripts, Way::Ours] {
                site.say(&format!("{command}, {name}: {way}"))?;
                both.push(run(&ground.scene(way)?)?);
            }
            table.rows.push(vec![
                command.into(),
                (*name).into(),
                Cell::Text(both[0].to_string()),
                Cell::Text(both[1].to_string()),
            ]);
            verdicts.push(both);
        }
    }
    table.notes.push(summary(&verdicts));
    Ok(vec![table])
}

fn summary(verdicts: &[Vec<Verdict>]) -> String {
    let count = |way: usize, is: fn(&Verdict) -> bool| verdicts.iter().filter(|both| is(&both[way])).count();
    let one = |way| {
        let (honest, again) = (count(way, |it| it.honest), count(way, |it| it.again));
        format!("say so in {honest}, go on after {again} and lose data in {}", count(way, |it| !it.kept))
    };
    format!("Of {} failures, the scripts {}. The commands of `xtask` {}.", verdicts.len(), one(0), one(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_each_way() {
        let good = Verdict { honest: true, kept: true, again: true };
        let bad = Verdict { honest: false, kept: false, again: true };
        assert_eq!(
            summary(&[vec![bad, good], vec![good, good]]),
            "Of 2 failures, the scripts say so in 1, go on after 2 and lose data in 1. The commands of `xtask` say so \
             in 2, go on after 2 and lose data in 0."
        );
        assert_eq!(bad.to_string(), "says wrong, lost, goes on");
    }
}
