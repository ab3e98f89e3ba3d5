//! The corpus of the fuzz targets, replayed without a fuzzer, and its seeds,
//! which are made out of the test vectors and of what clients of the local
//! pipe were recorded to send.
//!
//! `CABLECAR_WRITE_CORPUS=1 cargo test -p cablecar-protocol --test corpus`
//! writes the seeds anew; without it, a seed that is not what the vectors
//! give fails. Other files in the corpus, found by fuzzing, are only replayed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test fails by panicking"
)]

#[path = "../fuzz/src/lib.rs"]
#[allow(dead_code, unreachable_pub, reason = "the fuzz crate gives all of it to its targets")]
mod targets;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cablecar_protocol::ctap::{
    AttestedCredential, AuthenticatorData, CredentialDescriptor, Flags, Options, PrfInputs, PrfOutputs,
    PrfValues, RelyingParty, Status, SubcommandRequest, User, client_pin, get_assertion, large_blobs,
    make_credential,
};
use cablecar_protocol::pipe::{Command, Fault, Keepalive};
use cablecar_protocol::qr::{SCHEME, digits};
use serde_json::Value;
use zeroize::Zeroizing;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

#[test]
fn every_target_takes_its_corpus() {
    let mut found: Vec<String> =
        fs::read_dir(corpus()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    assert_eq!(found, targets::TARGETS.map(|(name, _)| name));
    for (name, target) in targets::TARGETS {
        let files: Vec<_> = fs::read_dir(corpus().join(name)).unwrap().map(|e| e.unwrap().path()).collect();
        assert!(files.len() >= 2, "{name}: {} seeds", files.len());
        files.iter().for_each(|file| target(&fs::read(file).unwrap()));
    }
}

#[test]
fn every_target_has_its_program() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for (name, _) in targets::TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        assert!(fuzz.join(format!("fuzz_targets/{name}.rs")).is_file(), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), targets::TARGETS.len());
}

#[test]
fn the_seeds_are_what_the_vectors_give() {
    let write = std::env::var_os("CABLECAR_WRITE_CORPUS").is_some();
    for (target, seeds) in seeds() {
        for (index, seed) in seeds.iter().enumerate() {
            let path = corpus().join(target).join(format!("seed-{index:02}"));
            if write {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, seed).unwrap();
            }
            assert!(fs::read(&path).is_ok_and(|file| file == *seed), "{target} {index}");
        }
    }
}

/// The good seeds do reach the far end of their target.
#[test]
fn the_good_seeds_are_accepted() {
    let seeds = seeds();
    assert!(make_credential::Request::parse(&seeds["make_credential_request"][0]).is_ok());
    assert!(get_assertion::Request::parse(&seeds["get_assertion_request"][0]).is_ok());
    assert!(make_credential::Response::parse(&seeds["make_credential_response"][0][1..]).is_ok());
    assert!(get_assertion::Response::parse(&seeds["get_assertion_response"][0][1..]).is_ok());
    assert!(AuthenticatorData::parse(&seeds["authenticator_data"][0]).is_ok());
    for (target, accepts) in [
        ("client_pin", (|bytes| client_pin::Request::parse(bytes).is_ok()) as fn(&[u8]) -> bool),
        ("config", |bytes| SubcommandRequest::parse(bytes).is_ok()),
        ("credential_management", |bytes| SubcommandRequest::parse(bytes).is_ok()),
        ("get_assertion_local", |bytes| get_assertion::Parameters::parse(bytes).is_ok()),
        ("large_blobs", |bytes| large_blobs::Request::parse(bytes).is_ok()),
        ("make_credential_local", |bytes| make_credential::Parameters::parse(bytes).is_ok()),
    ] {
        let (cut, recorded) = seeds[target].split_last().unwrap();
        assert!(!accepts(cut), "{target}");
        for (index, seed) in recorded.iter().enumerate() {
            assert!(accepts(seed), "{target} {index}");
        }
    }
}

type Seeds = BTreeMap<&'static str, Vec<Vec<u8>>>;

