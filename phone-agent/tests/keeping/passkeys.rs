//! `show`, `rename`, `remove` and `policy`.

use cablecar_phone::vault::{Algorithm, LargeBlobKey, Passkey, Policy, PrivateKey, Protection};
use rand_core::OsRng;
use serde_json::json;

use crate::home::{Home, code, err, passkey};

/// Two of one website, whose ids begin alike (`EREREf` and `EREREc`), and one
/// of another.
fn three() -> Home {
    let home = Home::with_vault();
    for (rp, name, last) in [("one.example", "alice", 0xf0), ("one.example", "bob", 0xc0)] {
        let id = [[0x11; 4].as_slice(), &[last; 28]].concat();
        let id = cablecar_phone::vault::CredentialId::new(id);
        home.add(Passkey { id, ..passkey(rp, name, 0) });
    }
    home.add(Passkey {
        key: PrivateKey::random(Algorithm::EdDsa, &mut OsRng).unwrap(),
        protection: Protection::Required,
        blob: Some(vec![1, 2, 3]),
        large_blob_key: Some(LargeBlobKey::random(&mut OsRng).unwrap()),
        ..passkey("two.example", "carol", 0x22)
    });
    home
}

fn accounts(home: &Home) -> Vec<String> {
    let name = |passkey: &Passkey| passkey.user.name.clone().unwrap_or_default();
    home.open().passkeys().map(name).collect()
}

#[test]
fn a_passkey_is_shown_whole_and_its_secrets_are_not() {
    let home = three();
    let shown = home.json(&["show", "two.example"]);
    let id = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI";
    let expected = json!([{
        "credential_id": id, "rp_id": "two.example", "rp_name": null, "user_id": "Y2Fyb2w",
        "user_name": "carol", "user_display_name": null, "created_at": 1_795_219_200,
        "discoverable": true, "backup_eligible": true, "backed_up": false,
        "algorithm": "EdDSA", "protection": 3, "signature_counter": 0,
        "credential_blob_bytes": 3, "has_large_blob_key": true,
    }]);
    assert_eq!(shown, expected);
    let text = home.done(&["show", "IiI"]);
    for part in
        ["website               two.example\n", "account               carol\n", id, "EdDSA", "3 bytes"]
    {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert_eq!(home.json(&["show", "one.example"]).as_array().unwrap().len(), 2);
    assert_eq!(home.done(&["show", "one.example"]).matches("website").count(), 2);
}

#[test]
fn what_names_none_or_several_is_refused_with_a_list() {
    let home = three();
    let before = home.bytes();
    for command in [&["rename", "--name", "x"][..], &["remove", "--yes"]] {
        let with = |which: &'static str| [&command[..1], &[which], &command[1..]].concat();
        home.fails(&with("three.example"), 5, "passkey.unknown");
        home.fails(&with(""), 5, "passkey.unknown");
        for several in ["one.example", "ERERE"] {
            let said = home.fails(&with(several), 2, "passkey.ambiguous");
            assert!(said.contains("alice  ERERE") && said.contains("bob  ERERE"), "{said}");
            assert!(!said.contains("carol"), "{said}");
        }
    }
    home.fails(&["show", "three.example"], 5, "passkey.unknown");
    home.fails(&["show", "ERERE"], 2, "passkey.ambiguous");
    assert_eq!(home.bytes(), before);
}

#[test]
fn a_name_changes_and_nothing_else() {
    let home = three();
    let before = home.json(&["show", "two.example"]);
    home.done(&["rename", "two.example", "--display-name", "Carol C."]);
    let mut expected = before.clone();
    expected[0]["user_display_name"] = json!("Carol C.");
    assert_eq!(home.json(&["show", "two.example"]), expected);
    let output = home.run(&["rename", "IiI", "--name", "caroline", "--display-name", ""]);
    assert_eq!(code(&output), 0);
    assert!(
        err(&output)
            .ends_with("it is now: two.example  caroline  IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI\n")
    );
    expected[0]["user_display_name"] = json!(null);
    expected[0]["user_name"] = json!("caroline");
    assert_eq!(home.json(&["show", "two.example"]), expected);
    assert_eq!(accounts(&home), ["alice", "bob", "caroline"]);
    home.fails(&["rename", "two.example"], 2, "usage.arguments");
    home.fails(&["rename", "two.example", "--name", &"x".repeat(257)], 2, "usage.arguments");
}

#[test]
fn without_a_terminal_nothing_is_removed_unless_told_so() {
    let home = three();
    let before = home.bytes();
    let said = home.fails(&["remove", "two.example"], 1, "consent.cannot-ask");
    assert!(said.contains("--yes"), "{said}");
    assert_eq!(home.bytes(), before);
    let output = home.run(&["remove", "two.example", "--yes"]);
    assert!(
        err(&output).ends_with("removed: two.example  carol  IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI\n")
    );
    assert_eq!(accounts(&home), ["alice", "bob"]);
    let whole = home.json(&["show", "one.example"])[1]["credential_id"].as_str().unwrap().to_owned();
    home.done(&["remove", &whole, "--yes"]);
    assert_eq!(accounts(&home), ["alice"]);
    home.done(&["remove", "E", "--yes"]);
    assert_eq!(accounts(&home), Vec::<String>::new());
}

#[test]
fn the_policy_is_printed_and_set_and_changes_no_passkey() {
    let home = three();
    assert_eq!(home.json(&["policy"]), json!({"policy": "synced"}));
    assert_eq!(home.json(&["policy", "device-bound"]), json!({"policy": "device-bound"}));
    assert_eq!(home.open().state().policy, Policy::DeviceBound);
    let text = home.done(&["policy"]);
    assert!(text.starts_with("device-bound: new passkeys never leave this vault"), "{text}");
    assert_eq!(home.json(&["show", "two.example"])[0]["backup_eligible"], true);
    home.done(&["policy", "synced"]);
    assert_eq!(home.open().state().policy, Policy::Synced);
    home.fails(&["policy", "whatever"], 2, "usage.arguments");
}
