//! Chance that repeats.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

/// Everything random in a picture.
pub struct Dice(pub ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// From 0 to below `end`.
    pub fn up_to(&mut self, end: usize) -> usize {
        (self.0.next_u64() % end.max(1) as u64) as usize
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * f64::from(self.0.next_u32()) / f64::from(u32::MAX)
    }

    pub fn chance(&mut self, of_one: f64) -> bool {
        self.between(0.0, 1.0) < of_one
    }
}
