//! The world in which Cablecar's four crates live.
//!
//! [`World`] holds a relay in memory that may lie ([`meddler`]), an air in
//! memory that may be full of strangers ([`air`]), a computer and a phone
//! ([`people`]), seeded randomness, and tokio's clock, which a test turns. A
//! whole sign-in takes milliseconds of real time in it, timeouts included, so
//! a test can afford a thousand.
//!
//! What runs in it is the shipped code: `cablecar::transaction` and
//! `cablecar_phone::transaction` know neither sockets nor radios, only the
//! traits that this crate implements once more.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "this crate is tests: a panic is a verdict"
)]

pub mod air;
pub mod habits;
pub mod liar;
pub mod manual;
pub mod meddler;
pub mod people;
pub mod prober;
pub mod relying_party;
pub mod website;
pub mod world;

pub use world::{Story, World};
