//! Databases that are published on every address of this machine.

use crate::compose::Port;
use crate::compose::software::{is_database, is_database_port};
use crate::config::DATABASE_PORT_PUBLISHED as CODE;

use super::{Check, Known, Probe, Snapshot};

pub(super) const KIND: &str = "exposure";

pub(super) fn plan(snapshot: &Snapshot<'_>) -> Vec<Box<dyn Probe>> {
    let exposed: Vec<(&str, &Port)> = snapshot
        .services
        .iter()
        .flat_map(|(name, service)| service.ports.iter().map(move |port| (*name, *service, port)))
        .filter(|(_, service, port)| port.is_public() && (is_database_port(port.target) || is_database(service)))
        .map(|(name, _, port)| (name, port))
        .collect();
    exposed.into_iter().map(|(name, port)| Box::new(Known(judge(snapshot, name, port))) as Box<dyn Probe>).collect()
}

fn judge(snapshot: &Snapshot<'_>, name: &str, port: &Port) -> Check {
    let published = port.published.as_deref().unwrap_or_default();
    let detail = format!("port {published} offers {name}'s {} on every address of this machine", port.target);
    let allow = &snapshot.project.config().policy.allow;
    if let Some(reason) = allow.get(&format!("{CODE}:{name}")).or_else(|| allow.get(CODE)) {
        return Check::ok(KIND, name, format!("{detail}; accepted: {reason}"));
    }
    let check = if snapshot.project.environment().protected {
        Check::fail(KIND, name, detail)
    } else {
        Check::warn(KIND, name, detail)
    };
    check.with_hint(format!(
        "publish it as \"127.0.0.1:{published}:{}\", or not at all: services reach each other without; \
         `[policy.allow]` with `{CODE} = \"why\"` accepts it",
        port.target
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::in_stack;

    fn statuses(manifest: &str) -> Vec<(String, Verdict)> {
        let model = r#"{"name":"x","services":{
            "db":{"image":"postgres:16","ports":[{"target":5432,"published":"5432","protocol":"tcp"}]},
            "safe":{"image":"postgres:16","ports":[{"host_ip":"127.0.0.1","target":5432,"published":"5433","protocol":"tcp"}]},
            "inner":{"image":"redis:7"},
            "web":{"image":"nginx","ports":[{"target":80,"published":"80","protocol":"tcp"}]}}}"#;
        let mut found = Vec::new();
        in_stack(manifest, model, vec![], |snapshot| {
            let checks = plan(snapshot).into_iter().flat_map(|probe| probe.check(snapshot));
            found = checks.map(|check| (check.target, check.status)).collect();
        });
        found
    }

    #[test]
    fn f19_a_database_on_every_address_warns_and_fails_where_it_is_protected() {
        let db = |verdict| vec![("db".to_owned(), verdict)];
        assert_eq!(statuses(""), db(Verdict::Warn));
        let protected = "[environments.development]\nprotected = true\n";
        assert_eq!(statuses(protected), db(Verdict::Fail));
        assert_eq!(statuses("[policy.allow]\ndatabase-port-published = \"a private network\"\n"), db(Verdict::Ok));
    }
}
