//! Extensions: CTAP 2.1, 12.

use cablecar_protocol::cbor::{self, Entries, Writer};
use cablecar_protocol::ctap::Flags;
use hmac::Mac;
use rand_core::OsRng;

use super::platform::{Agreed, GA, MC, Platform};
use super::requests::*;
use crate::vault::{LargeBlobKey, Passkey, PrfSecrets, Protection};

const RP: &str = "example.com";

fn asking(request: &[u8], name: &str, value: impl FnOnce(&mut Writer)) -> Vec<u8> {
    with_extensions(request, |map| {
        map.text_entry(name, value);
    })
}

/// The signed outputs, each as its encoding.
fn outputs(data: &cablecar_protocol::ctap::AuthenticatorData) -> Vec<(String, Vec<u8>)> {
    assert_eq!(data.flags.has(Flags::ED), data.extensions().is_some());
    let Some(map) = data.extensions() else { return Vec::new() };
    map.iter().map(|(key, item)| (key.as_text().unwrap().into(), item.encoded().to_vec())).collect()
}

fn output(name: &str, fill: impl FnOnce(&mut Writer)) -> Vec<(String, Vec<u8>)> {
    vec![(name.to_owned(), Writer::item(fill))]
}

#[test]
fn inputs_of_another_kind_have_their_status() {
    let mut platform = Platform::new();
    let id = platform.add(RP, b"1", |_| {});
    let (make, rk, get) =
        (make(RP, b"1"), make_discoverable(RP, b"1"), with_list(&get(RP), &[id.as_bytes()]));
    for (situation, request, status) in [
        ("credProtect as text", asking(&make, "credProtect", |w| w.text("1")), 0x11),
        ("credProtect 0", asking(&make, "credProtect", |w| w.unsigned(0)), 0x02),
        ("credProtect 4", asking(&make, "credProtect", |w| w.unsigned(4)), 0x02),
        ("credBlob as true", asking(&make, "credBlob", |w| w.bool(true)), 0x11),
        ("credBlob as bytes", asking(&get, "credBlob", |w| w.bytes(b"1")), 0x11),
        ("hmac-secret as number", asking(&make, "hmac-secret", |w| w.unsigned(1)), 0x11),
        ("hmac-secret as true", asking(&get, "hmac-secret", |w| w.bool(true)), 0x11),
        ("hmac-secret of nothing", asking(&get, "hmac-secret", |w| w.map(|_| {})), 0x14),
        ("hmac-secret-mc as true", asking(&make, "hmac-secret-mc", |w| w.bool(true)), 0x11),
        ("minPinLength as number", asking(&make, "minPinLength", |w| w.unsigned(1)), 0x11),
        ("largeBlobKey: false", asking(&rk, "largeBlobKey", |w| w.bool(false)), 0x2c),
        ("largeBlobKey as number", asking(&rk, "largeBlobKey", |w| w.unsigned(1)), 0x2c),
        ("largeBlobKey without rk", asking(&make, "largeBlobKey", |w| w.bool(true)), 0x2c),
        ("largeBlobKey: false", asking(&get, "largeBlobKey", |w| w.bool(false)), 0x2c),
    ] {
        assert_eq!(platform.ask(&request), Err(status), "{situation}");
    }
    assert!(platform.asked.is_empty());
}

#[test]
fn protection_is_what_was_asked_for_and_1_by_itself() {
    let mut platform = Platform::new();
    let made = platform.make(&make(RP, b"0")).ok().unwrap();
    assert_eq!(outputs(&made.data), []);
    for level in [1, 2, 3] {
        let made =
            platform.make(&asking(&make(RP, &[9]), "credProtect", |w| w.unsigned(level))).ok().unwrap();
        assert_eq!(outputs(&made.data), output("credProtect", |w| w.unsigned(level)));
        assert_eq!(made.data.flags.0, Flags::UP | Flags::BE | Flags::AT | Flags::ED);
    }
    let levels: Vec<_> = platform.device.vault.passkeys().map(|passkey| passkey.protection.level()).collect();
    assert_eq!(levels, [1, 1, 2, 3]);
}

