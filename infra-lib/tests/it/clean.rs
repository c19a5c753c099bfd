//! `clean`, and who may allow it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::*;

mod consent;
mod interrupted;
mod remote;

/// A service with a volume, a network of its own, and a bind mount.
fn shop() -> TestProject {
    TestProject::new()
        .compose(&format!(
            "services:\n  web: {{{SLEEPS}, volumes: ['data:/data', './files:/files'], networks: [inner]}}\n\
             volumes: {{data: {{}}}}\nnetworks: {{inner: {{}}}}\n"
        ))
        .file("files/mine", "kept\n")
}

/// The same, with a name that Compose takes from the folder's, which another has too.
fn twin_of(project: &TestProject) -> TestProject {
    let text = project.read("compose.yml");
    TestProject::in_folder(project.name(), project.name()).file("compose.yml", &text).file("files/mine", "kept\n")
}

fn volume_exists(name: &str) -> bool {
    try_docker(["volume", "inspect", name]).is_ok()
}

fn network_exists(name: &str) -> bool {
    try_docker(["network", "inspect", name]).is_ok()
}

#[test]
fn g01_another_checkout_of_the_same_name_is_left_alone() {
    let Some(_engine) = engine() else { return };
    let first = shop();
    let second = twin_of(&first);
    first.xtask(["start"]).end().ok();
    let (volume, container) = (format!("{}_data", first.name()), first.container("web"));
    for words in [&["clean", "--yes"][..], &["clean", "--all", "--yes"], &["stop"], &["start"], &["restart"]] {
        let ended = second.xtask(words).end();
        ended.code(77).says(&format!("belongs to {}", first.dir().display())).says("hint: ");
    }
    second.xtask(["clean", "--all", "--confirm", first.name()]).end().code(77);
    assert_eq!((first.state("web"), first.container("web")), ("running".to_owned(), container));

    // Without its containers, a volume does not say which checkout it belongs to.
    first.xtask(["clean", "--yes"]).end().ok();
    assert!(volume_exists(&volume), "volumes are kept unless named");
    let ended = second.xtask(["clean", "--volumes", "--yes"]).end();
    ended.code(77).says("--confirm");
    assert!(volume_exists(&volume));
    // The checkout that made it knows.
    first.xtask(["clean", "--volumes", "--yes"]).end().ok().shows(&volume);
    assert!(!volume_exists(&volume));
}

#[test]
fn g02_a_redirected_project_is_left_alone() {
    let Some(_engine) = engine() else { return };
    let theirs = shop();
    theirs.xtask(["start"]).end().ok();
    let ours = shop();
    ours.xtask(["start"]).end().ok();
    // By the shell: not followed.
    let file = theirs.path("compose.yml");
    let call = ours.xtask(["clean", "--all", "--yes"]).env("COMPOSE_PROJECT_NAME", theirs.name());
    let ended = call.env("COMPOSE_FILE", file.as_os_str()).env("COMPOSE_PROFILES", "*").end();
    ended.ok().shows(&format!("{}-web-1", ours.name())).never_says(theirs.name());
    assert!(ours.containers("").is_empty());
    // By the project's own `.env`, which is honoured: then the containers' own folder speaks against it.
    ours.write(".env", &format!("COMPOSE_PROJECT_NAME={}\n", theirs.name()));
    let ended = ours.xtask(["clean", "--all", "--yes"]).end();
    ended.code(77).says(&format!("belongs to {}", theirs.dir().display()));
    assert_eq!(theirs.state("web"), "running");
    assert!(volume_exists(&format!("{}_data", theirs.name())));
}

/// At least twelve things of others, many of which look like ours.
fn bystanders(project: &TestProject) -> Bystanders {
    let mut others = Bystanders::new();
    let label = |name: &str| format!("com.docker.compose.project={name}");
    let (foreign, longer) = (label("it-somebody-else"), label(&format!("{}more", project.name())));
    others.container(&[]);
    others.container(&[&foreign, "com.docker.compose.service=web"]);
    others.container(&[&longer, "com.docker.compose.service=web"]);
    let stopped = others.container(&[&foreign]);
    docker(["stop", "-t", "0", &stopped]);
    others.forget(&stopped);
    others.watch("container", stopped);
    others.volume(&[]);
    others.volume(&[&foreign, "com.docker.compose.volume=data"]);
    others.volume(&[&longer, "com.docker.compose.volume=data"]);
    // The very names that Compose would give, without the label that makes them ours.
    for (kind, name) in
        [("volume", format!("{}_other", project.name())), ("network", format!("{}_other", project.name()))]
    {
        docker([kind, "create", &name]);
        others.watch(kind, name);
    }
    others.network(&[&foreign]);
    others.network(&[&longer]);
    others.image();
    let image = format!("{}-other:latest", project.name());
    docker(["image", "tag", IMAGE, &image]);
    others.watch("image", image);
    assert!(others.count() >= 12);
    others
}