/// A few inputs for each target.
fn seeds() -> Seeds {
    let qr = vectors("qr");
    let digit_cases = vectors("digits");
    let eid = vectors("eid");
    let post_handshake = vectors("post_handshake");
    let linking = vectors("linking");
    let urls = vectors("urls");
    let sessions = vectors("sessions");
    let (greeting, reply) = targets::good_handshake();
    let as_text = |field: &'static str| move |case: &Value| text(case, field);
    let raw = |field: &'static str| move |case: &Value| hex(case[field].as_str().unwrap());

    let urls_of_codes = some(&qr["cases"], 6, as_text("url")).chain(some(&qr["errors"], 8, as_text("url")));
    let bytes_of_codes = some(&qr["cases"], 8, raw("cbor"))
        .chain(some(&qr["errors"], 12, |case| {
            let digits = case["url"].as_str().unwrap().strip_prefix(SCHEME).unwrap_or_default();
            digits::decode(digits).unwrap_or_default()
        }))
        .filter(|bytes| !bytes.is_empty());
    let messages = some(&post_handshake["cases"], 8, raw("message"));
    let get_infos = some(&post_handshake["cases"], 18, |case| {
        case.get("getinfo").and_then(Value::as_str).map(hex).unwrap_or_default()
    });
    let noise = vectors("noise_kn");
    let handshakes = some(&noise["errors"], 6, raw("data"));
    let stream = |field: &str| hex(sessions["l2cap"][field].as_str().unwrap());
    let get_infos: Vec<_> = get_infos.filter(|bytes| !bytes.is_empty()).collect();

    let mut all = Seeds::new();
    all.insert("qr_text", urls_of_codes.collect());
    all.insert("qr_cbor", bytes_of_codes.clone().collect());
    all.insert("cbor", bytes_of_codes.chain(some(&linking["errors"], 3, raw("update_payload"))).collect());
    all.insert("digits", some(&digit_cases["cases"], 6, as_text("digits")).collect());
    all.insert("service_data", some(&eid["suffix_and_errors"], 12, raw("service_data")).collect());
    all.insert("hello", messages.chain(some(&post_handshake["errors"], 6, raw("message"))).collect());
    all.insert("get_info", get_infos);
    all.insert("record", some(&post_handshake["frames"], 10, raw("message")).collect());
    all.insert("update", some(&linking["errors"], 14, raw("update_payload")).collect());
    all.insert("client_payload", some(&urls["client_payload_headers"], 6, as_text("header")).collect());
    all.insert("route", some(&urls["relay_paths"], 12, as_text("path")).collect());
    all.insert("routing_id", [&b"A1B2C3"[..], b"a1b2c3", b"A1B2C3\nA1B2C3", b"A1B2"].map(Vec::from).into());
    all.insert("greeting", [greeting.to_vec()].into_iter().chain(handshakes.clone()).collect());
    all.insert("reply", [reply.to_vec()].into_iter().chain(handshakes).collect());
    all.insert(
        "deframer",
        ["client_to_phone_stream_crlf", "phone_to_client_stream_crlf"]
            .map(|field| [&[60], &stream(field)[..]].concat())
            .into(),
    );
    all.insert("pipe", pipe_streams().into());
    ctap(&mut all);
    local_requests(&mut all);
    all
}

/// What python-fido2 and libfido2 were recorded to send, and the last of it
/// cut short.
fn local_requests(all: &mut Seeds) {
    let path = corpus().with_file_name("recorded.json");
    let recorded: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    for target in [
        "client_pin",
        "config",
        "credential_management",
        "get_assertion_local",
        "large_blobs",
        "make_credential_local",
    ] {
        let messages = recorded[target].as_array().unwrap();
        let mut seeds: Vec<_> = messages.iter().map(|message| hex(message.as_str().unwrap())).collect();
        let longest = seeds.last().unwrap();
        seeds.push(longest[..longest.len() - 1].to_vec());
        all.insert(target, seeds);
    }
}

/// A question taken back, and a stream with a frame too long and an end
/// within the next. The first byte cuts it into pieces.
fn pipe_streams() -> [Vec<u8>; 2] {
    let (cbor, cancel) = (Command::Cbor.frame(&[0x0b]), Command::Cancel.frame(&[]));
    let waits = Keepalive::UserPresenceNeeded.frame();
    let (long, ping) = (Command::Cbor.frame(&[9; 70]), Command::Ping.frame(b"ping"));
    [
        [&[4], &cbor[..], &waits, &cancel, &Command::Cbor.frame(&[0x2d])].concat(),
        [&[0], &long[..], &Fault::InvalidLength.frame(), &ping[..7]].concat(),
    ]
}

