//! The engine, behind the back of the commands under test.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::pace::wait_until;
use super::processes::{command, unchecked};

/// The image that the fixtures run: every machine that can run a stack of ours has it.
pub(crate) const IMAGE: &str = "postgres:16-alpine";

/// The keys of a service that does nothing and is ready at once; more may follow after a comma. Without its health check, a
/// start would wait five seconds to see whether it stays up.
pub(crate) const SLEEPS: &str = "image: @image@, entrypoint: [sleep, infinity], init: true, \
    healthcheck: {test: [CMD, 'true'], start_period: 60s, start_interval: 100ms, interval: 60s}";

/// A PostgreSQL service for the fixtures, under `services:`; it is ready after about two seconds.
pub(crate) const DATABASE: &str = "
  db:
    image: @image@
    environment: {POSTGRES_PASSWORD: fixture-password}
    healthcheck:
      test: [CMD, pg_isready, -q, -h, 127.0.0.1]
      start_period: 60s
      start_interval: 200ms
";

/// What `docker` prints, or what it complains about.
#[track_caller]
pub(crate) fn try_docker<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(args: I) -> Result<String, String> {
    answer(command("docker").args(args))
}

/// The same for the harness itself, whether the test has declared Docker or not.
pub(super) fn ask_docker<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(args: I) -> Result<String, String> {
    answer(unchecked("docker").args(args))
}

fn answer(call: &mut Command) -> Result<String, String> {
    let output = call.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// What `docker` prints; a complaint fails the test.
#[track_caller]
pub(crate) fn docker<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(args: I) -> String {
    let args: Vec<_> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
    try_docker(&args).unwrap_or_else(|error| panic!("docker {args:?}: {error}"))
}

/// Pauses a container. The kernel refuses while one of its processes is just being started, such as that of a health check.
#[track_caller]
pub(crate) fn pause(container: &str) {
    wait_until("the container is paused", Duration::from_secs(10), || try_docker(["pause", container]));
}
