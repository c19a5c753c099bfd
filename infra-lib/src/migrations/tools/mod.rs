//! The tools, one file each.

mod dbmate;
mod flyway;
mod folders;
mod golang;
mod refinery;
mod sqlx;
mod supabase;

pub(super) use dbmate::Dbmate;
pub(super) use flyway::Flyway;
pub(super) use folders::{Diesel, Prisma};
pub(super) use golang::GolangMigrate;
pub(super) use refinery::Refinery;
pub(super) use sqlx::Sqlx;
pub(super) use supabase::Supabase;
