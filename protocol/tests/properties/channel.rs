//! T15 and T16, and that a failed channel stays shut.

use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, KeyInit};
use cablecar_protocol::Error;
use cablecar_protocol::channel::{
    AuthenticatorEnd, AuthenticatorEvent, Channel, ClientEnd, ClientEvent, LAST_COUNTER, Request,
};
use cablecar_protocol::danger::{Counters, authenticator_channel, open_record, seal_record};
use cablecar_protocol::error::{How, What, Which};
use cablecar_protocol::linking::Offer;
use cablecar_protocol::message::{Features, Hello};
use proptest::prelude::*;
use rand_core::OsRng;

use crate::world::{KEYS, channels, channels_at, hello, near, session_keys};

const POISONED: Error = Error::Misuse(Which::Poisoned);

#[test]
fn t15_the_last_counter_is_used_and_none_after_it() {
    let counters = Counters { sent: LAST_COUNTER, received: LAST_COUNTER };
    let (mut client, mut phone) = channels_at(counters, Features::CTAP);
    let record = client.send(Request::Ctap(&[4])).unwrap();
    assert_eq!(open_record(&KEYS[0], LAST_COUNTER, &record), Ok(vec![1, 4]));
    assert_eq!(phone.receive(&record), Ok(AuthenticatorEvent::Ctap(vec![4])));
    let answer = phone.send(&[0]).unwrap();
    assert!(matches!(client.receive(&answer), Ok(ClientEvent::Ctap(_))));

    // The second: sending fails and changes nothing, receiving is the end.
    assert_eq!(client.send(Request::Ctap(&[4])), Err(Error::Misuse(Which::Exhausted)));
    assert_eq!(phone.update(None), Err(Error::Misuse(Which::Exhausted)));
    assert!(!client.would_open(&answer) && !phone.would_open(&record));
    assert_eq!(client.receive(&answer).unwrap_err(), Error::Misbehaved(How::TooManyMessages));
    assert_eq!(phone.receive(&record).unwrap_err(), Error::Misbehaved(How::TooManyMessages));
    assert_eq!(client.receive(&answer).unwrap_err(), POISONED);
    assert_eq!(phone.receive(&record).unwrap_err(), POISONED);
    assert_eq!(client.shutdown(), Err(POISONED));
}

#[test]
fn t15_two_sends_before_the_end() {
    let counters = Counters { sent: LAST_COUNTER - 1, received: 0 };
    let (mut client, mut phone) = channels_at(counters, Features::CTAP);
    for _ in 0..2 {
        phone.receive(&client.send(Request::Ctap(&[4])).unwrap()).unwrap();
        client.receive(&phone.send(&[0]).unwrap()).unwrap();
    }
    assert_eq!(client.send(Request::Ctap(&[4])), Err(Error::Misuse(Which::Exhausted)));
    assert_eq!(client.shutdown(), Err(Error::Misuse(Which::Exhausted)));
}

/// Every last byte behind every length: the message that is left, or the one
/// error that there is for it.
#[test]
fn t16_all_padding() {
    for length in 0..=64usize {
        for last in 0..=255u8 {
            let mut padded = vec![1; length];
            if let Some(end) = padded.last_mut() {
                *end = last;
            }
            let record = Aes256Gcm::new(&KEYS[0].into()).encrypt(&[0; 12].into(), &padded[..]).unwrap();
            let kept = length.checked_sub(usize::from(last) + 1);
            let expected = kept.map(|kept| padded[..kept].to_vec()).ok_or(Error::Malformed(What::Record));
            assert_eq!(open_record(&KEYS[0], 0, &record), expected, "{length} {last}");

            let mut phone = authenticator_channel(session_keys(), Counters::default(), Features::CTAP, None);
            let heard = phone.receive(&record);
            match kept {
                None => assert_eq!(heard, Err(Error::Malformed(What::Record)), "{length} {last}"),
                Some(0) => assert_eq!(heard, Err(Error::Misbehaved(How::EmptyMessage)), "{length} {last}"),
                Some(kept) => assert_eq!(heard, Ok(AuthenticatorEvent::Ctap(vec![1; kept - 1]))),
            }
        }
    }
}

fn is_shut(mut client: Channel<ClientEnd>) {
    let next = seal_record(&KEYS[1], 0, &[2, 0xa0]).unwrap();
    assert!(!client.would_open(&next));
    assert_eq!(client.receive(&next).unwrap_err(), POISONED);
    assert!(client.send(Request::Ctap(&[4])).is_err());
    assert_eq!(client.shutdown(), Err(POISONED));
}

fn phone_is_shut(mut phone: Channel<AuthenticatorEnd>) {
    let next = seal_record(&KEYS[0], 0, &[1, 4]).unwrap();
    assert!(!phone.would_open(&next));
    assert_eq!(phone.receive(&next), Err(POISONED));
    assert_eq!(phone.update(None), Err(POISONED));
    assert!(phone.send(&[0]).is_err());
}

