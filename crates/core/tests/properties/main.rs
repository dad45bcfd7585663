//! What holds for every input, tried on some thousands that are the same in each run.

mod pages;
pub mod reference;
mod time;
mod wire;

use proptest::test_runner::{Config, RngSeed};

/// So many cases, always the same.
fn cases(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(5), failure_persistence: None, ..Config::default() }
}
