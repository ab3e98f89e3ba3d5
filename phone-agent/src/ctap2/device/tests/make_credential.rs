//! makeCredential: CTAP 2.1, 6.1.2.

use cablecar_protocol::cbor::Writer;
use cablecar_protocol::ctap::Flags;
use proptest::prelude::*;
use rand_core::OsRng;

use super::platform::{MC, Platform, map, sha256};
use super::requests::*;
use crate::consent::{Answer, What};
use crate::ctap2::AAGUID;
use crate::vault::{CredentialId, Policy, Protection};

const RP: &str = "example.com";

fn entity(fill: impl FnOnce(&mut cablecar_protocol::cbor::Entries)) -> impl FnOnce(&mut Writer) {
    |w| w.map(fill)
}

#[test]
fn each_fault_has_its_status_and_no_question() {
    let good = make(RP, b"1");
    let list = |fill: &dyn Fn(&mut Writer)| Writer::item(|w| w.array(|list| list.push(fill)));
    let raw = |key: i64, item: &[u8]| {
        with(&good, key, |w| w.copy(cablecar_protocol::cbor::parse(item, 8).unwrap()))
    };
    let one = |fill: &dyn Fn(&mut cablecar_protocol::cbor::Entries)| list(&|w: &mut Writer| w.map(fill));
    let many: Vec<Vec<u8>> = (0..65u8).map(|n| vec![n; 32]).collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    let mut platform = Platform::new();
    for (situation, request, status) in [
        ("no parameters", vec![0x01], 0x12),
        ("not a map", vec![0x01, 0x80], 0x11),
        ("a byte too many", [good.clone(), vec![0]].concat(), 0x12),
        ("a byte too few", good[..good.len() - 1].to_vec(), 0x12),
        ("keys in another order", vec![0x01, 0xa2, 0x02, 0x01, 0x01, 0x01], 0x12),
        ("a length of indefinite form", vec![0x01, 0xbf, 0xff], 0x12),
        ("no hash", without(&good, 1), 0x14),
        ("no RP", without(&good, 2), 0x14),
        ("no user", without(&good, 3), 0x14),
        ("no algorithms", without(&good, 4), 0x14),
        ("hash as text", with(&good, 1, |w| w.text("7")), 0x11),
        ("hash of 31 bytes", with(&good, 1, |w| w.bytes(&[7; 31])), 0x03),
        ("RP as text", with(&good, 2, |w| w.text(RP)), 0x11),
        ("RP without id", with(&good, 2, entity(|_| {})), 0x14),
        ("RP ID as bytes", with(&good, 2, entity(|map| _ = map.text_entry("id", |w| w.bytes(b"x")))), 0x11),
        ("empty RP ID", make("", b"1"), 0x03),
        ("RP ID of 254 bytes", make(&"x".repeat(254), b"1"), 0x03),
        (
            "RP's name as number",
            with(
                &good,
                2,
                entity(|map| {
                    map.text_entry("id", |w| w.text(RP));
                    map.text_entry("name", |w| w.unsigned(1));
                }),
            ),
            0x11,
        ),
        (
            "RP's icon as number",
            with(
                &good,
                2,
                entity(|map| {
                    map.text_entry("id", |w| w.text(RP));
                    map.text_entry("icon", |w| w.unsigned(1));
                }),
            ),
            0x11,
        ),
        ("user as bytes", with(&good, 3, |w| w.bytes(b"1")), 0x11),
        ("user without id", with(&good, 3, entity(|_| {})), 0x14),
        ("user id as text", with(&good, 3, entity(|map| _ = map.text_entry("id", |w| w.text("1")))), 0x11),
        ("user id of 65 bytes", make(RP, &[1; 65]), 0x03),
        (
            "user's name as bytes",
            with(
                &good,
                3,
                entity(|map| {
                    map.text_entry("id", |w| w.bytes(b"1"));
                    map.text_entry("name", |w| w.bytes(b"alice"));
                }),
            ),
            0x11,
        ),
        (
            "user's display name as bytes",
            with(
                &good,
                3,
                entity(|map| {
                    map.text_entry("id", |w| w.bytes(b"1"));
                    map.text_entry("displayName", |w| w.bytes(b"alice"));
                }),
            ),
            0x11,
        ),
        ("algorithms as map", with(&good, 4, |w| w.map(|_| {})), 0x11),
        ("no algorithm", with_algorithms(&good, &[]), 0x26),
        ("other algorithms", with_algorithms(&good, &[-257, -35]), 0x26),
        ("algorithm as number", raw(4, &list(&|w| w.int(-7))), 0x11),
        (
            "algorithm without alg",
            raw(4, &one(&|m| _ = m.text_entry("type", |w| w.text("public-key")))),
            0x14,
        ),
        ("algorithm without type", raw(4, &one(&|m| _ = m.text_entry("alg", |w| w.int(-7)))), 0x14),
        (
            "alg as text",
            raw(
                4,
                &one(&|m| {
                    m.text_entry("alg", |w| w.text("-7"));
                    m.text_entry("type", |w| w.text("public-key"));
                }),
            ),
            0x11,
        ),
        (
            "algorithm of an unknown type",
            raw(
                4,
                &one(&|m| {
                    m.text_entry("alg", |w| w.int(-7));
                    m.text_entry("type", |w| w.text("private-key"));
                }),
            ),
            0x26,
        ),
        ("exclude list as map", with(&good, 5, |w| w.map(|_| {})), 0x11),
        ("excluded as text", raw(5, &list(&|w| w.text("id"))), 0x11),
        ("excluded without type", raw(5, &one(&|m| _ = m.text_entry("id", |w| w.bytes(b"1")))), 0x14),
        ("excluded without id", raw(5, &one(&|m| _ = m.text_entry("type", |w| w.text("public-key")))), 0x14),
        ("65 excluded", with_list(&good, &many), 0x15),
        ("extensions as array", with(&good, 6, |w| w.array(|_| {})), 0x11),
        ("options as array", with(&good, 7, |w| w.array(|_| {})), 0x11),
        ("rk as number", with(&good, 7, entity(|map| _ = map.text_entry("rk", |w| w.unsigned(1)))), 0x11),
        ("up: false", with_options(&good, &[("up", false)]), 0x2c),
        ("uv, and nothing built in", with_options(&good, &[("uv", true)]), 0x2c),
        ("param as text", with(&good, 8, |w| w.text("")), 0x11),
        ("protocol as text", with(&good, 9, |w| w.text("1")), 0x11),
        ("enterprise attestation 1", with(&good, 10, |w| w.unsigned(1)), 0x02),
        ("enterprise attestation 3", with(&good, 10, |w| w.unsigned(3)), 0x02),
        ("enterprise attestation as text", with(&good, 10, |w| w.text("1")), 0x11),
        ("formats as text", with(&good, 11, |w| w.text("none")), 0x11),
        ("formats of numbers", with(&good, 11, |w| w.array(|list| list.push(|w| w.unsigned(1)))), 0x11),
    ] {
        assert_eq!(platform.ask(&request), Err(status), "{situation}");
    }
    assert_eq!((platform.asked.len(), platform.passkeys()), (0, 0));
}

