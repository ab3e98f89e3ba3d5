//! T17: input that means more than it is. What a parser allocates is counted,
//! all of it, freed or not, and held against the length of its input.

use allocation_counter::{AllocationInfo, measure};
use cablecar_protocol::cbor::{self, CTAP_DEPTH, CborFault, QR_DEPTH, Writer};
use cablecar_protocol::channel::Request;
use cablecar_protocol::ctap::{AuthenticatorData, GetInfo, Status, get_assertion, make_credential};
use cablecar_protocol::danger::seal_record;
use cablecar_protocol::eid::ServiceData;
use cablecar_protocol::error::{Error, What};
use cablecar_protocol::linking::Update;
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::{QrInvitation, SCHEME, digits};
use cablecar_protocol::tunnel::ClientPayload;

use crate::world::{KEYS, channels};

/// Bytes allocated for each byte of input.
const FACTOR: u64 = 4;
/// And besides that: what a good message needs however short it is, such as
/// a list of 32 short texts.
const FIXED: u64 = 8 * 1024;

type Parser = fn(&[u8]) -> bool;

/// Each parser of CBOR, and whether it took the input.
const PARSERS: [(&str, Parser); 12] = [
    ("cbor::parse", |bytes| cbor::parse(bytes, CTAP_DEPTH).is_ok()),
    ("QrInvitation::from_cbor", |bytes| QrInvitation::from_cbor(bytes).is_ok()),
    ("Hello::parse", |bytes| Hello::parse(bytes).is_ok()),
    ("GetInfo::parse", |bytes| GetInfo::parse(bytes).is_ok()),
    ("make_credential::Request::parse", |bytes| make_credential::Request::parse(bytes).is_ok()),
    ("make_credential::Response::parse", |bytes| make_credential::Response::parse(bytes).is_ok()),
    ("get_assertion::Request::parse", |bytes| get_assertion::Request::parse(bytes).is_ok()),
    ("get_assertion::Response::parse", |bytes| get_assertion::Response::parse(bytes).is_ok()),
    ("AuthenticatorData::parse", |bytes| {
        AuthenticatorData::parse(bytes).is_ok() | AuthenticatorData::parse(&with_extensions(bytes)).is_ok()
    }),
    ("Update::parse", |bytes| Update::parse(bytes).is_ok()),
    ("ServiceData::new", |bytes| ServiceData::new(bytes).is_some()),
    ("Channel::receive", |bytes| {
        let (mut client, _) = channels();
        client.send(Request::Ctap(&[4])).is_ok() && client.receive(bytes).is_ok()
    }),
];

fn with_extensions(bytes: &[u8]) -> Vec<u8> {
    [&[0; 32][..], &[0x80], &[0; 4], bytes].concat()
}

fn cost(work: impl FnOnce()) -> AllocationInfo {
    measure(work)
}

#[track_caller]
fn cheap(name: &str, bomb: &str, length: usize, cost: &AllocationInfo) {
    let limit = FACTOR * length as u64 + FIXED;
    assert!(cost.bytes_total <= limit, "{name} allocates {} bytes for {length} of {bomb}", cost.bytes_total);
}

/// Items of a wide bomb: each is a byte or a few, and the slack above is small
/// beside what a parser would make of so many.
const WIDE: u32 = 4000;

