//! getAssertion and getNextAssertion: CTAP 2.1, 6.2.2 and 6.3.

use cablecar_protocol::cbor::Writer;
use cablecar_protocol::ctap::Flags;
use rand_core::OsRng;

use super::platform::{GA, MC, Platform, sha256};
use super::requests::*;
use crate::consent::{Answer, What};
use crate::vault::{Backup, NoRandomness, Passkey, Policy, Protection};

const RP: &str = "example.com";

/// A platform with a discoverable passkey for each of these accounts, oldest
/// first, and what was made.
fn with_passkeys(users: &[&[u8]]) -> (Platform, Vec<Made>) {
    let mut platform = Platform::new();
    let made = users.iter().map(|user| platform.make(&make_discoverable(RP, user)).ok().unwrap()).collect();
    platform.asked.clear();
    (platform, made)
}

#[test]
fn each_fault_has_its_status_and_no_question() {
    let (mut platform, made) = with_passkeys(&[b"1"]);
    let good = with_list(&get(RP), &[made[0].id()]);
    let one = |fill: &dyn Fn(&mut Writer)| with(&good, 3, |w| w.array(|list| list.push(fill)));
    let many: Vec<Vec<u8>> = (0..65u8).map(|n| vec![n; 32]).collect();
    let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
    for (situation, request, status) in [
        ("no parameters", vec![0x02], 0x12),
        ("not a map", vec![0x02, 0x80], 0x11),
        ("a byte too many", [good.clone(), vec![0]].concat(), 0x12),
        ("no RP ID", without(&good, 1), 0x14),
        ("no hash", without(&good, 2), 0x14),
        ("RP ID as bytes", with(&good, 1, |w| w.bytes(b"example.com")), 0x11),
        ("empty RP ID", with(&good, 1, |w| w.text("")), 0x03),
        ("hash as text", with(&good, 2, |w| w.text("7")), 0x11),
        ("hash of 33 bytes", with(&good, 2, |w| w.bytes(&[7; 33])), 0x03),
        ("allow list as map", with(&good, 3, |w| w.map(|_| {})), 0x11),
        ("allowed as bytes", one(&|w| w.bytes(&[1; 32])), 0x11),
        ("allowed without type", one(&|w| w.map(|m| _ = m.text_entry("id", |w| w.bytes(b"1")))), 0x14),
        ("allowed without id", one(&|w| w.map(|m| _ = m.text_entry("type", |w| w.text("public-key")))), 0x14),
        (
            "id as text",
            one(&|w| {
                w.map(|m| {
                    m.text_entry("id", |w| w.text("1"));
                    m.text_entry("type", |w| w.text("public-key"));
                });
            }),
            0x11,
        ),
        ("65 allowed", with_list(&good, &many), 0x15),
        ("extensions as array", with(&good, 4, |w| w.array(|_| {})), 0x11),
        ("options as text", with(&good, 5, |w| w.text("up")), 0x11),
        ("up as number", with(&good, 5, |w| w.map(|m| _ = m.text_entry("up", |w| w.unsigned(1)))), 0x11),
        ("rk", with_options(&good, &[("rk", true)]), 0x2b),
        ("rk: false", with_options(&good, &[("rk", false)]), 0x2b),
        ("uv, and nothing built in", with_options(&good, &[("uv", true)]), 0x2c),
        ("param as number", with(&good, 6, |w| w.unsigned(0)), 0x11),
        ("protocol as text", with(&good, 7, |w| w.text("1")), 0x11),
        ("param without protocol", with(&good, 6, |w| w.bytes(&[0; 16])), 0x14),
        ("protocol 3", with(&with(&good, 6, |w| w.bytes(&[0; 16])), 7, |w| w.unsigned(3)), 0x02),
        ("no PIN", with(&with(&good, 6, |w| w.bytes(&[0; 16])), 7, |w| w.unsigned(1)), 0x35),
        ("no such passkey", with_list(&get(RP), &[&[1; 32]]), 0x2e),
        ("passkey of another RP", with_list(&get("other.example"), &[made[0].id()]), 0x2e),
        ("no passkey", get("other.example"), 0x2e),
    ] {
        assert_eq!(platform.ask(&request), Err(status), "{situation}");
    }
    // Of a type that nobody knows: it allows nothing, and not everything.
    let unknown = with(&get(RP), 3, |w| {
        w.array(|list| list.push(|w| write_descriptor(made[0].id(), "later", w)));
    });
    assert_eq!(platform.ask(&unknown), Err(0x2e));
    assert!(platform.asked.is_empty());
}

