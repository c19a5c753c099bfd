//! The stack `docker/rxdx`, through the command line: a copy of it, as a fresh checkout would be, is set up, used and
//! removed. It is the one whose production is an overlay, whose database holds a graph, and whose back end is scaled.

mod application;
mod environments;
mod everything;
mod graph;
mod lifecycle;
mod limits;
mod migrations;
mod nginx;
mod production;

use crate::support::*;

/// What the stack is built on and runs.
const IMAGES: [&str; 4] = ["apache/age:release_PG17_1.6.0", "python:3.13-slim", "node:20-alpine", "nginx:1.26-alpine"];

/// The services that stay; `certs` ends when it has looked after the certificate.
const SERVICES: [&str; 4] = ["backend", "frontend", "nginx", "postgres"];

const STAGING: [&str; 2] = ["-e", "staging"];

/// A copy with ports of its own in each environment.
fn stack() -> Stack {
    let development = [
        ("HTTP_PORT", "http"),
        ("HTTPS_PORT", "https"),
        ("BACKEND_PORT", "backend"),
        ("FRONTEND_PORT", "frontend"),
        ("POSTGRES_PORT", "postgres"),
    ];
    Stack::of("rxdx")
        .ports(".env.development.example", &development)
        .ports(".env.staging.example", &[("HTTP_PORT", "staging-http"), ("HTTPS_PORT", "staging-https")])
        .ports(".env.production.example", &[("HTTP_PORT", "production-http"), ("HTTPS_PORT", "production-https")])
}

#[test]
fn rxdx_development() {
    if !stack_can_run(&IMAGES) || !is_chosen(0, 2) {
        return;
    }
    let stack = stack();
    part("setup", || lifecycle::set_up(&stack));
    part("a second setup", || stack.second_setup_changes_nothing("development"));
    part("limits, users, logs, health", || limits::of_development(&stack));
    part("the server's settings", || limits::settings_are_the_tuned_ones(&stack));
    part("the page and the API", || application::serves(&stack));
    part("looking around", || lifecycle::shows_itself(&stack));
    part("which value holds", || environments::shell_goes_before_files_before_defaults(&stack));
    part("hot reload", || application::reloads(&stack));
    part("the graph, kept and restored", || graph::survives(&stack));
    part("migrations, seeds, a reset", || migrations::are_the_backends(&stack));
    part("volumes", || everything::live_data_is_refused(&stack));
    part("everything at once", || everything::comes_back(&stack));
    part("stop and start", || lifecycle::stops_and_starts(&stack));
    part("build and scale", || lifecycle::builds_and_will_not_scale(&stack));
    part("clean", || lifecycle::cleans_up(&stack));
}

#[test]
fn rxdx_production() {
    if !stack_can_run(&IMAGES) || !is_chosen(1, 2) {
        return;
    }
    let stack = stack();
    part("the development database", || production::development_has_data(&stack));
    part("setup", || production::set_up(&stack));
    part("a second setup", || stack.second_setup_changes_nothing("production"));
    part("limits, users, logs, health", || limits::of_production(&stack));
    part("images", || production::images_hold_no_tools(&stack));
    part("the page and the API", || nginx::serves(&stack));
    part("a set, restored", || production::restores(&stack));
    part("TLS", || nginx::speaks_only_modern_tls(&stack));
    part("headers, caching", || nginx::heads_every_answer(&stack));
    part("four back ends", || production::scales(&stack));
    part("rate limits", || nginx::limits_rates(&stack));
    part("staging", || production::staging_is_its_own(&stack));
    part("a given certificate", || nginx::takes_a_given_certificate(&stack));
    part("clean", || production::clean_wants_the_name(&stack));
}
