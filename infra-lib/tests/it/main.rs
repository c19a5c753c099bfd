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
mod cli;
mod doctor;
mod dotenv;
mod env;
mod environments;
mod faults_b;
mod faults_f;
mod faults_g;
mod faults_i;
mod from_make;
mod harness;
mod health;
mod host_crate;
mod install;
mod isntgram;
mod local_db;
mod manifest;
mod migrations;
mod odd_projects;
mod ops;
mod pagodirecto;
mod parity;
mod policy;
mod prune;
mod readme;
mod restore;
mod round_trip;
mod rxdx;
mod schedule;
mod security;
mod setup;
mod support;
mod systems;
mod thrifting_buddy;
mod tidy;
mod volumes;
mod vrss;
