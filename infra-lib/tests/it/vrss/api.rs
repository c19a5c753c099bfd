//! The page and the API, in development.

use serde_json::json;

use super::stack::Stack;
use crate::support::{get, post};

/// A session's cookie of a new user.
#[track_caller]
pub(super) fn register(base: &str, name: &str) -> String {
    let body = json!({"username": name, "email": format!("{name}@example.org"), "password": "long enough to pass"});
    post(&format!("{base}/api/auth/register"), "", &body).is(201).cookie()
}

/// Posts this as a new user, finds it in the list and in the database; the session's cookie.
#[track_caller]
pub(super) fn posts_and_lists(stack: &Stack, base: &str, environment: &[&str], name: &str) -> String {
    let content = format!("hello from {name} #{name}");
    let cookie = register(base, name);
    post(&format!("{base}/api/posts"), "", &json!({"content": content})).is(401);
    let posted = post(&format!("{base}/api/posts"), &cookie, &json!({"content": content})).is(201).json();
    let listed = get(&format!("{base}/api/posts?tag={name}")).is(200).json();
    assert_eq!(listed["posts"][0], posted, "{listed}");
    let stored =
        stack.sql(environment, &format!("SELECT content FROM posts WHERE id = '{}'", posted["id"].as_str().unwrap()));
    assert_eq!(stored, [content], "the API answers from this database");
    cookie
}

/// The page is served and the API works, asked itself and through the page's host.
pub(super) fn serves(stack: &Stack, taken: u16) {
    let page = stack.get("frontend", "/").is(200);
    assert!(page.body.contains("<title>VRSS</title>") && page.body.contains("main.ts"), "{page:?}");
    let health = stack.get("backend", "/health").is(200).json();
    assert_eq!(health["database"], "up", "{health}");
    posts_and_lists(stack, &stack.at("backend", ""), &[], "barbara");
    posts_and_lists(stack, &stack.at("frontend", ""), &[], "katherine");
    // The address that setup has chosen for the database, with the password that it has made.
    let port = stack.variable(".env", "DB_PORT_PUBLISHED");
    assert_ne!(port, taken.to_string());
    assert!(std::net::TcpStream::connect(("127.0.0.1", port.parse().unwrap())).is_ok(), "published at {port}");
    stack.run(["describe"]).end().ok().shows(&format!("localhost:{port}"));
}