#[test]
fn what_is_not_known_is_ignored() {
    let mut platform = Platform::new();
    let request = with(&make(RP, b"1"), 0x7f, |w| w.text("later"));
    let request = with(&request, -1, |w| w.null());
    let request = with_extensions(&request, |map| {
        map.text_entry("payment", |w| w.unsigned(1));
        map.text_entry("prf", |w| w.bool(true));
    });
    let request = with(&request, 7, |w| {
        w.map(|map| {
            map.text_entry("later", |w| w.text("?"));
            map.text_entry("ep", |w| w.bool(false));
        });
    });
    let made = platform.make(&request).ok().unwrap();
    assert_eq!(made.data.flags.0, Flags::UP | Flags::BE | Flags::AT);
    // An account may have no handle (6.1); excluded things of unknown types
    // exclude nothing, and an empty list neither.
    assert!(platform.make(&make(RP, b"")).is_ok());
    let id = made.id().to_vec();
    let unknown = with(&make(RP, b"2"), 5, |w| {
        w.array(|list| list.push(|w| write_descriptor(&id, "later", w)));
    });
    assert!(platform.make(&unknown).is_ok());
    assert!(platform.make(&with_list(&make(RP, b"3"), &[])).is_ok());
}

#[test]
fn a_passkey_attests_itself_by_the_first_algorithm_that_is_served() {
    for (asked, served) in
        [(&[ES256][..], ES256), (&[EDDSA], EDDSA), (&[EDDSA, ES256], EDDSA), (&[-257, ES256, EDDSA], ES256)]
    {
        let mut platform = Platform::new();
        let made = platform.make(&with_algorithms(&make(RP, b"1"), asked)).ok().unwrap();
        assert_eq!(made.attested().algorithm(), Some(served));
        assert_eq!((made.attested().aaguid, made.data.rp_id_hash), (AAGUID, sha256(RP.as_bytes())));
        assert_eq!((made.format.as_str(), made.data.counter), ("packed", 0));
        let statement = map(&made.statement);
        assert_eq!(statement.iter().count(), 2);
        assert_eq!(statement.get_text("alg").unwrap().as_int(), Some(served));
        let signature = statement.get_text("sig").unwrap().as_bytes().unwrap();
        assert!(verifies(made.key(), &made.data, signature));
        let mut wrong = signature.to_vec();
        wrong[10] ^= 1;
        assert!(!verifies(made.key(), &made.data, &wrong));
        let got = platform.get(&with_list(&get(RP), &[made.id()])).ok().unwrap();
        assert!(verifies(made.key(), &got.data, &got.signature));
    }
}

