//! Building the command line from nothing.

use std::fs;
use std::time::Duration;

use xshell::cmd;

use super::stats::Samples;
use super::table::Table;
use super::{Outcome, Site, timing};

/// More rounds than this tell nothing new about a build.
const MOST: usize = 3;

pub(super) fn measure(site: &Site) -> Outcome<Vec<Table>> {
    let mut wall = Samples::default();
    let mut processor = Samples::default();
    let mut crates = 0;
    for round in site.rounds("cold build", site.rounds.min(MOST)) {
        round?;
        let dir = site.sh.create_temp_dir()?;
        let build = cmd!(site.sh, "cargo build --package xtask --locked --offline").env("CARGO_TARGET_DIR", dir.path());
        let before = children();
        let ran = timing::run(build)?;
        wall.push(ran.took);
        processor.push(children().saturating_sub(before));
        crates = ran.stderr.matches("Compiling ").count();
    }
    Ok(vec![Table {
        title: "Cold build",
        about: "`cargo build --package xtask --locked --offline` into an empty target folder, in the development \
                profile, as the first `cargo xtask` of a new checkout does once the crates are downloaded. Processor \
                time is that of all cores together; other work on the machine lengthens the first figure more than \
                the second."
            .to_owned(),
        columns: &["what", "time", "processor time", "crates"],
        rows: vec![vec!["xtask".into(), wall.into(), processor.into(), crates.to_string().into()]],
        notes: Vec::new(),
    }])
}

/// The processor time of all children so far, and of theirs.
fn children() -> Duration {
    /// The kernel counts in hundredths of a second, whatever its own clock does.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the program's name in brackets, and may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks = fields.skip(13).take(2).filter_map(|field| field.parse::<u32>().ok());
    TICK * ticks.sum::<u32>()
}
