//! Answers that fit and answers that do not: each misfit is its own error,
//! and none becomes a response.

use cablecar_protocol::cbor::Writer;
use cablecar_protocol::ctap::{
    AttestedCredential, AuthenticatorData, CredentialDescriptor, PrfOutputs, User, get_assertion,
    make_credential,
};
use p256::ecdsa::SigningKey;
use serde_json::{Value, json};

use super::*;
use crate::transaction::Ask;

const CREDENTIAL: [u8; 32] = [0xc1; 32];

fn origin() -> Origin {
    Origin::parse("https://login.example.com").unwrap()
}

fn hash(rp_id: &str) -> [u8; 32] {
    Sha256::digest(rp_id).into()
}

fn cose_key(algorithm: i64) -> Vec<u8> {
    let point = SigningKey::from_slice(&[7; 32]).unwrap().verifying_key().to_encoded_point(false);
    cose(algorithm, point.x().unwrap(), point.y().unwrap())
}

fn cose(algorithm: i64, x: &[u8], y: &[u8]) -> Vec<u8> {
    Writer::map_of(|map| {
        map.entry(1, |w| w.int(2));
        map.entry(3, |w| w.int(algorithm));
        map.entry(-1, |w| w.int(1));
        map.entry(-2, |w| w.bytes(x));
        map.entry(-3, |w| w.bytes(y));
    })
}

fn create_options() -> Value {
    json!({
        "rp": {"id": "example.com", "name": "Example"},
        "user": {"id": "AQID", "name": "alice", "displayName": "Alice"},
        "challenge": "Y2hhbGxlbmdl",
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        "authenticatorSelection": {"residentKey": "required", "userVerification": "required"},
        "extensions": {"credProps": true, "prf": {"eval": {"first": "AA"}}},
    })
}

fn create() -> Create {
    Create::from_json(create_options().to_string().as_bytes(), &origin()).unwrap()
}

fn get(allow: &[&[u8]]) -> Get {
    let allow: Vec<_> =
        allow.iter().map(|id| json!({"type": "public-key", "id": Bytes(id.to_vec())})).collect();
    let options = json!({
        "challenge": "Y2hhbGxlbmdl", "rpId": "example.com", "userVerification": "required",
        "allowCredentials": allow,
    });
    Get::from_json(options.to_string().as_bytes(), &origin()).unwrap()
}

const GOOD_FLAGS: u8 = Flags::UP | Flags::UV | Flags::BE;

fn attested(key: Vec<u8>) -> AttestedCredential {
    AttestedCredential { aaguid: [1; 16], id: CREDENTIAL.to_vec(), public_key: key }
}

fn made(data: AuthenticatorData) -> Vec<u8> {
    Status::OK.with(
        &make_credential::Response {
            format: "none".into(),
            authenticator_data: data,
            statement: vec![0xa0],
            prf: Some(PrfOutputs { enabled: Some(true), results: None }),
        }
        .to_bytes(),
    )
}

fn made_with(flags: u8, rp_id: &str, key: Vec<u8>) -> Vec<u8> {
    made(AuthenticatorData::new(hash(rp_id), flags, 0, Some(attested(key))))
}

fn signed(change: impl FnOnce(&mut get_assertion::Response)) -> Vec<u8> {
    let mut response = get_assertion::Response {
        credential: Some(CredentialDescriptor::new(CREDENTIAL.to_vec())),
        authenticator_data: AuthenticatorData::new(hash("example.com"), GOOD_FLAGS, 0, None),
        signature: vec![0x30, 0x00],
        user: Some(User { id: vec![1, 2, 3], name: None, display_name: None }),
        number_of_credentials: None,
        user_selected: Some(true),
        prf: None,
    };
    change(&mut response);
    Status::OK.with(&response.to_bytes())
}

