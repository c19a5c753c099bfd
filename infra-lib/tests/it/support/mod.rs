//! The harness of the integration tests.
//!
//! # A test
//!
//! ```ignore
//! use crate::support::*;
//!
//! #[test]
//! fn f13_nothing_running_is_unhealthy() {
//!     let Some(_engine) = engine() else { return };
//!     let project = TestProject::new().compose(&format!("services: {{web: {{{SLEEPS}}}}}"));
//!     project.xtask(["stop"]).stdout("nothing was running\n").check();       // exact; what is not stated must be empty
//!     project.xtask(["start"]).end().ok().says("starting web");              // loose
//!     let health = project.xtask(["health", "--json"]).end().code(0).json();
//! }
//! ```
//!
//! # What there is
//!
//! - [`TestProject`]: a folder with a unique compose project name (`it-<8 hex>`). In its files `@name@`, `@dir@`, `@image@`
//!   and `@port:KEY@` are replaced; [`TestProject::port`] tells the port. When it is dropped, also by a panic, its
//!   containers, networks, volumes, images and local cluster are removed: those that bear exactly its name, or its name and
//!   an environment's. `INFRA_TEST_KEEP=1` leaves everything.
//! - [`TestProject::xtask`] gives a [`Call`]: arguments, environment (scrubbed: `PATH`, `HOME`, `LANG` and Docker's own), input, a
//!   time limit, and how it is run: plainly (no input, pipes), [`Call::no_tty`], [`Call::cron`], [`Call::pty`] with
//!   a conversation, [`Call::umask`], [`Call::limits`], [`Call::user`], [`Call::strace`]. [`Call::check`] compares all of stdout, stderr and
//!   the exit code; [`Call::end`] returns an [`Ended`] to look at; [`Call::spawn`] a [`Running`] to signal.
//!   Whatever the test looks at, a panic (101), an undocumented exit code or a run beyond its limit fails it.
//! - [`TestProject::copy_of`]: the same with a copy of a folder of this repository in it.
//! - [`Stack`]: a copy of one of the systems below `docker/`, with [`part`] for a test that looks at it piece by piece; [`get`],
//!   [`post`] and [`curl`] ask it over HTTP.
//! - [`compose`], [`engine`], [`images`], [`postgres`], [`interop`], [`tool`]: what a machine may lack, and the one place
//!   where a test declares that it needs it. Where it is missing, they say so and return `None`, and the test returns; with
//!   `INFRA_TEST_REQUIRE=engine,postgres,strace` that is a failure instead. What a test has not declared is not on its
//!   calls' `PATH` ([`path`]), and [`command`] refuses it.
//! - [`Somebody`]: a user of the system, made for one test, with a crontab of their own; [`cron`] says whether there can be one.
//! - [`docker`]: what the engine says, for looking behind the scenes.
//! - [`Cluster`]: a project's local database, spoken to behind the scenes, and locks held in it.
//! - [`Mount`]: a small file system in a folder, to be filled.
//! - [`Fakes`]: programs on a `PATH` of their own that record how they were called and play a script.
//!   The tests in `harness.rs` pin what they imitate to the real programs.
//! - [`Bystanders`]: foreign containers, volumes, networks and images that must survive unchanged.
//! - [`Sampler`]: every command line on this machine, read each millisecond while a command runs.
//! - [`survivors`]: the processes that a call has left behind.
//! - [`remote_engine`], [`failing_engine`], [`VanishingEngine`], [`frozen_engine`]: the engine from afar, one whose connections
//!   break, one that goes away, and one that never answers.
//! - [`scale`], [`seed`] and [`sample`]: how many cases a test tries, which ones, and a sample of a list.
//! - [`free_port`], [`wait_until`].

#![allow(dead_code, unused_imports, reason = "a harness offers more than the tests of one moment use")]

mod binary;
mod bystanders;
mod call;
mod cleanup;
mod cluster;
mod confined;
mod declared;
mod ended;
mod engine;
mod fakes;
mod guards;
mod habits;
mod http;
mod mount;
mod pace;
mod permit;
mod ports;
mod processes;
mod project;
mod proxy;
mod record;
mod running;
mod sampler;
mod scale;
mod scrub;
mod stack;
mod users;

pub(crate) use self::{
    binary::{example, target_dir, xtask as program},
    bystanders::Bystanders,
    call::Call,
    cluster::{Cluster, Held},
    confined::{Confined, MB, SECOND, is_for_this_machine, is_hardened, published, writes_into_no_checkout},
    declared::path,
    ended::Ended,
    engine::{DATABASE, IMAGE, SLEEPS, docker, pause, try_docker},
    fakes::{Fakes, Recorded},
    guards::{compose, cron, django, engine, images, interop, mounts, postgres, tool},
    habits::{files, let_watchers_settle},
    http::{Answer, curl, flood, get, post, try_curl},
    mount::Mount,
    pace::wait_until,
    ports::free_port,
    processes::{command, descendants, signal, survivors, unchecked},
    project::{TestProject, random_hex},
    proxy::{Break, VanishingEngine, failing_engine, frozen_engine, remote_engine},
    running::Running,
    sampler::Sampler,
    scale::{is_chosen, is_sweep, is_swept, sample, scale, seed},
    stack::{BUILD, PRODUCTION, Stack, part, service_of, stack_can_run, tell},
    users::Somebody,
};