#[test]
fn g03_twelve_bystanders_survive_every_form() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new();
    let mut others = bystanders(&project);
    // G04: what the file calls external is somebody else's.
    let (volume, network) = (others.volume(&[]), others.network(&[]));
    project.write("Dockerfile", "FROM @image@\nLABEL made-by=@name@\n");
    project.write(
        "compose.yml",
        &format!(
            "services:\n  web: {{{SLEEPS}, volumes: ['data:/data', 'theirs:/theirs', './files:/files'], networks: [inner, theirs]}}\n\
             \x20 built: {{build: ., entrypoint: [sleep, infinity], init: true, healthcheck: {{test: [CMD, 'true'], start_interval: 100ms, start_period: 9s}}, profiles: [production, extra]}}\n\
             volumes: {{data: {{}}, theirs: {{external: true, name: {volume}}}}}\n\
             networks: {{inner: {{}}, theirs: {{external: true, name: {network}}}}}\n"
        ),
    );
    project.write("files/mine", "kept\n");
    let (name, production) = (project.name().to_owned(), format!("{}-production", project.name()));
    let forms: [&[&str]; 8] = [
        &["clean", "--yes"],
        &["clean", "--volumes", "--yes"],
        &["clean", "--images", "--yes"],
        &["clean", "--build-cache", "--yes"],
        &["clean", "--all", "--yes"],
        &["clean", "--all", "--dry-run"],
        &["clean", "--all", "--confirm", &name],
        &["-e", "production", "clean", "--all", "--discard-data", "--confirm", &production],
    ];
    project.xtask(["start", "web", "built"]).end().ok();
    for form in forms {
        project.xtask(["start", "web"]).end().ok();
        project.xtask(form).end().ok();
        others.unchanged();
        assert_eq!(project.read("files/mine"), "kept\n");
    }
    project.xtask(["start", "web", "built"]).end().ok();
    let ended = project.xtask(["clean", "--all", "--yes"]).end();
    ended.ok().shows(&format!("{name}-built"));
    others.unchanged();
    let label = format!("label=com.docker.compose.project={name}");
    for list in [&["ps", "-aq"][..], &["volume", "ls", "-q"], &["network", "ls", "-q"], &["image", "ls", "-q"]] {
        assert_eq!(docker(list.iter().copied().chain(["--filter", &label])), "", "all of ours is gone: {list:?}");
    }
}

#[test]
fn g03_a_bystander_on_our_network_keeps_it() {
    let Some(_engine) = engine() else { return };
    let project = shop();
    project.xtask(["start"]).end().ok();
    let mut others = Bystanders::new();
    let network = format!("{}_inner", project.name());
    let guest = others.container(&[]);
    docker(["network", "disconnect", "none", &guest]);
    docker(["network", "connect", &network, &guest]);
    let ended = project.xtask(["clean", "--yes"]).end();
    ended.ok().shows("left alone").shows(&guest);
    others.unchanged();
    assert!(network_exists(&network) && project.containers("").is_empty());
    docker(["network", "disconnect", &network, &guest]);
    project.xtask(["clean", "--yes"]).end().ok().shows(&network);
    assert!(!network_exists(&network));
}

#[test]
fn g03_nameless_volumes_go_with_volumes_and_only_then() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:\n  web: {{{SLEEPS}, volumes: [/scratch]}}\n"));
    let nameless = || -> Vec<String> {
        project.xtask(["start"]).end().ok();
        let mounts = docker(["inspect", "--format", "{{range .Mounts}}{{.Name}} {{end}}", &project.container("web")]);
        mounts.split_whitespace().map(str::to_owned).collect()
    };
    let first = nameless();
    project.xtask(["clean", "--yes"]).end().ok();
    assert!(!first.is_empty() && first.iter().all(|volume| volume_exists(volume)), "{first:?}");
    let second = nameless();
    // Those of containers that are gone by now are found too.
    let ended = project.xtask(["clean", "--all", "--yes"]).end();
    for volume in first.iter().chain(&second) {
        ended.ok().shows(volume);
        assert!(!volume_exists(volume), "{volume} is still there after {ended}");
    }
}

