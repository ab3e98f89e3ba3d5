use super::*;
use crate::exchange::tests::{outcomes, passkeys, taken};
use crate::vault::Algorithm;

const KEY: &str = "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

fn sample() -> serde_json::Value {
    serde_json::json!({
        "version": {"major": 1, "minor": 0},
        "exporterRpId": "passwords.example",
        "exporterDisplayName": "Passwords",
        "timestamp": 1_732_181_986,
        "accounts": [{
            "id": "gqRJuSDdS_y1RBmzC1GqgA", "username": "", "email": "alice@example.com",
            "collections": [{"id": "AA", "title": "All", "items": [{"item": "BB"}]}],
            "items": [{
                "id": "BB", "creationAt": 1_700_000_000, "modifiedAt": 1_700_000_001, "title": "Example",
                "scope": {"urls": ["https://example.com"], "androidApps": []},
                "credentials": [
                    {"type": "basic-auth", "username": {"fieldType": "string", "value": "alice"}},
                    {
                        "type": "passkey", "credentialId": "AQIDBA", "rpId": "example.com",
                        "username": "alice", "userDisplayName": "Alice", "userHandle": "YWxpY2U", "key": KEY,
                        "fido2Extensions": {
                            "hmacCredentials": {
                                "algorithm": "hmac-sha256",
                                "credWithUV": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
                                "credWithoutUV": "HxAREhMUFRYXGBkaGxwdHh8AAQIDBAUGBwgJCgsMDQ4"
                            },
                            "credBlob": "c21hbGw", "largeBlob": {"uncompressedSize": 5, "data": "y0hMBQA"},
                            "payments": false
                        }
                    },
                    {"type": "future", "credentialId": 5}
                ]
            }]
        }]
    })
}

fn sample_with(field: &str, value: serde_json::Value) -> Vec<Found> {
    let mut sample = sample();
    sample["accounts"][0]["items"][0]["credentials"][1][field] = value;
    read(sample.to_string().as_bytes()).unwrap()
}

#[test]
fn an_export_in_the_shape_of_the_specification_comes_in() {
    let found = taken(read(sample().to_string().as_bytes()).unwrap());
    let [passkey] = &found[..] else { panic!("{found:?}") };
    assert_eq!((passkey.id.as_slice(), passkey.user_handle.as_slice()), (&[1, 2, 3, 4][..], &b"alice"[..]));
    assert_eq!((passkey.rp_id.as_str(), passkey.user_name.as_deref()), ("example.com", Some("alice")));
    assert_eq!(passkey.display_name.as_deref(), Some("Alice"));
    assert_eq!(
        (passkey.created_at, passkey.discoverable, passkey.eligible),
        (Some(1_700_000_000), true, true)
    );
    assert_eq!(passkey.key.algorithm(), Algorithm::EdDsa);
    let prf = passkey.prf.as_ref().unwrap();
    assert_eq!((prf.verified[31], prf.unverified.as_ref().unwrap()[0]), (31, 31));
    assert_eq!(passkey.blob.as_deref(), Some(&b"small"[..]));
    assert_eq!(passkey.large_blob.as_ref().unwrap().uncompressed, 5);
}

#[test]
fn what_drafts_wrote_is_read() {
    let found = sample_with(
        "fido2Extensions",
        serde_json::json!({
            "hmacSecret": {"algorithm": "HS256", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}
        }),
    );
    let prf = taken(found).remove(0).prf.unwrap();
    assert!(prf.verified[31] == 31 && prf.unverified.is_none());
    let found = sample_with("fido2Extensions", serde_json::Value::Null);
    assert!(taken(found).remove(0).prf.is_none());
    let mut sample = sample();
    sample["accounts"][0]["items"][0]["credentials"][1].as_object_mut().unwrap().remove("username");
    sample["accounts"][0]["items"][0]["credentials"][1]["userName"] = "bob".into();
    let found = taken(read(sample.to_string().as_bytes()).unwrap());
    assert_eq!(found[0].user_name.as_deref(), Some("bob"));
}

