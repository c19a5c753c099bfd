//! Runs probes in parallel.

use std::thread;
use std::time::Instant;

use super::{Check, Kind, Probe, Snapshot};

/// Runs the probes of these kinds, each in its own thread, so that this takes as long as the slowest of them. A probe
/// that panics is a failed check, and does not affect the others.
pub(crate) fn ask_all<'k>(kinds: impl IntoIterator<Item = &'k Kind>, snapshot: &Snapshot<'_>) -> Vec<Check> {
    let planned: Vec<(&'static str, Box<dyn Probe>)> =
        kinds.into_iter().flat_map(|kind| (kind.plan)(snapshot).into_iter().map(|probe| (kind.name, probe))).collect();
    run(&planned, snapshot)
}

/// Runs these probes, each with its kind.
pub(crate) fn run(probes: &[(&'static str, Box<dyn Probe>)], snapshot: &Snapshot<'_>) -> Vec<Check> {
    thread::scope(|scope| {
        let asked: Vec<_> = probes
            .iter()
            .map(|(kind, probe)| {
                let thread = thread::Builder::new().name((*kind).to_owned());
                (kind, probe, thread.spawn_scoped(scope, || timed(probe.as_ref(), snapshot)))
            })
            .collect();
        let mut checks = Vec::new();
        for (kind, probe, thread) in asked {
            match thread.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(found)) => checks.extend(found),
                Ok(Err(_)) => checks.push(Check::fail(kind, probe.target(), "the probe itself failed; this is a bug")),
                Err(error) => {
                    checks.push(Check::fail(kind, probe.target(), format!("the probe could not run: {error}")));
                }
            }
        }
        checks
    })
}

/// The results of a probe; its total time is the latency unless it has measured one.
fn timed(probe: &dyn Probe, snapshot: &Snapshot<'_>) -> Vec<Check> {
    let began = Instant::now();
    let mut checks = probe.check(snapshot);
    for check in &mut checks {
        check.latency.get_or_insert(began.elapsed());
    }
    checks
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};

    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::in_empty_project;

    /// Answers only when all the others have begun.
    struct Meets(Arc<Barrier>);

    impl Probe for Meets {
        fn target(&self) -> String {
            String::new()
        }
        fn check(&self, _: &Snapshot<'_>) -> Vec<Check> {
            self.0.wait();
            vec![Check::ok("test", "all", "met")]
        }
    }

    struct Panics;

    impl Probe for Panics {
        fn target(&self) -> String {
            "x".to_owned()
        }
        fn check(&self, _: &Snapshot<'_>) -> Vec<Check> {
            panic!("on purpose")
        }
    }

    #[test]
    fn all_begin_before_any_ends() {
        in_empty_project(|snapshot| {
            let barrier = Arc::new(Barrier::new(40));
            let probes: Vec<(&'static str, Box<dyn Probe>)> =
                (0..40).map(|_| ("test", Box::new(Meets(Arc::clone(&barrier))) as Box<dyn Probe>)).collect();
            assert_eq!(run(&probes, snapshot).len(), 40);
        });
    }

    #[test]
    fn f14_a_probe_that_breaks_hides_no_other() {
        in_empty_project(|snapshot| {
            let met = || Box::new(Meets(Arc::new(Barrier::new(1)))) as Box<dyn Probe>;
            let checks = run(&[("test", met()), ("test", Box::new(Panics)), ("test", met())], snapshot);
            let found: Vec<Verdict> = checks.iter().map(|check| check.status).collect();
            assert_eq!(found, [Verdict::Ok, Verdict::Fail, Verdict::Ok]);
        });
    }
}
