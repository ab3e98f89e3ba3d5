//! Each request and each answer, with a phone that a test can spoil.

use std::time::Duration;

use cablecar::error::{Error, Mismatch};
use cablecar_protocol::cbor::{self, Writer};
use cablecar_protocol::ctap::{
    self, AttestedCredential, AuthenticatorData, Command, Status, get_assertion, make_credential,
};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};

use crate::answer::{point, sha256};
use crate::enrol::{Enrol, Enrolled};
use crate::flags::{Flags, Options};
use crate::resident::{Resident, resident};
use crate::sign::{Sign, Signed};
use crate::stand_in::{Blind, StandIn, cose};

const PRESENT: u8 = Flags::PRESENCE;
const VERIFIED: u8 = PRESENT | Flags::VERIFICATION;

fn wanted(flags: u8) -> Enrol<'static> {
    Enrol {
        algorithm: 0,
        challenge: b"challenge",
        application: "ssh:",
        flags: Flags(flags),
        options: Options::default(),
    }
}

fn enrol(phone: &mut StandIn, wanted: &Enrol<'_>) -> Result<Enrolled, Error> {
    let answer = phone.answer(&wanted.ask()?.request);
    wanted.finish(&answer)
}

fn signing<'a>(key: &'a Enrolled, flags: u8) -> Sign<'a> {
    Sign {
        algorithm: 0,
        data: b"session",
        application: "ssh:",
        key_handle: &key.key_handle,
        flags: Flags(flags),
        options: Options::default(),
    }
}

fn sign(phone: &mut StandIn, wanted: &Sign<'_>) -> Result<Signed, Error> {
    let answer = phone.answer(&wanted.ask()?.request);
    wanted.finish(&answer)
}

fn find(phone: &mut StandIn) -> Result<Resident, Error> {
    let life = Duration::from_secs(1);
    let mut screen = Blind;
    let work = resident(phone, &mut screen, "ssh:", [[1; 32], [2; 32]], life);
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// As a server does it.
fn verifies(key: &Enrolled, signed: &Signed) -> bool {
    let mut message = sha256(b"ssh:").to_vec();
    message.push(signed.flags);
    message.extend(signed.counter.to_be_bytes());
    message.extend(sha256(b"session"));
    let signature = Signature::from_scalars(signed.r, signed.s).unwrap();
    VerifyingKey::from_sec1_bytes(&key.public_key).unwrap().verify(&message, &signature).is_ok()
}

#[test]
fn a_key_is_made_and_its_signatures_are_what_servers_verify() {
    let mut phone = StandIn::new();
    let key = enrol(&mut phone, &wanted(PRESENT)).unwrap();
    assert_eq!((key.public_key.len(), key.public_key[0], key.flags), (65, 4, Flags(PRESENT)));
    let signed = sign(&mut phone, &signing(&key, PRESENT)).unwrap();
    assert_eq!((signed.flags & 5, signed.counter), (5, 7));
    assert!(verifies(&key, &signed));
    assert!(!verifies(&key, &Signed { counter: 8, ..signed }));
    // CBOR around the authenticator data, as ssh-sk-attest-v01 has it.
    let data = cbor::parse(&key.authenticator_data, 1).unwrap().as_bytes().unwrap();
    assert_eq!(AuthenticatorData::parse(data).unwrap().attested.unwrap().id, key.key_handle);
}

#[test]
fn the_phone_is_asked_for_what_openssh_asked_for() {
    let read = |enrol: &Enrol<'_>| {
        let ask = enrol.ask().unwrap();
        let (command, parameters) = Command::split(&ask.request).unwrap();
        assert_eq!(command, Command::MakeCredential);
        (make_credential::Request::parse(parameters).unwrap(), ask.needs_uv, ask.needs_rk)
    };
    let (request, uv, rk) = read(&wanted(PRESENT));
    assert_eq!((request.rp.id.as_str(), request.algorithms.as_slice()), ("ssh:", &[ctap::ES256][..]));
    assert_eq!(request.client_data_hash, sha256(b"challenge"));
    assert_eq!(request.user.id, [0; 32]);
    assert_eq!((request.options, uv, rk), (ctap::Options::default(), false, false));

    let (request, uv, rk) = read(&wanted(VERIFIED));
    assert_eq!((request.options.rk, request.options.uv, uv, rk), (None, Some(true), true, false));

    let options = Options { user: Some("alice".into()), device: None };
    let (request, uv, rk) = read(&Enrol { options, ..wanted(PRESENT | Flags::RESIDENT) });
    assert_eq!((request.options.rk, request.options.uv, uv, rk), (Some(true), Some(true), false, true));
    assert_eq!((&request.user.id[..6], request.user.name.as_deref()), (&b"alice\0"[..], Some("alice")));

    let key = enrol(&mut StandIn::new(), &wanted(PRESENT)).unwrap();
    for (flags, uv) in [(0, None), (PRESENT, None), (VERIFIED, Some(true))] {
        let ask = signing(&key, flags).ask().unwrap();
        let (_, parameters) = Command::split(&ask.request).unwrap();
        let request = get_assertion::Request::parse(parameters).unwrap();
        assert_eq!((request.options.up, request.options.uv, ask.needs_uv), (None, uv, uv.is_some()));
        assert_eq!((request.client_data_hash, request.allow.len()), (sha256(b"session"), 1));
        assert_eq!(request.allow[0].id, key.key_handle);
    }
}

