//! The local pipe under another judge: what the authenticator makes there,
//! a relying party that is not ours must take, and what was tampered with it
//! must refuse. The client is in `client.rs`; both ends are in this process.
//!
//! webauthn-rs-core 0.6 judges ES256. It reads everything about an EdDSA
//! passkey up to its key, which it does not take; those signatures ring judges.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a test that cannot go on fails, also in its own functions"
)]

mod client;

use cablecar_tests::relying_party::RelyingParty;
use cablecar_tests::world::{ORIGIN, base64};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::UserVerificationPolicy::{Discouraged_DO_NOT_USE as Discouraged, Required};
use webauthn_rs_core::proto::{
    AttestationFormat, COSEAlgorithm, Credential, ParsedAttestationData, UserVerificationPolicy,
};

use client::{Client, map, public_key, unbase64, with_phone};

const PIN: &str = "pin of six";
const UNSUPPORTED_ALGORITHM: u8 = 0x26;
const NO_CREDENTIALS: u8 = 0x2e;
const PUAT_REQUIRED: u8 = 0x36;

fn website() -> RelyingParty {
    RelyingParty::new("example.com", ORIGIN)
}

/// A passkey of ES256 that the website took.
async fn register(client: &mut Client, user: &str, policy: UserVerificationPolicy) -> Credential {
    let (options, state) = website().register_with(user, policy, COSEAlgorithm::ES256);
    website().registered(&client.create(&options).await.unwrap(), &state).unwrap()
}

/// The same value with something done to the bytes in one of its fields.
fn tampered(response: &Value, field: &str, tamper: impl FnOnce(&mut Vec<u8>)) -> Value {
    let mut response = response.clone();
    let field = &mut response["response"][field];
    let mut bytes = unbase64(field);
    tamper(&mut bytes);
    *field = json!(base64(&bytes));
    response
}

#[tokio::test]
async fn a_passkey_of_each_attestation_signs_in_by_its_id_and_without() {
    for (attestation, format) in [("none", AttestationFormat::None), ("packed", AttestationFormat::Packed)] {
        with_phone(async |client| {
            client.attestation = attestation;
            client.set_pin(PIN).await;
            let website = website();
            let alice = register(client, "alice", Required).await;
            assert!(alice.user_verified && alice.backup_eligible && !alice.backup_state, "{alice:?}");
            assert_eq!((alice.counter, &alice.attestation_format), (0, &format));
            let is_self = matches!(alice.attestation.data, ParsedAttestationData::Self_);
            assert_eq!(is_self, attestation == "packed", "{:?}", alice.attestation);

            let (options, state) = website.sign_in(vec![alice.clone()]);
            assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 1);
            let result = website.signed_in(&client.get(&options).await.unwrap(), &state).unwrap();
            assert!(result.user_verified() && result.cred_id() == &alice.cred_id);

            // Whoever has a passkey may come; the website learns who it is.
            let (options, mut state) = website.sign_in(vec![]);
            assert_eq!(options["allowCredentials"], json!([]));
            let signed = client.get(&options).await.unwrap();
            assert_eq!(signed["response"]["userHandle"], base64(b"alice"));
            state.set_allowed_credentials(vec![alice.clone()]);
            assert!(website.signed_in(&signed, &state).unwrap().user_verified());
        })
        .await;
    }
}

