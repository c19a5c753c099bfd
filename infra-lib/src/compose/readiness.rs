//! When a stack counts as started.
//!
//! Compose's own `--wait` accepts a container that crashes each second under `restart: always`, and rejects a
//! one-shot job that succeeded. Here, a container is ready when its health check passes, or, without one, when it has
//! run for [`STABLE`] without a restart; a one-shot job is ready when it has exited with zero.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{Container, Health, Status};

/// How long a container without a health check must run to count as ready.
pub(crate) const STABLE: Duration = Duration::from_secs(5);

/// The readiness of a container at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is healthy, or has exited with zero.
    Ready,
    /// It is not ready yet, for this reason.
    NotYet(String),
    /// It failed, and waiting will not help.
    Failed(String),
}

/// The restart count of each container before the start, by id. Only additional restarts count.
#[derive(Debug, Default)]
pub(crate) struct Baseline(BTreeMap<String, u32>);

impl Baseline {
    pub(crate) fn new(containers: &[Container]) -> Self {
        Self(containers.iter().map(|container| (container.id.clone(), container.restart_count)).collect())
    }

    /// Determines the readiness of a container at this moment.
    pub(crate) fn judge(&self, container: &Container, now: Timestamp) -> Verdict {
        let before = self.0.get(&container.id).copied().unwrap_or(0);
        let restarts = container.restart_count.saturating_sub(before);
        let stays_up = matches!(container.restart_policy.as_str(), "always" | "unless-stopped");
        let failed = |what: &str| {
            Verdict::Failed(format!(
                "{what}{}",
                if container.error.is_empty() { String::new() } else { format!(": {}", container.error) }
            ))
        };
        if restarts > 0 {
            let times = if restarts == 1 { "once".to_owned() } else { format!("{restarts} times") };
            // While it runs, the engine no longer knows its exit code.
            return failed(&match container.status {
                Status::Running => format!("restarted {times}"),
                _ => format!("restarted {times}, last exit code {}", container.exit_code),
            });
        }
        match (container.status, container.health) {
            (Status::Running, Health::Healthy) => Verdict::Ready,
            (Status::Running, Health::Unhealthy) => failed("unhealthy"),
            (Status::Running, Health::Starting) => Verdict::NotYet("starting".to_owned()),
            (Status::Running, Health::None) => match container.started.map(|started| now.duration_since(started)) {
                Some(up) if up >= jiff::SignedDuration::try_from(STABLE).unwrap_or_default() => Verdict::Ready,
                _ => Verdict::NotYet("running, but not for long enough yet".to_owned()),
            },
            (Status::Exited, _) if container.exit_code == 0 && !stays_up => Verdict::Ready,
            (Status::Exited | Status::Dead, _) => failed(&container.state()),
            (Status::Restarting, _) => failed(&format!("exits repeatedly, last with code {}", container.exit_code)),
            (Status::Paused, _) => failed("paused"),
            (Status::Created, _) if !container.error.is_empty() => failed("not started"),
            (Status::Created | Status::Removing, _) => Verdict::NotYet(container.state()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(status: Status, health: Health, exit_code: i32, restarts: u32, policy: &str, up: i64) -> Container {
        let now = Timestamp::UNIX_EPOCH;
        Container {
            image_id: String::new(),
            id: "1".into(),
            name: "x-1".into(),
            service: "x".into(),
            number: 1,
            one_off: false,
            working_dir: String::new(),
            image: String::new(),
            status,
            process: None,
            health,
            health_output: String::new(),
            check: None,
            exit_code,
            out_of_memory: false,
            error: String::new(),
            restart_count: restarts,
            restart_policy: policy.into(),
            created: None,
            started: Some(now - jiff::SignedDuration::from_secs(up)),
            finished: None,
            hostname: String::new(),
            addresses: BTreeMap::new(),
            ports: vec![],
            volumes: vec![],
            deployed: None,
            environment: vec![],
        }
    }

    fn judge(container: &Container) -> Verdict {
        Baseline::default().judge(container, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn f07_a_crash_loop_is_not_ready_even_while_it_runs() {
        assert!(matches!(judge(&container(Status::Running, Health::None, 1, 2, "always", 60)), Verdict::Failed(_)));
        let looping = container(Status::Running, Health::Healthy, 0, 2, "always", 60);
        assert_eq!(
            Baseline::new(std::slice::from_ref(&looping)).judge(&looping, Timestamp::UNIX_EPOCH),
            Verdict::Ready,
            "old restarts are forgiven"
        );
    }

    #[test]
    fn f08_three_seconds_of_running_are_not_enough() {
        assert!(matches!(judge(&container(Status::Running, Health::None, 0, 0, "no", 3)), Verdict::NotYet(_)));
        assert_eq!(judge(&container(Status::Running, Health::None, 0, 0, "no", 5)), Verdict::Ready);
    }

    #[test]
    fn f09_a_one_shot_is_judged_by_its_exit_code() {
        assert_eq!(judge(&container(Status::Exited, Health::None, 0, 0, "no", 9)), Verdict::Ready);
        assert!(matches!(judge(&container(Status::Exited, Health::None, 1, 0, "no", 9)), Verdict::Failed(_)));
        assert!(matches!(judge(&container(Status::Exited, Health::None, 0, 0, "always", 9)), Verdict::Failed(_)));
    }

    #[test]
    fn f06_f11_unhealthy_and_paused_are_failures() {
        assert!(matches!(judge(&container(Status::Running, Health::Unhealthy, 0, 0, "no", 9)), Verdict::Failed(_)));
        assert!(matches!(judge(&container(Status::Paused, Health::Healthy, 0, 0, "no", 9)), Verdict::Failed(_)));
    }
}
