//! Every row of the table in [`super`], with the exact status bytes.

use cablecar_protocol::cbor::{self, Writer};
use cablecar_protocol::ctap::get_assertion::{Request as Get, Response as Got};
use cablecar_protocol::ctap::make_credential::{Request as Make, Response as Made};
use cablecar_protocol::ctap::{
    CredentialDescriptor, ES256, Flags, GetInfo, Options, PrfInputs, PrfValues, RelyingParty, User,
};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use proptest::prelude::*;
use rand_core::OsRng;
use zeroize::Zeroizing;

use super::*;
use crate::consent::{Account, What};
use crate::passphrase::Passphrase;
use crate::vault::{Kdf, NoRandomness, Vault};

const NOW: u64 = 1_795_000_000;

fn passphrase() -> Passphrase {
    Passphrase::new(b"right".to_vec()).unwrap()
}

fn empty_vault() -> Vault {
    let vault = Vault::in_memory();
    vault.create(&passphrase(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    vault
}

/// A session, its vault, and what the person says; the last question kept.
struct World {
    session: Session,
    vault: Vault,
    says: fn(Question) -> Answer,
    asked: Vec<(What, Vec<Warning>)>,
}

impl World {
    fn new() -> Self {
        Self::with_hint(Hint::MakeCredential)
    }

    fn with_hint(hint: Hint) -> Self {
        Self {
            session: Session::new(hint),
            vault: empty_vault(),
            says: |question| question.approve(0),
            asked: Vec::new(),
        }
    }

    fn send(&mut self, request: &[u8]) -> Reply {
        let (question, ready) = match self.session.take(request) {
            Next::Answer(reply) => return reply,
            Next::Ask(question, ready) => (question, ready),
            Next::Verify(checked) => checked.look_up(self.vault.unlock(&passphrase()).unwrap()),
        };
        self.asked.push((question.what.clone(), question.warnings.clone()));
        ready.act((self.says)(question), &mut OsRng, NOW)
    }

    fn status(&mut self, request: &[u8]) -> u8 {
        self.send(request).bytes[0]
    }

    fn make(&mut self, request: &Make) -> Made {
        let reply = self.send(&request.to_bytes());
        assert_eq!(reply.bytes[0], 0, "{reply:?}");
        assert_eq!(cbor::parse(&reply.bytes[1..], cbor::CTAP_DEPTH).map(drop), Ok(()));
        Made::parse(&reply.bytes[1..]).unwrap()
    }

    fn get(&mut self, request: &Get) -> Got {
        let reply = self.send(&request.to_bytes());
        assert_eq!(reply.bytes[0], 0, "{reply:?}");
        Got::parse(&reply.bytes[1..]).unwrap()
    }

    fn stored(&self) -> usize {
        self.vault.unlock(&passphrase()).unwrap().passkeys().count()
    }
}

fn make(rp: &str, user: &[u8]) -> Make {
    Make {
        client_data_hash: [7; 32],
        rp: RelyingParty { id: rp.into(), name: Some("Example".into()) },
        user: User { id: user.to_vec(), name: Some("alice".into()), display_name: None },
        algorithms: vec![-8, ES256, -257],
        exclude: Vec::new(),
        prf: None,
        options: Options { rk: Some(true), up: None, uv: Some(true) },
        pin_uv_auth: false,
    }
}

fn get(rp: &str) -> Get {
    Get {
        rp_id: rp.into(),
        client_data_hash: [9; 32],
        allow: Vec::new(),
        has_allow_list: false,
        prf: None,
        options: Options::default(),
        pin_uv_auth: false,
    }
}

fn id_of(made: &Made) -> Vec<u8> {
    made.authenticator_data.attested.as_ref().unwrap().id.clone()
}

fn key_of(made: &Made) -> VerifyingKey {
    let key = &made.authenticator_data.attested.as_ref().unwrap().public_key;
    let map = cbor::parse(key, cbor::CTAP_DEPTH).unwrap().as_map().unwrap();
    assert_eq!(map.iter().map(|(key, _)| key.as_int().unwrap()).collect::<Vec<_>>(), [1, 3, -1, -2, -3]);
    assert_eq!([1, 3, -1].map(|key| map.get(key).unwrap().as_int().unwrap()), [2, ES256, 1]);
    let coordinate = |key| map.get(key).unwrap().as_array_of::<32>().unwrap();
    let sec1 = [&[4][..], &coordinate(-2), &coordinate(-3)].concat();
    VerifyingKey::from_sec1_bytes(&sec1).unwrap()
}

fn assert_signed(got: &Got, key: &VerifyingKey, hash: [u8; 32]) {
    let signed = [got.authenticator_data.as_bytes(), hash.as_slice()].concat();
    key.verify(&signed, &Signature::from_der(&got.signature).unwrap()).unwrap();
}

/// A request's map with one more entry, or one replaced.
fn with(request: &[u8], key: i64, value: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let map = cbor::parse(&request[1..], cbor::CTAP_DEPTH).unwrap().as_map().unwrap();
    let mut out = vec![request[0]];
    out.extend(Writer::map_of(|entries| {
        entries.entry(key, value);
        for (other, item) in map.iter().filter(|(other, _)| other.as_int() != Some(key)) {
            entries.entry(other.as_int().unwrap(), |w| w.copy(item));
        }
    }));
    out
}

fn without(request: &[u8], key: i64) -> Vec<u8> {
    let map = cbor::parse(&request[1..], cbor::CTAP_DEPTH).unwrap().as_map().unwrap();
    let mut out = vec![request[0]];
    out.extend(Writer::map_of(|entries| {
        for (other, item) in map.iter().filter(|(other, _)| other.as_int() != Some(key)) {
            entries.entry(other.as_int().unwrap(), |w| w.copy(item));
        }
    }));
    out
}

#[test]
fn a_passkey_is_made_and_then_signs() {
    let mut world = World::new();
    let made = world.make(&make("example.com", b"1"));
    assert_eq!((made.format.as_str(), made.statement.as_slice()), ("none", &[0xa0][..]));
    let data = &made.authenticator_data;
    assert_eq!((data.flags.0, data.counter), (Flags::UP | Flags::UV | Flags::BE | Flags::AT, 0));
    assert_eq!(data.rp_id_hash, sha256(b"example.com"));
    assert_eq!((data.attested.as_ref().unwrap().aaguid, id_of(&made).len()), (AAGUID, 32));

    let got = world.get(&get("example.com"));
    assert_eq!(got.credential.as_ref().unwrap().id, id_of(&made));
    assert_eq!(got.authenticator_data.flags.0, Flags::UP | Flags::UV | Flags::BE);
    assert_eq!((got.user_selected, got.number_of_credentials), (Some(true), None));
    let user = User { id: b"1".to_vec(), name: Some("alice".into()), display_name: Some(String::new()) };
    assert_eq!(got.user, Some(user));
    assert_signed(&got, &key_of(&made), [9; 32]);
}

#[test]
fn get_info_is_the_tunnels_own() {
    let reply = World::new().send(&[0x04]);
    assert_eq!(reply.bytes[0], 0);
    let info = GetInfo::parse(&reply.bytes[1..]).unwrap();
    assert_eq!(info, get_info());
    assert_eq!(info.versions, ["FIDO_2_0", "FIDO_2_1"]);
    assert_eq!(
        (info.option("rk"), info.option("uv"), info.has_extension("prf")),
        (Some(true), Some(true), true)
    );
    let map = cbor::parse(&reply.bytes[1..], cbor::CTAP_DEPTH).unwrap().as_map().unwrap();
    assert!((5..=8).all(|key| map.get(key).is_none()));
    assert_eq!(World::new().status(&[0x04, 0xa0]), 0x03);
}

#[test]
fn selection_asks_and_makes_nothing() {
    let mut world = World::new();
    let reply = world.send(&[0x0b]);
    assert_eq!((reply.bytes, reply.then), (vec![0x00], Then::Stay));
    world.says = |_| Answer::Decline;
    assert_eq!(world.send(&[0x0b]).bytes, [0x27]);
    assert_eq!(world.status(&[0x0b, 0xa0]), 0x03);
    assert_eq!((world.asked.len(), world.stored()), (2, 0));
    assert!(world.asked.iter().all(|(what, _)| *what == What::UseThisPhone));
}

#[test]
fn the_dummy_asks_and_is_always_denied() {
    let mut world = World::new();
    let answers: [fn(Question) -> Answer; 2] = [|question| question.approve(0), |_| Answer::Decline];
    for says in answers {
        world.says = says;
        assert_eq!(world.send(&make(".dummy", b"\x01").to_bytes()).bytes, [0x27]);
    }
    assert_eq!((world.asked.len(), world.stored()), (2, 0));
    assert_eq!(world.asked[0].0, What::UseThisPhone);
}

#[test]
fn other_commands_are_refused_and_the_third_closes() {
    for other in [
        &[0x00, 0x01][..],
        &[0x06, 0xa0],
        &[0x07],
        &[0x08],
        &[0x09],
        &[0x0a],
        &[0x0c],
        &[0x0d],
        &[0x40],
        &[0xff],
        &[],
    ] {
        let mut world = World::new();
        for then in [Then::Stay, Then::Stay, Then::Close] {
            let reply = world.send(other);
            assert_eq!((reply.bytes.as_slice(), reply.then), (&[0x01][..], then), "{other:02x?}");
        }
        assert_eq!(world.asked.len(), 0);
    }
}

#[test]
fn the_ninth_request_for_a_passkey_is_not_allowed_and_closes() {
    let mut world = World::new();
    world.make(&make("example.com", b"1"));
    for _ in 0..7 {
        world.get(&get("example.com"));
    }
    for request in [get("example.com").to_bytes(), make("example.com", b"2").to_bytes()] {
        let reply = world.send(&request);
        assert_eq!((reply.bytes.as_slice(), reply.then), (&[0x30][..], Then::Close));
    }
    assert_eq!((world.asked.len(), world.stored()), (8, 1));
}

#[test]
fn a_request_that_nobody_can_read_counts_too() {
    let mut world = World::new();
    for _ in 0..8 {
        assert_eq!(world.status(&[0x02, 0xff]), 0x12);
    }
    assert_eq!(world.status(&[0x02, 0xff]), 0x30);
    let mut world = World::new();
    for _ in 0..8 {
        assert_eq!(world.status(&[0x0b]), 0x00);
    }
    assert_eq!(world.status(&[0x0b]), 0x30);
}

#[test]
fn up_false_is_refused_without_a_question() {
    let mut world = World::new();
    let mut request = make("example.com", b"1");
    request.options.up = Some(false);
    assert_eq!(world.status(&request.to_bytes()), 0x2b);
    let mut request = get("example.com");
    request.options.up = Some(false);
    assert_eq!(world.status(&request.to_bytes()), 0x2b);
    assert_eq!((world.asked.len(), world.stored()), (0, 0));
}

#[test]
fn each_fault_of_make_credential_has_its_status_and_no_question() {
    let good = make("example.com", b"1").to_bytes();
    let mut no_es256 = make("example.com", b"1");
    no_es256.algorithms = vec![-257, -8];
    let mut long_list = make("example.com", b"1");
    long_list.exclude = (0..65u8).map(|n| CredentialDescriptor::new(vec![n; 32])).collect();
    let mut world = World::new();
    for (situation, request, status) in [
        ("no parameters", vec![0x01], 0x12),
        ("not a map", vec![0x01, 0x80], 0x11),
        ("trailing byte", [good.clone(), vec![0]].concat(), 0x12),
        ("no hash", without(&good, 1), 0x14),
        ("no RP", without(&good, 2), 0x14),
        ("no user", without(&good, 3), 0x14),
        ("no algorithms", without(&good, 4), 0x14),
        ("short hash", with(&good, 1, |w| w.bytes(&[7; 31])), 0x03),
        ("hash as text", with(&good, 1, |w| w.text("7")), 0x11),
        ("no ES256", no_es256.to_bytes(), 0x26),
        ("empty algorithms", with(&good, 4, |w| w.array(|_| {})), 0x26),
        ("options as array", with(&good, 7, |w| w.array(|_| {})), 0x11),
        ("PIN parameter without protocol", with(&good, 8, |w| w.bytes(&[0; 16])), 0x14),
        ("empty PIN parameter", with(&good, 8, |w| w.bytes(&[])), 0x14),
        ("PIN parameter", with(&with(&good, 8, |w| w.bytes(&[0; 16])), 9, |w| w.unsigned(1)), 0x02),
        ("enterprise attestation", with(&good, 10, |w| w.unsigned(1)), 0x02),
        ("65 excluded", long_list.to_bytes(), 0x15),
        ("empty RP ID", make("", b"1").to_bytes(), 0x03),
        ("RP ID of 254 bytes", make(&"x".repeat(254), b"1").to_bytes(), 0x03),
        ("empty user id", make("example.com", b"").to_bytes(), 0x03),
        ("user id of 65 bytes", make("example.com", &[1; 65]).to_bytes(), 0x03),
    ] {
        world.session = Session::new(Hint::MakeCredential);
        assert_eq!(world.status(&request), status, "{situation}");
    }
    assert_eq!((world.asked.len(), world.stored()), (0, 0));
}

#[test]
fn each_fault_of_get_assertion_has_its_status_and_no_question() {
    let good = get("example.com").to_bytes();
    let mut long_list = get("example.com");
    long_list.allow = (0..65u8).map(|n| CredentialDescriptor::new(vec![n; 32])).collect();
    let mut rk = get("example.com");
    rk.options.rk = Some(true);
    let mut world = World::new();
    for (situation, request, status) in [
        ("no parameters", vec![0x02], 0x12),
        ("no RP ID", without(&good, 1), 0x14),
        ("no hash", without(&good, 2), 0x14),
        ("RP ID as bytes", with(&good, 1, |w| w.bytes(b"example.com")), 0x11),
        ("rk", rk.to_bytes(), 0x2b),
        ("PIN parameter without protocol", with(&good, 6, |w| w.bytes(&[0; 16])), 0x14),
        ("PIN parameter", with(&with(&good, 6, |w| w.bytes(&[0; 16])), 7, |w| w.unsigned(2)), 0x02),
        ("65 allowed", long_list.to_bytes(), 0x15),
    ] {
        world.session = Session::new(Hint::GetAssertion);
        assert_eq!(world.status(&request), status, "{situation}");
    }
    assert_eq!(world.asked.len(), 0);
}

#[test]
fn no_is_denied_and_so_is_nobody_but_the_phone_knows_the_difference() {
    let mut world = World::new();
    world.make(&make("example.com", b"1"));
    for request in [make("example.com", b"2").to_bytes(), get("example.com").to_bytes(), vec![0x0b]] {
        world.says = |_| Answer::Decline;
        let reply = world.send(&request);
        assert_eq!(reply.bytes, [0x27]);
        assert!(matches!(reply.result, Some(Err(Error::Declined))));
        world.says = |_| Answer::CannotAsk;
        let reply = world.send(&request);
        assert_eq!(reply.bytes, [0x27]);
        assert!(matches!(reply.result, Some(Err(Error::CannotAsk))));
    }
    assert_eq!(world.stored(), 1);
}

#[test]
fn the_answer_to_another_question_allows_nothing() {
    let mut world = World::new();
    world.make(&make("example.com", b"1"));
    let mut look_up = |request: &[u8]| {
        let Next::Verify(checked) = world.session.take(request) else { panic!("verify") };
        checked.look_up(world.vault.unlock(&passphrase()).unwrap())
    };
    let (harmless, _) = look_up(&get("example.com").to_bytes());
    let (_, dear) = look_up(&make("example.com", b"2").to_bytes());
    let reply = dear.act(harmless.approve(0), &mut OsRng, NOW);
    assert_eq!(reply.bytes, [0x27]);
    assert_eq!(world.stored(), 1);
}

#[test]
fn an_excluded_passkey_is_told_of_only_when_the_person_says_yes() {
    let mut world = World::new();
    let made = world.make(&make("example.com", b"1"));
    let mut again = make("example.com", b"2");
    again.exclude = vec![CredentialDescriptor::new(vec![1; 32]), CredentialDescriptor::new(id_of(&made))];
    assert_eq!(world.status(&again.to_bytes()), 0x19);
    world.says = |_| Answer::Decline;
    assert_eq!(world.status(&again.to_bytes()), 0x27);
    assert!(world.asked[1..].iter().all(|(what, _)| matches!(what, What::AlreadyRegistered(_))));
    // Of another RP: not excluded.
    world.says = |question| question.approve(0);
    again.rp.id = "other.example".into();
    assert_eq!(world.status(&again.to_bytes()), 0x00);
    assert_eq!(world.stored(), 2);
}

#[test]
fn nothing_to_sign_in_with_is_told_only_when_the_person_says_yes() {
    let mut world = World::with_hint(Hint::GetAssertion);
    let reply = world.send(&get("example.com").to_bytes());
    assert_eq!(reply.bytes, [0x2e]);
    assert!(matches!(reply.result, Some(Err(Error::NoPasskey))));
    world.says = |_| Answer::Decline;
    assert_eq!(world.status(&get("example.com").to_bytes()), 0x27);
    assert!(
        world.asked.iter().all(|(what, warnings)| *what == What::NothingToSignInWith && warnings.is_empty())
    );
}

#[test]
fn an_allow_list_is_for_its_rp_and_its_ids_alone() {
    let mut world = World::new();
    let mine = world.make(&make("example.com", b"1"));
    let others = world.make(&make("other.example", b"1"));
    let mut request = get("example.com");
    request.allow = vec![CredentialDescriptor::new(id_of(&others))];
    assert_eq!(world.status(&request.to_bytes()), 0x2e);
    request.allow.push(CredentialDescriptor::new(id_of(&mine)));
    let got = world.get(&request);
    assert_eq!(got.credential.as_ref().unwrap().id, id_of(&mine));
    assert_eq!(got.user_selected, None);
    assert_eq!(got.user, Some(User { id: b"1".to_vec(), name: None, display_name: None }));
    assert_signed(&got, &key_of(&mine), [9; 32]);
    // A list of types that nobody knows allows nothing, not everything.
    let unknown = with(&get("example.com").to_bytes(), 3, |w| {
        w.array(|list| {
            list.push(|w| {
                w.map(|map| {
                    map.text_entry("id", |w| w.bytes(&id_of(&mine)));
                    map.text_entry("type", |w| w.text("unknown"));
                });
            });
        });
    });
    assert_eq!(world.status(&unknown), 0x2e);
}

#[test]
fn a_passkey_that_is_not_discoverable_is_found_by_its_id_alone() {
    let mut world = World::new();
    let mut request = make("example.com", b"1");
    request.options.rk = Some(false);
    let made = world.make(&request);
    assert_eq!(world.status(&get("example.com").to_bytes()), 0x2e);
    let mut request = get("example.com");
    request.allow = vec![CredentialDescriptor::new(id_of(&made))];
    let got = world.get(&request);
    assert_eq!((got.user.as_ref(), got.user_selected), (None, None));
    assert_signed(&got, &key_of(&made), [9; 32]);
}

#[test]
fn among_several_accounts_the_chosen_one_signs() {
    let mut world = World::new();
    let first = world.make(&make("example.com", b"1"));
    let second = world.make(&make("example.com", b"2"));
    // The newest is offered first.
    world.says = |question| question.approve(1);
    let got = world.get(&get("example.com"));
    assert_eq!(
        (got.credential.as_ref().unwrap().id.clone(), got.user.as_ref().unwrap().id.clone()),
        (id_of(&first), b"1".to_vec())
    );
    assert_signed(&got, &key_of(&first), [9; 32]);
    world.says = |question| question.approve(0);
    assert_signed(&world.get(&get("example.com")), &key_of(&second), [9; 32]);
    world.says = |question| question.approve(2);
    assert_eq!(world.status(&get("example.com").to_bytes()), 0x27);
    let account = Account { name: Some("alice".into()), display_name: None };
    assert_eq!(world.asked.last().unwrap().0, What::SignIn(vec![account.clone(), account]));
}

#[test]
fn the_same_account_again_takes_the_place_of_its_passkey_with_a_warning() {
    let mut world = World::new();
    let first = world.make(&make("example.com", b"1"));
    let second = world.make(&make("example.com", b"1"));
    assert_eq!(world.stored(), 1);
    assert_eq!(
        (world.asked[0].1.as_slice(), world.asked[1].1.as_slice()),
        (&[][..], &[Warning::Replaces][..])
    );
    assert_ne!(id_of(&first), id_of(&second));
    assert_signed(&world.get(&get("example.com")), &key_of(&second), [9; 32]);
}

#[test]
fn what_the_code_did_not_announce_is_warned_of() {
    let mut world = World::with_hint(Hint::GetAssertion);
    world.make(&make("example.com", b"1"));
    assert_eq!(world.asked[0].1, [Warning::NotAnnounced(Hint::GetAssertion)]);
    world.get(&get("example.com"));
    assert_eq!(world.asked[1].1, []);
    let mut world = World::with_hint(Hint::DigitalCredentialPresentation);
    world.make(&make("аpple.com", b"1"));
    let expected = [Warning::NotAnnounced(Hint::DigitalCredentialPresentation), Warning::NotPlainAscii];
    assert_eq!(world.asked[0].1, expected);
}

#[test]
fn names_are_cut_between_characters_before_they_are_stored() {
    let mut world = World::new();
    let mut request = make("example.com", b"1");
    request.user.name = Some("ä".repeat(200));
    request.user.display_name = Some(format!("x{}", "ä".repeat(200)));
    world.make(&request);
    let unlocked = world.vault.unlock(&passphrase()).unwrap();
    let user = &unlocked.passkeys().next().unwrap().user;
    assert_eq!(user.name.as_deref(), Some("ä".repeat(128).as_str()));
    assert_eq!(user.display_name.as_deref().map(str::len), Some(255));
}

fn values(first: u8, second: Option<u8>) -> PrfValues {
    PrfValues {
        first: Zeroizing::new([first; 32]),
        second: second.map(|second| Zeroizing::new([second; 32])),
    }
}

#[test]
fn prf_gives_the_same_output_for_the_same_salt_and_credential() {
    let mut world = World::new();
    let mut request = make("example.com", b"1");
    request.prf = Some(PrfInputs { eval: Some(values(1, Some(2))), by_credential: Vec::new() });
    let made = world.make(&request);
    let made_prf = made.prf.as_ref().unwrap();
    assert_eq!(made_prf.enabled, Some(true));
    let at_creation = made_prf.results.as_ref().unwrap();
    assert!(made.authenticator_data.extensions().is_none());

    let mut request = get("example.com");
    request.prf = Some(PrfInputs { eval: Some(values(2, Some(1))), by_credential: Vec::new() });
    let swapped = world.get(&request).prf.unwrap();
    assert_eq!(swapped.enabled, None);
    let swapped = swapped.results.unwrap();
    assert_eq!(
        (&at_creation.first, at_creation.second.as_ref()),
        (swapped.second.as_ref().unwrap(), Some(&swapped.first))
    );
    assert_ne!(swapped.first, *swapped.second.as_ref().unwrap());

    // For this credential rather than for whichever.
    request.prf = Some(PrfInputs {
        eval: Some(values(3, None)),
        by_credential: vec![(id_of(&made), values(1, None)), (vec![1; 32], values(4, None))],
    });
    let own = world.get(&request).prf.unwrap().results.unwrap();
    assert_eq!((&own.first, own.second.is_none()), (&at_creation.first, true));
    // For another credential: no input, no output.
    request.prf = Some(PrfInputs { eval: None, by_credential: vec![(vec![1; 32], values(4, None))] });
    assert_eq!(world.get(&request).prf, None);
}

#[test]
fn prf_without_input_is_enabled_without_output() {
    let mut world = World::new();
    let mut request = make("example.com", b"1");
    request.prf = Some(PrfInputs::default());
    let prf = world.make(&request).prf.unwrap();
    assert_eq!((prf.enabled, prf.results), (Some(true), None));
    request = make("example.com", b"2");
    assert_eq!(world.make(&request).prf, None);
}

/// The secret of the record, the salt of the request: nothing else.
#[test]
fn prf_is_hmac_of_the_salt_under_the_secret_for_verified_users() {
    use hmac::Mac;
    let secrets: Vec<u8> = (0..64).collect();
    struct Given(Vec<u8>);
    impl rand_core::CryptoRng for Given {}
    impl rand_core::RngCore for Given {
        fn next_u32(&mut self) -> u32 {
            0
        }
        fn next_u64(&mut self) -> u64 {
            0
        }
        fn fill_bytes(&mut self, dest: &mut [u8]) {
            dest.copy_from_slice(&self.0[..dest.len()]);
        }
        fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
            self.fill_bytes(dest);
            Ok(())
        }
    }
    let prf = crate::vault::PrfSecrets::random(&mut Given(secrets.clone())).unwrap();
    let mac = <hmac::Hmac<sha2::Sha256> as Mac>::new_from_slice(&secrets[..32]).unwrap();
    let expected: [u8; 32] = mac.chain_update([5; 32]).finalize().into_bytes().into();
    assert_eq!(*prf.evaluate(&values(5, None), true).first, expected);
}

#[test]
fn a_vault_that_cannot_be_written_makes_no_passkey() {
    let mut world = World::new();
    let Next::Verify(checked) = world.session.take(&make("example.com", b"1").to_bytes()) else {
        panic!("verify")
    };
    let (question, ready) = checked.look_up(world.vault.unlock(&passphrase()).unwrap());
    let reply = ready.act(question.approve(0), &mut NoRandomness, NOW);
    assert_eq!((reply.bytes.as_slice(), reply.then, world.stored()), (&[0x7f][..], Then::Close, 0));
    assert_eq!(Reply::vault_failed(vault::Error::DiskFull).bytes, [0x28]);
    assert_eq!(Reply::vault_failed(vault::Error::WrongPassphrase).bytes, [0x27]);
}

proptest! {
    #[test]
    fn no_request_panics_and_none_acts_without_a_question(
        bytes in proptest::collection::vec(any::<u8>(), 0..120), command in prop_oneof![Just(1u8), Just(2), Just(4), Just(11)],
    ) {
        let mut session = Session::new(Hint::GetAssertion);
        let _ = session.take(&bytes);
        let request = [&[command][..], &bytes].concat();
        if let Next::Answer(reply) = session.take(&request) {
            prop_assert!(!matches!(reply.result, Some(Ok(_))));
        }
    }

    #[test]
    fn no_changed_request_panics(at in 0usize..400, to in any::<u8>()) {
        let mut world = World::new();
        for mut request in [make("example.com", b"1").to_bytes(), get("example.com").to_bytes()] {
            let at = at % request.len();
            request[at] = to;
            let _ = world.send(&request);
        }
    }
}

mod policy;
