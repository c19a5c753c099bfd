//! What a container on this machine uses, from the kernel's files of its control group.
//!
//! `docker stats` needs two seconds for the same figures: it waits for two samples of the engine's own schedule. Memory
//! is counted as it counts it, without the page cache that is inactive:
//! <https://docs.docker.com/reference/cli/docker/container/stats/>. The files are described in
//! <https://docs.kernel.org/admin-guide/cgroup-v2.html> and
//! <https://docs.kernel.org/admin-guide/cgroup-v1/memory.html>.

use std::fs;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;

use crate::compose::Container;

const MOUNTED_AT: &str = "/sys/fs/cgroup";

/// Where the kernel accounts for a container.
#[derive(Debug)]
pub(super) enum ControlGroup {
    /// One folder for everything.
    Unified(Utf8PathBuf),
    /// A folder for each controller.
    Legacy { cpu: Utf8PathBuf, memory: Utf8PathBuf },
}

/// What a container has used at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    at: Instant,
    /// Processor time since it was started.
    cpu: Duration,
    /// In bytes, without the page cache that is inactive.
    pub(super) memory: u64,
    /// In bytes; more than the machine has, if it is not limited.
    pub(super) limit: u64,
}

impl ControlGroup {
    /// That of a running container, if its engine runs on this machine and the kernel lets us read the files.
    pub(super) fn find(container: &Container) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{}/cgroup", container.process?)).ok()?;
        Self::parse(&text, &container.id)
    }

    /// From the lines `number:controllers:path` of `/proc/PID/cgroup`. A path without the container's id is another
    /// process's, which has the same number on this machine as the container has on the engine's.
    fn parse(text: &str, id: &str) -> Option<Self> {
        let folder = |controller: &str, mount: &str| {
            text.lines().find_map(|line| {
                let mut fields = line.splitn(3, ':').skip(1);
                let (controllers, path) = (fields.next()?, fields.next()?);
                let is_it = controllers.split(',').any(|name| name == controller) && path.contains(id);
                is_it.then(|| Utf8PathBuf::from(format!("{MOUNTED_AT}{mount}{path}")))
            })
        };
        match (folder("cpuacct", "/cpuacct"), folder("memory", "/memory")) {
            (Some(cpu), Some(memory)) => Some(Self::Legacy { cpu, memory }),
            _ => folder("", "").map(Self::Unified),
        }
    }

    /// What has been used until now; `None` if the container has ended.
    pub(super) fn sample(&self) -> Option<Sample> {
        let (used, inactive, limit, cpu) = match self {
            Self::Unified(folder) => (
                number(&folder.join("memory.current"))?,
                field(&folder.join("memory.stat"), "inactive_file")?,
                // The word is `max` where there is none.
                number(&folder.join("memory.max")).unwrap_or(u64::MAX),
                Duration::from_micros(field(&folder.join("cpu.stat"), "usage_usec")?),
            ),
            Self::Legacy { cpu, memory } => (
                number(&memory.join("memory.usage_in_bytes"))?,
                field(&memory.join("memory.stat"), "total_inactive_file")?,
                number(&memory.join("memory.limit_in_bytes"))?,
                Duration::from_nanos(number(&cpu.join("cpuacct.usage"))?),
            ),
        };
        Some(Sample { at: Instant::now(), cpu, memory: used.saturating_sub(inactive), limit })
    }
}

impl Sample {
    /// The processor time used since an earlier sample, in percent of one core.
    pub(super) fn cpu_since(&self, earlier: &Self) -> f64 {
        let passed = self.at.saturating_duration_since(earlier.at).as_secs_f64();
        100.0 * self.cpu.saturating_sub(earlier.cpu).as_secs_f64() / passed.max(0.001)
    }
}

fn number(file: &Utf8PathBuf) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// A value of a file with a name and a number on each line.
fn field(file: &Utf8PathBuf, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_control_groups_are_found_and_nobody_elses() {
        let unified = "0::/system.slice/docker-abc.scope\n";
        let found = format!("{:?}", ControlGroup::parse(unified, "abc").unwrap());
        assert_eq!(found, r#"Unified("/sys/fs/cgroup/system.slice/docker-abc.scope")"#);
        let legacy = "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/docker/abc\n";
        let found = format!("{:?}", ControlGroup::parse(legacy, "abc").unwrap());
        assert_eq!(
            found,
            r#"Legacy { cpu: "/sys/fs/cgroup/cpuacct/docker/abc", memory: "/sys/fs/cgroup/memory/docker/abc" }"#
        );
        assert!(ControlGroup::parse(unified, "other").is_none());
        assert!(ControlGroup::parse("", "abc").is_none());
    }

    #[test]
    fn a_folder_of_each_version_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let unified = ControlGroup::Unified(folder.clone());
        assert!(unified.sample().is_none());
        for (name, text) in [
            ("memory.current", "5000\n"),
            ("memory.stat", "inactive_file_x 9\ninactive_file 1000\ntotal_inactive_file 2000\n"),
            ("memory.max", "max\n"),
            ("cpu.stat", "usage_usec 1500000\nuser_usec 1\n"),
            ("memory.usage_in_bytes", "5000\n"),
            ("memory.limit_in_bytes", "8000\n"),
            ("cpuacct.usage", "2000000000\n"),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        let found = unified.sample().unwrap();
        assert_eq!((found.memory, found.limit, found.cpu), (4000, u64::MAX, Duration::from_millis(1500)));
        let legacy = ControlGroup::Legacy { cpu: folder.clone(), memory: folder };
        let later = Sample { at: found.at + Duration::from_secs(2), ..legacy.sample().unwrap() };
        assert_eq!((later.memory, later.limit), (3000, 8000));
        assert!((later.cpu_since(&found) - 25.0).abs() < 0.1);
    }
}
