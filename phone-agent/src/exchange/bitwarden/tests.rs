use super::*;
use crate::exchange::tests::{CHEAP, outcomes, passkeys, passphrase, rng, taken};
use crate::exchange::{Format, Note};

/// In the shape of Bitwarden's website: PKCS#8 of OpenSSL, a UUID as the id.
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyChRANCAARRXD1uueOWuQTT_sp_VP3NDMHpl783XcpRWtCmw7QDX0U2vjpQ8xj7-aVHWQKiIVAr7w1X4IxTsswKVvF9n5NU";

fn sample() -> serde_json::Value {
    serde_json::json!({
        "encrypted": false,
        "folders": [{"id": "942e2984-1b9a-453b-b039-b107012713b9", "name": "Important"}],
        "items": [
            {"type": 2, "name": "A note", "notes": "secret", "secureNote": {"type": 0}, "login": null},
            {
                "passwordHistory": null,
                "revisionDate": "2024-01-30T14:09:33.753Z",
                "creationDate": "2024-01-30T11:23:54.416Z",
                "deletedDate": null,
                "id": "25c8c414-b446-48e9-a1bd-b10700bbd740",
                "organizationId": null, "folderId": null, "type": 1, "reprompt": 0,
                "name": "Example", "notes": null, "favorite": true,
                "login": {
                    "fido2Credentials": [{
                        "credentialId": "a2e10494-af23-400c-8146-26234e1830ed",
                        "keyType": "public-key", "keyAlgorithm": "ECDSA", "keyCurve": "P-256",
                        "keyValue": KEY,
                        "rpId": "example.com", "userHandle": "YWxpY2U", "userName": "alice",
                        "counter": "0", "rpName": "Example", "userDisplayName": "Alice",
                        "discoverable": "true", "creationDate": "2024-01-30T14:09:33.753Z"
                    }],
                    "uris": [{"match": null, "uri": "https://example.com"}],
                    "username": "alice", "password": "hunter2", "totp": null
                },
                "collectionIds": null
            },
            {"type": 1, "name": "No passkey", "login": {"username": "bob", "fido2Credentials": []}},
        ]
    })
}

fn sample_with(field: &str, value: serde_json::Value) -> Vec<Found> {
    let mut sample = sample();
    sample["items"][1]["login"]["fido2Credentials"][0][field] = value;
    read(sample.to_string().as_bytes(), None).unwrap()
}

#[test]
fn an_export_of_the_website_comes_in() {
    let found = read(sample().to_string().as_bytes(), None).unwrap();
    let [found] = &found[..] else { panic!("{found:?}") };
    assert_eq!(found.title.item.as_deref(), Some("Example"));
    let passkey = found.passkey.as_ref().unwrap();
    // keepassxc#10775
    assert_eq!(base64::url(&passkey.id).as_str(), "ouEElK8jQAyBRiYjThgw7Q");
    assert_eq!((passkey.rp_id.as_str(), passkey.user_handle.as_slice()), ("example.com", &b"alice"[..]));
    assert_eq!(passkey.user_name.as_deref(), Some("alice"));
    assert_eq!(passkey.display_name.as_deref(), Some("Alice"));
    assert_eq!((passkey.created_at, passkey.counter, passkey.discoverable), (Some(1_706_623_773), 0, true));
    assert_eq!(passkey.key.expose()[..4], [1, 2, 3, 4]);
    assert!(passkey.eligible && passkey.prf.is_none());
}

#[test]
fn what_programs_write_differently_is_read() {
    let one = |field, value| taken(sample_with(field, value)).remove(0);
    assert_eq!(one("credentialId", "b64.AAEC-_8".into()).id, [0, 1, 2, 0xfb, 0xff]);
    assert_eq!(one("credentialId", "A2E10494-AF23-400C-8146-26234E1830ED".into()).id[..2], [0xa2, 0xe1]);
    assert_eq!(one("counter", 7.into()).counter, 7);
    assert_eq!(one("counter", "7".into()).counter, 7);
    assert_eq!(one("counter", serde_json::Value::Null).counter, 0);
    assert!(!one("discoverable", "false".into()).discoverable);
    assert!(one("discoverable", true.into()).discoverable);
    assert!(!one("discoverable", serde_json::Value::Null).discoverable);
    assert_eq!(one("userName", serde_json::Value::Null).user_name, None);
    assert_eq!(one("rpName", "".into()).rp_name, None);
    assert_eq!(one("creationDate", serde_json::Value::Null).created_at, None);
    assert_eq!(one("keyValue", KEY.replace('-', "+").replace('_', "/").into()).user_handle, b"alice");
}