#[test]
fn any_failed_receive_shuts_the_channel() {
    let good = seal_record(&KEYS[1], 0, &[2, 0xa0]).unwrap();
    let mut changed = good.clone();
    changed[0] ^= 1;
    let from_phone = |message: &[u8]| seal_record(&KEYS[1], 0, message).unwrap();
    let cases = [
        (changed, Error::Decrypt),
        (vec![], Error::Decrypt),
        (seal_record(&KEYS[1], 1, &[2, 0xa0]).unwrap(), Error::Decrypt),
        (seal_record(&KEYS[0], 0, &[2, 0xa0]).unwrap(), Error::Decrypt),
        (from_phone(&[]), Error::Misbehaved(How::EmptyMessage)),
        (from_phone(&[4]), Error::Misbehaved(How::UnexpectedType)),
        (from_phone(&[1, 0]), Error::Misbehaved(How::Unsolicited)),
        (from_phone(&[2, 0x80]), Error::Malformed(What::Update)),
    ];
    for (record, expected) in cases {
        let (mut client, _) = channels();
        assert_eq!(client.receive(&record).unwrap_err(), expected);
        is_shut(client);
    }
    let from_client = |message: &[u8]| seal_record(&KEYS[0], 0, message).unwrap();
    let cases = [
        (vec![0; 48], Error::Decrypt),
        (from_client(&[]), Error::Misbehaved(How::EmptyMessage)),
        (from_client(&[9]), Error::Misbehaved(How::UnexpectedType)),
        (from_client(&[2, 0x80]), Error::Malformed(What::Update)),
    ];
    for (record, expected) in cases {
        let (_, mut phone) = channels();
        assert_eq!(phone.receive(&record), Err(expected));
        phone_is_shut(phone);
    }
}

#[test]
fn turns_are_kept() {
    let (mut client, mut phone) = channels();
    // Our own slips are told and break nothing.
    assert_eq!(phone.send(&[0]), Err(Error::Misuse(Which::NothingToAnswer)));
    let request = client.send(Request::Ctap(&[4])).unwrap();
    assert_eq!(client.send(Request::Ctap(&[4])), Err(Error::Misuse(Which::RequestOutstanding)));
    phone.receive(&request).unwrap();
    let answer = phone.send(&[0]).unwrap();
    assert_eq!(phone.send(&[0]), Err(Error::Misuse(Which::NothingToAnswer)));
    client.receive(&answer).unwrap();

    // A replay, a second request and an answer of another kind end it.
    let (mut client, mut phone) = channels();
    let request = client.send(Request::Ctap(&[4])).unwrap();
    phone.receive(&request).unwrap();
    assert_eq!(phone.receive(&request), Err(Error::Decrypt));
    phone_is_shut(phone);
    let (_, mut phone) = channels();
    phone.receive(&seal_record(&KEYS[0], 0, &[1, 4]).unwrap()).unwrap();
    let eager = seal_record(&KEYS[0], 1, &[1, 4]).unwrap();
    assert_eq!(phone.receive(&eager), Err(Error::Misbehaved(How::TooEager)));
    phone_is_shut(phone);
    let json = seal_record(&KEYS[1], 0, b"\x03{}").unwrap();
    assert_eq!(client.receive(&json).unwrap_err(), Error::Misbehaved(How::Unsolicited));
    is_shut(client);
}

#[test]
fn json_only_where_it_was_offered() {
    let (mut client, mut phone) = channels_at(Counters::default(), Features::CTAP);
    assert_eq!(client.send(Request::Json("{}")), Err(Error::Misuse(Which::NotOffered)));
    let json = seal_record(&KEYS[0], 0, b"\x03{}").unwrap();
    assert_eq!(phone.receive(&json), Err(Error::Misbehaved(How::UnexpectedType)));
    phone_is_shut(phone);
    let (mut client, mut phone) = channels();
    let asked = phone.receive(&client.send(Request::Json("{}")).unwrap());
    assert_eq!(asked, Ok(AuthenticatorEvent::Json(b"{}".to_vec())));
    assert!(
        matches!(client.receive(&phone.send(b"[]").unwrap()), Ok(ClientEvent::Json(body)) if body == b"[]")
    );
}

#[test]
fn a_hello_without_ctap_or_out_of_place_ends_it() {
    let only_dc = Hello::parse(b"\xa1\x03\x81\x62dc").unwrap();
    for (hello, swapped, expected) in [
        (only_dc, false, Error::Misbehaved(How::NoCtap)),
        (hello(), true, Error::Decrypt), // the second record in the place of the first
    ] {
        let (nearby, phone) = near();
        let (waiting, greeting) = nearby.greet(&mut OsRng).unwrap();
        let (mut phone, [reply, first]) = phone.read(&greeting, &hello, &mut OsRng).unwrap();
        let record = if swapped { phone.update(None).unwrap() } else { first };
        assert_eq!(waiting.read(&reply).unwrap().read(&record).unwrap_err(), expected);
    }
}

#[test]
fn would_open_has_no_consequence() {
    let (mut client, mut phone) = channels();
    let record = client.send(Request::Ctap(&[4])).unwrap();
    assert!(!phone.would_open(&record[1..]));
    assert!(!phone.would_open(&[]));
    assert!(phone.would_open(&record) && phone.would_open(&record));
    phone.receive(&record).unwrap();
    assert!(!phone.would_open(&record));
}

proptest! {
    /// Whatever is changed in a record, it does not open, and that is the end.
    #[test]
    fn no_changed_record_opens(at: prop::sample::Index, with in 1u8.., cut in 0usize..40) {
        let (mut client, mut phone) = channels();
        let mut record = client.send(Request::Ctap(&[2, 0xa0])).unwrap();
        let at = at.index(record.len());
        record[at] ^= with;
        record.truncate(record.len() - cut);
        prop_assert_eq!(phone.receive(&record), Err(Error::Decrypt));
        phone_is_shut(phone);
    }

    /// Any message under a good seal is an event or the end, never a panic.
    #[test]
    fn any_message_is_an_event_or_the_end(message in proptest::collection::vec(any::<u8>(), 0..80)) {
        let (mut client, mut phone) = channels();
        if phone.receive(&seal_record(&KEYS[0], 0, &message).unwrap()).is_err() {
            phone_is_shut(phone);
        }
        match client.receive(&seal_record(&KEYS[1], 0, &message).unwrap()) {
            Ok(ClientEvent::Update(Offer::Link(_))) => panic!("no proof can hold"),
            Ok(_) => {}
            Err(_) => is_shut(client),
        }
    }
}
