//! What pages ask for, and what they get.

use base64ct::{Base64UrlUnpadded, Encoding};
use cablecar_protocol::channel::AuthenticatorEvent;
use cablecar_protocol::ctap::Status;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::phone::{CREDENTIAL, Phone};
use super::{Browser, CHROMIUM, FIREFOX, program};

fn started(arguments: &[&str], phone: &Phone) -> (TempDir, Browser) {
    let home = tempfile::tempdir().unwrap();
    let browser = Browser::starts(program(), arguments, home.path(), &phone.env());
    (home, browser)
}

fn create(id: i64) -> Value {
    json!({
        "id": id, "ask": "create", "origin": "https://login.example.com", "profile": "own",
        "options": {
            "rp": {"id": "example.com", "name": "Example"},
            "user": {"id": "AQID", "name": "alice", "displayName": "Alice"},
            "challenge": "Y2hhbGxlbmdl",
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
            "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
            "extensions": {"credProps": true, "prf": {}, "remoteDesktopClientOverride": {
                "origin": "https://evil.example", "sameOriginWithAncestors": false,
            }},
        },
    })
}

fn get(id: i64) -> Value {
    json!({
        "id": id, "ask": "get", "origin": "https://login.example.com", "profile": "borrowed",
        "options": {"challenge": "YW5vdGhlcg", "rpId": "example.com", "userVerification": "required"},
    })
}

fn bytes(value: &Value) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(value.as_str().unwrap()).unwrap()
}

fn client_data(response: &Value) -> String {
    String::from_utf8(bytes(&response["response"]["clientDataJSON"])).unwrap()
}

#[test]
fn a_page_registers_and_a_frame_signs_in() {
    let phone = Phone::new();
    for arguments in [&CHROMIUM[..], &FIREFOX] {
        let (home, mut browser) = started(arguments, &phone);
        browser.say(&create(1));
        let mut met = phone.scan(&browser.code());
        let request = met.request();
        met.say(&phone.answer(&request));
        let response = browser.hear_of("response")["response"].clone();
        assert_eq!(
            client_data(&response),
            r#"{"type":"webauthn.create","challenge":"Y2hhbGxlbmdl","origin":"https://login.example.com","crossOrigin":false}"#
        );
        // What a `PublicKeyCredential` is made of, all of it.
        assert_eq!(bytes(&response["id"]), CREDENTIAL);
        assert_eq!(response["rawId"], response["id"]);
        assert_eq!(response["type"], "public-key");
        assert_eq!(response["authenticatorAttachment"], "cross-platform");
        let extensions = json!({"credProps": {"rk": true}, "prf": {"enabled": false}});
        assert_eq!(response["clientExtensionResults"], extensions);
        let inner = &response["response"];
        assert_eq!(inner["transports"], json!(["hybrid", "internal"]));
        assert_eq!(inner["publicKeyAlgorithm"], -7);
        let object = bytes(&inner["attestationObject"]);
        let data = bytes(&inner["authenticatorData"]);
        assert!(object.windows(data.len()).any(|part| part == data));
        let key = VerifyingKey::from_public_key_der(&bytes(&inner["publicKey"])).unwrap();
        assert_eq!(&key, phone.key.verifying_key());

        // The same process, another request: another code, another session.
        let mut framed = get(2);
        framed["topOrigin"] = json!("https://shop.example");
        browser.say(&framed);
        let mut met = phone.scan(&browser.code());
        let request = met.request();
        met.say(&phone.answer(&request));
        let heard = browser.hear_of("response");
        assert_eq!(heard["id"], 2);
        let response = &heard["response"];
        assert_eq!(
            client_data(response),
            r#"{"type":"webauthn.get","challenge":"YW5vdGhlcg","origin":"https://login.example.com","crossOrigin":true,"topOrigin":"https://shop.example"}"#
        );
        let inner = &response["response"];
        let hash = Sha256::digest(bytes(&inner["clientDataJSON"]));
        let signed = [&bytes(&inner["authenticatorData"])[..], &hash].concat();
        let signature = Signature::from_der(&bytes(&inner["signature"])).unwrap();
        key.verify(&signed, &signature).unwrap();
        assert_eq!(inner["userHandle"], "AQID");
        assert_eq!(response["clientExtensionResults"], json!({}));

        assert_eq!(browser.close(), (0, String::new()));
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "nothing is left behind");
    }
}