#[test]
fn what_cannot_come_in_is_named() {
    let null = serde_json::Value::Null;
    for (field, value, reason) in [
        ("credentialId", null.clone(), "bad-id"),
        ("credentialId", "a2e10494".into(), "bad-id"),
        ("credentialId", "b64.?".into(), "bad-id"),
        ("credentialId", "a2e10494-af23-400c-8146-26234e1830eg".into(), "bad-id"),
        ("credentialId", "b64.".into(), "bad-id"),
        ("credentialId", 5.into(), "bad-id"),
        ("rpId", null.clone(), "no-rp"),
        ("rpId", "".into(), "no-rp"),
        ("rpId", false.into(), "malformed"),
        ("userHandle", null.clone(), "no-user-handle"),
        ("userHandle", "!".into(), "malformed"),
        ("userHandle", "A".repeat(120).into(), "too-big"),
        ("keyValue", null, "bad-key"),
        ("keyValue", "AAAA".into(), "bad-key"),
        ("keyAlgorithm", "RSASSA-PKCS1-v1_5".into(), "algorithm"),
        ("keyCurve", "P-384".into(), "algorithm"),
        ("counter", "many".into(), "malformed"),
        ("counter", (-1).into(), "malformed"),
        ("discoverable", "perhaps".into(), "malformed"),
        ("userName", serde_json::json!({"a": 1}), "malformed"),
    ] {
        assert_eq!(outcomes(&sample_with(field, value.clone())), [reason], "{field} {value}");
    }
    let named = sample_with("keyAlgorithm", "RSASSA-PKCS1-v1_5".into());
    assert_eq!(named[0].passkey.as_ref().unwrap_err(), &Reason::Algorithm("RS256".into()));
    let mut deleted = sample();
    deleted["items"][1]["deletedDate"] = "2024-02-01T00:00:00.000Z".into();
    assert_eq!(outcomes(&read(deleted.to_string().as_bytes(), None).unwrap()), ["recycled"]);
    let mut odd = sample();
    odd["items"][0] = 5.into();
    odd["items"][2]["login"]["fido2Credentials"] = serde_json::json!([5]);
    assert_eq!(outcomes(&read(odd.to_string().as_bytes(), None).unwrap()), ["malformed", "in", "malformed"]);
}

#[test]
fn what_is_written_twice_in_an_object_is_refused() {
    let text = sample().to_string().replace("\"rpId\":", "\"rpId\":\"evil.example\",\"rpId\":");
    assert_eq!(outcomes(&read(text.as_bytes(), None).unwrap()), ["malformed"]);
    let text = sample().to_string().replace("\"encrypted\":false", "\"encrypted\":false,\"items\":[]");
    assert!(matches!(read(text.as_bytes(), None), Err(Error::Shape(_))));
}

#[test]
fn an_export_for_one_account_is_refused() {
    let file = br#"{"encrypted":true,"encKeyValidation_DO_NOT_EDIT":"2.a|b|c","folders":[],"items":[]}"#;
    assert_eq!(read(file, None).unwrap_err(), Error::AccountEncrypted);
    assert_eq!(Format::Bitwarden.needs_passphrase(file), Err(Error::AccountEncrypted));
}

#[test]
fn what_goes_out_comes_in_again() {
    let written: Vec<Foreign> = passkeys().into_iter().filter(Foreign::is_es256).collect();
    let file = write(&written, 1_800_000_000).unwrap();
    let back = taken(read(&file, None).unwrap());
    assert_eq!(back.len(), written.len());
    for (back, written) in back.iter().zip(&written) {
        assert!(back.is_same(written));
        assert_eq!((&back.rp_name, &back.user_name), (&written.rp_name, &written.user_name));
        assert_eq!((back.created_at, back.discoverable), (written.created_at, true));
    }
    let text = std::str::from_utf8(&file).unwrap();
    assert!(text.contains("\"credentialId\": \"07070707-0707-0707-0707-070707070707\""), "{text}");
    assert!(text.contains("\"credentialId\": \"b64.eA\""), "{text}");
    assert_eq!(can_say(&passkeys()[1]), Err(Reason::Unspeakable("EdDSA")));
    assert_eq!(Note::PrfLeft.id(), "prf-left");
}

/// Made by a program of other people's cryptography, as Bitwarden does it.
const OF_OTHERS: [&str; 2] = [
    r#"{"encrypted": true, "passwordProtected": true, "salt": "AAECAwQFBgcICQoLDA0ODw==", "kdfType": 0, "kdfIterations": 5000, "kdfMemory": null, "kdfParallelism": null, "encKeyValidation_DO_NOT_EDIT": "2.AAAAAAAAAAAAAAAAAAAAAA==|5fRGoDQdkzgc7yR8De5smXsft+cR23lB2k34P1s0nVc1xQaJblz8TUCSpYJ4xxiE|YVqGnE5RAiJVoJ+REux612EkF1XHtY/atufXOg5hQHM=", "data": "2.AAECAwQFBgcICQoLDA0ODw==|GV+LXFbhDsewo5Pa3rNTBqV3k972InFqlf7nKR70Ulh8acqNghpkIJ6TXCuKf6OJ|5XUiIisAkNeTfFqC8c3RUcAyiIIz1E3lwvv2sAv4Cuc="}"#,
    r#"{"encrypted": true, "passwordProtected": true, "salt": "AAECAwQFBgcICQoLDA0ODw==", "kdfType": 1, "kdfIterations": 2, "kdfMemory": 16, "kdfParallelism": 2, "encKeyValidation_DO_NOT_EDIT": "2.AAAAAAAAAAAAAAAAAAAAAA==|SZu7M8fXn8Yr/tAVQ3T2aToCamUiIH8VVUI46luMrcVnafddbKrpQ7gabc8tfM4C|M7GJeCzW5A+sGqNCp1FYjofqWRfPaHDplfx/EzzGCEc=", "data": "2.AAECAwQFBgcICQoLDA0ODw==|WFJZzZL1IEGk85pScckAbPhSADCneLQn5ku1MBr6ZSjh4Nxx8VUZDmMRLSTduQoC|LYhd4GTmgdjc+BY6fUJfWg1iVuKk3VmOM8pRaZWZaHQ="}"#,
];