/// Bombs by name, each of a hundred kilobytes or less.
fn bombs() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: String, bytes: Vec<u8>| all.push((name, bytes));
    for (kind, byte) in [("arrays", 0x81), ("indefinite arrays", 0x9f), ("tags", 0xc0), ("maps", 0xa1)] {
        add(format!("nested {kind}"), vec![byte; 100_000]);
    }
    for major in [2u8, 3, 4, 5] {
        let name = ["bytes", "text", "array", "map"][usize::from(major - 2)];
        for (size, length) in [(26, 4), (27, 8)] {
            let header = [&[major << 5 | size][..], &vec![0xff; length], &[0; 100]].concat();
            add(format!("{name} of 2^{}", 8 * length), header);
        }
        add(
            format!("{name} of 2^32"),
            [&[major << 5 | 27][..], &(1u64 << 32).to_be_bytes(), &[0; 100]].concat(),
        );
        add(
            format!("{name} of i64"),
            [&[major << 5 | 27][..], &(i64::MAX as u64).to_be_bytes(), &[0]].concat(),
        );
    }
    // As wide as a message may be.
    for (name, item) in [("empty texts", 0x60), ("zeros", 0)] {
        let list = [&header(4, WIDE)[..], &[item; WIDE as usize]].concat();
        add(format!("an array of {name}"), list.clone());
        for key in 0..10 {
            // In the place of every key, the others as they should be.
            add(format!("{name} in getInfo's key {key}"), get_info_with(key, &list));
            add(format!("{name} in hello's key {key}"), map_with(key, &list));
            add(format!("{name} in a makeCredential's key {key}"), make_credential_with(key, &list));
            add(format!("{name} in a getAssertion's key {key}"), get_assertion_with(key, &list));
            add(format!("{name} in a code's key {key}"), code_with(key, &list));
        }
    }
    let wide = |entries: u32, entry: &dyn Fn(u32) -> Vec<u8>| {
        let mut bytes = header(5, entries);
        (0..entries).for_each(|i| bytes.extend(entry(i)));
        bytes
    };
    // A thousand times the same key; then fifty thousand good ones.
    add("duplicates".into(), wide(1000, &|_| vec![0, 0]));
    let good = wide(WIDE, &|i| {
        Writer::item(|w| {
            w.unsigned(i.into());
            w.null();
        })
    });
    add("a wide map".into(), good.clone());
    add("a wide map and one byte more".into(), [&good[..], &[0]].concat());
    let options = wide(WIDE, &|i| {
        Writer::item(|w| {
            w.text(&format!("{i:05}"));
            w.bool(true);
        })
    });
    add("options in getInfo".into(), get_info_with(4, &options));
    add("options in a hello".into(), map_with(1, &Writer::item(|w| w.bytes(&get_info_with(4, &options)))));
    let texts = [&header(4, WIDE)[..], &[0x60; WIDE as usize]].concat();
    for key in [1, 2, 9] {
        let info = Writer::item(|w| w.bytes(&get_info_with(key, &texts)));
        add(format!("empty texts in a hello's getInfo's key {key}"), map_with(1, &info));
    }
    let descriptor = |transports: &[u8]| {
        [
            &[0xa3, 0x62][..],
            b"id",
            &[0x40, 0x64],
            b"type",
            &[0x6a],
            b"public-key",
            &[0x6a],
            b"transports",
            transports,
        ]
        .concat()
    };
    let short = [&[0xa2, 0x62][..], b"id", &[0x40, 0x64], b"type", &[0x6a], b"public-key"].concat();
    let many = [&header(4, 1000)[..], &short.repeat(1000)].concat();
    let deep = [&[0x81][..], &descriptor(&texts)].concat();
    let both = descriptor(&[&header(4, 7)[..], &b"cusb".repeat(7)].concat());
    let both = [&header(4, 500)[..], &both.repeat(500)].concat();
    for (name, list) in [("many descriptors", many), ("transports", deep), ("both", both)] {
        add(format!("{name} to exclude"), make_credential_with(5, &list));
        add(format!("{name} to allow"), get_assertion_with(3, &list));
    }
    let algorithm = [&[0xa2, 0x63][..], b"alg", &[0x26, 0x64], b"type", &[0x6a], b"public-key"].concat();
    let algorithms = [&header(4, 1000)[..], &algorithm.repeat(1000)].concat();
    add("algorithms".into(), make_credential_with(4, &algorithms));
    let by_credential = wide(1000, &|i| {
        Writer::item(|w| {
            w.bytes(&i.to_be_bytes());
            w.map(|map| {
                map.text_entry("first", |w| w.bytes(&[0; 32]));
            });
        })
    });
    let prf = [&[0xa1, 0x63][..], b"prf", &[0xa1, 0x70], b"evalByCredential", &by_credential].concat();
    add("prf inputs to make".into(), make_credential_with(6, &prf));
    add("prf inputs to get".into(), get_assertion_with(4, &prf));
    all
}

/// The header of an array (major type 4) or a map (5), in its shortest form.
fn header(major: u8, length: u32) -> Vec<u8> {
    let mut bytes = Writer::item(|writer| writer.unsigned(length.into()));
    bytes[0] |= major << 5;
    bytes
}

/// A canonical map of these entries, keys ascending.
fn map_of(mut entries: Vec<(u8, Vec<u8>)>, key: u8, value: &[u8]) -> Vec<u8> {
    entries.retain(|(other, _)| *other != key);
    entries.push((key, value.to_vec()));
    entries.sort();
    let mut bytes = vec![0xa0 | entries.len() as u8];
    for (key, value) in entries {
        bytes.push(key);
        bytes.extend(value);
    }
    bytes
}

fn map_with(key: u8, value: &[u8]) -> Vec<u8> {
    map_of(vec![], key, value)
}

fn get_info_with(key: u8, value: &[u8]) -> Vec<u8> {
    let text = Writer::item(|w| w.array(|list| list.push(|w| w.text("FIDO_2_0"))));
    map_of(vec![(1, text), (3, Writer::item(|w| w.bytes(&[0; 16])))], key, value)
}

fn make_credential_with(key: u8, value: &[u8]) -> Vec<u8> {
    let hash = Writer::item(|w| w.bytes(&[0; 32]));
    let rp = Writer::map_of(|map| {
        map.text_entry("id", |w| w.text("rp"));
    });
    let user = Writer::map_of(|map| {
        map.text_entry("id", |w| w.bytes(&[1]));
    });
    map_of(vec![(1, hash), (2, rp), (3, user), (4, vec![0x80])], key, value)
}

