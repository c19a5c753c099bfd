//! The machine that was measured.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::thread;

use serde_json::{Map, Value};
use xshell::{Cmd, Shell, cmd};

/// What a figure must be read with.
pub(crate) struct Facts {
    facts: Vec<(&'static str, String)>,
    cores: usize,
}

impl Facts {
    pub(crate) fn gather(sh: &Shell) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        let memory = field("/proc/meminfo", "MemTotal").and_then(|text| gibibytes(&text));
        let commit = said(cmd!(sh, "git rev-parse --short HEAD"));
        let edited = !said(cmd!(sh, "git status --porcelain --untracked-files=no")).is_empty();
        let facts = vec![
            ("cores", format!("{cores} × {model}")),
            ("memory", memory.unwrap_or_else(unknown)),
            ("kernel", said(cmd!(sh, "uname -sr"))),
            ("system", field("/etc/os-release", "PRETTY_NAME").unwrap_or_else(unknown)),
            ("engine", said(cmd!(sh, "docker version --format").arg("{{.Server.Version}}"))),
            ("storage", said(cmd!(sh, "docker info --format").arg("{{.Driver}}"))),
            ("compose", said(cmd!(sh, "docker compose version --short"))),
            ("rustc", said(cmd!(sh, "rustc --version"))),
            ("commit", if edited { format!("{commit}, edited") } else { commit }),
            ("date", said(cmd!(sh, "date -u +%Y-%m-%dT%H:%MZ"))),
            ("load before", load()),
        ];
        Self { facts, cores }
    }

    /// Notes how busy the machine has become.
    pub(crate) fn finish(&mut self) {
        self.facts.push(("load after", load()));
    }

    /// A busy machine measures its other work.
    #[expect(clippy::cast_precision_loss, reason = "core counts are far below 2^53")]
    pub(crate) fn warn_if_busy(&self) {
        let load: f64 = load().split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0);
        if load > 0.5 * self.cores as f64 {
            let _ = writeln!(
                std::io::stderr(),
                "bench: the machine is busy (load {load} on {} cores); wait, or read the figures so",
                self.cores
            );
        }
    }

    pub(crate) fn json(&self) -> Value {
        Value::Object(
            self.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect::<Map<_, _>>(),
        )
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| machine     | |\n| ----------- | --- |")?;
        self.facts.iter().try_for_each(|(name, value)| writeln!(f, "| {name:<11} | {value} |"))
    }
}

/// The last minute's, the last five minutes' and the last quarter of an hour's.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    if text.is_empty() { unknown() } else { text.split(' ').take(3).collect::<Vec<_>>().join(" ") }
}

/// The first value of this name, after a colon or an equals sign.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim_matches([' ', '\t', ':', '=', '"']).to_owned())
}

fn gibibytes(meminfo: &str) -> Option<String> {
    let kibibytes: u64 = meminfo.strip_suffix(" kB")?.parse().ok()?;
    Some(format!("{} GiB", (kibibytes + (1 << 19)) >> 20))
}

fn said(command: Cmd<'_>) -> String {
    command.quiet().ignore_stderr().read().unwrap_or_else(|_| unknown())
}

fn unknown() -> String {
    "unknown".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_rounded() {
        assert_eq!(gibibytes("24683624 kB").as_deref(), Some("24 GiB"));
        assert_eq!(gibibytes("much"), None);
    }
}
