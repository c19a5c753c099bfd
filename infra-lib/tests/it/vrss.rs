//! The VRSS stack, `docker/vrss`, through the command line: a copy of it, as a fresh checkout would be, is set up, used
//! and removed.
//!
//! A stack takes a while to come up, so each test brings one up and looks at it in parts; `--nocapture` shows how long
//! each took. Ports, names, volumes and images are the copy's own.

mod api;
mod lifecycle;
mod limits;
mod local;
mod migrations;
mod nginx;
mod production;
mod reload;
mod schema;
mod stack;
mod tasks;

use crate::support::*;

use stack::Stack;

/// What the stack is built on and runs.
const IMAGES: [&str; 5] =
    ["postgres:16-alpine", "oven/bun:1.1-alpine", "node:20-alpine", "nginx:alpine", "nginx:1.26-alpine"];

#[test]
fn vrss_development() {
    if !stack_can_run(&IMAGES) || !is_chosen(0, 2) {
        return;
    }
    let stack = Stack::fresh();
    let taken = part("setup", || lifecycle::set_up(&stack));
    part("the page and the API", || api::serves(&stack, taken));
    part("a second setup", || stack.second_setup_changes_nothing("development"));
    part("the schema", || schema::is_whole(&stack));
    part("the server's settings", || schema::settings_are_the_tuned_ones(&stack));
    part("limits, users, logs, health", || limits::of_development(&stack));
    part("hot reload", || reload::is_live_within_a_second(&stack));
    part("looking around", || lifecycle::shows_itself(&stack));
    part("names of old", || tasks::old_names_work(&stack));
    part("tasks", || tasks::run(&stack));
    part("the backup service", || lifecycle::backs_itself_up(&stack));
    part("stop and start", || lifecycle::stops_and_starts(&stack));
    part("migrations, seeds, a reset", || migrations::of_development(&stack));
    part("clean", || lifecycle::cleans_up(&stack));
}

#[test]
fn vrss_production() {
    if !stack_can_run(&IMAGES) || !is_chosen(1, 2) {
        return;
    }
    let stack = Stack::fresh();
    part("the development database", || production::development_has_data(&stack));
    part("setup", || production::set_up(&stack));
    part("a second setup", || stack.second_setup_changes_nothing("production"));
    part("limits, users, logs, health", || limits::of_production(&stack));
    part("images", || {
        production::images_hold_no_tools(&stack);
        production::images_can_be_named(&stack);
        production::frontend_runs_on_node_too(&stack);
    });
    part("the API through nginx", || nginx::serves(&stack));
    part("environments", || production::shares_nothing_with_development(&stack));
    part("TLS", || nginx::speaks_only_modern_tls(&stack));
    part("headers, caching, gzip", || nginx::heads_every_answer(&stack));
    part("WebSocket", || nginx::passes_websockets_on(&stack));
    part("rate limits", || nginx::limits_rates(&stack));
    part("a given certificate", || nginx::takes_a_given_certificate(&stack));
    part("clean", || production::clean_wants_the_name(&stack));
}

#[test]
fn vrss_without_an_engine() {
    let Some(_postgres) = postgres() else { return };
    // An address where no engine listens, and a machine that has never heard of Docker.
    part("dead socket", || local::works(|call| call.env("DOCKER_HOST", "unix:///nowhere/docker.sock")));
    let fakes = Fakes::new();
    let path = fakes.path_without(&["docker", "docker-compose"]);
    part("no docker", || local::works(|call| call.env("PATH", &path)));
}