fn get_assertion_with(key: u8, value: &[u8]) -> Vec<u8> {
    let [rp, hash] = [Writer::item(|w| w.text("rp")), Writer::item(|w| w.bytes(&[0; 32]))];
    map_of(vec![(1, rp), (2, hash)], key, value)
}

fn code_with(key: u8, value: &[u8]) -> Vec<u8> {
    let point = *cablecar_protocol::secrets::IdentityKey::from_scalar(&[5; 32]).unwrap().public();
    let [point, secret] =
        [Writer::item(|w| w.bytes(&point.to_compressed())), Writer::item(|w| w.bytes(&[1; 16]))];
    map_of(vec![(0, point), (1, secret)], key, value)
}

#[test]
fn no_parser_allocates_more_than_four_times_its_input() {
    let mut failures = Vec::new();
    let bombs = bombs();
    for (bomb, bytes) in &bombs {
        for (name, parse) in PARSERS {
            let prepared = match name {
                "Channel::receive" => seal_record(&KEYS[1], 0, &[&[1], &bytes[..]].concat()).unwrap(),
                _ => bytes.clone(),
            };
            let fixture = if name == "AuthenticatorData::parse" { bytes.len() as u64 + 64 } else { 0 };
            let cost = cost(|| {
                parse(&prepared);
            });
            if cost.bytes_total > FACTOR * bytes.len() as u64 + FIXED + fixture {
                let times = cost.bytes_total as f64 / bytes.len() as f64;
                failures.push(format!("{name}: {times:.1} times {} bytes of {bomb}", bytes.len()));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The bombs are not duds: their CBOR is good, and what the parsers see is
/// what they are meant to see.
#[test]
fn the_wide_bombs_are_canonical() {
    for (bomb, bytes) in bombs().iter().filter(|(bomb, _)| bomb.contains("key ") || bomb.contains(" to ")) {
        assert!(cbor::parse(bytes, CTAP_DEPTH).is_ok(), "{bomb}");
    }
}

#[test]
fn proving_allocates_nothing() {
    for (bomb, bytes) in bombs() {
        let cost = cost(|| _ = cbor::parse(&bytes, CTAP_DEPTH));
        assert_eq!(cost.count_total, 0, "{bomb}");
    }
}

#[test]
fn text_of_a_code_and_header_of_a_payload() {
    for (bomb, bytes) in bombs() {
        let text = format!("{SCHEME}{}", *digits::encode(&bytes));
        cheap("QrInvitation::parse", &bomb, text.len(), &cost(|| drop(QrInvitation::parse(&text))));
        let header: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        cheap(
            "ClientPayload::from_header",
            &bomb,
            header.len(),
            &cost(|| _ = ClientPayload::from_header(&header)),
        );
    }
    let long = format!("{SCHEME}{}", "0".repeat(1 << 20));
    cheap("QrInvitation::parse", "zeros", long.len(), &cost(|| drop(QrInvitation::parse(&long))));
}

#[test]
fn each_rule_is_broken_by_a_bomb() {
    let fault = |bytes: &[u8]| cbor::parse(bytes, CTAP_DEPTH).unwrap_err();
    assert_eq!(fault(&[0x81; 100_000]), CborFault::Depth);
    assert_eq!(fault(&[0x9f; 100_000]), CborFault::Indefinite);
    assert_eq!(fault(&[0x9a, 0xff, 0xff, 0xff, 0xff]), CborFault::Truncated);
    assert_eq!(fault(&[0xa2, 0, 0, 0, 0]), CborFault::Keys);
    assert_eq!(fault(&[0xa0, 0]), CborFault::Trailing);
    assert_eq!(fault(&[0x18, 0]), CborFault::NotShortest);
    // Five containers are one too many in a code, and nine in a message.
    let nested = |depth: usize| [&vec![0x81; depth][..], &[0]].concat();
    assert!(cbor::parse(&nested(QR_DEPTH), QR_DEPTH).is_ok());
    assert_eq!(cbor::parse(&nested(QR_DEPTH + 1), QR_DEPTH), Err(CborFault::Depth));
    assert!(cbor::parse(&nested(CTAP_DEPTH), CTAP_DEPTH).is_ok());
    assert_eq!(cbor::parse(&nested(CTAP_DEPTH + 1), CTAP_DEPTH), Err(CborFault::Depth));
    let code = code_with(9, &nested(QR_DEPTH));
    assert_eq!(QrInvitation::from_cbor(&code).unwrap_err(), Error::Malformed(What::Cbor(CborFault::Depth)));
    assert!(QrInvitation::from_cbor(&code_with(9, &nested(QR_DEPTH - 1))).is_ok());
    let request = get_assertion_with(9, &nested(CTAP_DEPTH));
    assert_eq!(get_assertion::Request::parse(&request), Err(Status::INVALID_CBOR));
}