#[test]
fn only_ecdsa_for_openssh_gets_as_far_as_the_phone() {
    let key = enrol(&mut StandIn::new(), &wanted(PRESENT)).unwrap();
    assert!(matches!(Enrol { algorithm: 1, ..wanted(PRESENT) }.ask(), Err(Error::Algorithm)));
    assert!(matches!(Sign { algorithm: 1, ..signing(&key, PRESENT) }.ask(), Err(Error::Algorithm)));
    let application = "login.example.com";
    assert!(matches!(Enrol { application, ..wanted(PRESENT) }.ask(), Err(Error::Usage(_))));
    assert!(matches!(Sign { application, ..signing(&key, PRESENT) }.ask(), Err(Error::Usage(_))));
    let options = Options { user: Some("x".repeat(32)), device: None };
    assert!(matches!(Enrol { options, ..wanted(PRESENT) }.ask(), Err(Error::Usage(_))));
}

#[test]
fn a_refusal_is_told_as_what_it_is() {
    let mut phone = StandIn::new();
    let key = enrol(&mut phone, &wanted(PRESENT)).unwrap();
    phone.refuses = Some(Status::OPERATION_DENIED);
    assert!(matches!(enrol(&mut phone, &wanted(PRESENT)), Err(Error::Declined)));
    assert!(matches!(sign(&mut phone, &signing(&key, PRESENT)), Err(Error::Declined)));
    phone.refuses = None;
    phone.passkeys.clear();
    assert!(matches!(sign(&mut phone, &signing(&key, PRESENT)), Err(Error::NoPasskey)));
    assert!(matches!(find(&mut phone), Err(Error::NoPasskey)));
}

#[track_caller]
fn mismatch<T: std::fmt::Debug>(result: Result<T, Error>, wanted: Mismatch) {
    assert!(matches!(&result, Err(Error::Answer(found)) if *found == wanted), "{result:?}");
}

