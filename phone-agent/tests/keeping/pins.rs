//! `pin`.

use std::fs;

use cablecar_phone::vault::State;
use rand_core::OsRng;
use serde_json::json;

use crate::home::{Home, assert_fails};

/// LEFT(SHA-256("1234"), 16)
const HASH_OF_1234: [u8; 16] =
    [0x03, 0xac, 0x67, 0x42, 0x16, 0xf3, 0xe1, 0x5c, 0x76, 0x1e, 0xe1, 0xa5, 0xe2, 0x55, 0xf0, 0x67];

fn home() -> Home {
    let home = Home::with_vault();
    for pin in ["123", "1234", "123456"] {
        fs::write(home.at(pin), format!("{pin}\n")).unwrap();
    }
    home
}

fn change_state(home: &Home, change: fn(&mut State)) {
    let changed = home.open().change(&mut OsRng, |contents| {
        let mut state = contents.state().clone();
        change(&mut state);
        contents.set_state(state);
        Ok(())
    });
    changed.unwrap();
}

fn status(set: bool, left: u8, minimum: u8, must: bool) -> serde_json::Value {
    json!({"set": set, "retries_left": left, "minimum_length": minimum, "must_be_changed": must})
}

#[test]
fn a_pin_is_set_changed_and_removed() {
    let home = home();
    assert_eq!(home.done(&["pin", "status"]), "no PIN is set; a new one has at least 4 characters\n");
    assert_eq!(home.json(&["pin", "status"]), status(false, 8, 4, false));
    for command in [&["pin", "change", "--pin-file", "1234"][..], &["pin", "remove"]] {
        home.fails(command, 1, "pin.not-set");
    }
    home.done(&["pin", "set", "--pin-file", "1234"]);
    let pin = home.open().state().pin.clone().unwrap();
    assert_eq!((*pin.hash, pin.length), (HASH_OF_1234, 4));
    home.fails(&["pin", "set", "--pin-file", "123456"], 1, "pin.already-set");
    home.done(&["pin", "change", "--pin-file", "123456"]);
    assert_eq!(home.open().state().pin.as_ref().unwrap().length, 6);
    home.done(&["pin", "remove"]);
    assert_eq!(*home.open().state(), State::default());
}

#[test]
fn the_owner_spends_no_guess_and_gives_them_all_back() {
    let home = home();
    home.done(&["pin", "set", "--pin-file", "1234"]);
    change_state(&home, |state| state.pin_retries = 3);
    assert_fails(
        &home.with_passphrase("wrong", &["pin", "change", "--pin-file", "123456"]),
        1,
        "vault.wrong-passphrase",
    );
    home.fails(&["pin", "change", "--pin-file", "123"], 2, "pin.too-short");
    assert_eq!(home.json(&["pin", "status"]), status(true, 3, 4, false));
    change_state(&home, |state| state.pin_retries = 0);
    assert!(home.done(&["pin", "status"]).contains("blocked"));
    home.done(&["pin", "change", "--pin-file", "123456"]);
    assert_eq!(home.done(&["pin", "status"]), "a PIN is set; guesses left: 8\n");
}

#[test]
fn a_pin_that_must_change_becomes_another_one() {
    let home = home();
    home.done(&["pin", "set", "--pin-file", "1234"]);
    change_state(&home, |state| state.force_pin_change = true);
    assert_eq!(home.json(&["pin", "status"]), status(true, 8, 4, true));
    home.fails(&["pin", "change", "--pin-file", "1234"], 2, "pin.same");
    home.done(&["pin", "change", "--pin-file", "123456"]);
    assert_eq!(home.json(&["pin", "status"]), status(true, 8, 4, false));
    change_state(&home, |state| state.min_pin_length = 7);
    let said = home.fails(&["pin", "change", "--pin-file", "123456"], 2, "pin.too-short");
    assert!(said.contains("7 characters"), "{said}");
}

#[test]
fn what_is_no_pin_is_named() {
    let home = home();
    fs::write(home.at("long"), "1".repeat(64)).unwrap();
    fs::write(home.at("binary"), b"12\xff45").unwrap();
    fs::write(home.at("empty"), "").unwrap();
    let before = home.bytes();
    for (file, exit, id) in [
        ("long", 2, "pin.too-long"),
        ("binary", 2, "pin.not-text"),
        ("empty", 4, "pin.declined"),
        ("missing", 2, "pin.file"),
        ("123", 2, "pin.too-short"),
    ] {
        home.fails(&["pin", "set", "--pin-file", file], exit, id);
    }
    home.fails(&["pin", "set"], 1, "pin.cannot-ask");
    assert_eq!(home.bytes(), before);
}