/// Messages of every kind, with everything in them that can be.
fn ctap(all: &mut Seeds) {
    let values =
        |byte| PrfValues { first: Zeroizing::new([byte; 32]), second: Some(Zeroizing::new([byte + 1; 32])) };
    let inputs = || PrfInputs { eval: Some(values(1)), by_credential: vec![(vec![4; 16], values(3))] };
    let list = || vec![CredentialDescriptor { id: vec![4; 16], transports: vec!["hybrid".into()] }];
    let user = User { id: vec![5; 16], name: Some("ada".into()), display_name: Some("Ada".into()) };
    let credential = AttestedCredential { aaguid: [9; 16], id: vec![4; 16], public_key: cose_key() };
    let made = || AuthenticatorData::new([6; 32], Flags::UP | Flags::UV, 0, Some(credential.clone()));
    let asserted = || AuthenticatorData::new([6; 32], Flags::UP | Flags::UV, 7, None);

    let make = make_credential::Request {
        client_data_hash: [7; 32],
        rp: RelyingParty { id: "example.com".into(), name: Some("Example".into()) },
        user: user.clone(),
        algorithms: vec![-7, -257],
        exclude: list(),
        prf: Some(inputs()),
        options: Options { rk: Some(true), up: None, uv: Some(true) },
        pin_uv_auth: false,
    };
    let get = get_assertion::Request {
        rp_id: "example.com".into(),
        client_data_hash: [7; 32],
        allow: list(),
        has_allow_list: true,
        prf: Some(inputs()),
        options: Options { rk: None, up: Some(false), uv: Some(true) },
        pin_uv_auth: false,
    };
    let outputs = || PrfOutputs { enabled: Some(true), results: Some(values(8)) };
    let created = make_credential::Response {
        format: "none".into(),
        authenticator_data: made(),
        statement: vec![0xa0],
        prf: Some(outputs()),
    };
    let signed = get_assertion::Response {
        credential: list().pop(),
        authenticator_data: asserted(),
        signature: vec![0x30; 70],
        user: Some(user),
        number_of_credentials: None,
        user_selected: Some(true),
        prf: Some(outputs()),
    };
    let short = |bytes: &[u8]| bytes[..bytes.len() - 3].to_vec();
    let with_extensions = {
        let mut bytes = asserted().as_bytes().to_vec();
        bytes[32] |= Flags::ED;
        bytes.extend([0xa1, 0x61, b'a', 0xf5]);
        bytes
    };
    let pairs = [
        ("make_credential_request", make.to_bytes()[1..].to_vec()),
        ("get_assertion_request", get.to_bytes()[1..].to_vec()),
        ("make_credential_response", Status::OK.with(&created.to_bytes())),
        ("get_assertion_response", Status::OK.with(&signed.to_bytes())),
        ("authenticator_data", made().as_bytes().to_vec()),
    ];
    for (target, bytes) in pairs {
        all.insert(target, vec![bytes.clone(), short(&bytes)]);
    }
    all.get_mut("authenticator_data").unwrap().push(with_extensions);
    // The requests of the recorded sessions.
    for case in vectors("sessions")["cases"].as_array().unwrap() {
        for frame in case["wire"].as_array().unwrap() {
            let message = frame["plaintext"].as_str().map(hex).unwrap_or_default();
            match message.get(..2) {
                Some([1, 1]) => all.get_mut("make_credential_request").unwrap().push(message[2..].to_vec()),
                Some([1, 2]) => all.get_mut("get_assertion_request").unwrap().push(message[2..].to_vec()),
                _ => {}
            }
        }
    }
}

/// A COSE key of the right shape: {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
fn cose_key() -> Vec<u8> {
    let head = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
    [&head[..], &[1; 32], &[0x22, 0x58, 0x20], &[2; 32]].concat()
}

/// The vectors of the crate itself, whatever set the other tests run.
fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("vectors/{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// About `count` cases of an array, from all over it.
fn some<'a>(
    array: &'a Value,
    count: usize,
    bytes: impl Fn(&Value) -> Vec<u8> + Clone + 'a,
) -> impl Iterator<Item = Vec<u8>> + Clone + 'a {
    let array = array.as_array().unwrap();
    array.iter().step_by((array.len() / count).max(1)).map(bytes)
}

fn text(case: &Value, field: &str) -> Vec<u8> {
    case[field].as_str().unwrap().as_bytes().to_vec()
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}
