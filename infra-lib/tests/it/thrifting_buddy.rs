//! The Thrifting Buddy stack, `docker/thrifting-buddy`, through the command line: a file for each environment that stands
//! alone, an env file of the backend's own, an internal network, a cache, migrations by the backend's own tool.
//!
//! Each test brings a copy up once and looks at it in parts; ports, subnets, names, volumes and images are the copy's own.

mod api;
mod database;
mod development;
mod env_files;
mod limits;
mod network;
mod production;
mod release;
mod stack;

use crate::support::*;

/// What the stack is built on and runs.
const IMAGES: [&str; 4] = ["postgres:15-alpine", "redis:7-alpine", "node:20-alpine", "nginx:1.26-alpine"];

#[test]
fn thrifting_buddy_development() {
    if !stack_can_run(&IMAGES) || !is_chosen(0, 2) {
        return;
    }
    let stack = stack::fresh();
    part("setup", || development::set_up(&stack));
    part("the env files", || env_files::of_development(&stack));
    part("a second setup", || stack.second_setup_changes_nothing("development"));
    part("the page and the API", || api::of_development(&stack));
    part("limits, users, logs, health", || limits::of_development(&stack));
    part("networks", || network::the_internal_one_reaches_nothing(&stack, "development"));
    part("looking around", || development::shows_itself(&stack));
    part("sessions survive redis", || development::keeps_sessions(&stack));
    part("migrations, seeds, a reset", || database::goes_up_and_down(&stack));
    part("backups", || database::backs_up_and_restores(&stack));
    part("rotation", || env_files::rotate(&stack));
    part("the backup service", || database::backs_itself_up(&stack));
    part("stop and start", || development::stops_and_starts(&stack));
    part("clean", || development::cleans_up(&stack));
}

#[test]
fn thrifting_buddy_production() {
    if !stack_can_run(&IMAGES) || !is_chosen(1, 2) {
        return;
    }
    let stack = stack::fresh();
    part("required variables", || env_files::are_required_in_production(&stack));
    part("start", || production::starts(&stack));
    part("limits, users, logs, health", || limits::of_production(&stack));
    part("images", || release::images_are_named_and_hold_no_tools(&stack));
    part("networks", || network::the_internal_one_reaches_nothing(&stack, "production"));
    part("the API through nginx", || production::serves(&stack));
    part("three backends", || release::three_backends_share_the_requests(&stack));
    part("logs", || production::logs_are_where_they_should_be(&stack));
    part("the backup service", || production::backs_up_when_told(&stack));
    part("a release and back", || release::goes_forward_and_back(&stack));
    part("guards", || production::is_guarded(&stack));
}
