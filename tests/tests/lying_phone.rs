//! A phone that answers what nobody asked (T12): thirty answers, each its own
//! error, and none reaches the page.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is a verdict")]

use std::collections::HashMap;

use cablecar::webauthn::{Create, Get};
use cablecar_protocol::cbor::{self, Writer};
use cablecar_protocol::ctap::GetInfo;
use cablecar_protocol::message::Hello;
use cablecar_tests::World;
use cablecar_tests::liar::{good_hello, lie};
use cablecar_tests::world::{creation, origin, request};

/// A true answer of an honest phone to be changed: status byte and map.
async fn true_answers() -> (Vec<u8>, Vec<u8>) {
    let mut world = World::default();
    let create = Create::from_json(creation("alice").to_string().as_bytes(), &origin()).unwrap();
    let made = world.play(&create.ask()).await.0.unwrap();
    let get = Get::from_json(request(&[]).to_string().as_bytes(), &origin()).unwrap();
    let signed = world.play(&get.ask()).await.0.unwrap();
    (made, signed)
}

/// The answer with one entry replaced, or taken out, and all else as it was.
fn with_entry(answer: &[u8], key: i64, value: Option<&[u8]>) -> Vec<u8> {
    let map = cbor::parse(&answer[1..], 8).unwrap().as_map().unwrap();
    let mut changed = vec![answer[0]];
    changed.extend(Writer::map_of(|out| {
        for (k, v) in map.iter().filter(|(k, _)| k.as_int() != Some(key)) {
            out.entry(k.as_int().unwrap(), |w| w.copy(v));
        }
        if let Some(value) = value {
            out.entry(key, |w| w.copy(cbor::parse(value, 8).unwrap()));
        }
    }));
    changed
}

/// The answer with its authenticator data changed.
fn with_data(answer: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let map = cbor::parse(&answer[1..], 8).unwrap().as_map().unwrap();
    let mut data = map.get(2).unwrap().as_bytes().unwrap().to_vec();
    change(&mut data);
    with_entry(answer, 2, Some(&Writer::item(|w| w.bytes(&data))))
}

fn changed(answer: &[u8], change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut answer = answer.to_vec();
    change(&mut answer);
    answer
}

