//! The stack of `docker/pagodirecto`, through the command line: three environments of one compose file with
//! profiles, a backend that migrates at its start, tenants that row-level security keeps apart, and a network with a
//! range of its own.

mod api;
mod data;
mod lifecycle;
mod limits;
mod migrations;
mod production;
mod subnets;
mod testing;

use crate::support::*;

/// What the stack is built on and runs.
const IMAGES: [&str; 6] = [
    "postgres:16-alpine",
    "eclipse-temurin:17-jdk-alpine",
    "eclipse-temurin:17-jre-alpine",
    "node:20-alpine",
    "nginx:1.26-alpine",
    "adminer:4",
];

/// A copy with ports and networks of its own.
fn copy() -> Stack {
    let ports = [
        ("BACKEND_PORT", "backend"),
        ("FRONTEND_PORT", "frontend"),
        ("ADMINER_PORT", "adminer"),
        ("POSTGRES_PORT", "database"),
    ];
    let stack = Stack::of("pagodirecto")
        .ports(".env.development.example", &ports)
        .ports(".env.production.example", &[("HTTP_PORT", "http"), ("HTTPS_PORT", "https")]);
    ["development", "production", "testing"].into_iter().fold(stack, |stack, environment| {
        let range = subnets::own(&stack.project, environment);
        stack.set(&format!(".env.{environment}.example"), "NETWORK_SUBNET", &range)
    })
}

#[test]
fn pagodirecto_development() {
    if !stack_can_run(&IMAGES) || !is_chosen(2, 3) {
        return;
    }
    let stack = copy();
    part("setup", || lifecycle::sets_up(&stack));
    part("the page and the API", || api::serves(&stack));
    part("a second setup", || stack.second_setup_changes_nothing("development"));
    part("the schema and the server's settings", || data::is_as_documented(&stack));
    part("limits, users, logs, health", || limits::of_development(&stack));
    part("hot reload", || api::reloads(&stack));
    part("looking around", || lifecycle::shows_itself(&stack));
    part("the seven scripts", || lifecycle::does_what_the_scripts_did(&stack));
    part("tenants, before and after a restore", || data::keeps_tenants_apart_after_a_restore(&stack));
    part("migrations", || migrations::take_turns_with_the_backend(&stack));
    part("a reset", || migrations::reset(&stack));
    part("a full backup", || data::backs_everything_up(&stack));
    part("clean", || lifecycle::cleans_up(&stack));
}

#[test]
fn pagodirecto_production() {
    if !stack_can_run(&IMAGES) || !is_chosen(0, 3) {
        return;
    }
    let stack = copy();
    part("setup", || production::sets_up(&stack));
    part("a second setup", || stack.second_setup_changes_nothing("production"));
    part("limits, users, logs, health", || limits::of_production(&stack));
    part("the site through nginx", || production::serves(&stack));
    part("backup and restore", || production::backs_up_and_restores(&stack));
    part("scale, update, build", || production::grows(&stack));
    part("rate limits", || production::limits_rates(&stack));
    part("clean", || production::clean_wants_the_name(&stack));
}

#[test]
fn pagodirecto_testing() {
    if !stack_can_run(&IMAGES) || !is_chosen(1, 3) {
        return;
    }
    let stack = copy();
    part("development has data", || testing::development_has_data(&stack));
    part("setup", || testing::sets_up(&stack));
    part("a database of its own", || testing::shares_nothing_with_development(&stack));
}
