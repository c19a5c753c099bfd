//! What nginx does for production, asked of it.

use std::os::unix::fs::PermissionsExt as _;
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

/// A certificate that is put into nginx/ssl is served without a restart; one with another's key is not.
pub(super) fn takes_a_given_certificate(stack: &Stack) {
    let path = |name: &str| stack.project.path(&format!("nginx/ssl/{name}"));
    let make = |certificate: &str, key: &str| {
        let made = command("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90"])
            .args(["-subj", "/CN=given.example", "-addext", "subjectAltName=DNS:given.example,DNS:localhost"])
            .args(["-out".as_ref(), path(certificate).as_os_str(), "-keyout".as_ref(), path(key).as_os_str()])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::set_permissions(path(key), std::fs::Permissions::from_mode(0o644)).unwrap();
    };
    let address = format!("localhost:{}", stack.project.port("production-https"));
    let served = || {
        let args = ["s_client", "-connect", &address, "-servername", "localhost"];
        let output = command("openssl").args(args).stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let before = stack.container("production", "nginx")["State"]["StartedAt"].clone();
    make("fullchain.pem", "privkey.pem");
    stack.produce(["start", "certs"]).end().ok();
    wait_until("the given certificate is served", Duration::from_secs(20), || {
        let text = served();
        if text.contains("CN = given.example") { Ok(()) } else { Err(text) }
    });
    assert_eq!(stack.container("production", "nginx")["State"]["StartedAt"], before, "nginx was not restarted");
    make("other.pem", "privkey.pem");
    stack.produce(["start", "certs"]).end().code(2).shows("certs: exited (1)").shows("is not the certificate's");
    assert!(served().contains("CN = given.example"), "what was good is served on");
    for name in ["fullchain.pem", "privkey.pem", "other.pem"] {
        std::fs::remove_file(path(name)).unwrap();
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

    // From several sides at once: one alone may be slower than the limit, where the machine has more to do.
    let began = Instant::now();
    let url = https(stack, "/api/instance");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(|| flood(&url, 60, &[]))).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    let passed = u32::try_from(allowed(&statuses)).unwrap();
    tell(&format!("{passed} of {} requests passed in {seconds:.1} s", statuses.len()));
    assert!(statuses.iter().all(|status| [200, 429].contains(status)));
    assert!(f64::from(passed) <= 21.0 + 10.0 * seconds + 2.0, "no more than the rate and its burst: {passed}");
    assert!(statuses.contains(&429) && passed >= 20, "{passed} of {}", statuses.len());
    // The page is not limited.
    assert!(flood(&https(stack, "/"), 60, &[]).iter().all(|status| *status == 200));
}