#[test]
fn a_passkey_signs_after_a_yes() {
    let (mut platform, made) = with_passkeys(&[b"1"]);
    let unknown = with_extensions(&with(&get(RP), 0x20, |w| w.null()), |map| {
        map.text_entry("later", |w| w.null());
    });
    for request in
        [get(RP), with_list(&get(RP), &[]), with_list(&get(RP), &[&[1; 32], made[0].id()]), unknown]
    {
        let got = platform.get(&request).ok().unwrap();
        assert_eq!((got.id.as_slice(), got.number()), (made[0].id(), None));
        assert_eq!((got.data.flags.0, got.data.counter), (Flags::UP | Flags::BE, 0));
        assert_eq!(got.data.rp_id_hash, sha256(RP.as_bytes()));
        assert_eq!(got.user(), Some(vec![("id".into(), b"1".to_vec())]));
        assert!(verifies(made[0].key(), &got.data, &got.signature));
    }
    assert_eq!(platform.asked.len(), 4);
    assert!(platform.asked.iter().all(|what| matches!(what, What::SignIn(one) if one.len() == 1)));
    for says in [|_| Answer::Decline, |_| Answer::CannotAsk] {
        platform.says = says;
        assert_eq!(platform.ask(&get(RP)), Err(0x27));
    }
}

#[test]
fn nobody_is_asked_whether_there_is_a_passkey_and_the_answer_says_so() {
    let (mut platform, made) = with_passkeys(&[b"1"]);
    platform.says = |_| panic!("nobody is asked");
    for request in [get(RP), with_list(&get(RP), &[made[0].id()])] {
        let got = platform.get(&with_options(&request, &[("up", false)])).ok().unwrap();
        assert_eq!(got.data.flags.0, Flags::BE);
        assert!(verifies(made[0].key(), &got.data, &got.signature));
    }
    platform.device.change_state(&mut OsRng, |state| state.always_uv = true).unwrap();
    // alwaysUv is for those who claim a person; there is none here.
    assert!(platform.get(&with_options(&get(RP), &[("up", false)])).is_ok());
    assert_eq!(platform.ask(&get(RP)), Err(0x36));
}

#[test]
fn several_passkeys_are_given_one_by_one_newest_first() {
    let (mut platform, made) = with_passkeys(&[b"1", b"2", b"3"]);
    platform.set_pin(2, "1234");
    let other = make_discoverable("other.example", b"4");
    let other = with_token(&other, &platform.token(2, "1234", MC, Some("other.example")).unwrap());
    platform.make(&other).map(drop).unwrap();
    platform.asked.clear();
    for verified in [false, true] {
        let mut request = get(RP);
        if verified {
            request = with_token(&request, &platform.token(2, "1234", GA, Some(RP)).unwrap());
        }
        let first = platform.get(&request).ok().unwrap();
        assert_eq!(first.number(), Some(3));
        let mut all = vec![first];
        for _ in 0..2 {
            platform.passes(30);
            let next = platform.get(&[0x08]).ok().unwrap();
            assert_eq!(next.number(), None);
            all.push(next);
        }
        let ids: Vec<_> = all.iter().map(|got| got.id.as_slice()).collect();
        assert_eq!(ids, [made[2].id(), made[1].id(), made[0].id()]);
        for (got, made) in all.iter().zip(made.iter().rev()) {
            assert!(verifies(made.key(), &got.data, &got.signature));
            assert_eq!((got.data.flags.has(Flags::UP), got.data.flags.has(Flags::UV)), (true, verified));
            let names: Vec<_> = got.user().unwrap().into_iter().map(|(name, _)| name).collect();
            let expected = ["id", "name", "displayName"];
            assert_eq!(names, if verified { &expected[..] } else { &expected[..1] });
        }
        assert_eq!([platform.ask(&[0x08]), platform.ask(&[0x08])], [Err(0x30), Err(0x30)]);
    }
    // One question for the whole round, with all accounts in it.
    assert_eq!(platform.asked.len(), 2);
    assert!(matches!(&platform.asked[1], What::SignIn(accounts) if accounts.len() == 3));
    // By its id there is but one, and a round without a person tells no names.
    let list = with_list(&get(RP), &[made[0].id(), made[1].id()]);
    let got = platform.get(&list).ok().unwrap();
    assert_eq!((got.number(), platform.ask(&[0x08])), (None, Err(0x30)));
    let silent = platform.get(&with_options(&get(RP), &[("up", false)])).ok().unwrap();
    assert_eq!((silent.number(), silent.data.flags.0), (Some(3), Flags::BE));
    assert_eq!(platform.get(&[0x08]).ok().unwrap().data.flags.0, Flags::BE);
}

