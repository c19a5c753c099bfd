//! What nginx does for production, asked of it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::*;

fn https(stack: &Stack, path: &str) -> String {
    stack.at("production-https", path)
}

pub(super) fn serves(stack: &Stack) {
    let page = get(&https(stack, "/")).is(200);
    assert!(page.body.contains("<title>RxDx</title>") && page.body.contains("/assets/"), "{page:?}");
    for path in ["/", "/api/requirements?x=3"] {
        stack.get("production-http", path).is(301).has("location", &https(stack, path));
    }
    let docs = get(&https(stack, "/api/docs")).is(200);
    assert!(docs.body.contains("swagger"), "{docs:?}");
}

pub(super) fn speaks_only_modern_tls(stack: &Stack) {
    let address = format!("localhost:{}", stack.project.port("production-https"));
    let speaks = |version: &str| {
        let output = command("openssl")
            .args(["s_client", "-connect", &address, version, "-cipher", "ALL@SECLEVEL=0"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    for version in ["-tls1_2", "-tls1_3"] {
        let (well, text) = speaks(version);
        assert!(well && !text.contains("Cipher is (NONE)"), "{version}: {text}");
    }
    for version in ["-tls1", "-tls1_1"] {
        // The client itself is willing, or it would prove nothing about the server.
        let (well, text) = speaks(version);
        assert!(!well && text.contains("alert protocol version"), "{version}: {text}");
    }
}

#[track_caller]
fn is_headed(answer: &Answer) {
    answer
        .has("strict-transport-security", "max-age=31536000; includeSubDomains")
        .has("x-frame-options", "SAMEORIGIN")
        .has("x-content-type-options", "nosniff")
        .has("referrer-policy", "strict-origin-when-cross-origin")
        .has("server", "nginx");
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
}

pub(super) fn heads_every_answer(stack: &Stack) {
    let page = get(&https(stack, "/")).is(200);
    is_headed(&page);
    page.has("cache-control", "no-cache");
    is_headed(&get(&https(stack, "/api/requirements")).is(200));
    is_headed(&get(&https(stack, "/api/nothing")).is(404));
    let asset = page.body.split('"').find(|part| part.starts_with("/assets/")).expect("an asset");
    let answer = get(&https(stack, asset)).is(200);
    is_headed(&answer);
    answer.has("cache-control", "public, max-age=31536000, immutable");
}

/// Ten requests a second for the API after a burst of twenty, five a minute for authentication.
pub(super) fn limits_rates(stack: &Stack) {
    let allowed = |statuses: &[u16]| statuses.iter().filter(|status| **status != 429).count();
    let login = ["-X", "POST", "-H", "Content-Type: application/json", "-d", "{}"];
    let statuses = flood(&https(stack, "/api/auth/login"), 12, &login);
    assert!((3..=7).contains(&allowed(&statuses)), "{statuses:?}");
    assert!(statuses.iter().all(|status| [422, 429].contains(status)), "{statuses:?}");

    let began = Instant::now();
    let mut statuses = Vec::new();
    while began.elapsed() < Duration::from_secs(3) {
        statuses.extend(flood(&https(stack, "/api/instance"), 100, &[]));
    }
    let seconds = began.elapsed().as_secs_f64();
    let passed = u32::try_from(allowed(&statuses)).unwrap();
    tell(&format!("{passed} of {} requests passed in {seconds:.1} s", statuses.len()));
    assert!(statuses.iter().all(|status| [200, 429].contains(status)));
    assert!(f64::from(passed) <= 21.0 + 10.0 * seconds + 2.0, "no more than the rate and its burst: {passed}");
    assert!(statuses.contains(&429) && passed >= 20, "{passed}");
    // The page is not limited.
    assert!(flood(&https(stack, "/"), 60, &[]).iter().all(|status| *status == 200));
}
