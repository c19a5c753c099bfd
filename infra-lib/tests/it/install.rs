//! `setup --install`: the exact commands first, then consent, then the commands, then another look.
//!
//! The package managers are fakes, so that nothing on this machine changes. With `INFRA_TEST_INSTALL=IMAGE`, where IMAGE
//! is a bare Debian 13 or newer with apt and a mirror in reach, the last test installs for real inside of a container of it.

use crate::support::*;

/// A project without services: what it needs is PostgreSQL, git, curl and openssl.
fn project() -> TestProject {
    TestProject::new().file("infra.toml", "[project]\nname = \"@name@\"\n")
}

/// Everything that could be found missing.
const MISSING: [&str; 12] = [
    "docker",
    "docker-compose",
    "git",
    "curl",
    "openssl",
    "apt-get",
    "apt-cache",
    "dnf",
    "brew",
    "sudo",
    "dockerd",
    "colima",
];

fn setup(project: &TestProject, fakes: &Fakes, args: &[&str]) -> Call {
    let args = ["setup", "--install", "--no-start"].iter().chain(args);
    project.xtask(args.map(|arg| (*arg).to_owned())).env("PATH", fakes.path_without(&MISSING))
}

fn apt() -> Fakes {
    Fakes::new().program("apt-get", "exit 0").program("apt-cache", "exit 0").program("sudo", "exec \"$@\"")
}

/// The calls that would have changed something.
fn changes(fakes: &Fakes) -> Vec<String> {
    let calls = fakes.calls().into_iter().filter(|call| call.argv[0] == "apt-get");
    calls.map(|call| call.argv.join(" ")).collect()
}

#[test]
fn the_commands_are_shown_first_and_nothing_runs_without_a_yes() {
    let (project, fakes) = (project(), apt());
    let ended = setup(&project, &fakes, &[]).no_tty().end();
    ended.code(64).says("to install").says("apt-get -o 'DPkg::Lock::Timeout=300' update").says("--yes");
    ended.says("install -y --no-install-recommends").says("git curl openssl");
    assert_eq!(changes(&fakes), [""; 0]);
    assert!(!project.path(".infra/setup.json").exists(), "nothing was chosen either");
}

#[test]
fn a_no_at_the_terminal_is_a_no() {
    let Some(_script) = tool("script") else { return };
    let (project, fakes) = (project(), apt());
    let ended = setup(&project, &fakes, &[]).pty([("Continue?", "n")]).end();
    ended.code(64).shows("apt-get").shows("declined");
    assert_eq!(changes(&fakes), [""; 0]);
}

#[test]
fn a_dry_run_shows_the_commands_and_changes_nothing() {
    let (project, fakes) = (project(), apt());
    let ended = setup(&project, &fakes, &["--dry-run", "--yes", "--database", "local"]).end();
    ended.ok().shows("apt-get -o 'DPkg::Lock::Timeout=300' update\n").shows("git curl openssl\n");
    ended.says("depend on what is installed");
    assert_eq!(changes(&fakes), [""; 0]);
}

#[test]
fn a_yes_runs_them_in_order_and_looks_again() {
    let (project, fakes) = (project(), apt());
    let ended = setup(&project, &fakes, &["--yes"]).end();
    // The fake brings nothing, and that is noticed.
    ended.code(1).says("is still not found");
    let changes = changes(&fakes);
    assert!(
        matches!(&changes[..], [update, install] if update.ends_with(" update") && install.contains(" install -y ")),
        "{changes:?}"
    );
}

#[test]
fn whoever_is_not_root_goes_through_sudo() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (project, fakes) = (project().open_to_all(), apt().open_to_all());
    std::os::unix::fs::chown(project.dir(), Some(65534), Some(65534)).unwrap();
    let ended = setup(&project, &fakes, &["--dry-run"]).user(65534).end();
    ended.shows("sudo env 'DEBIAN_FRONTEND=noninteractive' apt-get");
    let refusing = Fakes::new()
        .program("apt-get", "exit 0")
        .program("sudo", "echo 'sudo: a password is required' >&2; exit 1")
        .open_to_all();
    let ended = setup(&project, &refusing, &["--yes"]).user(65534).no_tty().end();
    ended.code(77).says("sudo needs a password").says("nothing was installed");
    assert_eq!(changes(&refusing), [""; 0]);
}

#[test]
fn fedora_and_macos_have_their_own_words() {
    let project = project();
    let dnf = Fakes::new().program("dnf", "exit 0").program("sudo", "exec \"$@\"");
    setup(&project, &dnf, &["--dry-run"]).end().shows("dnf install -y").shows("git curl openssl");
    let brew = Fakes::new().program("brew", "exit 0");
    setup(&project, &brew, &["--dry-run"]).end().shows("brew install").never_says("sudo");
}

#[test]
fn where_nobody_knows_how_that_is_said() {
    let project = project();
    let ended = setup(&project, &Fakes::new(), &["--yes"]).end();
    ended.code(69).says("no supported package manager").says("apt-get, dnf and brew");
}

/// What the sources of an old release lack is not fetched from elsewhere.
#[test]
fn sources_and_pins_are_never_added() {
    let project = TestProject::new().file("compose.yml", "services: {web: {image: nginx}}\n");
    let policy = "printf 'docker.io:\\n  Candidate: 20.10.24\\ndocker-compose:\\n  Candidate: 1.29.2-3\\n'";
    let fakes = Fakes::new()
        .program("apt-get", "exit 0")
        .program("apt-cache", policy)
        .program("awk", "exit 0")
        .program("sudo", "exec \"$@\"");
    let ended = setup(&project, &fakes, &["--yes"]).end();
    ended.code(69).says("no Docker Compose that is new enough").says("docs.docker.com/engine/install");
    assert!(fakes.calls().iter().all(|call| call.argv[0] == "apt-cache"), "{:?}", fakes.calls());
}

#[test]
fn preflight_stops_setup_before_it_starts_anything() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, entrypoint: [sleep, infinity], init: true, deploy: {resources: {limits: {cpus: '500'}}}}}\n",
    );
    let ended = project.xtask(["setup", "--yes"]).end();
    ended.code(1).says("500 cores").says("lower `cpus`");
    assert!(project.containers("").is_empty());
}

#[test]
fn a_bare_debian_gets_an_engine_for_real() {
    let Some(image) = std::env::var_os("INFRA_TEST_INSTALL").map(|image| image.into_string().unwrap()) else { return };
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file("compose.yml", "services: {db: {image: postgres:16, environment: {POSTGRES_PASSWORD: x}}}\n");
    let binary = project.xtask(["--version"]).shell("readlink -f \"$1\"; :").end();
    let binary = binary.stdout.lines().next().unwrap().to_owned();
    let mounts = [format!("{binary}:/usr/local/bin/xtask:ro"), format!("{}:/src:ro", project.dir().display())];
    let name = format!("{}-bare", project.name());
    // A network of its own: the engine that is installed there must not touch this machine's.
    let args = [
        "run",
        "--rm",
        "--privileged",
        "--name",
        &name,
        "-v",
        "/var/lib/docker",
        "-v",
        &mounts[0],
        "-v",
        &mounts[1],
        &image,
    ];
    let script = "cp -r /src /p && cd /p && apt-get update -qq && xtask setup --install --yes --no-start; docker version --format '{{.Server.Version}}' && docker compose version --short";
    let said = try_docker(args.into_iter().chain(["sh", "-c", script])).unwrap_or_else(|error| panic!("{error}"));
    assert!(said.lines().last().is_some_and(|compose| compose.starts_with('2')), "{said}");
}
