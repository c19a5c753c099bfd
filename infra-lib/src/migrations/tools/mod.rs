//! Migration tools: sqlx's format, applied by this library, and other tools, which are run.

pub(super) mod evidence;
pub(super) mod files;
pub(super) mod ledger;
pub(super) mod other_tools;
pub(super) mod place;
pub(super) mod python;
pub(crate) mod run;
pub(super) mod sqlx;
mod sqlx_ledger;
pub(super) mod standing;
pub(super) mod table;
