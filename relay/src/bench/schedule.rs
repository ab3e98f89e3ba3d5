//! When each begins, laid down beforehand. No clock in here.

use std::time::Duration;

use clap::ValueEnum;

/// How the moments lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// As those of people who know nothing of each other: in clusters
    Poisson,
    /// One like the other
    Fixed,
}

/// The moments, counted from the beginning. Without an end.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    shape: Shape,
    pause: f64,
    at: f64,
    dice: Dice,
}

impl Schedule {
    /// `rate` a second.
    pub(crate) fn new(rate: f64, shape: Shape, seed: u64) -> Self {
        Self { shape, pause: 1.0 / rate, at: 0.0, dice: Dice(seed) }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = Duration::try_from_secs_f64(self.at).unwrap_or(Duration::MAX);
        self.at += match self.shape {
            Shape::Fixed => self.pause,
            Shape::Poisson => -self.dice.share().ln() * self.pause,
        };
        Some(now)
    }
}

/// Random enough for a load, and the same again from the same seed
/// (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Above 0 and at most 1.
    pub(crate) fn share(&mut self) -> f64 {
        let high = u32::try_from(self.next() >> 32).unwrap_or(u32::MAX);
        (f64::from(high) + 1.0) / 4_294_967_296.0
    }

    /// So many of them, in a random order, no one twice.
    pub(crate) fn choose<T>(&mut self, mut from: Vec<T>, many: usize) -> Vec<T> {
        let mut chosen = Vec::new();
        while chosen.len() < many && !from.is_empty() {
            let length = u64::try_from(from.len()).unwrap_or(u64::MAX);
            let index = usize::try_from(self.next() % length).unwrap_or(0);
            chosen.push(from.swap_remove(index));
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_kept_and_the_seed_decides() {
        for shape in [Shape::Poisson, Shape::Fixed] {
            let moments: Vec<Duration> = Schedule::new(200.0, shape, 7).take(20_001).collect();
            let took = moments.last().unwrap().as_secs_f64();
            assert!((90.0..110.0).contains(&took), "{shape:?}: 20,000 at 200/s took {took}");
            assert!(moments.is_sorted());
            assert_eq!(moments[..50], Schedule::new(200.0, shape, 7).take(50).collect::<Vec<_>>());
        }
    }

    #[test]
    fn arrivals_of_strangers_cluster() {
        let moments: Vec<f64> =
            Schedule::new(1.0, Shape::Poisson, 3).take(10_000).map(|at| at.as_secs_f64()).collect();
        let pauses = moments.windows(2).map(|pair| pair[1] - pair[0]);
        // Of an exponential distribution, 1 - 1/e are below the mean.
        let below = pauses.filter(|pause| *pause < 1.0).count();
        assert!((6_100..6_550).contains(&below), "{below}");
    }

    #[test]
    fn whoever_is_chosen_is_chosen_once() {
        let mut chosen = Dice(1).choose((0..100).collect(), 30);
        assert_eq!(chosen.len(), 30);
        chosen.sort_unstable();
        chosen.dedup();
        assert_eq!(chosen.len(), 30);
        assert_eq!(Dice(1).choose(vec![1], 30), [1]);
    }
}
