//! `.env` files of every shape, read by us and by those who also read them.
//!
//! `INFRA_SWEEP_SCALE` multiplies how many values there are (100 makes 10^5), `INFRA_SWEEP_SEED` chooses others.

mod compose;
mod crash;
mod lines;
mod shells;

/// A factor for the number of cases: 1 unless `INFRA_SWEEP_SCALE` says more.
fn scale() -> usize {
    std::env::var("INFRA_SWEEP_SCALE").ok().and_then(|scale| scale.parse().ok()).unwrap_or(1)
}

fn seed() -> u64 {
    std::env::var("INFRA_SWEEP_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_260_101)
}
