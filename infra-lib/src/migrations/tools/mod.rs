//! The tools, one file each.

mod sqlx;

pub(super) use sqlx::Sqlx;
