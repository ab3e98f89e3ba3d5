use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use cablecar_protocol::Error;
use cablecar_protocol::channel::LAST_COUNTER;
use cablecar_protocol::danger::{
    Counters, SessionKeys, authenticator_channel, client_channel, open_record, seal_record,
};
use cablecar_protocol::error::{How, Which};
use cablecar_protocol::message::{Features, Hello};
use cablecar_protocol::secrets::TrafficKey;

use crate::case::{Case, File, unknown};

#[test]
fn transport() {
    let arrays = ["sequences", "counters", "legacy_v20", "legacy_v20_post_handshake", "errors"];
    let file = File::open("transport", &arrays);
    for sequence in file.entry("sequences").items() {
        assert!(["client_to_phone", "phone_to_client"].contains(&sequence.text("direction")));
        let key = sequence.array("key");
        for (count, message) in sequence.field("messages").items().iter().enumerate() {
            file.run(message, || {
                assert_eq!(message.number("counter"), count as u64);
                record(&key, message);
            });
        }
    }
    file.each("counters", |case| record(&case.array("key"), case));
    file.each("legacy_v20", legacy_record);
    file.each("legacy_v20_post_handshake", |case| {
        assert!(case.hex("padded").starts_with(&case.hex("map")));
        assert!(Hello::parse(&case.hex("padded")).is_err());
    });
    file.each("errors", error);
    file.finish();
}

/// A good record, sealed and opened; its parts are computed here once more.
fn record(key: &[u8; 32], case: &Case) {
    let (counter, message, sealed) =
        (case.number("counter") as u32, case.hex("message"), case.hex("ciphertext"));
    assert_eq!(seal_record(key, counter, &message).as_ref(), Ok(&sealed));
    assert_eq!(open_record(key, counter, &sealed).as_ref(), Ok(&message));

    let mut nonce = [0; 12];
    nonce[8..].copy_from_slice(&counter.to_be_bytes());
    assert_eq!(nonce, case.array("nonce"));
    let mut padded = message;
    let zeros = 31 - padded.len() % 32;
    padded.resize(padded.len() + zeros, 0);
    padded.push(zeros as u8);
    if case.has("padded") {
        assert_eq!(padded, case.hex("padded"));
    }
    assert_eq!(Aes256Gcm::new(key.into()).encrypt(&nonce.into(), &padded[..]).unwrap(), sealed);
}

/// A record in the old form is what it says, and never opens here.
fn legacy_record(case: &Case) {
    let (key, sealed): ([u8; 32], _) = (case.array("key"), case.hex("ciphertext"));
    let (nonce, aad): ([u8; 12], _) = (case.array("nonce"), case.hex("aad"));
    assert_eq!(nonce[..4], (case.number("counter") as u32).to_le_bytes());
    let padded =
        Aes256Gcm::new(&key.into()).decrypt(&nonce.into(), Payload { msg: &sealed, aad: &aad }).unwrap();
    assert!(padded.starts_with(&case.hex("message")));
    assert_eq!(open_record(&key, case.number("counter") as u32, &sealed), Err(Error::Decrypt));
}

fn error(case: &Case) {
    let (key, sealed) = (case.array("key"), case.hex("ciphertext"));
    let counter = u32::try_from(case.number("counter")).unwrap();
    let opened = open_record(&key, counter, &sealed);
    match case.verdict() {
        "accept" => assert_eq!(opened, Ok(case.hex("message"))),
        "fatal" => {
            assert!(opened.is_err(), "opened");
            both_ends(&key, counter, &sealed, opened.unwrap_err());
        }
        "accept_then_fatal" => {
            assert_eq!(opened, Ok(case.hex("message")));
            both_ends(&key, counter, &sealed, Error::Misbehaved(How::EmptyMessage));
        }
        "refuse" => {
            assert!(counter > LAST_COUNTER);
            assert_eq!(opened, Err(Error::Misbehaved(How::TooManyMessages)));
            assert_eq!(seal_record(&key, counter, &[1]), Err(Error::Misuse(Which::Exhausted)));
            both_ends(&key, counter, &sealed, Error::Misbehaved(How::TooManyMessages));
        }
        "either" => {}
        other => unknown(other),
    }
}

/// A session that receives this record ends with this error, and for good.
fn both_ends(key: &[u8; 32], counter: u32, sealed: &[u8], expected: Error) {
    let keys = || SessionKeys {
        client_to_authenticator: TrafficKey::new(key),
        authenticator_to_client: TrafficKey::new(key),
        handshake_hash: [0; 32],
    };
    let counters = Counters { sent: 0, received: counter };
    let mut client = client_channel(keys(), counters, Features::CTAP, None);
    assert_eq!(client.receive(sealed).unwrap_err(), expected);
    assert_eq!(client.receive(sealed).unwrap_err(), Error::Misuse(Which::Poisoned));
    assert_eq!(client.shutdown(), Err(Error::Misuse(Which::Poisoned)));
    let mut phone = authenticator_channel(keys(), counters, Features::CTAP, None);
    assert_eq!(phone.receive(sealed), Err(expected));
    assert_eq!(phone.receive(sealed), Err(Error::Misuse(Which::Poisoned)));
    assert_eq!(phone.update(None), Err(Error::Misuse(Which::Poisoned)));
}
