//! A changed source file is live without a rebuild.

use std::time::{Duration, Instant};

use super::stack::Stack;
use crate::support::*;

/// The promise is a second; machines that run other tests meanwhile stall.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) fn is_live_within_a_second(stack: &Stack) {
    let before: Vec<String> = images(stack);
    let backend = ("backend/src/app.ts", "healthy ? \"ok\"", stack.at("backend", "/health"));
    let page = ("frontend/src/view.ts", "export ", stack.at("frontend", "/view.ts"));
    let mut slowest = Duration::ZERO;
    for (round, by_rename) in [false, true, false].into_iter().enumerate() {
        let mark = format!("reloaded-{round}");
        let took = change(stack, &backend, &format!("healthy ? \"{mark}\""), &mark, by_rename);
        tell(&format!("a changed file of the backend was live after {} ms", took.as_millis()));
        slowest = slowest.max(took);
        let took =
            change(stack, &page, &format!("// {mark}\nexport const mark = \"{mark}\";\nexport "), &mark, by_rename);
        tell(&format!("a changed file of the page was live after {} ms", took.as_millis()));
        slowest = slowest.max(took);
    }
    tell(&format!("the slowest took {} ms", slowest.as_millis()));
    assert_eq!(images(stack), before, "nothing was rebuilt or replaced");
}

fn images(stack: &Stack) -> Vec<String> {
    let running = stack.containers("development");
    running.iter().map(|it| format!("{} {} {}", it["Id"], it["Image"], it["State"]["StartedAt"])).collect()
}

/// Replaces a text in a file of the copy, as an editor does: in place, or by a new file. How long until it is served.
fn change(stack: &Stack, file: &(&str, &str, String), to: &str, mark: &str, by_rename: bool) -> Duration {
    let (path, from, url) = file;
    let original = stack.project.read(path);
    let served = || try_curl(&[url]).map(|answer| answer.body);
    wait_until(&format!("{url} answers"), LIMIT, || served().map(drop));
    assert!(original.contains(from), "{path} has {from}");
    let changed = original.replacen(from, to, 1);
    let began = Instant::now();
    if by_rename {
        stack.project.write(&format!("{path}.new"), &changed);
        std::fs::rename(stack.project.path(&format!("{path}.new")), stack.project.path(path)).unwrap();
    } else {
        stack.project.write(path, &changed);
    }
    wait_until(&format!("{url} serves {mark}"), LIMIT, || match served() {
        Ok(body) if body.contains(mark) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    let took = began.elapsed();
    let_watchers_settle();
    stack.project.write(path, &original);
    wait_until(&format!("{url} is back"), LIMIT, || match served() {
        Ok(body) if !body.contains(mark) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    let_watchers_settle();
    took
}