async fn verdict_on(answer: Vec<u8>, hello: Hello, create: bool) -> &'static str {
    let mut world = World::default();
    let liar = lie(&mut world, hello, answer);
    if create {
        let create = Create::from_json(creation("alice").to_string().as_bytes(), &origin()).unwrap();
        let (answer, ()) = tokio::join!(world.computer(&create.ask()), liar);
        match answer.and_then(|answer| create.finish(&answer)) {
            Ok(_) => "accepted",
            Err(error) => error.advice().1,
        }
    } else {
        let get = Get::from_json(request(&["AQID"]).to_string().as_bytes(), &origin()).unwrap();
        let (answer, ()) = tokio::join!(world.computer(&get.ask()), liar);
        match answer.and_then(|answer| get.finish(&answer)) {
            Ok(_) => "accepted",
            Err(error) => error.advice().1,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn t12_a_true_answer_would_have_been_accepted() {
    let (made, signed) = true_answers().await;
    assert_eq!(verdict_on(made, good_hello(), true).await, "accepted");
    let named = Writer::map_of(|map| {
        map.text_entry("id", |w| w.bytes(&[1, 2, 3]));
        map.text_entry("type", |w| w.text("public-key"));
    });
    let signed = with_entry(&signed, 1, Some(&named));
    assert_eq!(verdict_on(signed, good_hello(), false).await, "accepted");
}

#[tokio::test(start_paused = true)]
async fn t12_thirty_lies_each_have_a_name_and_none_is_believed() {
    const FLAGS: usize = 32;
    let (made, true_signature) = true_answers().await;
    let named = |id: &[u8], kind: &str| {
        Writer::map_of(|map| {
            map.text_entry("id", |w| w.bytes(id));
            map.text_entry("type", |w| w.text(kind));
        })
    };
    let signed = with_entry(&true_signature, 1, Some(&named(&[1, 2, 3], "public-key")));
    let text = Writer::item(|w| w.text("none"));
    let empty = Writer::map_of(|_| {});
    let id_at = 37 + 16;
    let lies: Vec<(&str, bool, Vec<u8>, &str)> = vec![
        ("registration for another site", true, with_data(&made, |d| d[0] ^= 1), "peer.answer-rp-id"),
        (
            "registration without presence",
            true,
            with_data(&made, |d| d[FLAGS] &= !1),
            "peer.answer-user-presence",
        ),
        (
            "registration unverified",
            true,
            with_data(&made, |d| d[FLAGS] &= !4),
            "peer.answer-user-verification",
        ),
        (
            "backed up but not eligible",
            true,
            with_data(&made, |d| d[FLAGS] = d[FLAGS] & !8 | 0x10),
            "peer.answer-flags",
        ),
        (
            "flag for a credential without one",
            true,
            with_data(&made, |d| d.truncate(37)),
            "peer.answer-unreadable",
        ),
        (
            "no new credential",
            true,
            with_data(&made, |d| {
                d.truncate(37);
                d[FLAGS] &= !0x40;
            }),
            "peer.answer-attested",
        ),
        (
            "credential id longer than the data",
            true,
            with_data(&made, |d| d[id_at] = 3),
            "peer.answer-unreadable",
        ),
        (
            "another algorithm",
            true,
            with_data(&made, |d| {
                // 1: 2, 3: -7 → 3: -8
                let at = d.windows(4).position(|w| w == [0x01, 0x02, 0x03, 0x26]).unwrap();
                d[at + 3] = 0x27;
            }),
            "peer.answer-algorithm",
        ),
        (
            "a key off the curve",
            true,
            with_data(&made, |d| {
                let last = d.len() - 1;
                d[last] ^= 1;
            }),
            "peer.answer-key",
        ),
        ("a byte behind the data", true, with_data(&made, |d| d.push(0)), "peer.answer-unreadable"),
        (
            "an extension that nobody asked for",
            true,
            with_data(&made, |d| {
                d[FLAGS] |= 0x80;
                d.extend(Writer::map_of(|map| {
                    map.text_entry("credProtect", |w| w.int(2));
                }));
            }),
            "peer.answer-extension",
        ),
        (
            "flag for extensions without any",
            true,
            with_data(&made, |d| d[FLAGS] |= 0x80),
            "peer.answer-unreadable",
        ),
        ("no format", true, with_entry(&made, 1, None), "peer.answer-unreadable"),
        ("no authenticator data", true, with_entry(&made, 2, None), "peer.answer-unreadable"),
        ("no statement", true, with_entry(&made, 3, None), "peer.answer-unreadable"),
        ("a statement that is text", true, with_entry(&made, 3, Some(&text)), "peer.answer-unreadable"),
        ("a byte behind the answer", true, changed(&made, |a| a.push(0)), "peer.answer-unreadable"),
        ("an answer cut short", true, changed(&made, |a| a.truncate(a.len() - 1)), "peer.answer-unreadable"),
        (
            "an answer in wide integers",
            true,
            changed(&made, |a| drop(a.splice(2..3, [0x18, 0x01]))),
            "peer.answer-unreadable",
        ),
        ("no answer but OK", true, vec![0], "peer.answer-unreadable"),
        ("an empty answer", true, vec![], "peer.answer-unreadable"),
        ("sign-in for another site", false, with_data(&signed, |d| d[0] ^= 1), "peer.answer-rp-id"),
        (
            "sign-in without presence",
            false,
            with_data(&signed, |d| d[FLAGS] &= !1),
            "peer.answer-user-presence",
        ),
        (
            "sign-in unverified",
            false,
            with_data(&signed, |d| d[FLAGS] &= !4),
            "peer.answer-user-verification",
        ),
        (
            "another passkey",
            false,
            with_entry(&signed, 1, Some(&named(&[1, 2, 4], "public-key"))),
            "peer.answer-credential",
        ),
        ("a passkey without an id", false, with_entry(&signed, 1, Some(&empty)), "peer.answer-unreadable"),
        ("no signature", false, with_entry(&signed, 3, None), "peer.answer-unreadable"),
        ("an empty signature", false, with_entry(&signed, 3, Some(&[0x40])), "peer.answer-signature"),
        ("two passkeys", false, with_entry(&signed, 5, Some(&[0x02])), "peer.answer-several"),
        ("a registration for a sign-in", false, made.clone(), "peer.answer-unreadable"),
        (
            "keys in the wrong order",
            false,
            changed(&signed, |a| {
                let body = cbor::parse(&a[1..], 8).unwrap().as_map().unwrap();
                let entries: Vec<_> = body.iter().map(|(k, v)| [k.encoded(), v.encoded()].concat()).collect();
                let reversed = entries.iter().rev().flatten().copied().collect::<Vec<_>>();
                *a = [&a[..2], reversed.as_slice()].concat();
            }),
            "peer.answer-unreadable",
        ),
    ];
    assert!(lies.len() >= 30);
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (what, create, answer, expected) in lies {
        let found = verdict_on(answer, good_hello(), create).await;
        assert_eq!(found, expected, "{what}");
        *names.entry(found).or_default() += 1;
    }
    println!("{names:?}");
}

#[tokio::test(start_paused = true)]
async fn t12_a_phone_that_cannot_verify_is_not_even_asked() {
    let hello = Hello::new(GetInfo {
        versions: vec!["FIDO_2_0".into()],
        extensions: vec![],
        aaguid: [0; 16],
        options: vec![("rk".into(), true)],
        transports: vec![],
    });
    let mut world = World::default();
    let liar = lie(&mut world, hello, vec![0x27]);
    let create = Create::from_json(creation("alice").to_string().as_bytes(), &origin()).unwrap();
    let (answer, ()) = tokio::join!(world.computer(&create.ask()), liar);
    assert_eq!(answer.unwrap_err().advice().1, "phone.unsuitable");
    // Greeting, reply, hello, goodbye: and no request, which alone is as long.
    let lengths: Vec<_> = world.relay.carried().iter().map(|carried| carried.message.len()).collect();
    assert_eq!((lengths.len(), lengths.last()), (4, Some(&48)));
}
