//! Volumes: backed up whole, restored by exchange, and never half of either.

mod backup;
mod hostile;
mod killed;
mod restore;
mod sets;
mod shared;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use sha2::Digest as _;

use crate::support::*;

/// The keys of a service that keeps something in a volume, with this image.
fn shop_on(image: &str) -> TestProject {
    let service = SLEEPS.replace("@image@", image);
    TestProject::new()
        .compose(&format!("services:\n  web: {{{service}, volumes: ['media:/data']}}\nvolumes: {{media: {{}}}}\n"))
}

/// The same with the usual image, whose tar is GNU's; started.
fn shop() -> TestProject {
    let project = shop_on(IMAGE);
    project.xtask(["start"]).end().ok();
    project
}

/// Runs a script where the volume is mounted.
#[track_caller]
fn within(project: &TestProject, script: &str) -> String {
    docker(["exec", "-w", "/data", &project.container("web"), "sh", "-c", script])
}

/// What there is to know about the files of the volume, in one text. Not every tar keeps the times of links and folders.
#[track_caller]
fn portrait(project: &TestProject) -> String {
    within(
        project,
        "find . ! -type d ! -type l -exec stat -c '%n|%f|%u|%g|%s|%Y|%h' {} + | sort; find . -type l -exec stat -c '%n|%u|%g' {} + | sort; \
         find . -type d -exec stat -c '%n|%f|%u|%g' {} + | sort; \
         find . -type f -exec sha256sum {} + | sort; find . -type l -exec readlink {} + | sort",
    )
}

/// Fills the volume with what is hard to keep.
#[track_caller]
fn fill(project: &TestProject) {
    within(
        project,
        "mkdir -p a/b 'odd name' deep; echo hello >a/b/file; chmod 4751 a/b/file; chown 70:3000000 a; chmod 2770 a; ln -s ../../etc/passwd a/out; \
         ln -s /nowhere dangling; ln a/b/file hard; mkfifo pipe; : >empty; printf x >\"$(printf 'new\\nline')\"; printf y >./-dash; printf z >.hidden; \
         printf w >\"$(printf '\\377\\376')\"; touch -d '2001-02-03 04:05:06' a/b/file; chown 1000:1000 . ; chmod 1777 .; \
         long=$(printf 'l%.0s' $(seq 1 120)); mkdir -p deep/$long/$long; echo far >deep/$long/$long/file; ln -s $long/$long/file deep/link; \
         dd if=/dev/urandom of=big bs=1M count=20 2>/dev/null; chown 33:33 big; chmod 600 big",
    );
}

/// The archives and manifests of the folder, without what is hidden.
fn kept(project: &TestProject) -> Vec<String> {
    let entries = std::fs::read_dir(project.path("backups")).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with("it-"));
    names.sort();
    names
}

/// The only archive there.
#[track_caller]
fn archive(project: &TestProject) -> PathBuf {
    let kept = kept(project);
    assert_eq!(kept.len(), 2, "{kept:?}");
    project.path("backups").join(kept.iter().find(|name| name.ends_with(".tar.gz")).unwrap())
}

/// In hexadecimal digits.
fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The manifest of an archive, changed, with its checksum made anew.
fn forge(archive: &std::path::Path, change: impl FnOnce(&mut Value)) {
    let path = archive.to_str().unwrap().replace(".tar.gz", ".json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().shift_remove("checksum");
    change(&mut manifest);
    let sum = sha256(&serde_json::to_vec(&manifest).unwrap());
    manifest["checksum"] = sum.into();
    std::fs::write(&path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
}

/// Fails unless our one-off containers are gone, or go in a few seconds.
#[track_caller]
fn no_one_offs(project: &TestProject) {
    wait_until("our containers are gone", Duration::from_secs(5), || match one_offs(project) {
        left if left.is_empty() => Ok(()),
        left => Err(left),
    });
}

/// Our one-off containers that are at work on the project's volumes, or were left.
fn one_offs(project: &TestProject) -> String {
    docker(["ps", "-aq", "--filter", &format!("label=infra.session=infra-volume-{}_media", project.name())])
}