#[test]
fn a_round_ends_by_time_and_by_whatever_comes_in_between() {
    let (mut platform, _) = with_passkeys(&[b"1", b"2", b"3"]);
    assert_eq!(platform.ask(&[0x08]), Err(0x30), "nothing came before");
    for between in [vec![0x04], vec![0x0b], get("other.example"), vec![0xff], vec![]] {
        platform.get(&get(RP)).map(drop).unwrap();
        let _ = platform.raw(&between);
        assert_eq!(platform.ask(&[0x08]), Err(0x30), "{between:02x?}");
    }
    platform.get(&get(RP)).map(drop).unwrap();
    platform.passes(31);
    assert_eq!(platform.ask(&[0x08]), Err(0x30), "too late");
    assert_eq!(platform.ask(&[0x08]), Err(0x30));
    platform.get(&get(RP)).map(drop).unwrap();
    assert_eq!(platform.ask(&[0x08, 0xa0]), Err(0x03));
    platform.get(&get(RP)).map(drop).unwrap();
    platform.power_cycle();
    assert_eq!(platform.ask(&[0x08]), Err(0x30), "without power");
    // A request that is refused leaves no round behind.
    platform.says = |_| Answer::Decline;
    assert_eq!(platform.ask(&get(RP)), Err(0x27));
    assert_eq!(platform.ask(&[0x08]), Err(0x30));
}

#[test]
fn what_is_protected_shows_itself_to_the_verified_alone() {
    let mut platform = Platform::with_pin("1234");
    let level = |level| move |passkey: &mut Passkey| passkey.protection = level;
    let open = platform.add(RP, b"1", level(Protection::Optional));
    let by_id = platform.add(RP, b"2", level(Protection::OptionalWithId));
    let hidden = platform.add(RP, b"3", level(Protection::Required));
    let all: Vec<&[u8]> = [&open, &by_id, &hidden].map(|id| id.as_bytes()).to_vec();
    let verified = |platform: &mut Platform, request: &[u8]| {
        let token = platform.token(2, "1234", GA, Some(RP)).unwrap();
        platform.get(&with_token(request, &token)).ok().unwrap()
    };
    for silent in [false, true] {
        let request =
            |request: Vec<u8>| if silent { with_options(&request, &[("up", false)]) } else { request };
        let got = platform.get(&request(get(RP))).ok().unwrap();
        assert_eq!((got.id.as_slice(), got.number()), (open.as_bytes(), None));
        let got = platform.get(&request(with_list(&get(RP), &all))).ok().unwrap();
        assert_eq!(got.id, by_id.as_bytes());
        assert_eq!(platform.ask(&request(with_list(&get(RP), &[hidden.as_bytes()]))), Err(0x2e));
        let got = verified(&mut platform, &request(get(RP)));
        assert_eq!((got.id.as_slice(), got.number()), (hidden.as_bytes(), Some(3)));
        assert_eq!(verified(&mut platform, &request(with_list(&get(RP), &all))).id, hidden.as_bytes());
    }
}

#[test]
fn a_token_is_good_for_one_question_and_for_silence_before_it() {
    for protocol in [1, 2] {
        let mut platform = Platform::with_pin("1234");
        platform.add(RP, b"1", |_| {});
        let token = platform.token(protocol, "1234", MC, Some(RP)).unwrap();
        assert_eq!(platform.ask(&with_token(&get(RP), &token)), Err(0x33), "without the permission");
        let token = platform.token(protocol, "1234", GA, Some("other.example")).unwrap();
        assert_eq!(platform.ask(&with_token(&get(RP), &token)), Err(0x33), "for another RP");
        let token = platform.token(protocol, "1234", GA | MC, Some(RP)).unwrap();
        let silent = with_token(&with_options(&get(RP), &[("up", false)]), &token);
        for _ in 0..2 {
            let got = platform.get(&silent).ok().unwrap();
            assert_eq!(got.data.flags.0, Flags::UV | Flags::BE);
        }
        let got = platform.get(&with_token(&get(RP), &token)).ok().unwrap();
        assert_eq!(got.data.flags.0, Flags::UP | Flags::UV | Flags::BE);
        assert_eq!(platform.ask(&with_token(&get(RP), &token)), Err(0x33), "used up");
        assert_eq!(platform.ask(&silent), Err(0x33));
    }
}

