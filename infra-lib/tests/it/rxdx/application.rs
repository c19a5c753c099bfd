//! The page and the API.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::*;

/// Sends JSON as somebody who is logged in, or as nobody.
#[track_caller]
pub(super) fn send(method: &str, url: &str, token: &str, body: &Value) -> Answer {
    let (bearer, body) = (format!("Authorization: Bearer {token}"), body.to_string());
    let known: &[&str] = if token.is_empty() { &[] } else { &["-H", &bearer] };
    let args = ["-X", method, "-H", "Content-Type: application/json", "-d", &body];
    curl(&[&args, known, &[url]].concat())
}

/// A new user's token.
#[track_caller]
pub(super) fn register(base: &str, name: &str) -> String {
    let body = json!({"email": format!("{name}@example.org"), "password": "long enough to pass"});
    let answer = send("POST", &format!("{base}/api/auth/register"), "", &body).is(201).json();
    answer["token"].as_str().unwrap().to_owned()
}

/// Two requirements and a test, connected, made as a new user; the user's token.
#[track_caller]
pub(super) fn makes_a_trace(base: &str, name: &str) -> String {
    let token = register(base, name);
    let requirements = format!("{base}/api/requirements");
    let first = json!({"key": "SYS-1", "title": "An alarm is heard"});
    send("POST", &requirements, "", &first).is(401);
    assert_eq!(send("POST", &requirements, &token, &first).is(201).json(), first);
    send("POST", &requirements, &token, &first).is(409);
    send("POST", &requirements, &token, &json!({"key": "SYS-2", "title": "An alarm is seen"})).is(201);
    send("POST", &format!("{base}/api/tests"), &token, &json!({"key": "VER-1", "title": "Ring it"})).is(201);
    for (kind, source) in [("refines", "SYS-2"), ("verifies", "VER-1")] {
        let link = json!({"kind": kind, "source": source, "target": if kind == "refines" { "SYS-1" } else { "SYS-2" }});
        send("PUT", &format!("{base}/api/links"), &token, &link).is(204);
    }
    assert_eq!(trace(base), ["SYS-2 1", "VER-1 2"]);
    token
}

/// What leads to the first requirement, and in how many steps.
#[track_caller]
pub(super) fn trace(base: &str) -> Vec<String> {
    let found = get(&format!("{base}/api/requirements/SYS-1/trace")).is(200).json();
    found.as_array().unwrap().iter().map(|it| format!("{} {}", it["key"].as_str().unwrap(), it["steps"])).collect()
}

/// What the API keeps in the volume.
#[track_caller]
pub(super) fn attach(base: &str, token: &str, text: &str) {
    let bearer = format!("Authorization: Bearer {token}");
    let url = format!("{base}/api/requirements/SYS-1/attachment");
    curl(&["-X", "PUT", "-H", &bearer, "--data-binary", text, &url]).is(204);
    assert_eq!(get(&url).is(200).body, text);
}

/// Asked itself, through the page's host, and through nginx by HTTP and HTTPS.
pub(super) fn serves(stack: &Stack) {
    for port in ["frontend", "http", "https"] {
        let page = stack.get(port, "/").is(200);
        assert!(page.body.contains("<title>RxDx</title>") && page.body.contains("main.tsx"), "{page:?}");
    }
    let health = stack.get("backend", "/health").is(200).json();
    assert_eq!(health, json!({"status": "ok", "database": "up", "graph": "up"}));
    assert!(stack.get("https", "/api/docs").is(200).body.contains("swagger"));
    makes_a_trace(&stack.at("backend", ""), "ada");
    for port in ["frontend", "http", "https"] {
        assert_eq!(trace(&stack.at(port, "")), ["SYS-2 1", "VER-1 2"], "through {port}");
    }
    let logged = stack.sql(&[], "SELECT action || ' ' || subject FROM audit_log ORDER BY id");
    assert_eq!(
        logged,
        [
            "add requirement SYS-1",
            "add requirement SYS-2",
            "add test VER-1",
            "refines SYS-2 SYS-1",
            "verifies VER-1 SYS-2"
        ]
    );
}

/// A changed source is live, without a rebuild and without another container.
pub(super) fn reloads(stack: &Stack) {
    let before = stack.identity("development");
    let changes = [
        ("backend/rxdx/app.py", "\"status\": \"ok\",", "\"status\": \"reloaded\",", stack.at("backend", "/health")),
        (
            "frontend/src/api.ts",
            "export type",
            "export const mark = \"reloaded\";\nexport type",
            stack.at("frontend", "/api.ts"),
        ),
    ];
    for (path, from, to, url) in changes {
        let original = stack.project.read(path);
        assert!(original.contains(from), "{path} has {from}");
        let is = |reloaded: bool| {
            wait_until(&format!("{url} is {reloaded}"), Duration::from_secs(30), || match try_curl(&[&url]) {
                Ok(answer) if answer.status != 502 && answer.body.contains("reloaded") == reloaded => Ok(()),
                other => Err(format!("{other:?}")),
            });
        };
        let began = Instant::now();
        stack.project.write(path, &original.replacen(from, to, 1));
        is(true);
        tell(&format!("a changed {path} was live after {} ms", began.elapsed().as_millis()));
        let_watchers_settle();
        stack.project.write(path, &original);
        is(false);
    }
    assert_eq!(stack.identity("development"), before);
}
