//! Runs the test vectors: every file, every array, every case.
//!
//! They are read from `protocol/vectors`, or from the folder that the
//! environment variable `CABLECAR_VECTORS` names, so that any other set of the
//! same form runs too. Nothing here knows a count or a value; a case is named
//! by file, array and index.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by panicking"
)]

mod captures;
mod case;
mod digits;
mod domains;
mod eid;
mod keys;
mod linking;
mod noise;
mod post_handshake;
mod qr;
mod replay;
mod sessions;
mod transport;
mod urls;

/// The files of a set. Each is run by the test module of its name.
const FILES: [&str; 13] = [
    "captures",
    "digits",
    "domains",
    "eid",
    "keys",
    "linking",
    "noise_kn",
    "noise_nk",
    "post_handshake",
    "qr",
    "sessions",
    "transport",
    "urls",
];

#[test]
fn the_folder_holds_exactly_the_known_files() {
    let folder = case::folder();
    let mut found: Vec<String> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    found.sort();
    assert_eq!(found, FILES, "in {}", folder.display());
}