#[tokio::test]
async fn of_several_accounts_the_one_that_is_named_signs() {
    with_phone(async |client| {
        client.set_pin(PIN).await;
        let alice = register(client, "alice", Required).await;
        let bob = register(client, "bob", Required).await;
        assert_ne!(alice.cred_id, bob.cred_id);
        for one in [&alice, &bob] {
            let (options, state) = website().sign_in(vec![one.clone()]);
            let signed = client.get(&options).await.unwrap();
            assert_eq!(website().signed_in(&signed, &state).unwrap().cred_id(), &one.cred_id);
            // Under the name of the other, it is worth nothing.
            let mut other = signed.clone();
            other["rawId"] =
                json!(base64(if one.cred_id == bob.cred_id { &alice } else { &bob }.cred_id.as_ref()));
            let (_, mut state) = (options, state);
            state.set_allowed_credentials(vec![alice.clone(), bob.clone()]);
            let verdict = website().signed_in(&other, &state).unwrap_err();
            assert!(matches!(verdict, WebauthnError::AuthenticationFailure), "{verdict:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_is_not_verified_is_refused_where_a_website_demands_it_and_nowhere_else() {
    with_phone(async |client| {
        let website = website();
        let (options, state) = website.register("alice");
        let verdict = website.registered(&client.create(&options).await.unwrap(), &state).unwrap_err();
        assert!(matches!(verdict, WebauthnError::UserNotVerified), "{verdict:?}");

        let alice = register(client, "alice", Discouraged).await;
        assert!(!alice.user_verified);
        for (policy, good) in [(Discouraged, true), (Required, false)] {
            let (options, state) = website.sign_in_with(vec![alice.clone()], policy);
            match website.signed_in(&client.get(&options).await.unwrap(), &state) {
                Ok(result) => assert!(good && !result.user_verified()),
                Err(verdict) => assert!(!good && matches!(verdict, WebauthnError::UserNotVerified)),
            }
        }

        // A PIN makes the difference, and only while it is typed.
        client.set_pin(PIN).await;
        let (options, state) = website.sign_in(vec![alice.clone()]);
        assert!(website.signed_in(&client.get(&options).await.unwrap(), &state).unwrap().user_verified());
        client.pin = None;
        let unverified = client.get(&options).await.unwrap();
        let verdict = website.signed_in(&unverified, &state).unwrap_err();
        assert!(matches!(verdict, WebauthnError::UserNotVerified), "{verdict:?}");
        // The flag is under the signature.
        let lied = tampered(&unverified, "authenticatorData", |data| data[32] |= 0x04);
        let verdict = website.signed_in(&lied, &state).unwrap_err();
        assert!(matches!(verdict, WebauthnError::AuthenticationFailure), "{verdict:?}");
        // Nobody makes a passkey without the PIN any more.
        assert_eq!(client.create(&website.register("bob").0).await, Err(PUAT_REQUIRED));
    })
    .await;
}

#[tokio::test]
async fn another_origin_and_another_website_are_refused() {
    with_phone(async |client| {
        client.set_pin(PIN).await;
        let website = website();
        let alice = register(client, "alice", Required).await;

        client.origin = "https://login.example.com.attacker.net";
        let (options, state) = website.register("bob");
        let verdict = website.registered(&client.create(&options).await.unwrap(), &state).unwrap_err();
        assert!(matches!(verdict, WebauthnError::InvalidRPOrigin), "{verdict:?}");
        let (options, state) = website.sign_in(vec![alice.clone()]);
        let verdict = website.signed_in(&client.get(&options).await.unwrap(), &state).unwrap_err();
        assert!(matches!(verdict, WebauthnError::InvalidRPOrigin), "{verdict:?}");

        // A passkey of this website is for nobody else, by its id or without.
        client.origin = ORIGIN;
        let (mut options, state) = website.sign_in(vec![alice]);
        options["rpId"] = json!("example.net");
        assert_eq!(client.get(&options).await, Err(NO_CREDENTIALS));
        options["allowCredentials"] = json!([]);
        assert_eq!(client.get(&options).await, Err(NO_CREDENTIALS));
        // And one that is made for another is not this website's.
        let (mut creation, created) = website.register("bob");
        creation["rp"]["id"] = json!("example.net");
        let response = client.create(&creation).await.unwrap();
        let verdict = website.registered(&response, &created).unwrap_err();
        assert!(matches!(verdict, WebauthnError::InvalidRPIDHash), "{verdict:?}");
        let mut signed = client.get(&options).await.unwrap();
        signed["rawId"] = options_id(&state);
        let verdict = website.signed_in(&signed, &state).unwrap_err();
        assert!(matches!(verdict, WebauthnError::InvalidRPIDHash), "{verdict:?}");
    })
    .await;
}

#[tokio::test]
async fn whatever_is_tampered_with_in_a_sign_in_is_refused() {
    with_phone(async |client| {
        client.set_pin(PIN).await;
        let website = website();
        let alice = register(client, "alice", Required).await;
        let (options, state) = website.sign_in(vec![alice.clone()]);
        let signed = client.get(&options).await.unwrap();
        assert!(website.signed_in(&signed, &state).is_ok());
        for field in ["authenticatorData", "signature", "clientDataJSON"] {
            for at in 0..unbase64(&signed["response"][field]).len() {
                let verdict = website.signed_in(&tampered(&signed, field, |bytes| bytes[at] ^= 1), &state);
                assert!(verdict.is_err(), "{field}, byte {at}");
            }
        }
        // What was good once is not good for the next question.
        let (_, next) = website.sign_in(vec![alice]);
        let verdict = website.signed_in(&signed, &next).unwrap_err();
        assert!(matches!(verdict, WebauthnError::MismatchedChallenge), "{verdict:?}");
    })
    .await;
}

#[tokio::test]
async fn whatever_is_tampered_with_in_a_self_attestation_is_refused() {
    with_phone(async |client| {
        client.set_pin(PIN).await;
        client.attestation = "packed";
        let website = website();
        let (options, state) = website.register("alice");
        let made = client.create(&options).await.unwrap();
        assert!(website.registered(&made, &state).is_ok());
        for at in 0..unbase64(&made["response"]["attestationObject"]).len() {
            let lied = tampered(&made, "attestationObject", |bytes| bytes[at] ^= 1);
            assert!(website.registered(&lied, &state).is_err(), "byte {at}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_eddsa_passkey_signs_what_it_should() {
    for attestation in ["none", "packed"] {
        with_phone(async |client| {
            client.attestation = attestation;
            client.set_pin(PIN).await;
            let website = website();
            let (creation, state) = website.register_with("alice", Required, COSEAlgorithm::EDDSA);
            let made = client.create(&creation).await.unwrap();
            // It got as far as the key: client data, website, flags and format
            // were good.
            let verdict = website.registered(&made, &state).unwrap_err();
            assert!(matches!(verdict, WebauthnError::SshPublicKeyEDUnsupported), "{verdict:?}");

            let object = unbase64(&made["response"]["attestationObject"]);
            let [format, statement, data] =
                ["fmt", "attStmt", "authData"].map(|name| map(&object).get_text(name).unwrap());
            assert_eq!(format.as_text(), Some(attestation));
            let data = data.as_bytes().unwrap();
            // {1: OKP, 3: EdDSA, -1: Ed25519, -2: x}, and nothing behind it.
            let key = public_key(data);
            assert_eq!(key[..9], [0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58]);
            assert_eq!((key[9], key.len()), (32, 42));
            let key = UnparsedPublicKey::new(&ED25519, &key[10..]);
            let judge = |data: &[u8], client_data: &Value, signature: &[u8]| {
                let hash: [u8; 32] = Sha256::digest(unbase64(client_data)).into();
                key.verify(&[data, &hash].concat(), signature).is_ok()
            };
            let statement = statement.as_map().unwrap();
            if attestation == "packed" {
                assert_eq!((statement.len(), statement.get_text("alg").unwrap().as_int()), (2, Some(-8)));
                let signature = statement.get_text("sig").unwrap().as_bytes().unwrap();
                assert!(judge(data, &made["response"]["clientDataJSON"], signature));
            } else {
                assert!(statement.is_empty());
            }

            let (mut options, _) = website.sign_in(vec![]);
            for allow in [json!([]), json!([{"type": "public-key", "id": made["id"]}])] {
                options["allowCredentials"] = allow;
                let signed = client.get(&options).await.unwrap();
                assert_eq!(signed["id"], made["id"]);
                let [data, signature] =
                    ["authenticatorData", "signature"].map(|field| unbase64(&signed["response"][field]));
                let client_data = &signed["response"]["clientDataJSON"];
                assert!(judge(&data, client_data, &signature));
                // UP, UV and BE; no counter, since it can be synced.
                assert_eq!(data[..32], Sha256::digest("example.com")[..]);
                assert_eq!(data[32..], [0x0d, 0, 0, 0, 0]);
                assert!(!judge(&data, &made["response"]["clientDataJSON"], &signature));
            }
        })
        .await;
    }
}

#[tokio::test]
async fn an_algorithm_that_is_not_there_is_refused() {
    with_phone(async |client| {
        let (options, _) = website().register_with("alice", Discouraged, COSEAlgorithm::RS256);
        assert_eq!(client.create(&options).await, Err(UNSUPPORTED_ALGORITHM));
    })
    .await;
}

/// The id of the one credential that a sign-in is for.
fn options_id(state: &webauthn_rs_core::proto::AuthenticationState) -> Value {
    serde_json::to_value(state).unwrap()["credentials"][0]["cred_id"].clone()
}
