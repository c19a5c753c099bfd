//! The targets of `[health]` in `infra.toml`.

use url::Url;

use crate::config::HealthTarget;
use crate::dotenv::interpolate;

use super::{Check, Snapshot};

/// A target, and its address after interpolation or the reason why there is none.
pub(super) struct Stated<'a> {
    pub(super) name: &'a str,
    pub(super) target: &'a HealthTarget,
    pub(super) address: Result<String, Check>,
}

/// The targets with an address of this kind.
pub(super) fn configured<'a>(
    snapshot: &Snapshot<'a>,
    kind: &'static str,
    address: impl Fn(&HealthTarget) -> Option<&String>,
) -> Vec<Stated<'a>> {
    let all = snapshot.project.config().health.iter();
    let of_kind = all.filter_map(|(name, target)| {
        let address = resolve(snapshot, kind, name, address(target)?);
        Some(Stated { name, target, address })
    });
    of_kind.collect()
}

pub(super) fn resolve(
    snapshot: &Snapshot<'_>,
    kind: &'static str,
    name: &str,
    template: &str,
) -> Result<String, Check> {
    if let Some(model) = snapshot.model()
        && model.services.contains_key(name)
        && !snapshot.services.contains_key(name)
    {
        let environment = &snapshot.project.environment().name;
        return Err(Check::skip(kind, name, format!("the service is not part of environment `{environment}`")));
    }
    let lookup = |key: &str| snapshot.project.variable(key).map(|value| value.expose().to_owned());
    let address = match interpolate(template, lookup) {
        Ok(done) if done.unset.is_empty() => done.value.to_string(),
        Ok(done) => {
            return Err(Check::fail(
                kind,
                name,
                format!("its address uses {}, which is not set", done.unset.join(", ")),
            )
            .with_hint("set it in the env file, or write a default: `${NAME:-8080}`"));
        }
        Err(error) => {
            let why = format!("its address in infra.toml is wrong: {error}");
            return Err(Check::fail(kind, name, why).with_hint(error.hint()));
        }
    };
    // A service of the stack, in a checkout where none of them runs.
    let project = snapshot.project;
    if !project.has_services() && !project.compose().files.is_empty() && is_local(&host(&address)) {
        return Err(Check::skip(kind, name, "no services run in this checkout"));
    }
    Ok(address)
}

/// The host of `http://user@host:port/path` or `host:port`; empty if there is none.
pub(super) fn host(address: &str) -> String {
    let url = if address.contains("://") { Url::parse(address) } else { Url::parse(&format!("tcp://{address}")) };
    let url = url.ok();
    url.as_ref().and_then(Url::host_str).unwrap_or_default().trim_matches(['[', ']']).to_owned()
}

/// Whether it is this machine.
pub(super) fn is_local(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::{in_project, in_stack};

    #[test]
    fn the_host_of_an_address() {
        for (address, expected) in [
            ("http://u:p@example.com:80/x?y=a@b", "example.com"),
            ("localhost:5432", "localhost"),
            ("https://[::1]:8443/", "::1"),
            ("https://example.com?x", "example.com"),
        ] {
            assert_eq!(host(address), expected);
        }
        assert!(is_local("127.0.0.2") && is_local("::1") && is_local("app.localhost") && !is_local("10.0.0.1"));
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        let manifest = "[health.a]\nhttp = \"http://localhost/\"\n[health.b]\nhttp = \"http://x.example/${NOWHERE_SET}\"\n\
                        [health.c]\nhttp = \"http://x.example/${NOWHERE_SET:-d}\"\n[health.d]\ntcp = \"x:1\"\n";
        in_project(manifest, |snapshot| {
            let found = configured(snapshot, "http", |target| target.http.as_ref());
            let found: Vec<_> =
                found.iter().map(|stated| stated.address.as_ref().map_err(|check| check.status)).collect();
            assert_eq!(found, [Err(Verdict::Skip), Err(Verdict::Fail), Ok(&"http://x.example/d".to_owned())]);
        });
    }

    #[test]
    fn a_service_of_another_environment_is_left_out() {
        let model = r#"{"name":"x","services":{"web":{"profiles":["production"]}}}"#;
        in_stack("[health.web]\nhttp = \"http://x.example/\"\n", model, vec![], |snapshot| {
            let found = configured(snapshot, "http", |target| target.http.as_ref());
            assert_eq!(found[0].address.as_ref().unwrap_err().status, Verdict::Skip);
        });
    }
}