#[test]
fn the_first_format_that_is_served_attests() {
    let mut platform = Platform::new();
    for (wanted, format) in [
        (&["none"][..], "none"),
        (&["tpm", "none", "packed"], "none"),
        (&["packed", "none"], "packed"),
        (&["tpm"], "packed"),
        (&[], "packed"),
    ] {
        let request = with(&make(RP, b"1"), 11, |w| {
            w.array(|list| wanted.iter().for_each(|one| list.push(|w| w.text(one))));
        });
        let made = platform.make(&request).ok().unwrap();
        assert_eq!(made.format, format, "{wanted:?}");
        assert_eq!(made.statement == [0xa0], format == "none");
        assert_eq!(made.attested().aaguid, AAGUID);
    }
}

#[test]
fn an_empty_param_asks_for_a_touch_and_tells_whether_there_is_a_pin() {
    for (mut platform, status) in [(Platform::new(), 0x35), (Platform::with_pin("1234"), 0x31)] {
        for (request, key) in [(make(RP, b"1"), 8), (get(RP), 6)] {
            // Before the protocol and the options are looked at.
            let request = with_options(&with(&request, key, |w| w.bytes(&[])), &[("uv", true)]);
            platform.says = |question| question.approve(0);
            assert_eq!(platform.ask(&request), Err(status));
            assert_eq!(platform.asked.last(), Some(&What::UseThisPhone));
            platform.says = |_| Answer::Decline;
            assert_eq!(platform.ask(&request), Err(0x27));
        }
        assert_eq!((platform.asked.len(), platform.passkeys()), (4, 0));
    }
}

#[test]
fn what_is_excluded_is_told_after_the_touch_unless_it_is_hidden() {
    let mut platform = Platform::with_pin("1234");
    let protected = |level| move |passkey: &mut crate::vault::Passkey| passkey.protection = level;
    let open = platform.add(RP, b"1", |_| {});
    let by_id = platform.add(RP, b"2", protected(Protection::OptionalWithId));
    let hidden = platform.add(RP, b"3", protected(Protection::Required));
    let stranger = platform.add("other.example", b"4", |_| {});
    let excluding = |id: &CredentialId| with_list(&make(RP, b"5"), &[&[1; 32], id.as_bytes()]);
    for (id, verified, excluded) in [
        (&open, false, true),
        (&by_id, false, true),
        (&hidden, false, false),
        (&hidden, true, true),
        (&open, true, true),
        (&stranger, true, false),
    ] {
        let mut request = excluding(id);
        if verified {
            request = with_token(&request, &platform.token(2, "1234", MC, Some(RP)).unwrap());
        }
        assert_eq!(platform.make(&request).err(), excluded.then_some(0x19));
        let told = matches!(platform.asked.last(), Some(What::AlreadyRegistered(_)));
        assert_eq!(told, excluded);
    }
    // Also by a no: CTAP 2.1, 6.1.2, step 12.
    platform.says = |_| Answer::Decline;
    assert_eq!(platform.ask(&excluding(&open)), Err(0x19));
    assert_eq!(platform.ask(&excluding(&stranger)), Err(0x27));
}

