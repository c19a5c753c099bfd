//! The old way and ours, measured in turn on this machine.
//!
//! One run prints everything: `docs/benchmarks.md` is such a run. What is compared is in the text of each
//! part, so that the report can be read alone.

mod backup;
mod clean;
mod cold;
mod data;
mod documented;
mod facts;
mod faults;
mod health;
mod migrate;
mod overhead;
mod scripts;
mod stack;
mod start;
mod stats;
mod table;
mod timing;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser as _;
use serde_json::{Value, json};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use xshell::Shell;

use facts::Facts;
use table::Table;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Measure this command line against the `docker compose` calls and shell scripts that it replaces
///
/// Both ways take turns on throw-away stacks, which are removed in the end. Other work on the machine spoils the
/// figures; the report says how busy it was.
#[derive(clap::Parser, Debug)]
#[command(name = "cargo xtask bench")]
struct Bench {
    /// The command line to measure; `cargo xtask bench` sets it to itself
    #[arg(long, value_name = "FILE", env = "XTASK")]
    xtask: PathBuf,
    /// How often each way takes its turn
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Only these parts
    #[arg(long, value_name = "NAME", value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// How big the databases are that are backed up and restored, in megabytes
    #[arg(long, value_name = "MB", value_delimiter = ',', default_value = "1000")]
    sizes: Vec<u64>,
    /// On which servers they are, by image; default: each version that there is an image of
    #[arg(long, value_name = "IMAGE", value_delimiter = ',')]
    images: Vec<String>,
    /// Also build this command line from nothing, which takes about a minute each time
    #[arg(long)]
    cold: bool,
    /// Write every single figure to this file, as JSON
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

// Values without documentation: with it, clap would spread out the help of every option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Cold,
    Overhead,
    Start,
    Health,
    Backup,
    Migrate,
    Clean,
    Faults,
}

/// What every part needs.
struct Site {
    sh: Shell,
    /// The command line under test, as Cargo has built it.
    xtask: PathBuf,
    rounds: usize,
    sizes: Vec<u64>,
    images: Vec<String>,
    interrupted: Arc<AtomicBool>,
}

fn main() -> ExitCode {
    match Bench::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Bench {
    /// Measures and prints.
    fn run(&self) -> Outcome<()> {
        let site = Site::here(self)?;
        let mut facts = Facts::gather(&site.sh);
        facts.warn_if_busy();
        let mut tables = Vec::new();
        for part in [
            Part::Overhead,
            Part::Start,
            Part::Health,
            Part::Backup,
            Part::Migrate,
            Part::Clean,
            Part::Faults,
            Part::Cold,
        ] {
            let by_default = part != Part::Cold || self.cold;
            if if self.only.is_empty() { by_default } else { self.only.contains(&part) } {
                tables.extend(part.measure(&site)?);
            }
        }
        facts.finish();

        let report: Vec<String> =
            [heading(), facts.to_string()].into_iter().chain(tables.iter().map(Table::to_string)).collect();
        writeln!(io::stdout(), "{}", report.join("\n").trim_end())?;
        if let Some(path) = &self.save {
            let tables: Vec<Value> = tables.iter().map(Table::json).collect();
            let document = json!({"machine": facts.json(), "rounds": self.rounds, "tables": tables});
            std::fs::write(path, format!("{document:#}\n"))?;
        }
        Ok(())
    }
}

/// What the report begins with: how to make it again.
fn heading() -> String {
    let words =
        std::iter::once("cargo xtask bench".to_owned()).chain(std::env::args().skip(1)).collect::<Vec<_>>().join(" ");
    let about = format!(
        "One run of `{words}`, as it was printed: the old way and ours in turn, on the same throw-away stacks. \
         Times are medians with the lowest and the highest; a ratio above one is in our favour. What each table compares \
         stands above it. The stand-ins of images that a registry would give are in [docker/standins](../docker/standins/README.md)."
    );
    format!("# Benchmarks\n\n{}\n", table::wrapped(&about))
}

impl Part {
    fn measure(self, site: &Site) -> Outcome<Vec<Table>> {
        match self {
            Self::Cold => cold::measure(site),
            Self::Overhead => overhead::measure(site),
            Self::Start => start::measure(site),
            Self::Health => health::measure(site),
            Self::Migrate => migrate::measure(site),
            Self::Clean => clean::measure(site),
            Self::Faults => faults::measure(site),
            Self::Backup => backup::measure(site),
        }
    }
}

impl Site {
    fn here(options: &Bench) -> Outcome<Self> {
        let sh = Shell::new()?;
        sh.change_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        // A signal ends the measured command; then the error goes up, and the stacks are removed on its way.
        let interrupted = Arc::new(AtomicBool::new(false));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
        }
        Ok(Self {
            sh,
            xtask: options.xtask.canonicalize()?,
            rounds: options.rounds.into(),
            sizes: options.sizes.clone(),
            images: options.images.clone(),
            interrupted,
        })
    }

    /// Reports what comes next, unless interrupted.
    fn say(&self, what: &str) -> Outcome<()> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err("interrupted".into());
        }
        writeln!(io::stderr(), "bench: {what}")?;
        Ok(())
    }

    /// Says which round of what comes next.
    fn rounds<'a>(&'a self, what: &'a str, count: usize) -> impl Iterator<Item = Outcome<usize>> + 'a {
        (1..=count).map(move |round| self.say(&format!("{what}, round {round} of {count}")).map(|()| round))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use xshell::{Shell, cmd};

    use super::Bench;

    #[test]
    fn every_call_that_a_document_shows_can_be_typed() {
        let sh = Shell::new().unwrap();
        sh.change_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let mut seen = 0;
        for document in cmd!(sh, "git ls-files *.md").quiet().read().unwrap().lines() {
            let text = sh.read_file(document).unwrap();
            for call in text.split("cargo xtask bench").skip(1) {
                let words = call.split(['`', '#', '>', '\n']).next().unwrap_or_default().split_whitespace();
                let parsed = Bench::try_parse_from(["bench", "--xtask", "xtask"].into_iter().chain(words));
                assert!(parsed.is_ok(), "{document}: cargo xtask bench{call:.80}: {}", parsed.unwrap_err());
                seen += 1;
            }
        }
        assert!(seen >= 1, "{seen}");
    }
}
