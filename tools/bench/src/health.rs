//! `health` against a script with the same probes.

use super::stack::{Checks, Stack};
use super::stats::{Samples, ratio};
use super::table::{Cell, Table};
use super::{Outcome, Site, scripts, timing};

/// What is left when the containers' resources are not asked for: the script's `docker stats` takes two samples, one
/// second apart.
const BUT_RESOURCES: &str = "container,http,tcp,postgres,reach,network,environment,logs,disk,memory,volumes";

pub(super) fn measure(site: &Site) -> Outcome<Vec<Table>> {
    let mut table = Table {
        title: "Health",
        about: "A script that asks one thing after another (`docker inspect`, `docker logs`, `curl`, `pg_isready`, a \
                login with `psql`, reachability from container to container, `docker network inspect`, `df`, memory, \
                `docker system df`, `docker stats`) against `xtask health`, which asks the same at once, and more. \
                `docker stats` takes two samples a second apart, where `health` reads the kernel's control groups; so \
                the containers' resources are also left out of both."
            .to_owned(),
        columns: &["stack", "probes", "script", "health", "ratio"],
        rows: Vec::new(),
        notes: Vec::new(),
    };
    for open in [|_: &Site| Stack::small(Checks::Eager), Stack::vrss] {
        match open(site) {
            Ok(stack) => table.rows.extend(both(site, &stack)?),
            Err(why) => table.missing(why)?,
        }
    }
    Ok(vec![table])
}

fn both(site: &Site, stack: &Stack) -> Outcome<Vec<Vec<Cell>>> {
    stack.up()?;
    // A stack that is backed up is not healthy without a backup.
    timing::run(stack.ours(site, &["-q", "db-backup"]))?;
    let mut rows = Vec::new();
    for (probes, with_stats, args) in [
        ("all", true, &["health"][..]),
        ("without the containers' resources", false, &["health", "--only", BUT_RESOURCES]),
    ] {
        let script = scripts::health(stack, with_stats);
        let mut old = Samples::default();
        let mut ours = Samples::default();
        for round in site.rounds(&format!("health, {}, {probes}", stack.label), site.rounds) {
            round?;
            old.push(timing::time(stack.script("health.sh", script.clone())?)?);
            ours.push(timing::time(stack.ours(site, args))?);
        }
        let gain = ratio(&old, &ours);
        rows.push(vec![stack.label.clone().into(), probes.into(), old.into(), ours.into(), Cell::Ratio(gain)]);
    }
    Ok(rows)
}
