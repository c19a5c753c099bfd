//! Whether the API of this stack allows the origins of its pages.

use url::Url;

use crate::compose::{Port, Service};
use crate::probe::{Check, Snapshot};
use crate::project::urls::address;

const KIND: &str = "cors";

const KEYS: [&str; 8] = [
    "CORS_ORIGIN",
    "CORS_ORIGINS",
    "CORS_ALLOWED_ORIGINS",
    "ALLOWED_ORIGINS",
    "CORS_ALLOW_ORIGINS",
    "FRONTEND_ORIGIN",
    "CLIENT_ORIGIN",
    "BACKEND_CORS_ORIGINS",
];
/// Names of services that serve pages.
const PAGES: [&str; 9] = ["front", "web", "ui", "app", "client", "nginx", "proxy", "caddy", "page"];

pub(super) fn check(snapshot: &Snapshot<'_>) -> Vec<Check> {
    let pages: Vec<String> = snapshot
        .services
        .iter()
        .filter(|(name, _)| PAGES.iter().any(|page| name.contains(page)))
        .flat_map(|(_, service)| origins(service))
        .collect();
    // The addresses of a protected environment's pages are unknown here.
    if pages.is_empty() || snapshot.project.environment().protected {
        return Vec::new();
    }
    let lists = snapshot.services.iter().filter_map(|(name, service)| {
        let (key, value) = KEYS.iter().find_map(|key| Some((*key, service.environment.get(*key)?.as_deref()?)))?;
        Some((*name, key, value))
    });
    lists.map(|(name, key, value)| judge(name, key, value, &pages)).collect()
}

/// The addresses of a service in a browser on this machine.
fn origins(service: &Service) -> impl Iterator<Item = String> {
    let http = |port: &Port| address(port).filter(|address| address.starts_with("http"));
    service.ports.iter().filter(|port| port.protocol != "udp").filter_map(http).map(|address| origin(&address))
}

/// The origin of an address, which has no port where that is the default one.
fn origin(address: &str) -> String {
    match Url::parse(address).map(|url| url.origin()) {
        Ok(origin) if origin.is_tuple() => origin.ascii_serialization(),
        _ => address.to_owned(),
    }
}

fn judge(service: &str, key: &str, value: &str, pages: &[String]) -> Check {
    let list = value
        .trim_matches(['[', ']'])
        .split([',', ' ', ';'])
        .map(|origin| origin.trim_matches(['"', '\'', ' ']))
        .filter(|origin| !origin.is_empty());
    let allowed: Vec<String> = list.map(|allowed| origin(&allowed.replace("127.0.0.1", "localhost"))).collect();
    if allowed.iter().any(|origin| origin == "*") || pages.iter().any(|page| allowed.contains(page)) {
        return Check::ok(KIND, service, format!("{key} allows this stack's pages"));
    }
    Check::warn(
        KIND,
        service,
        format!(
            "{key} allows {}, but none of this stack's pages ({})",
            if allowed.is_empty() { "no origin".to_owned() } else { allowed.join(", ") },
            pages.join(", ")
        ),
    )
    .with_hint(format!("add {} to {key}", pages[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Verdict;
    use crate::probe::snapshot::tests::in_stack;

    #[test]
    fn cannot_connect_to_backend_verify_cors_origins() {
        let status = |origins: &str, published: &str| {
            let model = format!(
                r#"{{"name":"x","services":{{"api":{{"environment":{{"CORS_ORIGINS":"{origins}"}}}},
                "frontend":{{"ports":[{{"target":5173,"published":"{published}","protocol":"tcp"}}]}}}}}}"#
            );
            let mut found = Vec::new();
            in_stack("", &model, vec![], |snapshot| found = check(snapshot));
            found.remove(0).status
        };
        assert_eq!(status("http://localhost:5173", "5173"), Verdict::Ok);
        assert_eq!(status("https://x.example, http://127.0.0.1:5173/", "5173"), Verdict::Ok);
        assert_eq!(status("http://localhost:5173", "5174"), Verdict::Warn, "setup moved the page");
        assert_eq!(status("*", "5174"), Verdict::Ok);
        assert_eq!(status("http://localhost", "80"), Verdict::Ok);
    }
}
