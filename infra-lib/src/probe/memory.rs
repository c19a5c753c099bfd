//! Memory: what is free on this machine, and what the engine has.

use crate::compose::Engine;
use crate::config::ByteSize;
use crate::exec::{Invocation, Runner};

use super::{Check, PROGRAM, Probe, Snapshot};

pub(super) const KIND: &str = "memory";

struct Memory;

pub(super) fn plan(_: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    vec![Box::new(Memory)]
}

impl Probe for Memory {
    fn target(&self) -> String {
        "machine".to_owned()
    }

    fn check(&self, snapshot: &Snapshot<'_>) -> Vec<Check> {
        let Some((total, free)) = linux().or_else(|| macos(snapshot.project.runner())) else {
            return vec![Check::skip(KIND, "machine", "this system does not say how much there is")];
        };
        let mut check = judge(total, free);
        if snapshot.containers.is_some()
            && let Ok(engine) = snapshot.engine()
            && (Engine::is_remote() || engine.memory.abs_diff(total) > total / 20)
        {
            // A virtual machine has a share of it.
            check.detail = format!("{}; the engine has {}", check.detail, ByteSize::new(engine.memory));
        }
        vec![check]
    }
}

fn judge(total: u64, free: u64) -> Check {
    let share = u128::from(free) * 100 / u128::from(total.max(1));
    let detail = format!("{} of {} available ({share} %)", ByteSize::new(free), ByteSize::new(total));
    let hint = "`cargo xtask stats` shows what each service uses";
    match share {
        0..2 => Check::fail(KIND, "machine", detail).with_hint(hint),
        2..10 => Check::warn(KIND, "machine", detail).with_hint(hint),
        _ => Check::ok(KIND, "machine", detail),
    }
}

/// The total, and what is available without swapping, in bytes.
pub(super) fn linux() -> Option<(u64, u64)> {
    parse_meminfo(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn parse_meminfo(text: &str) -> Option<(u64, u64)> {
    let field = |name: &str| {
        let rest = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        rest.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib << 10)
    };
    Some((field("MemTotal")?, field("MemAvailable")?))
}

fn macos(runner: &Runner) -> Option<(u64, u64)> {
    let call = Invocation::new("sysctl").args(["-n", "hw.memsize", "kern.memorystatus_level"]).deadline(PROGRAM);
    let text = runner.read(&call).ok()?.text();
    let mut numbers = text.lines().map(str::parse::<u64>);
    let (total, percent) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some((total, total / 100 * percent.min(100)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;

    #[test]
    fn meminfo_is_read_and_judged() {
        let text = "MemTotal:       16000000 kB\nMemFree:         100 kB\nMemAvailable:    8000000 kB\n";
        assert_eq!(parse_meminfo(text), Some((16_000_000 << 10, 8_000_000 << 10)));
        assert_eq!(parse_meminfo("MemTotal: 1 kB\n"), None);
        assert_eq!(
            (judge(100, 50).status, judge(100, 9).status, judge(100, 1).status),
            (Verdict::Ok, Verdict::Warn, Verdict::Fail)
        );
    }
}
