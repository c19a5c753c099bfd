//! The page and the API.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::*;

/// Who may log in after the seeds, and the one customer that their tenant has.
pub(super) const ANA: (&str, &str) = ("ana@aurora.example", "Azucarera del Norte");
pub(super) const BERTA: (&str, &str) = ("berta@boreal.example", "Bodegas Blancas");

/// A token.
#[track_caller]
pub(super) fn log_in(base: &str, email: &str) -> String {
    let body = json!({"email": email, "password": "for development"});
    let token = post(&format!("{base}/api/v1/auth/login"), "", &body).is(200).json();
    token["token"].as_str().unwrap().to_owned()
}

/// The names that the API shows to whoever logs in with this address.
#[track_caller]
pub(super) fn customers(base: &str, email: &str) -> Vec<String> {
    let header = format!("Authorization: Bearer {}", log_in(base, email));
    let answer = curl(&["-H", &header, &format!("{base}/api/v1/customers")]).is(200).json();
    let all = answer["customers"].as_array().unwrap().iter();
    all.map(|customer| customer["name"].as_str().unwrap().to_owned()).collect()
}

pub(super) fn serves(stack: &Stack) {
    let page = stack.get("frontend", "/").is(200);
    assert!(page.body.contains("<title>PagoDirecto</title>") && page.body.contains("main.ts"), "{page:?}");
    assert_eq!(stack.get("frontend", "/health").is(200).body, "healthy\n");
    assert!(stack.get("adminer", "/").is(200).body.contains("Adminer"));
    health_is_that_of_spring(stack);
    let base = stack.at("backend", "");
    for url in [&base, &stack.at("frontend", "")] {
        assert_eq!(customers(url, ANA.0), [ANA.1]);
        assert_eq!(customers(url, BERTA.0), [BERTA.1]);
    }
    // Nobody without a token, with another's password, or with a token that was changed.
    let list = format!("{base}/api/v1/customers");
    get(&list).is(401);
    post(&format!("{base}/api/v1/auth/login"), "", &json!({"email": ANA.0, "password": "a guess"})).is(401);
    let changed = format!("Authorization: Bearer {}x", log_in(&base, ANA.0));
    curl(&["-H", &changed, &list]).is(401);
    // The page's origin may ask, another may not; and a request can be followed by its id.
    let allowed = curl(&["-H", &format!("Origin: {}", stack.at("frontend", "")), &format!("{base}/api/health")]);
    allowed.has("access-control-allow-origin", &stack.at("frontend", ""));
    let other = curl(&["-H", "Origin: http://evil.example", "-H", "X-Correlation-Id: follow-me", &list]);
    assert_eq!(other.header("access-control-allow-origin"), None, "{other:?}");
    other.has("x-correlation-id", "follow-me");
    stack.run(["logs", "backend"]).end().ok().shows("\"correlationId\":\"follow-me\"");
    let metrics = stack.get("backend", "/actuator/prometheus").is(200).body;
    for name in [
        "http_server_requests_seconds_count",
        "jvm_memory_used_bytes",
        "hikaricp_connections_active",
        "system_cpu_usage",
    ] {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
}

/// With its groups: without the database the process lives and is not ready.
fn health_is_that_of_spring(stack: &Stack) {
    let health = stack.get("backend", "/actuator/health").is(200).json();
    assert_eq!((&health["status"], &health["groups"]), (&Value::from("UP"), &json!(["liveness", "readiness"])));
    assert_eq!(health["components"]["db"]["details"]["database"], "PostgreSQL");
    for path in ["/actuator/health/liveness", "/actuator/health/readiness", "/api/health", "/api/v1/auth/health"] {
        assert_eq!(stack.get("backend", path).is(200).json()["status"], "UP", "{path}");
    }
    stack.run(["stop", "postgres"]).end().ok();
    stack.get("backend", "/actuator/health/liveness").is(200);
    for path in ["/actuator/health", "/actuator/health/readiness"] {
        assert_eq!(stack.get("backend", path).is(503).json()["status"], "DOWN", "{path}");
    }
    stack.run(["start"]).end().ok();
    // Its pool of connections takes a moment to notice that the database is back.
    wait_until("the backend is ready again", Duration::from_secs(15), || {
        match stack.get("backend", "/actuator/health/readiness").status {
            200 => Ok(()),
            status => Err(status.to_string()),
        }
    });
}

/// A changed source is live without a build or a new container. The promise is a second; machines that run other tests
/// meanwhile stall.
pub(super) fn reloads(stack: &Stack) {
    const LIMIT: Duration = Duration::from_secs(30);
    let files = [
        (
            "backend/src/main/java/com/pagodirecto/web/Health.java",
            "\"database\", \"PostgreSQL\"",
            "\"database\", \"reloaded\"",
            stack.at("backend", "/actuator/health"),
        ),
        ("frontend/apps/web/src/api.ts", "\"/customers\"", "\"/customers?reloaded\"", stack.at("frontend", "/api.ts")),
    ];
    let before = stack.identity("development");
    for (path, from, to, url) in files {
        let original = stack.project.read(path);
        for (text, is_new) in [(original.replacen(from, to, 1), true), (original.clone(), false)] {
            assert_eq!(text.contains("reloaded"), is_new, "{path}");
            stack.project.write(path, &text);
            let began = Instant::now();
            wait_until(&format!("{path} is live"), LIMIT, || match try_curl(&[&url]) {
                Ok(answer) if answer.status == 200 && answer.body.contains("reloaded") == is_new => Ok(()),
                other => Err(format!("{other:?}")),
            });
            tell(&format!("a change of {path} was live after {} ms", began.elapsed().as_millis()));
            let_watchers_settle();
        }
    }
    assert_eq!(stack.identity("development"), before);
}
