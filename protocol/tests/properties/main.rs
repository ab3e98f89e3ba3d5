//! What must hold for every input, not only for those of the vectors.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by panicking"
)]

mod bombs;
mod channel;
mod points;
mod redaction;
mod round_trips;
mod world;
