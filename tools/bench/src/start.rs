//! From `start` to ready.

use super::documented::Size;
use super::stack::{Checks, Stack};
use super::stats::{Samples, ratio};
use super::table::{Cell, Table};
use super::{Outcome, Site, scripts, timing};

pub(super) fn measure(site: &Site) -> Outcome<Vec<Table>> {
    let mut table = Table {
        title: "From start to ready",
        about: "`docker compose up -d`, then a script that asks `pg_isready` and `curl` once a second until both say \
                yes; `docker compose up -d --wait`, which waits for the engine's result of every health check; and \
                `xtask start`, which runs every health check itself until it passes, and waits for containers \
                without one to stay up and for a real login. \"Stopped\": containers and data are there. \"New\": \
                containers, network and data are made. \"Then worked\" is how often, directly after each of the \
                three, a login over TCP and every page did work."
            .to_owned(),
        columns: &["stack", "before", "polling", "up --wait", "start", "polling/start", "wait/start", "then worked"],
        rows: Vec::new(),
        notes: Vec::new(),
    };
    let stacks: [fn(&Site) -> Outcome<Stack>; 6] = [
        |_| Stack::small(Checks::Usual),
        |_| Stack::small(Checks::Eager),
        |_| Stack::documented(Size::Three),
        |_| Stack::documented(Size::Six),
        |_| Stack::documented(Size::Twenty),
        Stack::vrss,
    ];
    for open in stacks {
        match open(site) {
            Ok(stack) => table.rows.extend(both(site, &stack)?),
            Err(why) => table.missing(why)?,
        }
    }
    Ok(vec![table])
}

fn both(site: &Site, stack: &Stack) -> Outcome<Vec<Vec<Cell>>> {
    let script = scripts::start(stack);
    let mut rows = Vec::new();
    stack.up()?;
    for (before, prepare) in [("stopped", Stack::stop as fn(&Stack) -> Outcome<()>), ("new", Stack::down)] {
        let [mut polling, mut wait, mut ours] = [const { Way::new() }; 3];
        for round in site.rounds(&format!("start, {}, {before}", stack.label), site.rounds) {
            round?;
            prepare(stack)?;
            polling.take(stack, stack.script("start.sh", script.clone())?)?;
            prepare(stack)?;
            wait.take(stack, stack.compose(&["up", "-d", "--wait"]))?;
            prepare(stack)?;
            ours.take(stack, stack.ours(site, &["start"]))?;
        }
        let gains = [&polling, &wait].map(|way| ratio(&way.times, &ours.times));
        let worked = [&polling, &wait, &ours].map(|way| way.worked.to_string()).join(", ");
        rows.push(vec![
            stack.label.clone().into(),
            before.into(),
            polling.times.into(),
            wait.times.into(),
            ours.times.into(),
            Cell::Ratio(gains[0]),
            Cell::Ratio(gains[1]),
            format!("{worked} of {}", site.rounds).into(),
        ]);
    }
    Ok(rows)
}

struct Way {
    times: Samples,
    worked: usize,
}

impl Way {
    const fn new() -> Self {
        Self { times: Samples::new(), worked: 0 }
    }

    fn take(&mut self, stack: &Stack, command: xshell::Cmd<'_>) -> Outcome<()> {
        self.times.push(timing::time(command)?);
        self.worked += usize::from(stack.works());
        Ok(())
    }
}
