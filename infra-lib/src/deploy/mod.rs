//! Replacing what runs in an environment by a release, without a gap where a proxy leads to it.
//!
//! A deploy compares the definition of each service with the labels of its containers and touches only what differs.
//! A routed service gets new containers beside the old ones; its proxy is switched when they are ready. Every other
//! service is replaced in place. Until old containers are stopped, whatever goes wrong is undone; afterwards the
//! deploy is finished. One rule holds for interrupted runs too, since all that is known about them is in the journal
//! and in the labels of the containers.

mod advance;
mod cleanup;
mod containers;
mod converge;
mod definition;
mod files;
mod git;
pub(crate) mod images;
mod make;
mod overlay;
mod plan;
mod preflight;
mod proxy;
mod recovery;
mod routes;
mod run;
mod server_version;
mod watch;

pub(crate) use cleanup::containers as remove_replaced;
pub(crate) use make::{check_tree, make};
pub(crate) use plan::Plan;
pub use plan::{Action, Planned};
pub(crate) use recovery::recover;
pub(crate) use run::{Deployment, Ended, Steps};