#[test]
fn g03_volumes_of_a_start_that_failed_are_ours() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services:\n  web: {image: @image@, entrypoint: [sh, -c, exit 3], volumes: ['data:/data']}\nvolumes: {data: {}}\n",
    );
    project.xtask(["start"]).end().code(2);
    project.xtask(["clean", "--yes"]).end().ok();
    project.xtask(["clean", "--volumes", "--yes"]).end().ok().shows(&format!("{}_data", project.name()));
}

#[test]
fn g04_external_volumes_and_networks_are_never_removed() {
    let Some(_engine) = engine() else { return };
    let mut others = Bystanders::new();
    let project = TestProject::new();
    // Even when they bear this project's label, as those of an older version of the same file do.
    let label = format!("com.docker.compose.project={}", project.name());
    let (volume, network) = (others.volume(&[&label]), others.network(&[&label]));
    project.write(
        "compose.yml",
        &format!(
            "services:\n  web: {{{SLEEPS}, volumes: ['theirs:/theirs'], networks: [theirs]}}\n\
             volumes: {{theirs: {{external: true, name: {volume}}}}}\nnetworks: {{theirs: {{external: true, name: {network}}}}}\n"
        ),
    );
    project.xtask(["start"]).end().ok();
    for form in [&["clean", "--all", "--yes"][..], &["clean", "--all", "--confirm", project.name()]] {
        project.xtask(form).end().ok();
        others.unchanged();
    }
}

#[test]
fn p06_what_our_own_call_created_is_ours_whatever_happened_afterwards() {
    let Some(_engine) = engine() else { return };
    let text = format!(
        "services:\n  db: {{{SLEEPS}, volumes: ['pg:/data']}}\n  cache: {{{SLEEPS}, volumes: ['rd:/data']}}\n\
         volumes: {{pg: {{}}, rd: {{}}}}\n"
    );
    let project = TestProject::new().compose(&text);
    let volumes = ["pg", "rd"].map(|name| format!("{}_{name}", project.name()));
    // Compose creates the volumes of every service, although only one starts.
    project.xtask(["start", "db"]).end().ok();
    project.xtask(["clean", "--volumes", "--yes"]).end().ok();
    // A start that fails has created them too.
    let broken = text.replace("volumes: ['rd:/data']", "volumes: ['rd:/data'], devices: ['/nowhere:/x']");
    project.write("compose.yml", &broken);
    assert_ne!(project.xtask(["start"]).end().exit, 0);
    project.xtask(["clean", "--volumes", "--yes"]).end().ok();
    // So has one that was interrupted.
    project.write("compose.yml", &text.replace("[CMD, 'true']", "[CMD, 'false']"));
    let running = project.xtask(["start"]).spawn();
    wait_until("there are containers", Duration::from_secs(20), || match &project.containers("")[..] {
        [] => Err("none".to_owned()),
        _ => Ok(()),
    });
    running.signal(Signal::INT);
    assert_eq!(running.wait().exit, 130);
    project.xtask(["clean", "--volumes", "--yes"]).end().ok();
    assert!(!volumes.iter().any(|name| volume_exists(name)), "{volumes:?}");
}

/// A file that cannot be read, or lacks a variable, keeps nobody from ending what runs.
#[test]
fn without_a_variable_that_the_files_need_containers_can_still_be_seen_stopped_and_removed() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(&format!("services:\n  web: {{{SLEEPS}}}\n"));
    project.xtask(["start"]).end().ok();
    project.write(
        "compose.yml",
        &format!("services:\n  web: {{{SLEEPS}, environment: {{A: '${{MISSING:?}}', B: $PLAIN}}}}\n"),
    );
    let missing = "MISSING is missing a value";
    project.xtask(["start"]).end().code(78).says(missing).says("cargo xtask env check");
    let check = project.xtask(["env", "check"]).end();
    check
        .code(2)
        .shows("error: compose.yml:2: MISSING is used here")
        .shows("warning: compose.yml:2: PLAIN is used here");
    project.xtask(["ps"]).end().ok().shows("healthy").says(missing);
    project.xtask(["stop"]).end().ok().shows("stopped web");
    assert_eq!(project.state("web"), "exited");
    project.xtask(["clean", "--all", "--yes"]).end().code(78);
    project.xtask(["clean", "--yes"]).end().ok().shows("-web-1").says("networks are left alone");
    assert!(project.containers("").is_empty());
    // With the variables, the rest is found.
    let with = project.xtask(["clean", "--all", "--yes"]).env("MISSING", "x").env("PLAIN", "y").end();
    with.ok().shows("network ");
}
