//! Whether the engine answers, and whether it is large enough.

use serde_json::Value;

use crate::compose::{Engine, Service, numbers};
use crate::config::ByteSize;
use crate::failure::Failure as _;
use crate::probe::{Check, Snapshot};

const KIND: &str = "engine";

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let project = snapshot.project;
    if !project.has_services() {
        return Vec::new();
    }
    let engine = match snapshot.engine() {
        Ok(engine) => engine,
        Err(error) => {
            let check = Check::fail(KIND, "answers", error.to_string());
            return vec![error.hint().into_iter().fold(check, Check::with_hint)];
        }
    };
    let mut checks = vec![version(snapshot, engine)];
    if let Some(recorded) = project.record().and_then(|record| record.engine.as_ref())
        && recorded.id != engine.id
    {
        checks.push(
            Check::warn(
                KIND,
                "same",
                format!("this is not the engine that `setup` was run with (now at {})", Engine::address()),
            )
            .with_hint("check DOCKER_HOST and `docker context ls`; destructive commands refuse to work here"),
        );
    }
    let wants: Vec<(&str, Wants)> =
        snapshot.services.iter().map(|(name, service)| (*name, Wants::from_service(service))).collect();
    checks.extend(judge(&wants, engine.cores, engine.memory));
    checks
}

/// Engines before 25 refuse health checks with a `start_interval`.
fn version(snapshot: &Snapshot<'_>, engine: &Engine) -> Check {
    let found = format!("Docker Engine {}", engine.version);
    let uses = snapshot
        .services
        .iter()
        .find(|(_, service)| service.healthcheck.as_ref().is_some_and(|check| check.start_interval.is_some()));
    match uses {
        Some((name, _)) if numbers(&engine.version) < vec![25] => Check::fail(
            KIND,
            "answers",
            format!("{found} is too old for the health check of {name}, which has a start_interval"),
        )
        .with_hint("install Docker Engine 25 or newer, or remove `start_interval`"),
        _ => Check::ok(KIND, "answers", format!("{found} at {}", Engine::address())),
    }
}

/// The resources of one service, for all its containers together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Wants {
    containers: u32,
    cores_limit: f64,
    cores_reserved: f64,
    memory_limit: u64,
    memory_reserved: u64,
}

impl Wants {
    fn from_service(service: &Service) -> Self {
        let get = |path: &str| service.deploy.pointer(path);
        let containers = get("/replicas").or(service.rest.get("scale")).and_then(Value::as_u64).unwrap_or(1);
        let either = |path: &str, key: &str| number(get(path)).or_else(|| number(service.rest.get(key)));
        let bytes = |value: Option<f64>| value.map_or(0, to_bytes);
        Self {
            containers: u32::try_from(containers).unwrap_or(u32::MAX),
            cores_limit: either("/resources/limits/cpus", "cpus").unwrap_or(0.0),
            cores_reserved: number(get("/resources/reservations/cpus")).unwrap_or(0.0),
            memory_limit: bytes(either("/resources/limits/memory", "mem_limit")),
            memory_reserved: bytes(either("/resources/reservations/memory", "mem_reservation")),
        }
    }
}

/// Compose writes these as numbers or as text.
fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size, well below 2^53")]
fn to_bytes(number: f64) -> u64 {
    number.max(0.0) as u64
}

fn judge(wants: &[(&str, Wants)], cores: u64, memory: u64) -> Vec<Check> {
    let mut checks = Vec::new();
    #[expect(clippy::cast_precision_loss, reason = "a number of cores")]
    let available = cores as f64;
    for (name, want) in wants.iter().filter(|(_, want)| want.cores_limit > available) {
        checks.push(
            Check::fail("cores", *name, format!("its limit is {} cores and the engine has {cores}", want.cores_limit))
                .with_hint("lower `cpus` in the compose file or its variable, or give the engine more cores (Docker Desktop: Settings > Resources)"),
        );
    }
    let sum = |of: fn(&Wants) -> f64| wants.iter().map(|(_, want)| of(want) * f64::from(want.containers)).sum::<f64>();
    let total =
        |of: fn(&Wants) -> u64| wants.iter().map(|(_, want)| of(want) * u64::from(want.containers)).sum::<u64>();
    let reserved = sum(|want| want.cores_reserved);
    if reserved > available {
        checks.push(
            Check::warn("cores", "reserved", format!("the services reserve {reserved} cores and the engine has {cores}"))
                .with_hint("expect slow starts; lower the reservations, or give the engine more cores (Docker Desktop: Settings > Resources)"),
        );
    } else if checks.is_empty() {
        checks.push(Check::ok("cores", "engine", format!("{cores}")));
    }
    let (limit, reserved) = (total(|want| want.memory_limit), total(|want| want.memory_reserved));
    let more =
        "give the engine more memory (Docker Desktop: Settings > Resources), or lower the limits in the compose file";
    checks.push(if reserved > memory {
        let detail =
            format!("the services reserve {} and the engine has {}", ByteSize::new(reserved), ByteSize::new(memory));
        Check::fail("memory", "reserved", detail).with_hint(more)
    } else if limit > memory {
        let detail = format!(
            "the services may take {} together and the engine has {}",
            ByteSize::new(limit),
            ByteSize::new(memory)
        );
        Check::warn("memory", "limits", detail).with_hint(more)
    } else {
        Check::ok(
            "memory",
            "engine",
            match limit {
                _ if wants.is_empty() => ByteSize::new(memory).to_string(),
                0 => format!("{}; no service has a limit", ByteSize::new(memory)),
                limit => format!("{}, and the services may take {}", ByteSize::new(memory), ByteSize::new(limit)),
            },
        )
    });
    checks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::Model;
    use crate::probe::Verdict;

    fn wants(deploy: &str) -> Wants {
        let json = format!(r#"{{"name":"x","services":{{"a":{{"image":"a",{deploy}}}}}}}"#);
        Wants::from_service(&Model::parse(json.as_bytes()).unwrap().services["a"])
    }

    #[test]
    fn limits_are_read_in_each_of_their_spellings() {
        let modern = wants(
            r#""deploy":{"replicas":2,"resources":{"limits":{"cpus":0.5,"memory":"1000000"},"reservations":{"cpus":"0.25","memory":"500000"}}}"#,
        );
        assert_eq!(
            modern,
            Wants {
                containers: 2,
                cores_limit: 0.5,
                cores_reserved: 0.25,
                memory_limit: 1_000_000,
                memory_reserved: 500_000
            }
        );
        let old = wants(r#""cpus":1.5,"mem_limit":"2000000","mem_reservation":"100""#);
        assert_eq!((old.cores_limit, old.memory_limit, old.memory_reserved), (1.5, 2_000_000, 100));
    }

    #[test]
    fn performance_issues_too_little_for_the_declared_limits() {
        let want = Wants {
            containers: 2,
            cores_limit: 3.0,
            cores_reserved: 0.5,
            memory_limit: 3_000_000_000,
            memory_reserved: 1_000_000_000,
        };
        let status = |cores, memory| {
            judge(&[("api", want)], cores, memory).into_iter().map(|check| check.status).collect::<Vec<_>>()
        };
        assert_eq!(status(4, 8_000_000_000), [Verdict::Ok, Verdict::Ok]);
        assert_eq!(status(2, 4_000_000_000), [Verdict::Fail, Verdict::Warn], "one limit of 3 cores, 6 GB together");
        assert_eq!(status(4, 1_500_000_000), [Verdict::Ok, Verdict::Fail]);
    }
}
