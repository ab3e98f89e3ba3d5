//! `backup` and `restore`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use cablecar_phone::vault::{Backup, Passkey};
use serde_json::json;

use crate::home::{Home, assert_fails, passkey};

fn backed_up(home: &Home) -> Vec<(String, bool)> {
    let of = |passkey: &Passkey| (passkey.rp.id.clone(), passkey.backup.done());
    home.open().passkeys().map(of).collect()
}

fn entries(home: &Home) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("backup"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_backup_holds_what_may_leave_and_the_vault_knows_of_it() {
    let home = Home::with_three();
    let told = home.json(&["backup", "backup"]);
    assert_eq!(told, json!({"file": "backup", "passkeys": 2, "left_out": 1}));
    let expected = [("one.example", true), ("two.example", true), ("bound.example", false)];
    assert_eq!(backed_up(&home), expected.map(|(rp, done)| (rp.to_owned(), done)));
    // A vault of its own, for the owner alone, with nothing beside it.
    assert_ne!(fs::read(home.at("backup")).unwrap()[18..34], home.bytes()[18..34]);
    assert_eq!(fs::metadata(home.at("backup")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(entries(&home), ["backup"]);
    let listed = home.json(&["list", "--vault", "backup"]);
    let of = |key: &str| listed.as_array().unwrap().iter().map(|one| one[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("rp_id"), ["one.example", "two.example"]);
    assert_eq!(of("backed_up"), [true, true]);
    // A second one tells the vault nothing new.
    let before = home.bytes();
    assert_eq!(home.done(&["backup", "second"]), "second: 2 passkeys; 1 left out, bound to this device\n");
    assert_eq!(home.bytes(), before);
}

#[test]
fn a_backup_takes_nobodys_place_and_is_whole_or_not_there() {
    let home = Home::with_three();
    let before = home.bytes();
    fs::write(home.at("backup"), "precious").unwrap();
    home.fails(&["backup", "backup"], 1, "backup.exists");
    assert_eq!(fs::read(home.at("backup")).unwrap(), b"precious");
    fs::remove_file(home.at("backup")).unwrap();
    assert_fails(&home.with_passphrase("wrong", &["backup", "backup"]), 1, "vault.wrong-passphrase");
    home.fails(&["backup", "no such folder/backup"], 1, "vault.not-found");
    assert_eq!(entries(&home), Vec::<String>::new());
    assert_eq!(home.bytes(), before, "nothing is marked");
}

#[test]
fn without_room_no_backup_is_left_and_nothing_is_marked() {
    let home = Home::with_three();
    let before = home.bytes();
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" backup backup --passphrase-file right";
    let program = assert_cmd::cargo::cargo_bin("cablecar-phone");
    let mut command = assert_cmd::Command::new("sh");
    command.args(["-c", script]).arg(program).env("HOME", home.path()).current_dir(home.path());
    assert_fails(&command.output().unwrap(), 1, "vault.disk-full");
    assert_eq!((entries(&home), home.bytes()), (vec![], before));
}

#[test]
fn a_vault_is_made_of_a_backup_where_there_is_none() {
    let home = Home::with_three();
    home.done(&["pin", "set", "--pin-file", "other"]);
    let keys: Vec<_> = home.open().passkeys().map(|passkey| *passkey.key.expose()).collect();
    home.done(&["backup", "backup"]);
    let old = home.bytes();
    fs::remove_file(home.vault()).unwrap();

    let told = home.json(&["restore", "backup", "--dry-run"]);
    assert_eq!((&told["new_vault"], &told["dry_run"]), (&json!(true), &json!(true)));
    assert!(!home.vault().exists());
    let told = home.json(&["restore", "backup"]);
    assert_eq!(
        (&told["new_vault"], &told["present"], &told["left_out"]),
        (&json!(true), &json!(0), &json!(0))
    );
    assert_eq!(told["added"].as_array().unwrap().len(), 2);
    let found: Vec<_> = home.open().passkeys().map(|passkey| *passkey.key.expose()).collect();
    assert_eq!(found, keys[..2]);
    assert_eq!(home.done(&["pin", "status"]), "a PIN is set; guesses left: 8\n");
    assert_ne!(home.bytes()[18..34], old[18..34]);
    // Once more from the same backup: nothing takes it for an older copy.
    fs::remove_file(home.vault()).unwrap();
    home.done(&["restore", "backup"]);
    home.done(&["list"]);
}

#[test]
fn what_is_missing_comes_back_and_what_is_there_stays() {
    let home = Home::with_three();
    home.done(&["backup", "backup"]);
    home.done(&["remove", "one.example", "--yes"]);
    home.done(&["rename", "two.example", "--name", "bobby"]);
    home.add(passkey("new.example", "dave", 0x44));
    let before = home.bytes();

    let text = home.done(&["restore", "backup", "--dry-run"]);
    assert_eq!(text, "one.example  alice  made 2026-11-21\n1 passkey would be added, 1 here already\n");
    assert_eq!(home.bytes(), before);
    let text = home.done(&["restore", "backup"]);
    assert_eq!(text, "one.example  alice  made 2026-11-21\n1 passkey added, 1 here already\n");
    let listed = home.done(&["list"]);
    let accounts: Vec<&str> = listed.lines().map(|line| line.split("  ").nth(1).unwrap()).collect();
    assert_eq!(accounts, ["bobby", "carol", "dave", "alice"]);
    // Nothing is missing any more, and nothing is written.
    let before = home.bytes();
    assert_eq!(home.done(&["restore", "backup"]), "0 passkeys added, 2 here already\n");
    assert_eq!(home.bytes(), before);
}

#[test]
fn a_backup_keeps_its_passphrase() {
    let home = Home::with_three();
    home.done(&["backup", "backup"]);
    home.done(&["remove", "one.example", "--yes"]);
    home.done(&["passphrase", "change", "--danger-weak-kdf", "--new-passphrase-file", "other"]);
    let restore = ["restore", "backup", "--backup-passphrase-file"];
    let said = assert_fails(&home.with_passphrase("other", &restore[..2]), 1, "vault.wrong-passphrase");
    assert!(said.contains("the backup backup: ") && said.contains("--backup-passphrase-file"), "{said}");
    let output = home.with_passphrase("other", &[&restore[..], &["right"]].concat());
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.ends_with("1 passkey added, 1 here already\n"), "{told}");
}

#[test]
fn passkeys_of_another_device_do_not_come_in_with_a_copied_vault() {
    let home = Home::with_three();
    fs::copy(home.vault(), home.at("copy")).unwrap();
    home.done(&["remove", "one.example", "--yes"]);
    home.done(&["remove", "bound.example", "--yes"]);
    let told = home.json(&["restore", "copy"]);
    assert_eq!((&told["present"], &told["left_out"]), (&json!(1), &json!(1)));
    let expected = [("two.example".to_owned(), false), ("one.example".to_owned(), true)];
    assert_eq!(backed_up(&home), expected);
}

#[test]
fn a_backup_to_which_something_happened_is_named_and_brings_nothing() {
    let home = Home::with_three();
    home.done(&["backup", "backup"]);
    let (good, vault) = (fs::read(home.at("backup")).unwrap(), home.bytes());
    home.fails(&["restore", "missing"], 2, "backup.not-found");
    for (bytes, id) in [
        (&b"something else"[..], "vault.not-a-vault"),
        (&good[..good.len() / 2], "vault.truncated"),
        (&[&good[..200], &[good[200] ^ 1], &good[201..]].concat(), "vault.damaged"),
    ] {
        fs::write(home.at("backup"), bytes).unwrap();
        let said = home.fails(&["restore", "backup"], 1, id);
        assert!(said.contains("the backup backup: "), "{said}");
        assert_eq!(home.bytes(), vault);
    }
}

#[test]
fn one_that_may_not_leave_is_the_only_one_that_stays() {
    let home = Home::with_vault();
    home.add(Passkey { backup: Backup::DEVICE_BOUND, ..passkey("bound.example", "carol", 0x33) });
    assert_eq!(home.done(&["backup", "backup"]), "backup: 0 passkeys; 1 left out, bound to this device\n");
    assert_eq!(home.done(&["list", "--vault", "backup"]), "");
}
