//! `passphrase change`.

use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::vault::{Error, Kdf};
use rand_core::OsRng;

use crate::home::{Home, assert_fails, code, err, passkey};

const CHANGE: [&str; 4] = ["passphrase", "change", "--danger-weak-kdf", "--new-passphrase-file"];

fn change(home: &Home, old: &str, new: &str) -> std::process::Output {
    home.with_passphrase(old, &[&CHANGE[..], &[new]].concat())
}

#[test]
fn the_old_passphrase_is_needed_and_opens_nothing_afterwards() {
    let home = Home::with_three();
    home.done(&["pin", "set", "--pin-file", "other"]);
    let before = home.bytes();
    assert_fails(&change(&home, "wrong", "other"), 1, "vault.wrong-passphrase");
    assert_eq!(home.bytes(), before);
    let output = change(&home, "right", "other");
    assert_eq!((code(&output), output.stdout.len()), (0, 0), "{}", err(&output));

    assert_fails(&home.run(&["list"]), 1, "vault.wrong-passphrase");
    let listed = home.with_passphrase("other", &["list", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 3);
    let status = home.with_passphrase("other", &["pin", "status"]);
    assert_eq!(status.stdout, b"a PIN is set; guesses left: 8\n");

    let after = home.bytes();
    assert_eq!(after.len(), before.len());
    // The same vault, one write later, under another salt.
    assert_eq!(after[18..34], before[18..34]);
    assert_eq!(after[34..42], (u64::from_be_bytes(before[34..42].try_into().unwrap()) + 1).to_be_bytes());
    assert_ne!(after[54..70], before[54..70]);
    // No record is what it was: neither its id, nor its nonce, nor its seal.
    for window in before[98..].chunks(16).filter(|window| window.len() == 16) {
        assert!(!after[98..].windows(16).any(|other| other == window));
    }
    // And the vault as it was before is an older copy.
    std::fs::write(home.vault(), before).unwrap();
    assert_fails(&home.run(&["list"]), 1, "vault.rolled-back");
}

#[test]
fn without_a_flag_the_new_passphrase_costs_what_it_should() {
    let home = Home::with_vault();
    home.done(&["passphrase", "change", "--new-passphrase-file", "other"]);
    // 64 MiB, 3 passes, 1 lane.
    assert_eq!(home.bytes()[42..54], [0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1]);
}

#[test]
fn whoever_has_the_vault_open_writes_nothing_under_the_old_passphrase() {
    let home = Home::with_three();
    let mut open = home.open();
    assert_eq!(code(&change(&home, "right", "other")), 0);
    let before = home.bytes();
    assert_eq!(open.add(passkey("late.example", "dave", 0x44), &mut OsRng), Err(Error::Replaced));
    assert_eq!(home.bytes(), before);
}

#[test]
fn what_others_wrote_meanwhile_is_sealed_anew_too() {
    let home = Home::with_three();
    let mut open = home.open();
    home.add(passkey("late.example", "dave", 0x44));
    let other = Passphrase::new(b"other".to_vec()).unwrap();
    open.change_passphrase(&other, Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    // And the one who changed it goes on.
    open.add(passkey("later.example", "erin", 0x55), &mut OsRng).unwrap();
    let listed = home.with_passphrase("other", &["list"]);
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 5);
}

#[test]
fn a_new_passphrase_that_is_none_changes_nothing() {
    let home = Home::with_three();
    std::fs::write(home.at("empty"), "\n").unwrap();
    let before = home.bytes();
    assert_fails(&change(&home, "right", "empty"), 2, "passphrase.empty");
    assert_fails(&change(&home, "right", "missing"), 2, "passphrase.file");
    home.fails(&["passphrase", "change"], 1, "passphrase.cannot-ask");
    assert_eq!(home.bytes(), before);
}
