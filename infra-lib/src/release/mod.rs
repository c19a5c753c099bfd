//! Releases and the record of their deploys: what `.infra/releases` and `.infra/deploys` contain.
//!
//! A release is an immutable folder with everything that a deploy needs except images and secrets. Each deploy of an
//! environment has a number and a journal of its own; the live release is that of the newest deploy that ended well.

mod deploys;
mod journal;
mod label;
mod manifest;
mod running;
mod store;

pub(crate) use deploys::Deploys;
pub(crate) use journal::{Beginning, End, Journal, Mark, Outcome, Step};
pub(crate) use label::Label;
pub(crate) use manifest::MIGRATIONS;
pub use manifest::{Commit, PinnedImage, Release, ReleaseFile, ReleaseMount};
pub(crate) use running::Running;
pub(crate) use store::Releases;
