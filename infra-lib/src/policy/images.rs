//! Images: which versions run here.

use crate::compose::software::ImageRef;
use crate::compose::sources::Place;

use super::context::{Context, Findings};
use super::finding::Rule;
use crate::report::Severity;

const LATEST: Rule = Rule {
    code: "image-latest",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "`latest`, or no tag, is another image tomorrow, and you cannot return to today's",
    fix: "use a tag with a version, or better a digest; tag what is built here with the release",
};
const UNVERSIONED: Rule = Rule {
    code: "image-unversioned",
    development: None,
    production: Some(Severity::Warning),
    why: "a tag without a number moves from version to version like `latest`",
    fix: "use a tag with a version, such as `1.26-alpine` for `alpine`",
};
const NO_DIGEST: Rule = Rule {
    code: "image-no-digest",
    development: None,
    production: Some(Severity::Info),
    why: "anyone who can push a tag can move it; a digest is always the same image",
    fix: "append `@sha256:…` of the image that was tested, and renew it on purpose",
};

pub(super) const RULES: &[Rule] = &[LATEST, UNVERSIONED, NO_DIGEST];

pub(super) fn check(context: &Context<'_>, found: &mut Findings) {
    for (name, service) in context.services() {
        let is_built = service.build.is_some();
        match &service.image {
            Some(image) => judge(found, name, image, is_built, context.sources.place(name, &["image"])),
            None if is_built => {
                let message = "it is built here and has no tag";
                found.add(&LATEST, name, context.sources.place(name, &["build"]), message);
            }
            None => {}
        }
        let Some(built) = context.built(name) else { continue };
        for (image, line) in built.images() {
            judge(found, None, image, false, context.place(&built.path, line));
        }
    }
}

fn judge<'s>(found: &mut Findings, service: impl Into<Option<&'s str>>, image: &str, is_built: bool, place: Place) {
    let service = service.into();
    let ImageRef { tag, has_digest, .. } = ImageRef::parse(image);
    match (tag, has_digest) {
        (_, true) => {}
        (None, _) => found.add(&LATEST, service, place, format!("{image} has no tag")),
        (Some("latest"), _) => found.add(&LATEST, service, place, format!("{image} moves")),
        // What is built here has a tag of the project's choice.
        _ if is_built => {}
        (Some(tag), _) if !tag.contains(|c: char| c.is_ascii_digit()) => {
            found.add(&UNVERSIONED, service, place, format!("{image} names no version"));
        }
        (Some(_), _) => found.add(&NO_DIGEST, service, place, format!("{image} is not pinned by a digest")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_tag_has_its_code() {
        let code = |image: &str, is_built| {
            let mut found = Findings::new(true);
            judge(&mut found, "web", image, is_built, Place::default());
            found.list.first().map(|finding| finding.code)
        };
        assert_eq!(code("nginx", false), Some("image-latest"));
        assert_eq!(code("app:latest", true), Some("image-latest"));
        assert_eq!(code("nginx:alpine", false), Some("image-unversioned"));
        assert_eq!((code("app:production", true), code("nginx@sha256:0", false)), (None, None));
        assert_eq!(code("nginx:1.26-alpine", false), Some("image-no-digest"));
    }
}
