//! Looking for secrets in command lines.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::processes::{cmdline, pids};

/// Reads the command line of every process on the machine, each millisecond or as fast as it can, until it is finished.
#[derive(Debug)]
pub(crate) struct Sampler {
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<Sampled>>,
}

/// What a sampler has seen.
#[derive(Debug, Default)]
pub(crate) struct Sampled {
    /// Command lines that held one of the secrets.
    pub(crate) hits: BTreeSet<String>,
    /// How often it looked at everything.
    pub(crate) rounds: usize,
}

impl Sampler {
    /// Begins to look for these.
    pub(crate) fn watch(secrets: &[&str]) -> Self {
        let secrets: Vec<String> = secrets.iter().map(|&secret| secret.to_owned()).collect();
        let stop = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stop);
        let reader = std::thread::spawn(move || {
            let mut sampled = Sampled::default();
            while !until.load(Ordering::Relaxed) {
                let lines = pids().map(cmdline);
                sampled.hits.extend(lines.filter(|line| secrets.iter().any(|secret| line.contains(secret.as_str()))));
                sampled.rounds += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
            sampled
        });
        Self { stop, reader: Some(reader) }
    }

    /// Ends it.
    pub(crate) fn finish(mut self) -> Sampled {
        self.stop.store(true, Ordering::Relaxed);
        self.reader.take().unwrap().join().unwrap()
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