#[test]
fn the_stages_are_told_in_their_order() {
    let phone = Phone::new();
    let (_home, mut browser) = started(&CHROMIUM, &phone);
    browser.say(&get(1));
    let code = browser.code();
    let telling = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut met = phone.scan(&code);
            met.request();
            met.say(&[Status::OPERATION_DENIED.byte()]);
        });
        let mut told = Vec::new();
        loop {
            let heard = browser.hear();
            if let Some(error) = heard.get("error") {
                assert_eq!(
                    (&error["name"], &error["id"]),
                    (&json!("NotAllowedError"), &json!("phone.declined"))
                );
                return told;
            }
            assert!(heard["sentence"].is_string() && heard["ifStuck"].is_string(), "{heard}");
            told.push(heard["stage"].as_str().unwrap().to_owned());
        }
    });
    let stages = ["waiting-for-phone", "phone-nearby", "connecting", "connected", "verifying-on-phone"];
    assert_eq!(telling, stages);
}

#[test]
fn a_passkey_of_the_exclude_list_is_told_by_name() {
    let phone = Phone::new();
    let (_home, mut browser) = started(&CHROMIUM, &phone);
    browser.say(&create(1));
    let mut met = phone.scan(&browser.code());
    met.request();
    met.say(&[Status::CREDENTIAL_EXCLUDED.byte()]);
    let error = browser.hear_of("error");
    assert_eq!(error["error"]["name"], "InvalidStateError");
}

#[test]
fn what_a_page_takes_back_is_taken_off_the_phone() {
    let phone = Phone::new();
    let (_home, mut browser) = started(&CHROMIUM, &phone);
    browser.say(&get(1));
    let mut met = phone.scan(&browser.code());
    met.request();
    browser.say(&json!({"id": 1, "ask": "cancel"}));
    assert_eq!(met.asked(), AuthenticatorEvent::Shutdown);
    let error = browser.hear_of("error");
    assert_eq!((&error["id"], &error["error"]["name"]), (&json!(1), &json!("AbortError")));
    // It goes on with the next request.
    browser.say(&get(2));
    let mut met = phone.scan(&browser.code());
    met.request();
    // The browser goes away, with the question still on the phone.
    let ended = browser.close();
    assert_eq!(met.asked(), AuthenticatorEvent::Shutdown);
    assert_eq!(ended, (0, String::new()));
}

#[test]
fn the_status_is_told_without_a_request() {
    let home = tempfile::tempdir().unwrap();
    let mut browser = Browser::starts(program(), &CHROMIUM, home.path(), &[]);
    browser.say(&json!({"id": 3, "ask": "status"}));
    let status = &browser.hear()["status"];
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["findings"][0]["id"], "radio.no-service");
    assert!(status["findings"][0]["remedy"].is_string());
    browser.say(&get(4));
    let error = &browser.hear_of("error")["error"];
    assert_eq!((&error["name"], &error["id"]), (&json!("NotAllowedError"), &json!("radio.no-service")));
}

#[test]
fn a_setting_that_cannot_be_used_is_told_to_the_extension() {
    let home = tempfile::tempdir().unwrap();
    let env = [("CABLECAR_CA_FILE", "missing.pem".to_owned())];
    let mut browser = Browser::starts(program(), &CHROMIUM, home.path(), &env);
    for id in 1..3 {
        browser.say(&get(id));
        let error = browser.hear_of("error");
        assert_eq!((&error["id"], &error["error"]["id"]), (&json!(id), &json!("usage.arguments")));
    }
}

#[test]
fn only_our_extension_is_served() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [
        &["chrome-extension://abcdefghijklmnopabcdefghijklmnop/"][..],
        &[FIREFOX[0], "somebody@example.com"],
        &["browser-host", "chrome-extension://abcdefghijklmnopabcdefghijklmnop/"],
    ] {
        let mut browser = Browser::starts(program(), arguments, home.path(), &[]);
        let (exit, said) = browser.ended();
        assert!(exit == 2 && said.contains("(browser.caller)"), "{exit} {said}");
    }
}

#[test]
fn what_is_no_frame_ends_it_with_a_reason() {
    let phone = Phone::new();
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &u32::MAX.to_ne_bytes(), &[5, 0, 0, 0, b'{'], &[1, 0]] {
        let (_home, mut browser) = started(&CHROMIUM, &phone);
        browser.say_bytes(garbage);
        let (exit, said) = browser.close();
        assert!(exit == 2 && said.contains("(browser.message)"), "{garbage:?}: {exit} {said}");
    }
    // A frame of nonsense is answered, and the next one is served.
    let (_home, mut browser) = started(&CHROMIUM, &phone);
    browser.say_bytes(&[2, 0, 0, 0, 0xff, 0xfe]);
    assert_eq!(browser.hear_of("error")["error"]["id"], "browser.message");
    browser.say(&get(1));
    browser.code();
}
