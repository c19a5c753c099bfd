//! Integration tests: the real command line, against a real engine and real databases where there are any.
//!
//! Each test is named after the row of the fault table that it holds (`f07_crash_loop_is_unhealthy`). How a test gets a
//! project, runs commands and cleans up is told in [`support`].

#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy's own exception covers only functions marked as tests"
)]

mod backup;
mod backup_content;
mod clean;
mod cli;
mod completions;
mod compose_identity;
mod config;
mod database_errors;
mod db_shell;
mod deploy;
mod detection;
mod discovery;
mod doctor;
mod dotenv;
mod env;
mod env_file_forms;
mod environment_names;
mod environments;
mod from_make;
mod harness;
mod health;
mod hints;
mod host_crate;
mod hostile_names;
mod install;
mod isntgram;
mod local_db;
mod migrations;
mod pagodirecto;
mod parity;
mod policy;
mod preflight;
mod private_files;
mod processes;
mod prune;
mod readme;
mod ready;
mod restore;
mod round_trip;
mod rxdx;
mod scale;
mod schedule;
mod secrets;
mod services;
mod setup;
mod setup_reports;
mod start_stop;
mod support;
mod systems;
mod terminal;
mod thrifting_buddy;
mod tidy;
mod volumes;
mod vrss;
mod without_config;
