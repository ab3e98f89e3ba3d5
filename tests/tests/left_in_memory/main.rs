//! What a sign-in leaves in memory (T20).
//!
//! A child process, this very program started again, plays the phone or the
//! computer of one whole sign-in with the shipped code, says that it is over,
//! and stays. Its parent plays the other side, so that it knows every secret
//! of both: those that the child drew are handed over as they are drawn, the
//! others follow from them. Then the parent reads all memory of the child,
//! through `/proc`, and looks for every window of 16 bytes of every secret,
//! forwards and backwards, for numbers are kept the other way round.
//!
//! No needle is ever in the child's memory but for what the child itself did
//! with it. A leak that is planted is found, or the search proves nothing.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a panic is a verdict"
)]

mod child;
mod computer;
mod phone;
mod search;

use child::Part;

#[test]
fn t20_a_phone_keeps_no_secret_of_a_sign_in() {
    let (child, secrets) = phone::sign_in(Part::Phone);
    let found = search::search(child.id(), &secrets);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn t20_a_computer_keeps_no_secret_of_a_sign_in() {
    let (child, secrets) = computer::sign_in();
    let found = search::search(child.id(), &secrets);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn t20_what_is_left_on_purpose_is_found() {
    let (child, secrets) = phone::sign_in(Part::LeakingPhone);
    let found = search::search(child.id(), &secrets);
    let names: std::collections::BTreeSet<&str> = found.iter().map(|one| one.secret.as_str()).collect();
    // Sixteen bytes from the middle of the one, the whole of the other turned
    // round.
    let planted = ["ephemeral scalar or other draw 0", "passphrase"];
    assert_eq!(names.into_iter().collect::<Vec<_>>(), planted, "{found:#?}");
}
