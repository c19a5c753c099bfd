//! What containers mount from this machine.

use camino::Utf8Path;

use crate::compose::Mount;

use crate::compose::sources::Place;

use super::context::{Context, Findings};
use super::finding::Rule;
use crate::report::Severity;

const SOURCE: Rule = Rule {
    code: "source-mount",
    development: None,
    production: Some(Severity::Error),
    why: "what runs is not what was built and tested, and changes with the checkout",
    fix: "copy it into the image, and take the mount out (`volumes: !override […]` in an overlay)",
};
const WRITABLE: Rule = Rule {
    code: "bind-writable",
    development: None,
    production: Some(Severity::Warning),
    why: "the container can change files of this machine, and affect everything that reads them",
    fix: "mount it `:ro`, or keep the data in a volume",
};
const SOCKET: Rule = Rule {
    code: "docker-socket",
    development: Some(Severity::Warning),
    production: Some(Severity::Error),
    why: "access to the engine's socket is root access to this machine",
    fix: "remove the mount; give what must see containers a read-only proxy",
};

pub(super) const RULES: &[Rule] = &[SOURCE, WRITABLE, SOCKET];

pub(super) fn check(context: &Context<'_>, found: &mut Findings) {
    for (name, service) in context.services() {
        for mount in service.volumes.iter().filter(|mount| mount.kind == "bind") {
            let source = Utf8Path::new(mount.source.as_deref().unwrap_or_default());
            let shown = context.display(source);
            let is_socket = |path: &str| path.ends_with("docker.sock") || path.ends_with("podman.sock");
            if is_socket(source.as_str()) || is_socket(&mount.target) {
                found.add(&SOCKET, name, place(context, name, mount), "the engine's socket is mounted");
            } else if is_source(context, source) {
                let message = format!("{shown} is mounted at {}, and is code", mount.target);
                found.add(&SOURCE, name, place(context, name, mount), message);
            } else if !mount.read_only && !is_ours(context, source) {
                let message = format!("{shown} can be written at {}", mount.target);
                found.add(&WRITABLE, name, place(context, name, mount), message);
            }
        }
    }
}

/// Backups and our own state are written by the services that create them.
fn is_ours(context: &Context<'_>, source: &Utf8Path) -> bool {
    let root = context.project.root();
    let backups = context.project.config().backup.dir.as_deref().unwrap_or("backups".into());
    source.starts_with(root.join(backups)) || source.starts_with(root.join(".infra"))
}

/// Whether a file or folder is code: the project itself, what an image is built from, or files of that kind.
fn is_source(context: &Context<'_>, source: &Utf8Path) -> bool {
    let root = context.project.root();
    let contexts = context.model.services.values().filter_map(|service| service.build.as_ref()?.context.as_deref());
    root.starts_with(source) || contexts.into_iter().any(|context| context == source) || has_code(source, 3)
}

/// Endings of code that a service would run.
const CODE: [&str; 19] = [
    "ts", "tsx", "js", "jsx", "mjs", "cjs", "vue", "svelte", "py", "rb", "php", "java", "kt", "go", "rs", "cs", "ex",
    "html", "css",
];

fn has_code(path: &Utf8Path, depth: usize) -> bool {
    if !path.is_dir() {
        return path.is_file() && path.extension().is_some_and(|ending| CODE.contains(&ending));
    }
    let entries = path.read_dir_utf8().into_iter().flatten().flatten();
    depth > 0 && entries.map(camino::Utf8DirEntry::into_path).any(|entry| has_code(&entry, depth - 1))
}

fn place(context: &Context<'_>, service: &str, mount: &Mount) -> Place {
    context.sources.item(service, &["volumes"], |tree, item| {
        let target = match tree.text(item) {
            Some(text) => {
                let filled = context.filled(text);
                let mut parts = filled.split(':');
                let first = parts.next().unwrap_or_default().to_owned();
                parts.next().map_or(first, str::to_owned)
            }
            None => context.field(tree, item, "target").unwrap_or_default(),
        };
        target.trim_end_matches('/') == mount.target.trim_end_matches('/')
    })
}