#[test]
fn a_blob_is_stored_if_it_fits_and_given_back() {
    let mut platform = Platform::new();
    for (length, rk, stored) in
        [(0, true, true), (32, true, true), (64, true, true), (65, true, false), (32, false, false)]
    {
        let blob = vec![5; length];
        let request = with_options(&make(RP, b"1"), &[("rk", rk)]);
        let made = platform.make(&asking(&request, "credBlob", |w| w.bytes(&blob))).ok().unwrap();
        assert_eq!(outputs(&made.data), output("credBlob", |w| w.bool(stored)), "{length}");
        let request = with_list(&get(RP), &[made.id()]);
        let got = platform.get(&asking(&request, "credBlob", |w| w.bool(true))).ok().unwrap();
        let expected = if stored { &blob[..] } else { &[] };
        assert_eq!(outputs(&got.data), output("credBlob", |w| w.bytes(expected)));
        assert!(verifies(made.key(), &got.data, &got.signature));
        let got = platform.get(&asking(&request, "credBlob", |w| w.bool(false))).ok().unwrap();
        assert_eq!(outputs(&got.data), []);
    }
}

#[test]
fn the_key_of_a_large_blob_stands_beside_the_signature() {
    let mut platform = Platform::new();
    let with_key = asking(&make_discoverable(RP, b"1"), "largeBlobKey", |w| w.bool(true));
    let first = platform.make(&with_key).ok().unwrap();
    let key = first.large_blob_key.clone().unwrap();
    assert_eq!((key.len(), outputs(&first.data)), (32, vec![]));
    let second = platform.make(&make_discoverable(RP, b"2")).ok().unwrap();
    assert_eq!(second.large_blob_key, None);
    for (made, expected) in [(&first, Some(key)), (&second, None)] {
        let request = with_list(&get(RP), &[made.id()]);
        assert_eq!(platform.get(&request).ok().unwrap().large_blob_key(), None);
        let request = asking(&request, "largeBlobKey", |w| w.bool(true));
        assert_eq!(platform.get(&request).ok().unwrap().large_blob_key(), expected);
    }
    let stored: Vec<_> = platform.device.vault.passkeys().map(|one| one.large_blob_key.as_ref()).collect();
    assert_eq!(
        stored.iter().map(|key| key.map(LargeBlobKey::expose).is_some()).collect::<Vec<_>>(),
        [true, false]
    );
}

#[test]
fn the_length_of_pins_is_for_those_who_may_know() {
    let mut platform = Platform::new();
    platform
        .device
        .change_state(&mut OsRng, |state| {
            (state.min_pin_rp_ids, state.min_pin_length) = (vec![RP.into()], 7);
        })
        .unwrap();
    let mut told = |rp: &str, asked: bool| {
        let made = platform.make(&asking(&make(rp, b"1"), "minPinLength", |w| w.bool(asked))).ok().unwrap();
        outputs(&made.data)
    };
    assert_eq!(told(RP, true), output("minPinLength", |w| w.unsigned(7)));
    assert_eq!(
        [told(RP, false), told("example.com.", true), told("other.example", true)],
        [vec![], vec![], vec![]]
    );
}

/// Salts as a platform sends them.
fn salts(agreed: &Agreed, salts: &[u8], writer: &mut Writer) {
    let encrypted = agreed.encrypt(salts);
    let tag = agreed.authenticate(&encrypted);
    given(agreed, &encrypted, &tag, &|_| {}, writer);
}

fn given(agreed: &Agreed, encrypted: &[u8], tag: &[u8], more: &dyn Fn(&mut Entries), writer: &mut Writer) {
    writer.map(|map| {
        more(map);
        map.entry(1, |w| agreed.write_cose_key(w));
        map.entry(2, |w| w.bytes(encrypted));
        map.entry(3, |w| w.bytes(tag));
        map.entry(4, |w| w.unsigned(agreed.protocol));
    });
}

fn hmac(key: &[u8], salt: &[u8]) -> Vec<u8> {
    let mac = <hmac::Hmac<sha2::Sha256> as Mac>::new_from_slice(key).unwrap();
    mac.chain_update(salt).finalize().into_bytes().to_vec()
}

/// A passkey whose secrets are 64 known bytes.
fn known(passkey: &mut Passkey) {
    passkey.prf = PrfSecrets::from_bytes(&secrets()).unwrap();
}

fn secrets() -> Vec<u8> {
    (0..64).collect()
}

