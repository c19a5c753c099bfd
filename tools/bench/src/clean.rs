//! `clean --all` against what a Makefile does for the same.

use super::stack::{Checks, Stack};
use super::stats::{Samples, ratio};
use super::table::{Cell, Table};
use super::{Outcome, Site, timing};

pub(super) fn measure(site: &Site) -> Outcome<Vec<Table>> {
    let mut table = Table {
        title: "Clean",
        about: "`docker compose down --volumes --remove-orphans --rmi local`, as a Makefile does it, against `xtask clean \
                --all --yes`, which removes the same, states first what there is, and looks afterwards that it is gone. \
                What a Makefile often adds, and what removes other projects too, is left out. Both wait \
                for the containers to stop."
            .to_owned(),
        columns: &["stack", "down", "clean --all", "ratio"],
        rows: Vec::new(),
        notes: Vec::new(),
    };
    match Stack::small(Checks::Eager) {
        Ok(stack) => table.rows.push(both(site, &stack)?),
        Err(why) => table.missing(why)?,
    }
    Ok(vec![table])
}

fn both(site: &Site, stack: &Stack) -> Outcome<Vec<Cell>> {
    let [mut old, mut ours] = [const { Samples::new() }; 2];
    let down = ["down", "--volumes", "--remove-orphans", "--rmi", "local"];
    for round in site.rounds("clean", site.rounds) {
        round?;
        stack.up()?;
        old.push(timing::time(stack.compose(&down))?);
        stack.up()?;
        ours.push(timing::time(stack.ours(site, &["clean", "--all", "--yes"]))?);
    }
    let gain = ratio(&old, &ours);
    Ok(vec![stack.label.clone().into(), old.into(), ours.into(), Cell::Ratio(gain)])
}