#[test]
fn an_answer_that_a_server_would_refuse_is_not_passed_on() {
    let mut phone = StandIn::new();
    let key = enrol(&mut phone, &wanted(PRESENT)).unwrap();

    phone.flags = ctap::Flags::UP;
    assert!(sign(&mut phone, &signing(&key, PRESENT)).is_ok());
    mismatch(sign(&mut phone, &signing(&key, VERIFIED)), Mismatch::UserVerification);
    mismatch(enrol(&mut phone, &wanted(VERIFIED)), Mismatch::UserVerification);
    phone.flags = ctap::Flags::UV;
    mismatch(sign(&mut phone, &signing(&key, PRESENT)), Mismatch::UserPresence);
    mismatch(enrol(&mut phone, &wanted(PRESENT)), Mismatch::UserPresence);
    phone.flags |= ctap::Flags::UP;

    phone.says_extension = true;
    mismatch(sign(&mut phone, &signing(&key, PRESENT)), Mismatch::Extension);
    phone.says_extension = false;

    let right = phone.answer(&signing(&key, PRESENT).ask().unwrap().request);
    let other = Sign { application: "ssh:other", ..signing(&key, PRESENT) };
    mismatch(other.finish(&right), Mismatch::RpIdHash);
    let other = Sign { key_handle: b"another", ..signing(&key, PRESENT) };
    mismatch(other.finish(&right), Mismatch::Credential);
    mismatch(signing(&key, PRESENT).finish(&[]), Mismatch::Unreadable);
    mismatch(signing(&key, PRESENT).finish(&right[..right.len() - 1]), Mismatch::Unreadable);
    mismatch(wanted(PRESENT).finish(&right), Mismatch::Unreadable);

    let mut response = get_assertion::Response::parse(&right[1..]).unwrap();
    response.signature.truncate(10);
    let broken = Status::OK.with(&response.to_bytes());
    mismatch(signing(&key, PRESENT).finish(&broken), Mismatch::Signature);
}

#[test]
fn a_new_key_that_is_none_is_not_passed_on() {
    let credential = |public_key| AttestedCredential { aaguid: [0; 16], id: vec![1], public_key };
    let key = p256::ecdsa::SigningKey::random(&mut rand_core::OsRng);
    assert!(point(&credential(cose(&key))).is_ok());
    let off_the_curve = Writer::map_of(|map| {
        map.entry(1, |w| w.int(2));
        map.entry(3, |w| w.int(-7));
        map.entry(-1, |w| w.int(1));
        map.entry(-2, |w| w.bytes(&[1; 32]));
        map.entry(-3, |w| w.bytes(&[1; 32]));
    });
    assert_eq!(point(&credential(off_the_curve)), Err(Mismatch::Key));
    let ed25519 = Writer::map_of(|map| {
        map.entry(1, |w| w.int(1));
        map.entry(3, |w| w.int(-8));
        map.entry(-1, |w| w.int(6));
        map.entry(-2, |w| w.bytes(&[1; 32]));
    });
    assert_eq!(point(&credential(ed25519)), Err(Mismatch::KeyAlgorithm));
}

#[test]
fn the_key_of_a_resident_passkey_is_worked_out_from_two_signatures() {
    // Many keys, for the wrong one would be found half the time.
    for _ in 0..16 {
        let mut phone = StandIn::new();
        let options = Options { user: Some("alice".into()), device: None };
        let key = enrol(&mut phone, &Enrol { options, ..wanted(PRESENT | Flags::RESIDENT) }).unwrap();
        let found = find(&mut phone).unwrap();
        assert_eq!((found.public_key, found.key_handle), (key.public_key, key.key_handle));
        assert_eq!((found.application.as_str(), &found.user_handle[..6]), ("ssh:", &b"alice\0"[..]));
        assert_eq!(found.flags, Flags(PRESENT | Flags::RESIDENT));
        assert_eq!(phone.asked.len(), 3, "one enrolment and two signatures");
    }
}

#[test]
fn a_resident_key_still_demands_verification_if_it_did() {
    let mut phone = StandIn::new();
    enrol(&mut phone, &wanted(VERIFIED | Flags::RESIDENT)).unwrap();
    assert_eq!(find(&mut phone).unwrap().flags, Flags(VERIFIED | Flags::RESIDENT));
}

#[test]
fn keys_that_are_not_resident_are_not_found_and_two_keys_are_not_taken_for_one() {
    let mut phone = StandIn::new();
    enrol(&mut phone, &wanted(PRESENT)).unwrap();
    assert!(matches!(find(&mut phone), Err(Error::NoPasskey)));
    enrol(&mut phone, &wanted(PRESENT | Flags::RESIDENT)).unwrap();
    phone.confuses_keys = true;
    mismatch(find(&mut phone), Mismatch::Key);
}