fn mismatch(result: Result<impl std::fmt::Debug, Error>) -> Mismatch {
    match result {
        Err(Error::Answer(mismatch)) => mismatch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_registration_that_fits_becomes_the_json_of_level_3() {
    let response = create().finish(&made_with(GOOD_FLAGS, "example.com", cose_key(-7))).unwrap();
    let json = serde_json::to_value(response).unwrap();
    assert_eq!(json["type"], "public-key");
    assert_eq!(json["id"], json["rawId"]);
    assert_eq!(json["authenticatorAttachment"], "cross-platform");
    assert_eq!(json["response"]["transports"], json!(["hybrid", "internal"]));
    assert_eq!(json["response"]["publicKeyAlgorithm"], -7);
    assert_eq!(json["clientExtensionResults"], json!({"credProps": {"rk": true}, "prf": {"enabled": true}}));
    let data: Bytes = serde_json::from_value(json["response"]["clientDataJSON"].clone()).unwrap();
    assert_eq!(
        String::from_utf8(data.0).unwrap(),
        r#"{"type":"webauthn.create","challenge":"Y2hhbGxlbmdl","origin":"https://login.example.com","crossOrigin":false}"#
    );
}

#[test]
fn who_asks_for_prf_is_told_also_by_a_phone_that_says_nothing_of_it() {
    let prf = |outputs: Option<PrfOutputs>| {
        let answer = make_credential::Response {
            format: "none".into(),
            authenticator_data: AuthenticatorData::new(
                hash("example.com"),
                GOOD_FLAGS,
                0,
                Some(attested(cose_key(-7))),
            ),
            statement: vec![0xa0],
            prf: outputs,
        };
        let response = create().finish(&Status::OK.with(&answer.to_bytes())).unwrap();
        serde_json::to_value(response).unwrap()["clientExtensionResults"]["prf"].clone()
    };
    assert_eq!(prf(None), json!({"enabled": false}));
    let values = || PrfValues { first: Zeroizing::new([9; 32]), second: None };
    let results = json!({"first": Bytes(vec![9; 32])});
    for enabled in [None, Some(true)] {
        let outputs = PrfOutputs { enabled, results: Some(values()) };
        assert_eq!(prf(Some(outputs)), json!({"enabled": true, "results": results}));
    }
    // Who did not ask is told nothing.
    let mut options = create_options();
    options["extensions"] = json!({});
    let create = Create::from_json(options.to_string().as_bytes(), &origin()).unwrap();
    let response = create.finish(&made_with(GOOD_FLAGS, "example.com", cose_key(-7))).unwrap();
    assert_eq!(serde_json::to_value(response).unwrap()["clientExtensionResults"], json!({}));
}

#[test]
fn a_key_on_ed25519_is_given_to_the_page_as_rfc_8410_has_it() {
    let mut options = create_options();
    options["pubKeyCredParams"] = json!([{"type": "public-key", "alg": -8}]);
    let finish = |kind: i64, curve: i64, x: &[u8]| {
        let key = Writer::map_of(|map| {
            map.entry(1, |w| w.int(kind));
            map.entry(3, |w| w.int(-8));
            map.entry(-1, |w| w.int(curve));
            map.entry(-2, |w| w.bytes(x));
        });
        let create = Create::from_json(options.to_string().as_bytes(), &origin()).unwrap();
        create.finish(&made_with(GOOD_FLAGS, "example.com", key))
    };
    let response = serde_json::to_value(finish(1, 6, &[7; 32]).unwrap()).unwrap();
    assert_eq!(response["response"]["publicKeyAlgorithm"], -8);
    let key: Bytes = serde_json::from_value(response["response"]["publicKey"].clone()).unwrap();
    // openssl asn1parse: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING }
    assert_eq!(key.0[..12], [0x30, 42, 0x30, 5, 6, 3, 43, 101, 112, 3, 33, 0]);
    assert_eq!(key.0[12..], [7; 32]);
    for (kind, curve, x) in [(2, 6, &[7; 32][..]), (1, 1, &[7; 32]), (1, 6, &[7; 31])] {
        assert_eq!(mismatch(finish(kind, curve, x)), Mismatch::Key);
    }
}

#[test]
fn a_sign_in_that_fits_becomes_the_json_of_level_3() {
    let response = get(&[]).finish(&signed(|_| {})).unwrap();
    let json = serde_json::to_value(response).unwrap();
    assert_eq!(json["response"]["userHandle"], "AQID");
    assert_eq!(json["authenticatorAttachment"], "cross-platform");
    assert_eq!(json["clientExtensionResults"], json!({}));
}

#[test]
fn every_misfit_of_a_registration_has_its_own_name() {
    let good = || made_with(GOOD_FLAGS, "example.com", cose_key(-7));
    let finish = |answer: Vec<u8>| mismatch(create().finish(&answer));
    assert_eq!(finish(made_with(GOOD_FLAGS, "example.org", cose_key(-7))), Mismatch::RpIdHash);
    assert_eq!(finish(made_with(Flags::UV, "example.com", cose_key(-7))), Mismatch::UserPresence);
    assert_eq!(finish(made_with(Flags::UP, "example.com", cose_key(-7))), Mismatch::UserVerification);
    let backed_up_only = Flags::UP | Flags::UV | Flags::BS;
    assert_eq!(finish(made_with(backed_up_only, "example.com", cose_key(-7))), Mismatch::Flags);
    assert_eq!(finish(made_with(GOOD_FLAGS, "example.com", cose_key(-8))), Mismatch::KeyAlgorithm);
    let off_curve = cose(-7, &[1; 32], &[1; 32]);
    assert_eq!(finish(made_with(GOOD_FLAGS, "example.com", off_curve)), Mismatch::Key);
    let short = cose(-7, &[1; 31], &[1; 32]);
    assert_eq!(finish(made_with(GOOD_FLAGS, "example.com", short)), Mismatch::Key);
    let no_algorithm = Writer::map_of(|map| {
        map.entry(1, |w| w.int(2));
    });
    assert_eq!(finish(made_with(GOOD_FLAGS, "example.com", no_algorithm)), Mismatch::Key);
    let nothing = AuthenticatorData::new(hash("example.com"), GOOD_FLAGS, 0, None);
    assert_eq!(finish(made(nothing)), Mismatch::Attested);
    let mut nameless = attested(cose_key(-7));
    nameless.id.clear();
    let nameless = AuthenticatorData::new(hash("example.com"), GOOD_FLAGS, 0, Some(nameless));
    assert_eq!(finish(made(nameless)), Mismatch::Credential);

    let mut trailing = good();
    trailing.push(0);
    assert_eq!(finish(trailing), Mismatch::Unreadable);
    let mut truncated = good();
    truncated.pop();
    assert_eq!(finish(truncated), Mismatch::Unreadable);
    assert_eq!(finish(vec![]), Mismatch::Unreadable);
    assert_eq!(finish(vec![0]), Mismatch::Unreadable);
    assert_eq!(finish(Status::OK.with(&[0xa0])), Mismatch::Unreadable);
}

#[test]
fn a_signed_extension_that_nobody_asked_for_is_refused() {
    let mut data = AuthenticatorData::new(hash("example.com"), GOOD_FLAGS, 0, Some(attested(cose_key(-7))))
        .as_bytes()
        .to_vec();
    data[32] |= Flags::ED;
    data.extend(Writer::map_of(|map| {
        map.text_entry("credProtect", |w| w.int(3));
    }));
    let data = AuthenticatorData::parse(&data).unwrap();
    assert_eq!(mismatch(create().finish(&made(data))), Mismatch::Extension);
}

#[test]
fn every_misfit_of_a_sign_in_has_its_own_name() {
    let data = |rp_id: &str, flags, attested| AuthenticatorData::new(hash(rp_id), flags, 0, attested);
    let finish = |answer: Vec<u8>| mismatch(get(&[&CREDENTIAL, &[9; 16]]).finish(&answer));
    assert_eq!(
        finish(signed(|r| r.authenticator_data = data("example.org", GOOD_FLAGS, None))),
        Mismatch::RpIdHash
    );
    assert_eq!(
        finish(signed(|r| r.authenticator_data = data("example.com", Flags::UV, None))),
        Mismatch::UserPresence
    );
    assert_eq!(
        finish(signed(|r| r.authenticator_data = data("example.com", Flags::UP, None))),
        Mismatch::UserVerification
    );
    assert_eq!(
        finish(signed(|r| {
            r.authenticator_data = data("example.com", GOOD_FLAGS, Some(attested(cose_key(-7))));
        })),
        Mismatch::Attested
    );
    assert_eq!(finish(signed(|r| r.number_of_credentials = Some(2))), Mismatch::Several);
    assert_eq!(finish(signed(|r| r.signature.clear())), Mismatch::Signature);
    assert_eq!(
        finish(signed(|r| r.credential = Some(CredentialDescriptor::new(vec![1])))),
        Mismatch::Credential
    );
    assert_eq!(finish(signed(|r| r.credential = None)), Mismatch::Credential);

    let mut reversed = signed(|_| {});
    reversed.swap(2, 3);
    assert_eq!(finish(reversed), Mismatch::Unreadable);
}

#[test]
fn without_an_allow_list_the_answer_must_say_who() {
    assert_eq!(mismatch(get(&[]).finish(&signed(|r| r.user = None))), Mismatch::User);
    assert_eq!(mismatch(get(&[]).finish(&signed(|r| r.credential = None))), Mismatch::Credential);
}

#[test]
fn an_only_allowed_credential_need_not_be_named() {
    let response = get(&[&CREDENTIAL]).finish(&signed(|r| r.credential = None)).unwrap();
    assert_eq!(serde_json::to_value(response).unwrap()["id"], json!(Bytes(CREDENTIAL.to_vec())));
}

#[test]
fn an_attestation_that_nobody_wants_is_taken_off() {
    let answer = Status::OK.with(
        &make_credential::Response {
            format: "packed".into(),
            authenticator_data: AuthenticatorData::new(
                hash("example.com"),
                GOOD_FLAGS,
                0,
                Some(attested(cose_key(-7))),
            ),
            statement: Writer::map_of(|map| {
                map.text_entry("alg", |w| w.int(-7));
            }),
            prf: None,
        }
        .to_bytes(),
    );
    let json = serde_json::to_value(create().finish(&answer).unwrap()).unwrap();
    let object: Bytes = serde_json::from_value(json["response"]["attestationObject"].clone()).unwrap();
    let object = object.0;
    let map = cablecar_protocol::cbor::parse(&object, 8).unwrap().as_map().unwrap();
    assert_eq!(map.get_text("fmt").unwrap().as_text(), Some("none"));
    assert_eq!(map.get_text("attStmt").unwrap().as_map().unwrap().len(), 0);
}

#[test]
fn what_the_phone_refuses_with_keeps_its_meaning() {
    let refused = |status: Status| create().finish(&[status.byte()]).unwrap_err().advice();
    let exits = [
        (Status::OPERATION_DENIED, 4, "phone.declined"),
        (Status::KEEPALIVE_CANCEL, 4, "phone.declined"),
        (Status::NO_CREDENTIALS, 5, "phone.no-passkey"),
        (Status::CREDENTIAL_EXCLUDED, 1, "phone.already-registered"),
        (Status::UNSUPPORTED_ALGORITHM, 1, "phone.algorithm"),
        (Status::USER_ACTION_TIMEOUT, 3, "phone.silent"),
        (Status::OTHER, 1, "phone.status"),
    ];
    for (status, code, id) in exits {
        let (class, found, _) = refused(status);
        assert_eq!((class.code(), found), (code, id), "{status}");
    }
}

#[test]
fn options_that_cannot_be_meant_for_a_phone_are_refused() {
    let refused = |change: fn(&mut Value)| {
        let mut options = create_options();
        change(&mut options);
        Create::from_json(options.to_string().as_bytes(), &origin()).unwrap_err().advice().1
    };
    assert_eq!(refused(|o| o["rp"]["id"] = json!("example.org")), "options.rp-id");
    assert_eq!(refused(|o| o["user"]["id"] = json!("")), "options.invalid");
    assert_eq!(refused(|o| o["user"]["id"] = json!("!")), "options.invalid");
    assert_eq!(refused(|o| o["challenge"] = json!(null)), "options.invalid");
    assert_eq!(refused(|o| o["pubKeyCredParams"] = json!([{"type": "x", "alg": -7}])), "options.invalid");
    assert_eq!(
        refused(|o| o["authenticatorSelection"]["authenticatorAttachment"] = json!("platform")),
        "options.invalid"
    );
}

#[test]
fn what_sites_write_for_nothing_is_taken_for_nothing() {
    let mut options = create_options();
    for member in ["authenticatorSelection", "extensions", "excludeCredentials", "timeout", "attestation"] {
        options[member] = json!(null);
    }
    let create = Create::from_json(options.to_string().as_bytes(), &origin()).unwrap();
    assert_eq!(create.ask().life, defaults::REQUEST_LIFE);
    let life = |timeout: Value| {
        let options = json!({"challenge": "AA", "timeout": timeout, "allowCredentials": null});
        let origin = Origin::parse("https://example.com").unwrap();
        Get::from_json(options.to_string().as_bytes(), &origin).unwrap().ask().life
    };
    assert_eq!(life(json!(60_000)), Duration::from_secs(60));
    assert_eq!(life(json!(60_000.0)), Duration::from_secs(60));
    for none in [json!(0), json!(null)] {
        assert_eq!(life(none), defaults::REQUEST_LIFE);
    }
}

#[test]
fn an_unknown_word_means_the_same_as_none() {
    let ask = |selection: Value, attestation: &str| {
        let mut options = create_options();
        options["authenticatorSelection"] = selection;
        options["attestation"] = json!(attestation);
        Create::from_json(options.to_string().as_bytes(), &origin()).unwrap()
    };
    let unknown = ask(json!({"residentKey": "perhaps", "requireResidentKey": true}), "perhaps");
    assert!(unknown.ask().needs_rk);
    assert!(!ask(json!({"residentKey": "perhaps"}), "none").ask().needs_rk);
}

#[test]
fn prf_inputs_by_credential_are_for_the_allow_list_alone() {
    let by_credential = json!({"prf": {"evalByCredential": {"AQID": {"first": "AA"}}}});
    let mut creation = create_options();
    creation["extensions"] = by_credential.clone();
    assert!(Create::from_json(creation.to_string().as_bytes(), &origin()).is_err());
    let get = |allow: Value| {
        let options = json!({
            "challenge": "AA", "rpId": "example.com", "allowCredentials": allow, "extensions": by_credential,
        });
        Get::from_json(options.to_string().as_bytes(), &origin()).map(drop)
    };
    assert!(get(json!([{"type": "public-key", "id": "AQID"}])).is_ok());
    assert!(get(json!([{"type": "public-key", "id": "AQIE"}])).is_err());
    assert!(get(json!([])).is_err());
}

#[test]
fn an_input_of_prf_is_hashed_before_it_leaves() {
    let Ask { request, .. } = create().ask();
    let request = make_credential::Request::parse(&request[1..]).unwrap();
    let expected: [u8; 32] = Sha256::digest(b"WebAuthn PRF\0\0").into();
    assert_eq!(*request.prf.unwrap().eval.unwrap().first, expected);
}
