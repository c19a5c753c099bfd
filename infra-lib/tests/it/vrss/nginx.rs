//! What nginx does for production, asked of it.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::api::posts_and_lists;
use super::stack::Stack;
use crate::support::*;

pub(super) fn serves(stack: &Stack) {
    let page = stack.get("https", "/").is(200);
    assert!(page.body.contains("<title>VRSS</title>") && page.body.contains("/assets/"), "{page:?}");
    assert_eq!(stack.get("https", "/health").is(200).json()["database"], "up");
    posts_and_lists(stack, &stack.at("https", ""), &PRODUCTION, "margaret");
    // Plain HTTP knows one answer.
    for path in ["/", "/api/posts?limit=3"] {
        stack.get("http", path).is(301).has("location", &stack.at("https", path));
    }
    curl(&["-X", "POST", "-d", "x=1", &stack.at("http", "/api/auth/login")]).is(301);
}

fn s_client(stack: &Stack, more: &[&str]) -> (bool, String) {
    let address = format!("localhost:{}", stack.project.port("https"));
    let output = command("openssl")
        .args(["s_client", "-connect", &address, "-servername", "localhost"])
        .args(more)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), text)
}

pub(super) fn speaks_only_modern_tls(stack: &Stack) {
    for version in ["-tls1_2", "-tls1_3"] {
        let (well, text) = s_client(stack, &[version]);
        assert!(well && !text.contains("Cipher is (NONE)"), "{version}: {text}");
    }
    for version in ["-tls1", "-tls1_1"] {
        // The client itself must be willing, or it proves nothing about the server.
        let (well, text) = s_client(stack, &[version, "-cipher", "ALL@SECLEVEL=0"]);
        assert!(!well && text.contains("alert protocol version"), "{version}: {text}");
    }
    // The certificate that was made here is good for the name, for whoever trusts it.
    let (_, text) = s_client(stack, &[]);
    let begin = text.find("-----BEGIN CERTIFICATE-----").expect("a certificate");
    let end = text.find("-----END CERTIFICATE-----").unwrap() + "-----END CERTIFICATE-----".len();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}\n", &text[begin..end])).unwrap();
    let output = command("curl")
        .args(["-sSf", "-o", "/dev/null", "--cacert", file.path().to_str().unwrap(), &stack.at("https", "/")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate that is put where `TLS_DIR` says, once user 1001 may read it.
pub(super) fn takes_a_given_certificate(stack: &Stack) {
    let path = |name: &str| stack.project.path(&format!("docker/nginx/tls/{name}")).to_str().unwrap().to_owned();
    let (certificate, key) = (path("fullchain.pem"), path("privkey.pem"));
    let names = "subjectAltName=DNS:given.example,DNS:localhost";
    let made = command("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90"])
        .args(["-subj", "/CN=given.example", "-addext", names, "-out", &certificate, "-keyout", &key])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let readable = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    readable(0o600);
    // Whoever runs the tests as the containers' user may read everything.
    if rustix::process::getuid().as_raw() != 1001 {
        stack.produce(["start"]).end().code(2).shows("certs: exited (1)").shows("user 1001 may not read TLS_DIR");
    }
    readable(0o644);
    stack.produce(["start"]).end().ok();
    // It would look by itself within a minute.
    stack.produce(["restart", "nginx"]).end().ok();
    let (well, text) = s_client(stack, &[]);
    assert!(well && text.contains("CN = given.example"), "{text}");
}

#[track_caller]
fn is_headed(answer: &Answer) {
    answer
        .has("x-frame-options", "SAMEORIGIN")
        .has("x-content-type-options", "nosniff")
        .has("x-xss-protection", "1; mode=block")
        .has("strict-transport-security", "max-age=31536000")
        .has("referrer-policy", "strict-origin-when-cross-origin");
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'self';") && !policy.contains("unsafe"), "{policy}");
    answer.has("server", "nginx");
}

pub(super) fn heads_every_answer(stack: &Stack) {
    let page = stack.get("https", "/").is(200);
    is_headed(&page);
    page.has("cache-control", "no-cache");
    let api = stack.get("https", "/api/posts").is(200);
    is_headed(&api);
    api.has("cache-control", "no-store");
    is_headed(&stack.get("https", "/api/nothing").is(404));
    is_headed(&stack.get("https", "/assets/nothing.js").is(404));

    // What is named by its content is kept for a year; what is large enough is packed.
    let assets: Vec<&str> =
        page.body.match_indices("/assets/").filter_map(|(at, _)| page.body[at..].split('"').next()).collect();
    let of_kind = |kind: &str| assets.iter().find(|name| name.rsplit('.').next() == Some(kind)).copied();
    assert!(of_kind("css").is_some(), "{assets:?}");
    for asset in &assets {
        let answer = stack.get("https", asset).is(200);
        is_headed(&answer);
        answer.has("cache-control", "public, max-age=31536000, immutable");
        assert_eq!(answer.header("content-encoding"), None, "nobody asked for it");
    }
    let url = stack.at("https", of_kind("js").expect("a script"));
    curl(&["-H", "Accept-Encoding: gzip", "-o", "/dev/null", "-D", "-", &url]).is(200).has("content-encoding", "gzip");
    let list = stack.at("https", "/api/posts");
    for n in 0..3 {
        let cookie = format!("n={n}");
        post(&list, &cookie, &json!({"content": "no session"})).is(401);
    }
}

/// A WebSocket by hand, over TLS: the handshake, then the news of a post that somebody else makes.
pub(super) fn passes_websockets_on(stack: &Stack) {
    let port = stack.project.port("https");
    let mut client = command("openssl")
        .args(["s_client", "-quiet", "-connect", &format!("localhost:{port}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let request = format!(
        "GET /api/ws HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: https://localhost:{port}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    client.stdin.as_mut().unwrap().write_all(request.as_bytes()).unwrap();
    let heard = Arc::new(Mutex::new(String::new()));
    let (mut from, into) = (client.stdout.take().unwrap(), Arc::clone(&heard));
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            into.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    });
    let says = |text: &str| {
        wait_until(&format!("the socket says {text}"), Duration::from_secs(10), || {
            let heard = heard.lock().unwrap().clone();
            if heard.contains(text) { Ok(()) } else { Err(heard) }
        });
    };
    says("101 Switching Protocols");
    says("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    stack.sql(
        &PRODUCTION,
        "INSERT INTO posts (user_id, content) SELECT id, 'news' FROM users WHERE username = 'margaret'",
    );
    let id = stack.sql(&PRODUCTION, "SELECT id FROM posts WHERE content = 'news'").remove(0);
    says(&format!("{{\"created\":\"{id}\"}}"));
    client.kill().unwrap();
    client.wait().unwrap();
    reader.join().unwrap();
}

/// Ten requests a second for the API after a burst of twenty, five a minute for authentication.
pub(super) fn limits_rates(stack: &Stack) {
    let allowed = |statuses: &[u16]| statuses.iter().filter(|status| **status != 429).count();
    let login = ["-X", "POST", "-H", "Content-Type: application/json", "-d", "{}"];
    let statuses = flood(&stack.at("https", "/api/auth/login"), 12, &login);
    // One more comes in for each twelve seconds that this takes; the registration before has had its own place back by now, or not.
    assert!((3..=6).contains(&allowed(&statuses)), "{statuses:?}");
    assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");

    let began = Instant::now();
    let mut statuses = Vec::new();
    while began.elapsed() < Duration::from_secs(3) {
        statuses.extend(flood(&stack.at("https", "/api/posts"), 100, &[]));
    }
    let seconds = began.elapsed().as_secs_f64();
    let passed = allowed(&statuses);
    tell(&format!("{passed} of {} requests passed in {seconds:.1} s", statuses.len()));
    #[expect(clippy::cast_precision_loss, reason = "hundreds")]
    let passed = passed as f64;
    assert!(passed <= 21.0 + 10.0 * seconds + 2.0, "no more than the rate and its burst: {passed} in {seconds} s");
    assert!(passed >= 10.0 * seconds, "no less than the rate: {passed} in {seconds} s");
    assert!(statuses.iter().all(|status| [200, 429].contains(status)));
    // The page is not limited, and a refusal bears the headers too.
    assert!(flood(&stack.at("https", "/"), 60, &[]).iter().all(|status| *status == 200));
    let statuses = flood(&stack.at("https", "/api/posts"), 60, &[]);
    assert!(statuses.contains(&429), "{statuses:?}");
    let refused = wait_until("a refusal", Duration::from_secs(5), || {
        flood(&stack.at("https", "/api/posts"), 30, &[]);
        let answer = get(&stack.at("https", "/api/posts"));
        if answer.status == 429 { Ok(answer) } else { Err(answer.status.to_string()) }
    });
    is_headed(&refused);
}