#[test]
fn what_cannot_come_in_is_named() {
    for (field, value, reason) in [
        ("credentialId", "".into(), "bad-id"),
        ("credentialId", "*".into(), "bad-id"),
        ("rpId", serde_json::Value::Null, "no-rp"),
        ("userHandle", "".into(), "no-user-handle"),
        ("key", "".into(), "bad-key"),
        ("key", "AAAA".into(), "bad-key"),
        ("username", serde_json::json!(["x"]), "malformed"),
        ("fido2Extensions", serde_json::json!(5), "malformed"),
        ("fido2Extensions", serde_json::json!({"credBlob": "*"}), "malformed"),
        ("fido2Extensions", serde_json::json!({"credBlob": "A".repeat(100)}), "too-big"),
        (
            "fido2Extensions",
            serde_json::json!({"hmacCredentials": {"credWithUV": "AA", "credWithoutUV": "AA"}}),
            "malformed",
        ),
        (
            "fido2Extensions",
            serde_json::json!({"hmacCredentials": {"algorithm": "md5", "credWithUV": "AA", "credWithoutUV": "AA"}}),
            "malformed",
        ),
        ("fido2Extensions", serde_json::json!({"largeBlob": {"data": "AA"}}), "malformed"),
    ] {
        assert_eq!(outcomes(&sample_with(field, value.clone())), [reason], "{field} {value}");
    }
}

#[test]
fn what_is_not_of_the_format_is_refused() {
    for file in [
        r#"{"accounts":5}"#,
        r#"{"accounts":[5]}"#,
        r#"{"accounts":[{"items":{}}]}"#,
        r#"{"version":{"major":2,"minor":0},"accounts":[]}"#,
        r#"{}"#,
        r#"[]"#,
    ] {
        assert!(matches!(read(file.as_bytes()), Err(Error::Shape(_))), "{file}");
    }
    assert_eq!(read(br#"{"accounts":[{"items":[]"#).unwrap_err(), Error::Truncated);
    assert_eq!(read(br#"{"accounts":[]}"#).unwrap().len(), 0);
}

#[test]
fn what_goes_out_comes_in_again() {
    let mut written = passkeys();
    written[0].prf = Prf::new(&[1; 32], Some(&[2; 32]));
    written[0].blob = Some(b"blob".to_vec());
    written[1].large_blob = Some(LargeBlob { uncompressed: 5, data: Zeroizing::new(vec![1, 2, 3]) });
    let file = write(&written, 1_800_000_000).unwrap();
    let back = taken(read(&file).unwrap());
    assert_eq!(back.len(), 3);
    for (back, written) in back.iter().zip(&written) {
        assert!(back.is_same(written));
        assert_eq!((&back.user_name, back.created_at), (&written.user_name, written.created_at));
        assert_eq!((&back.blob, back.prf.is_some()), (&written.blob, written.prf.is_some()));
    }
    let prf = back[0].prf.as_ref().unwrap();
    assert_eq!((prf.verified[0], prf.unverified.as_ref().unwrap()[0]), (1, 2));
    assert_eq!(back[1].large_blob.as_ref().unwrap().data.as_slice(), [1, 2, 3]);
    let text = std::str::from_utf8(&file).unwrap();
    assert!(text.contains("\"major\": 1") && text.contains("\"type\": \"passkey\""), "{text}");
    assert!(!text.contains("payments") && text.matches("fido2Extensions").count() == 2, "{text}");
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(at in 0_usize..2000, byte: u8, cut in 0_usize..2000) {
        let mut file = sample().to_string().into_bytes();
        let at = at % file.len();
        file[at] = byte;
        let _ = read(&file);
        let _ = read(&file[..cut.min(file.len())]);
    }
}
