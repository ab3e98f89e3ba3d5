//! Keeping a vault with the program: its copies, its passkeys, its PIN, and
//! what it says of a vault to which something happened.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, also in its own functions"
)]

mod backups;
mod home;
mod memory;
mod passkeys;
mod passphrases;
mod pins;
mod troubles;