#[test]
fn hmac_secret_is_hmac_with_one_secret_for_the_verified_and_one_for_the_others() {
    for protocol in [1, 2] {
        let mut platform = Platform::with_pin("1234");
        let id = platform.add(RP, b"1", known);
        let request = with_list(&get(RP), &[id.as_bytes()]);
        for (both, verified) in [(false, false), (true, false), (false, true), (true, true)] {
            let (first, second) = ([1; 32], [2; 32]);
            let input = if both { [first, second].concat() } else { first.to_vec() };
            let agreed = platform.agree(protocol);
            let mut request = asking(&request, "hmac-secret", |w| salts(&agreed, &input, w));
            if verified {
                request = with_token(&request, &platform.token(2, "1234", GA, Some(RP)).unwrap());
            }
            let got = platform.get(&request).ok().unwrap();
            let outputs = outputs(&got.data);
            let (name, encoded) = &outputs[0];
            assert_eq!((outputs.len(), name.as_str()), (1, "hmac-secret"));
            let encrypted = cbor::parse(encoded, 1).unwrap().as_bytes().unwrap();
            let iv = if protocol == 2 { 16 } else { 0 };
            assert_eq!(encrypted.len(), iv + input.len());
            let secrets = secrets();
            let secret = if verified { &secrets[..32] } else { &secrets[32..] };
            let expected: Vec<u8> = input.chunks(32).flat_map(|salt| hmac(secret, salt)).collect();
            assert_eq!(agreed.decrypt(encrypted), expected);
        }
    }
}

#[test]
fn salts_must_be_whole_authentic_and_for_a_person() {
    for protocol in [1, 2] {
        let mut platform = Platform::new();
        platform.add(RP, b"1", |_| {});
        let agreed = platform.agree(protocol);
        let encrypted = agreed.encrypt(&[1; 32]);
        let tag = agreed.authenticate(&encrypted);
        let asking = |w: &mut dyn FnMut(&mut Writer)| asking(&get(RP), "hmac-secret", |writer| w(writer));
        let good = asking(&mut |w| salts(&agreed, &[1; 32], w));
        assert!(platform.get(&good).is_ok());
        assert_eq!(platform.ask(&with_options(&good, &[("up", false)])), Err(0x2b));
        platform.asked.clear();
        let mut bad_tag = tag.clone();
        bad_tag[5] ^= 1;
        for bad in [&bad_tag[..], &tag[..8], &[]] {
            let request = asking(&mut |w| given(&agreed, &encrypted, bad, &|_| {}, w));
            assert_eq!(platform.ask(&request), Err(0x33));
        }
        for length in [0, 16, 48, 80, 96] {
            let request = asking(&mut |w| salts(&agreed, &vec![1; length], w));
            assert_eq!(platform.ask(&request), Err(0x03), "{length}");
        }
        let ragged = &encrypted[1..];
        let tag = agreed.authenticate(ragged);
        let request = asking(&mut |w| given(&agreed, ragged, &tag, &|_| {}, w));
        assert_eq!(platform.ask(&request), Err(0x03));
        // The first of two equal keys is the one that is written.
        type Fill = &'static dyn Fn(&mut Entries);
        let fills: [(Fill, u8); 6] = [
            (&|map| _ = map.entry(1, |w| w.map(|_| {})), 0x02),
            (&|map| _ = map.entry(1, |w| w.bytes(b"key")), 0x11),
            (&|map| _ = map.entry(2, |w| w.text("salts")), 0x11),
            (&|map| _ = map.entry(3, |w| w.text("tag")), 0x11),
            (&|map| _ = map.entry(4, |w| w.text("1")), 0x11),
            (&|map| _ = map.entry(4, |w| w.unsigned(3)), 0x02),
        ];
        for (fill, status) in fills {
            let request = asking(&mut |w| given(&agreed, &encrypted, &tag, fill, w));
            assert_eq!(platform.ask(&request), Err(status));
        }
        for missing in [1, 2, 3] {
            let request = asking(&mut |w| {
                w.map(|map| {
                    let absent = |key: &i64| *key != missing;
                    for key in [1, 2, 3].into_iter().filter(absent) {
                        match key {
                            1 => _ = map.entry(1, |w| agreed.write_cose_key(w)),
                            key => _ = map.entry(key, |w| w.bytes(&encrypted)),
                        }
                    }
                });
            });
            assert_eq!(platform.ask(&request), Err(0x14), "{missing}");
        }
        assert!(platform.asked.is_empty());
    }
}

#[test]
fn protocol_one_is_meant_where_none_is_named() {
    let mut platform = Platform::new();
    platform.add(RP, b"1", |_| {});
    let agreed = platform.agree(1);
    let encrypted = agreed.encrypt(&[1; 32]);
    let request = asking(&get(RP), "hmac-secret", |w| {
        w.map(|map| {
            map.entry(1, |w| agreed.write_cose_key(w));
            map.entry(2, |w| w.bytes(&encrypted));
            map.entry(3, |w| w.bytes(&agreed.authenticate(&encrypted)));
        });
    });
    assert!(platform.get(&request).is_ok());
}

