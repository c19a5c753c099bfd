//! `.env` files of every shape, read by us and by those who also read them.
//!
//! `INFRA_TEST_SCALE` multiplies how many values there are (100 makes 10^5), `INFRA_TEST_SEED` chooses others.

mod compose;
mod crash;
mod lines;
mod shells;