#[test]
fn what_others_sealed_opens() {
    for file in OF_OTHERS {
        let plain = sealed::open(file.as_bytes(), &passphrase("correct horse")).unwrap();
        assert_eq!(plain.as_slice(), br#"{"encrypted":false,"folders":[],"items":[]}"#);
        assert_eq!(read(file.as_bytes(), Some(&passphrase("wrong"))).unwrap_err(), Error::WrongPassphrase);
        assert_eq!(read(file.as_bytes(), None).unwrap_err(), Error::NoPassphrase);
    }
}

#[test]
fn what_was_sealed_and_then_changed_is_named() {
    let with = |from: &str, to: &str| {
        assert!(OF_OTHERS[1].contains(from), "{from}");
        read(OF_OTHERS[1].replace(from, to).as_bytes(), Some(&passphrase("correct horse"))).unwrap_err()
    };
    assert_eq!(with("LYhd", "LYhe"), Error::Damaged("what is encrypted in it"));
    assert_eq!(with("WFJZ", "WFJa"), Error::Damaged("what is encrypted in it"));
    assert_eq!(with("\"data\": \"2.", "\"data\": \"7."), Error::Encryption("scheme \"7\"".into()));
    assert_eq!(with("\"kdfType\": 1", "\"kdfType\": 2"), Error::Encryption("its kdfType is 2".into()));
    assert_eq!(with("\"kdfMemory\": 16", "\"kdfMemory\": 4096"), Error::KdfTooDear);
    assert_eq!(with("\"kdfMemory\": 16", "\"kdfMemory\": 18446744073709551615"), Error::KdfTooDear);
    assert_eq!(with("\"kdfIterations\": 2", "\"kdfIterations\": 1099511627776"), Error::KdfTooDear);
    assert_eq!(with("\"kdfParallelism\": 2", "\"kdfParallelism\": 4294967296"), Error::KdfTooDear);
    assert_eq!(with("\"kdfIterations\": 2", "\"kdfIterations\": 0"), Error::Damaged("its key derivation"));
    assert_eq!(
        with("\"kdfIterations\": 2", "\"kdfIterations\": null"),
        Error::Shape("its kdfIterations".into())
    );
    assert_eq!(with("|SZu7", "SZu7"), Error::Shape("what is encrypted in it".into()));
}

#[test]
fn what_is_sealed_here_opens_here_with_the_passphrase_alone() {
    let written: Vec<Foreign> = passkeys().into_iter().filter(Foreign::is_es256).collect();
    let file = write_sealed(&written, 0, &passphrase("pass"), CHEAP, &mut rng()).unwrap();
    assert!(is_sealed(&file).unwrap());
    let back = taken(read(&file, Some(&passphrase("pass"))).unwrap());
    assert!(back.iter().zip(&written).all(|(back, written)| back.is_same(written)));
    assert_eq!(read(&file, Some(&passphrase("Pass"))).unwrap_err(), Error::WrongPassphrase);
    let again = write_sealed(&written, 0, &passphrase("pass"), CHEAP, &mut rand_core::OsRng).unwrap();
    assert_ne!(file, again);
}

#[test]
fn too_many_passkeys_are_refused() {
    let list = vec!["null"; defaults::MAX_EXCHANGE_PASSKEYS + 1].join(",");
    let file = format!(r#"{{"items":[{{"login":{{"fido2Credentials":[{list}]}}}}]}}"#);
    assert_eq!(read(file.as_bytes(), None).unwrap_err(), Error::TooMany("20,000 passkeys"));
    let list = vec!["1"; defaults::MAX_EXCHANGE_ITEMS + 1].join(",");
    let file = format!(r#"{{"items":[{list}]}}"#);
    assert_eq!(read(file.as_bytes(), None).unwrap_err(), Error::TooMany("200,000 items"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(at in 0_usize..2000, byte: u8, cut in 0_usize..2000) {
        let mut file = sample().to_string().into_bytes();
        let at = at % file.len();
        file[at] = byte;
        let _ = read(&file, None);
        let _ = read(&file[..cut.min(file.len())], None);
        let mut file = OF_OTHERS[0].replace("5000", "1").into_bytes();
        let at = at % file.len();
        file[at] = byte;
        let _ = read(&file, Some(&passphrase("correct horse")));
    }
}