#[test]
fn hmac_secret_is_there_from_the_start_and_answers_right_away_if_asked() {
    let mut platform = Platform::with_pin("1234");
    let made = platform.make(&asking(&make(RP, b"1"), "hmac-secret", |w| w.bool(true))).ok().unwrap();
    assert_eq!(outputs(&made.data), output("hmac-secret", |w| w.bool(true)));
    let made = platform.make(&asking(&make(RP, b"1"), "hmac-secret", |w| w.bool(false))).ok().unwrap();
    assert_eq!(outputs(&made.data), []);
    for protocol in [1, 2] {
        let agreed = platform.agree(protocol);
        let request = with_extensions(&make_discoverable(RP, b"2"), |map| {
            map.text_entry("hmac-secret", |w| w.bool(true));
            map.text_entry("hmac-secret-mc", |w| salts(&agreed, &[[3; 32], [4; 32]].concat(), w));
        });
        let request = with_token(&request, &platform.token(protocol, "1234", MC, Some(RP)).unwrap());
        let made = platform.make(&request).ok().unwrap();
        let at_creation = outputs(&made.data);
        assert_eq!(at_creation[0], output("hmac-secret", |w| w.bool(true))[0]);
        assert_eq!((at_creation.len(), at_creation[1].0.as_str()), (2, "hmac-secret-mc"));
        let encrypted = cbor::parse(&at_creation[1].1, 1).unwrap().as_bytes().unwrap();
        let first = agreed.decrypt(encrypted);

        let agreed = platform.agree(3 - protocol);
        let request = with_list(&get(RP), &[made.id()]);
        let request = asking(&request, "hmac-secret", |w| salts(&agreed, &[[4; 32], [3; 32]].concat(), w));
        let request = with_token(&request, &platform.token(2, "1234", GA, Some(RP)).unwrap());
        let got = platform.get(&request).ok().unwrap();
        let swapped = agreed.decrypt(cbor::parse(&outputs(&got.data)[0].1, 1).unwrap().as_bytes().unwrap());
        assert_eq!(first, [&swapped[32..], &swapped[..32]].concat());
        assert_ne!(swapped[..32], swapped[32..]);
        // Without `hmac-secret` itself there is nothing to answer.
        let alone = asking(&make(RP, b"3"), "hmac-secret-mc", |w| salts(&agreed, &[3; 32], w));
        assert_eq!(outputs(&platform.make(&alone).ok().unwrap().data), []);
    }
}

#[test]
fn every_passkey_of_a_round_answers_the_extensions_for_itself() {
    let mut platform = Platform::new();
    platform.add(RP, b"1", |passkey| passkey.blob = Some(b"one".to_vec()));
    platform.add(RP, b"2", known);
    let agreed = platform.agree(2);
    let request = with_extensions(&get(RP), |map| {
        map.text_entry("credBlob", |w| w.bool(true));
        map.text_entry("hmac-secret", |w| salts(&agreed, &[1; 32], w));
    });
    let second = outputs(&platform.get(&request).ok().unwrap().data);
    let first = outputs(&platform.get(&[0x08]).ok().unwrap().data);
    assert_eq!([&second[0].1, &first[0].1], [&[0x40][..], &[0x43, b'o', b'n', b'e']]);
    let plain = |outputs: &[(String, Vec<u8>)]| {
        agreed.decrypt(cbor::parse(&outputs[1].1, 1).unwrap().as_bytes().unwrap())
    };
    assert_eq!(plain(&second), hmac(&secrets()[32..], &[1; 32]));
    assert_ne!(plain(&first), plain(&second));
}

#[test]
fn all_at_once_are_canonical_and_signed() {
    let mut platform = Platform::new();
    platform.device.change_state(&mut OsRng, |state| state.min_pin_rp_ids = vec![RP.into()]).unwrap();
    let agreed = platform.agree(2);
    let request = with_extensions(&make_discoverable(RP, b"1"), |map| {
        map.text_entry("credBlob", |w| w.bytes(b"blob"));
        map.text_entry("credProtect", |w| w.unsigned(Protection::OptionalWithId.level()));
        map.text_entry("hmac-secret", |w| w.bool(true));
        map.text_entry("hmac-secret-mc", |w| salts(&agreed, &[3; 32], w));
        map.text_entry("largeBlobKey", |w| w.bool(true));
        map.text_entry("minPinLength", |w| w.bool(true));
    });
    let made = platform.make(&request).ok().unwrap();
    let names: Vec<_> = outputs(&made.data).into_iter().map(|(name, _)| name).collect();
    // Shorter names first: canonical order.
    assert_eq!(names, ["credBlob", "credProtect", "hmac-secret", "minPinLength", "hmac-secret-mc"]);
    let statement = super::platform::map(&made.statement);
    assert!(verifies(made.key(), &made.data, statement.get_text("sig").unwrap().as_bytes().unwrap()));
}