#[test]
fn what_is_built_in_verifies_for_this_very_request() {
    let mut platform = Platform::with_uv(true);
    platform.add(RP, b"1", |_| {});
    let got = platform.get(&with_options(&get(RP), &[("uv", true)])).ok().unwrap();
    assert!(got.data.flags.has(Flags::UP | Flags::UV));
    assert_eq!(platform.reasons, ["sign in to example.com"]);
    let got = platform.get(&get(RP)).ok().unwrap();
    assert!(!got.data.flags.has(Flags::UV));
    // A verification without a person's presence is one all the same.
    let got = platform.get(&with_options(&get(RP), &[("uv", true), ("up", false)])).ok().unwrap();
    assert_eq!(got.data.flags.0, Flags::UV | Flags::BE);
    assert_eq!((platform.reasons.len(), platform.asked.len()), (2, 2));
}

#[test]
fn the_flags_say_what_is_true() {
    for (backup, expected) in [
        (Backup::SYNCED, Flags::BE),
        (Backup::SYNCED.exported(), Flags::BE | Flags::BS),
        (Backup::IMPORTED, Flags::BE | Flags::BS),
        (Backup::DEVICE_BOUND, 0),
        (Backup::DEVICE_BOUND.exported(), 0),
    ] {
        for (up, uv, blob) in [
            (true, false, false),
            (true, true, false),
            (false, false, true),
            (false, true, true),
            (true, true, true),
        ] {
            let mut platform = Platform::with_uv(true);
            platform.add(RP, b"1", |passkey| passkey.backup = backup);
            let mut request = with_options(&get(RP), &[("up", up), ("uv", uv)]);
            if blob {
                request = with_extensions(&request, |map| _ = map.text_entry("credBlob", |w| w.bool(true)));
            }
            let flags = [(up, Flags::UP), (uv, Flags::UV), (blob, Flags::ED)];
            let flags = flags.iter().filter(|(set, _)| *set).fold(expected, |all, (_, flag)| all | flag);
            assert_eq!(platform.get(&request).ok().unwrap().data.flags.0, flags);
        }
    }
}

#[test]
fn a_signature_that_cannot_be_counted_is_not_given() {
    let mut platform = Platform::new();
    platform.device.change_state(&mut OsRng, |state| state.policy = Policy::DeviceBound).unwrap();
    platform.make(&make_discoverable(RP, b"1")).map(drop).unwrap();
    let now = crate::ctap2::Moment { since_power_up: platform.now, epoch: 0 };
    let mut none = NoRandomness;
    let mut context = crate::ctap2::Context { rng: &mut none, now };
    let request = with_options(&get(RP), &[("up", false)]);
    let crate::ctap2::Step::Answer(reply) = platform.device.take(&request, &mut context) else {
        panic!("answered")
    };
    assert_eq!((reply.bytes.as_slice(), reply.then), (&[0x7f][..], crate::ctap2::Then::Stay));
    assert_eq!(platform.get(&get(RP)).ok().unwrap().data.counter, 1);
}

#[test]
fn a_passkey_that_is_not_discoverable_has_no_account_to_tell() {
    let mut platform = Platform::new();
    let made = platform.make(&make(RP, b"1")).ok().unwrap();
    assert_eq!(platform.ask(&get(RP)), Err(0x2e));
    let got = platform.get(&with_list(&get(RP), &[made.id()])).ok().unwrap();
    assert_eq!(got.user(), None);
}

#[test]
fn a_passkey_that_is_gone_when_its_turn_comes_does_not_sign() {
    let (mut platform, made) = with_passkeys(&[b"1", b"2"]);
    platform.get(&get(RP)).map(drop).unwrap();
    let first = crate::vault::CredentialId::new(made[0].id().to_vec());
    platform.device.vault.change(&mut OsRng, |contents| Ok(contents.remove(&first))).unwrap();
    assert_eq!(platform.ask(&[0x08]), Err(0x2e));
}

#[test]
fn what_another_program_removes_signs_no_more_and_what_it_adds_does() {
    let (mut platform, made) = with_passkeys(&[b"1"]);
    let id = crate::vault::CredentialId::new(made[0].id().to_vec());
    let mut other = platform.vault.unlock(&super::platform::passphrase()).unwrap();
    other.change(&mut rand_core::OsRng, |contents| Ok(contents.remove(&id))).unwrap();
    assert_eq!(platform.ask(&get(RP)), Err(0x2e));
    platform.add(RP, b"2", |_| ());
    assert!(platform.ask(&get(RP)).is_ok());
}
