//! The user that a container runs as.

use crate::compose::sources::Place;

use super::context::{Context, Findings};
use super::finding::Rule;
use crate::report::Severity;

const ROOT: Rule = Rule {
    code: "user-root",
    development: Some(Severity::Info),
    production: Some(Severity::Error),
    why: "root in a container is root's number on this machine, one fault in the kernel away",
    fix: "`USER 10001:10001` in the Dockerfile, or `user:` of the service",
};
const UNSTATED: Rule = Rule {
    code: "user-unstated",
    development: None,
    production: Some(Severity::Warning),
    why: "most images from others begin as root, and only their makers know whether they stay root",
    fix: "set `user:` to the number of the image's own user",
};
const NOT_NUMERIC: Rule = Rule {
    code: "user-not-numeric",
    development: None,
    production: Some(Severity::Warning),
    why: "a name means what the image's passwd file says, which cannot be checked from outside",
    fix: "use numbers: `USER 10001:10001`",
};
const LOW: Rule = Rule {
    code: "user-uid-low",
    development: None,
    production: Some(Severity::Error),
    why: "a low number may be a user of this machine, whose files the container could then access",
    fix: "use a number of at least `[policy] min-uid`",
};

pub(super) const RULES: &[Rule] = &[ROOT, UNSTATED, NOT_NUMERIC, LOW];

pub(super) fn check(context: &Context<'_>, found: &mut Findings) {
    for (name, service) in context.services() {
        let built = context.built(name);
        let of_image = built.and_then(|built| {
            let (user, line) = built.chain().iter().find_map(|stage| stage.user.clone())?;
            Some((user, context.place(&built.path, line)))
        });
        let stated = service.user.clone().filter(|user| !user.is_empty());
        let stated = stated.map(|user| (user, context.sources.place(name, &["user"])));
        match (stated.or(of_image), built) {
            (Some((user, place)), _) => judge(context, found, name, &user, place),
            (None, Some(built)) => {
                let line = built.chain().first().map(|stage| stage.line);
                found.add(&ROOT, name, context.place(&built.path, line), "its image has no USER, so it runs as root");
            }
            (None, None) => {
                let place = context.sources.place(name, &["user"]);
                found.add(&UNSTATED, name, place, "the user it runs as is not set");
            }
        }
    }
}

fn judge(context: &Context<'_>, found: &mut Findings, name: &str, user: &str, place: Place) {
    let user = user.split(':').next().unwrap_or_default();
    match (user.parse::<u32>(), context.project.config().policy.min_uid) {
        (Ok(0), _) => found.add(&ROOT, name, place, "it runs as root"),
        (Err(_), _) if user == "root" => found.add(&ROOT, name, place, "it runs as root"),
        (Err(_), _) => found.add(&NOT_NUMERIC, name, place, format!("it runs as `{user}`, which is a name")),
        (Ok(uid), Some(least)) if uid < least => {
            found.add(&LOW, name, place, format!("it runs as {uid}, which is below {least}"));
        }
        _ => {}
    }
}
