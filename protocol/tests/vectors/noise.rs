use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use cablecar_protocol::Error;
use cablecar_protocol::danger::{Door, Initiator, SessionKeys, initiate, respond};
use cablecar_protocol::secrets::{IdentityKey, Psk};
use hkdf::Hkdf;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::case::{Case, File, hex, judge, prepared, unhex};

#[test]
fn noise_kn() {
    file("noise_kn");
}

#[test]
fn noise_nk() {
    file("noise_nk");
}

fn file(name: &str) {
    let file = File::open(name, &["cases", "error_base", "errors"]);
    file.each("cases", handshake);
    let base = file.entry("error_base");
    file.run(&base, || handshake(&base));
    file.each("errors", |case| bad_message(&base, case));
    file.finish();
}

/// One whole handshake, both sides, to the last byte.
pub(crate) fn handshake(case: &Case) {
    let (initiator, message1) = client(case);
    assert_eq!(hex(&message1), case.text("message1"));
    let (phone, message2) = authenticator(case, &message1).unwrap();
    assert_eq!(hex(&message2), case.text("message2"));
    let client = initiator.finish(&message2).unwrap();
    for keys in [&client, &phone] {
        assert_eq!(keys.client_to_authenticator.expose(), &case.array("client_to_phone_key"));
        assert_eq!(keys.authenticator_to_client.expose(), &case.array("phone_to_client_key"));
        assert_eq!(keys.handshake_hash, case.array("handshake_hash"));
    }

    // What the vector says about its own keys, by another way than ours.
    for side in ["client_static", "phone_static", "client_ephemeral", "phone_ephemeral"] {
        if case.has(&format!("{side}_private")) {
            let pair = case.key_pair(&format!("{side}_private"));
            assert_eq!(*pair.public(), case.public_key(&format!("{side}_public")));
        }
    }
    for shared in case.field("dh").items() {
        let [own, other] = match shared.path.rsplit('[').next().unwrap() {
            "ee]" => ["client_ephemeral_private", "phone_ephemeral_public"],
            "se]" => ["client_static_private", "phone_ephemeral_public"],
            "es]" => ["client_ephemeral_private", "phone_static_public"],
            other => panic!("unknown product {other}"),
        };
        let own = p256::SecretKey::from_slice(&case.hex(own)).unwrap();
        let other = p256::PublicKey::from_sec1_bytes(&case.hex(other)).unwrap();
        let product = p256::ecdh::diffie_hellman(own.to_nonzero_scalar(), other.as_affine());
        assert_eq!(hex(product.raw_secret_bytes()), shared.value.as_str().unwrap());
    }
    let [first, second]: [[u8; 32]; 2] = mixed(&case.array("final_chaining_key"), &[]);
    assert_eq!(hex(&first), case.text("client_to_phone_key"));
    assert_eq!(hex(&second), case.text("phone_to_client_key"));
    if case.has("initiator_trace") {
        trace(case);
    }
}

/// Whether a case names the handshake of the QR code or that of a link.
fn is_qr(case: &Case) -> bool {
    match (case.text("pattern"), case.text("prologue")) {
        ("Noise_KNpsk0_P256_AESGCM_SHA256", "01") => true,
        ("Noise_NKpsk0_P256_AESGCM_SHA256", "00") => false,
        other => panic!("unknown handshake {other:?}"),
    }
}

fn client(case: &Case) -> (Initiator, [u8; 81]) {
    let psk = Psk::new(&case.array("psk"));
    let mut rng = prepared(case.hex("client_ephemeral_private"));
    let started = if is_qr(case) {
        initiate(Door::QrClient(&case.key_pair("client_static_private")), &psk, &mut rng)
    } else {
        initiate(Door::LinkClient(&case.public_key("phone_static_public")), &psk, &mut rng)
    };
    assert!(rng.is_spent());
    started.unwrap()
}

pub(crate) fn authenticator(case: &Case, message: &[u8]) -> Result<(SessionKeys, [u8; 81]), Error> {
    let psk = Psk::new(&case.array("psk"));
    let mut rng = prepared(case.hex("phone_ephemeral_private"));
    if is_qr(case) {
        respond(Door::QrAuthenticator(&case.public_key("client_static_public")), &psk, message, &mut rng)
    } else {
        let own: IdentityKey = case.key_pair("phone_static_private");
        respond(Door::LinkAuthenticator(&own), &psk, message, &mut rng)
    }
}

/// A message in place of the right one, perhaps to a phone with other keys.
fn bad_message(base: &Case, case: &Case) {
    let mut changed = base.clone();
    if let Value::Object(change) = case.get("responder_change") {
        for (key, value) in change {
            assert!(changed.has(key), "responder_change: {key:?} is not in error_base");
            changed.value[key] = value.clone();
        }
    }
    let message = case.hex("data");
    match case.number("message") {
        1 => judge(case.verdict(), &authenticator(&changed, &message).map(drop)),
        2 => judge(case.verdict(), &client(base).0.finish(&message).map(drop)),
        other => panic!("there is no message {other}"),
    }
}

/// The state after every step, computed again from the inputs alone.
fn trace(case: &Case) {
    let [mut h, mut ck] = [[0; 32]; 2];
    let mut k: Option<[u8; 32]> = None;
    let steps = case.field("initiator_trace").items();
    for step in &steps {
        let input = step.hex("input");
        let operation = step.text("op");
        match operation.split('(').next().unwrap() {
            "initialize" => {
                h[..input.len()].copy_from_slice(&input);
                ck = h;
                assert_eq!(input, case.text("pattern").as_bytes());
            }
            "mix_hash" => h = hash(&h, &input),
            "mix_key" => {
                let [next, key] = mixed(&ck, &input);
                (ck, k) = (next, Some(key));
            }
            "mix_key_and_hash" => {
                let [next, salt, key] = mixed(&ck, &input);
                (ck, k, h) = (next, Some(key), hash(&h, &salt));
            }
            "encrypt_and_hash" | "decrypt_and_hash" => {
                let cipher = Aes256Gcm::new((&k.expect("a key")).into());
                let payload = Payload { msg: &input, aad: &h };
                let opened = cipher.decrypt(&[0; 12].into(), payload).expect("the seal of an empty payload");
                assert!(opened.is_empty());
                h = hash(&h, &input);
            }
            other => panic!("unknown step {other:?}"),
        }
        let state = [Some(hex(&h)), Some(hex(&ck)), k.map(|k| hex(&k))];
        let expected = ["h", "ck", "k"].map(|name| step.get(name).as_str().map(str::to_owned));
        assert_eq!(state, expected, "after {operation}");
    }
    assert_eq!(h, case.array("handshake_hash"));
    assert_eq!(ck, case.array("final_chaining_key"));
    assert_eq!(
        unhex(case.text("message1"))[65..],
        steps.iter().find(|s| s.text("op") == "encrypt_and_hash").unwrap().hex("input")
    );
}

fn hash(h: &[u8; 32], data: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(h).chain_update(data).finalize().into()
}

/// HKDF with the chaining key as salt, cut into keys of 32 bytes.
fn mixed<const N: usize>(ck: &[u8; 32], input: &[u8]) -> [[u8; 32]; N] {
    let mut out = vec![0; 32 * N];
    Hkdf::<Sha256>::new(Some(ck), input).expand(&[], &mut out).unwrap();
    std::array::from_fn(|i| out[32 * i..][..32].try_into().unwrap())
}
