//! Releases: images by name and tag, several backends behind nginx, a new release and the way back.

use std::collections::BTreeMap;
use std::time::Duration;

use super::production::SERVICES;
use crate::support::*;

pub(super) fn images_are_named_and_hold_no_tools(stack: &Stack) {
    let named = stack.produce(["describe", "--json"]).env("IMAGE_PREFIX", "thrifting-buddy").env("IMAGE_TAG", "2.1.0");
    let services = named.end().ok().outcome()["services"].clone();
    let images: Vec<&str> = services.as_array().unwrap().iter().filter_map(|it| it["image"].as_str()).collect();
    for service in SERVICES {
        let image = format!("thrifting-buddy/{service}:2.1.0");
        assert!(images.contains(&image.as_str()), "{image} in {images:?}");
    }
    // A release has a tag.
    stack.produce(["start"]).env("IMAGE_TAG", "").end().code(78).says("IMAGE_TAG");
    let id = stack.container("production", "backend")["Id"].as_str().unwrap().to_owned();
    let has = |path: &str| try_docker(["exec", &id, "test", "-e", path]).is_ok();
    assert!(has("/app/src/index.js") && has("/app/migrations") && has("/app/node_modules/express"));
    assert!(!has("/app/tests") && !has("/app/seeds") && !has("/app/.env"), "what production does not need");
    let history = docker([
        "history",
        "--no-trunc",
        "--format",
        "{{.CreatedBy}}",
        &format!("{}/backend:1.0.0", stack.project.name()),
    ]);
    let secret = stack.variable("backend/.env.production", "JWT_ACCESS_SECRET");
    assert!(!history.contains(secret.trim_matches('"')), "no secret is in the image");
}

/// Which instance answered how often, of so many requests.
fn instances(stack: &Stack, requests: u32) -> BTreeMap<String, u32> {
    let mut seen = BTreeMap::new();
    for _ in 0..requests {
        let health = stack.get("https", "/health").is(200).json();
        *seen.entry(health["instance"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    seen
}

fn backends(stack: &Stack) -> Vec<String> {
    let mut ids: Vec<String> = stack
        .containers("production")
        .iter()
        .filter(|container| service_of(container) == "backend")
        .map(|container| container["Id"].as_str().unwrap()[..12].to_owned())
        .collect();
    ids.sort();
    ids
}

/// Three share the requests and one session cache; each is found and none is asked after it has gone.
pub(super) fn three_backends_share_the_requests(stack: &Stack) {
    assert_eq!(instances(stack, 5).len(), 1);
    // A check that has timed out on a busy machine is not what is tried here.
    stack.produce(["health", "--wait=180"]).limit(BUILD).end().ok();
    let ended = stack.produce(["scale", "backend=3"]).end();
    ended.ok();
    tell(&format!("three backends were ready after {:.1} s", ended.took.as_secs_f32()));
    let all = backends(stack);
    assert_eq!(all.len(), 3);
    // nginx asks for addresses again after two seconds.
    let seen = wait_until("every backend answers", Duration::from_secs(20), || {
        let seen = instances(stack, 30);
        if seen.len() == 3 { Ok(seen) } else { Err(format!("{seen:?}")) }
    });
    tell(&format!("of 30 requests each answered {:?}", seen.values().collect::<Vec<_>>()));
    assert_eq!(seen.keys().cloned().collect::<Vec<_>>(), all);
    // One that registers at one of them is known to each, and they count together.
    let base = stack.at("https", "");
    let token = super::api::register(&base, "threefold@example.org");
    for n in 0..6 {
        assert_eq!(super::api::adds_an_item(&base, &token, &format!("find {n}")), 201);
    }
    let left = |answer: Answer| answer.is(200).header("ratelimit-remaining").unwrap().parse::<u32>().unwrap();
    let items = format!("{base}/api/items");
    let counts: Vec<u32> = (0..6).map(|_| left(get(&items))).collect();
    assert!(counts.windows(2).all(|two| two[0] == two[1] + 1), "one count for all: {counts:?}");
    stack.produce(["scale", "backend=1"]).end().ok();
    let one = backends(stack);
    wait_until("the one that is left answers alone", Duration::from_secs(20), || {
        let answer = try_curl(&[&stack.at("https", "/health")])?;
        if answer.status == 200 { Ok(()) } else { Err(answer.body) }
    });
    assert_eq!(instances(stack, 10).into_keys().collect::<Vec<_>>(), one);
    // The limit is the one of the env file.
    let statuses = flood(&items, 110, &[]);
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    stack.get("https", "/health").is(200);
}

/// A new tag beside the old one; going back is the old tag, and a database that fits it.
pub(super) fn goes_forward_and_back(stack: &Stack) {
    let image =
        |stack: &Stack| stack.container("production", "backend")["Config"]["Image"].as_str().unwrap().to_owned();
    let (old, new) = (image(stack), format!("{}/backend:1.1.0", stack.project.name()));
    stack.produce(["db-backup", "--name", "before-release"]).end().ok();
    stack.produce(["build"]).env("IMAGE_TAG", "1.1.0").limit(BUILD).end().ok();
    stack.produce(["start"]).env("IMAGE_TAG", "1.1.0").limit(BUILD).end().ok();
    assert_eq!(image(stack), new);
    let name = stack.compose_name("production");
    stack.produce(["db-migrate", "down", "--confirm", &name]).env("IMAGE_TAG", "1.1.0").end().ok();
    stack.produce(["start"]).end().ok();
    assert_eq!(image(stack), old);
    stack.produce(["db-migrate", "--yes"]).end().ok();
    stack.get("https", "/health").is(200);
    // Each of them stands in the audit log.
    stack.produce(["history"]).end().ok().shows("db-migrate").shows("start").shows("scale");
    docker(["image", "rm", "-f", &new]);
}
