//! The page and the API.

use serde_json::json;

use crate::support::*;

/// The access token of a new user.
#[track_caller]
pub(super) fn register(base: &str, email: &str) -> String {
    let body = json!({"email": email, "password": "long enough to pass"});
    let tokens = post(&format!("{base}/api/auth/register"), "", &body).is(201).json();
    tokens["accessToken"].as_str().unwrap().to_owned()
}

/// The status of adding an item with this token.
#[track_caller]
pub(super) fn adds_an_item(base: &str, token: &str, name: &str) -> u16 {
    let body = json!({"name": name, "category": "home", "priceCents": 1250}).to_string();
    let bearer = format!("Authorization: Bearer {token}");
    let url = format!("{base}/api/items");
    curl(&["-H", &bearer, "-H", "Content-Type: application/json", "-d", &body, &url]).status
}

pub(super) fn of_development(stack: &Stack) {
    let page = stack.get("page", "/").is(200);
    assert!(page.body.contains("<title>My Thrifting Buddy</title>"), "{page:?}");
    page.has("cache-control", "no-cache").has("x-frame-options", "DENY");
    let assets = stack.get("page", "/assets/mark.1c9f.svg").is(200);
    assets.has("cache-control", "public, max-age=31536000, immutable");
    for port in ["page", "backend"] {
        let health = stack.get(port, "/health").is(200).json();
        assert_eq!((&health["database"], &health["redis"]), (&json!("up"), &json!("up")), "{health}");
        let scan = stack.get(port, "/api/scan/health").is(200).json();
        assert_eq!(scan["recognition"], "not configured", "development has no key of anybody's: {scan}");
    }
    uses_both_tables(stack, &[], &stack.at("page", ""));
}

/// Somebody registers, adds an item, has a picture scanned and logs out; the database knows.
pub(super) fn uses_both_tables(stack: &Stack, environment: &[&str], base: &str) {
    let token = register(base, "Finder@example.org");
    let (name, bearer) = ("A typewriter; DROP TABLE items", format!("Authorization: Bearer {token}"));
    assert_eq!(adds_an_item(base, "", name), 401);
    assert_eq!(adds_an_item(base, &token, name), 201);
    let listed = get(&format!("{base}/api/items")).is(200).json();
    assert_eq!(listed["items"][0]["name"], name, "{listed}");
    let stored = stack.sql(
        environment,
        "SELECT i.name FROM items i JOIN users u ON u.id = i.user_id WHERE u.email = 'finder@example.org'",
    );
    assert_eq!(stored, [name]);

    let scan = |kind: &str| {
        let kind = format!("Content-Type: {kind}");
        curl(&["-H", &bearer, "-H", &kind, "--data-binary", "not much of a picture", &format!("{base}/api/scan")])
    };
    scan("text/plain").is(415);
    let scanned = scan("image/png").is(202);
    let place = scanned.header("location").unwrap();
    let found = curl(&["-H", &bearer, &format!("{base}{place}")]).is(200).json();
    assert_eq!((&found["status"], &found["bytes"]), (&json!("queued"), &json!(21)));
    let digest = "SELECT encode(sha256, 'hex') = encode(sha256('not much of a picture'), 'hex') FROM scans";
    assert_eq!(stack.sql(environment, digest), ["t"]);

    curl(&["-X", "POST", "-H", &bearer, &format!("{base}/api/auth/logout")]).is(204);
    assert_eq!(adds_an_item(base, &token, name), 401, "the token has ended with the session");
}
