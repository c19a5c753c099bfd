//! The Isntgram stack, `docker/isntgram`, through the command line: development with a database of its own, production
//! with a managed one, which is a server outside the stack that takes connections over TLS only.

mod caddy;
mod development;
mod limits;
mod managed;
mod production;
mod site;

use crate::support::*;

use managed::Managed;

/// What the stack is built on and runs.
const IMAGES: [&str; 3] = ["postgres:17-alpine", "node:20-alpine", "caddy:2-alpine"];

/// A copy with ports of its own.
fn copy() -> Stack {
    Stack::of("isntgram")
        .ports(".env.example", &[("POSTGRES_PORT", "database"), ("WEB_PORT", "web"), ("API_PORT", "api")])
        .ports(".env.production.example", &[("HTTP_PORT", "http"), ("HTTPS_PORT", "https")])
}

#[test]
fn isntgram_development() {
    if !stack_can_run(&IMAGES) || !is_chosen(0, 2) {
        return;
    }
    let stack = copy();
    part("setup", || development::sets_up(&stack));
    part("the page and the API", || site::serves(&stack, &stack.at("web", "/"), &stack.at("api", ""), &[]));
    part("a second setup", || stack.second_setup_changes_nothing("development"));
    part("limits, users, logs, health", || limits::of_development(&stack));
    part("looking around", || development::shows_itself(&stack));
    part("tests and reload", || development::is_worked_on(&stack));
    part("migrations, seeds, a reset", || development::changes_its_schema(&stack));
    part("backups", || development::backs_up_and_restores(&stack));
    part("stop, start, scale", || development::comes_and_goes(&stack));
    part("clean", || development::cleans_up(&stack));
}

#[test]
fn isntgram_production() {
    if !stack_can_run(&IMAGES) || !is_chosen(1, 2) {
        return;
    }
    let stack = copy();
    let managed = part("the managed server", || Managed::start(&stack));
    part("setup", || production::sets_up(&stack, &managed));
    part("images", || production::runs_what_the_registry_names(&stack));
    part("limits, users, logs, health", || limits::of_production(&stack));
    part("migrations", || production::migrates(&stack));
    part("the page and the API", || site::serves(&stack, &stack.at("https", "/"), &stack.at("https", ""), &PRODUCTION));
    part("HTTPS", || caddy::speaks_https(&stack));
    part("headers, caching", || caddy::heads_every_answer(&stack));
    part("TLS to the database", || production::speaks_tls_only(&stack, &managed));
    part("nobody else's certificate", || production::trusts_nobody_else(&stack, &managed));
    part("development's operations", || production::refuses_what_is_for_development(&stack));
    part("backups", || production::backs_up_and_restores(&stack, &managed));
    part("an interrupted backup", || production::leaves_nothing_of_an_interrupted_backup(&stack, &managed));
    part("operation", || production::is_operated(&stack));
    part("ports, logs", || caddy::is_the_only_way_in(&stack));
    part("clean", || production::cleans_up(&stack, &managed));
}
