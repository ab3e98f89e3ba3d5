//! The reader on pictures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, also in its own functions; drawing is arithmetic on pixels"
)]

#[path = "pictures/corpus.rs"]
mod corpus;
#[path = "pictures/dice.rs"]
mod dice;
#[path = "pictures/distortion.rs"]
mod distortion;
#[path = "pictures/drawing.rs"]
mod drawing;
#[path = "pictures/explore.rs"]
mod explore;
