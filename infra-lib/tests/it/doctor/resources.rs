//! Disk, memory, processor and time.

use super::*;

#[test]
fn out_of_disk_space() {
    let Some(_unshare) = tool("unshare") else { return };
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let project = TestProject::new().file("infra.toml", "[compose]\nservices = \"none\"\n").file("backups/keep", "");
    let mount = format!("mount -t tmpfs -o size=8m none {}; exec \"$@\"", project.path("backups").display());
    let ended = project.xtask(["doctor", "--json"]).inside(["unshare", "-m", "sh", "-c", &mount, "sh"]).end();
    Diagnosis(ended).fails().names("disk", "backups", "free", "df");
}

#[test]
fn out_of_disk_space_inside() {
    ailment(
        "PANIC:  could not write to file \"pg_wal/xlogtemp.29\": No space left on device",
        "the disk is full",
        "cargo xtask clean",
    );
}

#[test]
fn out_of_disk_space_large_logs() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose("services: {web: {image: @image@}}\n");
    doctor(&project).names("logs", "rotation", "web", "max-size");
}

// Performance issues.

#[test]
fn performance_issues_increase_docker_resources() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .compose("services: {web: {image: @image@, deploy: {resources: {limits: {cpus: '500', memory: 9000g}}}}}\n");
    doctor(&project).fails().names("cores", "web", "500 cores", "lower `cpus`").names(
        "memory",
        "limits",
        "together",
        "more memory",
    );
}

#[test]
fn performance_issues_high_cpu() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, init: true, entrypoint: [sh, -c, 'while :; do :; done'], cpus: 0.05}}\n",
    );
    up(&project);
    // On a busy machine it does not always get what it may take.
    wait_until("web is seen to be busy", Duration::from_secs(60), || {
        let seen = doctor(&project).0.stdout;
        if seen.contains("of its 0.05 cores") && seen.contains("scale web=2") { Ok(()) } else { Err(seen) }
    });
}

#[test]
fn performance_issues_high_memory() {
    let Some(_engine) = engine() else { return };
    // Bytes in a tmpfs count as memory of the container and are not given back.
    let project = TestProject::new().compose(
        "services: {web: {image: @image@, init: true, mem_limit: 64m, tmpfs: ['/x'], entrypoint: [sh, -c, 'head -c 61000000 /dev/zero >/x/y; sleep infinity']}}\n",
    );
    up(&project);
    wait_until("the memory is full", Duration::from_secs(20), || {
        let size = docker(["exec", &project.container("web"), "stat", "-c", "%s", "/x/y"]);
        if size == "61000000" { Ok(()) } else { Err(size) }
    });
    doctor(&project).names("resources", "web", "of its memory", "raise its limit");
}

#[test]
fn performance_issues_out_of_memory() {
    ailment("java.lang.OutOfMemoryError: Java heap space", "out of memory", "memory limit");
}

#[test]
fn slow_responses() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file("server.pl", "use IO::Socket::INET; my $l = IO::Socket::INET->new(LocalPort => 8000, Listen => 9, ReuseAddr => 1); while (my $c = $l->accept) { <$c>; sleep 2; print $c \"HTTP/1.0 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok\"; close $c }\n")
        .compose("services: {web: {image: @image@, init: true, entrypoint: [perl, /server.pl], volumes: ['./server.pl:/server.pl:ro'], ports: ['127.0.0.1:@port:web@:8000']}}\n");
    up(&project);
    if project.state("web") != "running" {
        // The image has no perl.
        return;
    }
    doctor(&project).names("http", "web", "slow responses", "slow queries");
}

#[test]
fn slow_builds() {
    let Some(_engine) = engine() else { return };
    let project = TestProject::new()
        .file("api/node_modules/x/index.js", "")
        .file("api/Dockerfile", "FROM @image@\n")
        .compose("services: {api: {build: ./api}}\n");
    doctor(&project).names("build", "api", "node_modules", ".dockerignore");
}

// Container exits immediately, cannot connect to the backend.
