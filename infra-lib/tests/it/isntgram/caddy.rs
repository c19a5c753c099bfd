//! What Caddy does for production, asked of it.

use super::production::SERVICES;
use crate::support::*;

/// HTTP knows one answer, and HTTPS has a certificate for the name, which Caddy's own authority has signed.
pub(super) fn speaks_https(stack: &Stack) {
    for path in ["/", "/api/photos?x=1"] {
        stack.get("http", path).is(308).has("location", &stack.at("https", path));
    }
    let proxy = stack.container("production", "reverse-proxy")["Id"].as_str().unwrap().to_owned();
    let root = docker(["exec", &proxy, "cat", "/data/caddy/pki/authorities/local/root.crt"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), root + "\n").unwrap();
    let output = command("curl")
        .args(["-sSf", "-o", "/dev/null", "-w", "%{http_version}", "--cacert", file.path().to_str().unwrap()])
        .arg(stack.at("https", "/"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "2", "HTTP/2");
}

#[track_caller]
fn is_headed(answer: &Answer) {
    answer
        .has("strict-transport-security", "max-age=31536000; includeSubDomains")
        .has("x-content-type-options", "nosniff")
        .has("x-frame-options", "DENY")
        .has("referrer-policy", "strict-origin-when-cross-origin");
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(answer.header("server"), None, "{answer:?}");
}

pub(super) fn heads_every_answer(stack: &Stack) {
    let page = stack.get("https", "/").is(200);
    is_headed(&page);
    page.has("cache-control", "no-cache");
    for (path, status) in [("/api/photos", 200), ("/health", 200), ("/api/nothing", 404), ("/nothing", 404)] {
        is_headed(&stack.get("https", path).is(status));
    }
    // What is named by its content is kept for a year.
    let asset = page.body.split('"').find(|word| word.starts_with("/assets/")).expect("an asset");
    let style = stack.get("https", asset).is(200);
    style.has("cache-control", "public, max-age=31536000, immutable");
    is_headed(&style);
}

/// Nothing but Caddy's two ports leads in, and its logs are JSON.
pub(super) fn is_the_only_way_in(stack: &Stack) {
    for container in stack.containers("production") {
        let ports = container["HostConfig"]["PortBindings"].as_object().map_or(0, serde_json::Map::len);
        let service = service_of(&container);
        assert_eq!(ports, if service == "reverse-proxy" { 2 } else { 0 }, "{service}");
        let id = container["Id"].as_str().unwrap();
        let output = command("docker").args(["logs", id]).output().unwrap();
        let logged = [output.stdout, output.stderr].concat();
        let logged = String::from_utf8_lossy(&logged);
        assert!(logged.lines().count() > 0, "{service} logs nothing");
        for line in logged.lines() {
            assert!(
                serde_json::from_str::<serde_json::Value>(line).is_ok_and(|it| it.is_object()),
                "{service}: {line}"
            );
        }
    }
    assert_eq!(SERVICES.len(), stack.containers("production").len());
}
