//! What the site's visitors see.

use serde_json::json;

use crate::support::*;

/// Somebody joins and shows a photo; it is on the page and in the database. `page` is the page's address, `api` the API's.
pub(super) fn serves(stack: &Stack, page: &str, api: &str, environment: &[&str]) {
    let name = format!("imogen{}", environment.len());
    let login = json!({"username": name, "password": "long enough to pass"}).to_string();
    let send = |path: &str, body: &str, bearer: &str| {
        let bearer = format!("Authorization: Bearer {bearer}");
        curl(&["-H", "Content-Type: application/json", "-H", &bearer, "-d", body, &format!("{api}{path}")])
    };
    let token = send("/api/auth/register", &login, "").is(201).json()["token"].as_str().unwrap().to_owned();
    send("/api/auth/register", &login, "").is(409);
    send("/api/auth/login", &login, "").is(200);
    let photo = json!({"url": format!("https://images.example.org/{name}.jpg"), "caption": "<b>bold</b>"}).to_string();
    send("/api/photos", &photo, "").is(401);
    send("/api/photos", &photo, &format!("{token}x")).is(401);
    send("/api/photos", &photo, &token).is(201);
    let listed = get(&format!("{api}/api/photos")).is(200).json();
    assert_eq!(listed["photos"][0]["username"], *name, "{listed}");
    assert_eq!(get(&format!("{api}/health")).is(200).json()["database"], "up");
    let shown = get(page).is(200);
    assert!(shown.body.contains(&name) && shown.body.contains("&lt;b&gt;") && !shown.body.contains("<b>bold"));
    let stored = format!("SELECT count(*) FROM photos JOIN users ON users.id = user_id WHERE username = '{name}'");
    assert_eq!(stack.sql(environment, &stored), ["1"], "the API answers from this database");
}