#[test]
fn the_same_account_again_takes_the_place_of_its_passkey() {
    let mut platform = Platform::new();
    let first = platform.make(&make_discoverable(RP, b"1")).ok().unwrap();
    let second = platform.make(&make_discoverable(RP, b"1")).ok().unwrap();
    assert_ne!(first.id(), second.id());
    assert_eq!(platform.passkeys(), 1);
    assert_eq!(platform.get(&get(RP)).ok().unwrap().id, second.id());
    // One that is not discoverable stands beside it.
    platform.make(&make(RP, b"1")).map(drop).unwrap();
    platform.make(&make_discoverable("other.example", b"1")).map(drop).unwrap();
    assert_eq!(platform.passkeys(), 3);
}

#[test]
fn nothing_is_made_without_a_yes() {
    let mut platform = Platform::new();
    for says in [|_| Answer::Decline, |_| Answer::CannotAsk] {
        platform.says = says;
        assert_eq!(platform.ask(&make(RP, b"1")), Err(0x27));
        assert_eq!(platform.ask(&[0x0b]), Err(0x27));
    }
    platform.says = |question| question.approve(0);
    assert_eq!(platform.ask(&[0x0b]), Ok(vec![]));
    assert_eq!(platform.ask(&[0x0b, 0xa0]), Err(0x03));
    // The touch of older platforms; nothing is stored.
    assert_eq!(platform.ask(&make(".dummy", b"1")), Err(0x27));
    assert_eq!(platform.passkeys(), 0);
}

#[test]
fn a_passkey_obeys_the_policy() {
    for (policy, flags, counters) in
        [(Policy::Synced, Flags::BE, [0, 0, 0]), (Policy::DeviceBound, 0, [1, 2, 3])]
    {
        let mut platform = Platform::new();
        platform.device.change_state(&mut OsRng, |state| state.policy = policy).unwrap();
        let made = platform.make(&make_discoverable(RP, b"1")).ok().unwrap();
        assert_eq!((made.data.flags.0, made.data.counter), (Flags::UP | Flags::AT | flags, 0));
        for counter in counters {
            let got = platform.get(&get(RP)).ok().unwrap();
            assert_eq!((got.data.flags.0, got.data.counter), (Flags::UP | flags, counter));
            assert!(verifies(made.key(), &got.data, &got.signature));
            platform.power_cycle();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_changed_request_panics(at in 0usize..400, to in any::<u8>(), drop in any::<bool>()) {
        let mut platform = Platform::new();
        let id = platform.add(RP, b"9", |_| {});
        let made = with_extensions(&make_discoverable(RP, b"1"), |map| {
            map.text_entry("credBlob", |w| w.bytes(&[1; 32]));
            map.text_entry("credProtect", |w| w.unsigned(2));
            map.text_entry("hmac-secret", |w| w.bool(true));
            map.text_entry("largeBlobKey", |w| w.bool(true));
        });
        let got = with_list(&with_options(&get(RP), &[("up", true)]), &[id.as_bytes()]);
        for mut request in [with_list(&made, &[&[1; 16]]), got, vec![0x04], vec![0x08], vec![0x0b]] {
            let at = at % request.len();
            if drop { _ = request.remove(at) } else { request[at] = to }
            let response = platform.raw(&request);
            prop_assert!(!response.is_empty());
            let body = &response[1..];
            let canonical = cablecar_protocol::cbor::parse(body, cablecar_protocol::cbor::CTAP_DEPTH).is_ok();
            prop_assert!(body.is_empty() || (response[0] == 0 && canonical));
        }
    }
}
