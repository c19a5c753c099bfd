//! How much is tested: a sample in CI, everything in `cargo xtask sweep`.

/// The factor for the number of cases and rounds: 1, unless `INFRA_TEST_SCALE` says more.
pub(crate) fn scale() -> usize {
    number("INFRA_TEST_SCALE").unwrap_or(1)
}

/// What random cases are drawn from. `INFRA_TEST_SEED` chooses others.
pub(crate) fn seed() -> u64 {
    number("INFRA_TEST_SEED").unwrap_or(20_260_101)
}

/// Whether everything is asked for.
pub(crate) fn is_sweep() -> bool {
    scale() > 1
}

/// `count` times [`scale`] of the cases, spread evenly; the seed chooses the first.
pub(crate) fn sample<T: Clone>(all: &[T], count: usize) -> Vec<T> {
    let step = (all.len() / (count * scale()).max(1)).max(1);
    let first = usize::try_from(seed() % step as u64).unwrap();
    all.iter().skip(first).step_by(step).cloned().collect()
}

/// Whether the running test is the one of so many long ones that a sample has; the seed chooses. A sweep has all of them.
pub(crate) fn is_chosen(index: u64, of: u64) -> bool {
    is_swept_or(seed() % of == index)
}

/// Whether the running test is one that only a sweep has.
pub(crate) fn is_swept() -> bool {
    is_swept_or(false)
}

fn is_swept_or(is_chosen: bool) -> bool {
    let is_chosen = is_sweep() || is_chosen;
    if !is_chosen {
        super::guards::skip("one of the long tests that only `cargo xtask sweep` runs");
    }
    is_chosen
}

fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}
