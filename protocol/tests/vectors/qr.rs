use cablecar_protocol::cbor::{self, Kind, Map};
use cablecar_protocol::qr::{QrInvitation, SCHEME, digits};
use serde_json::Value;

use crate::case::{Case, File, hex, judge};

#[test]
fn qr() {
    let file = File::open("qr", &["cases", "errors"]);
    file.each("cases", good);
    file.each("errors", |case| {
        let read = QrInvitation::parse(case.text("url"));
        judge(case.verdict(), &read);
        if let Ok(read) = read {
            assert_eq!(*QrInvitation::parse(&read.to_text()).unwrap().to_cbor(), *read.to_cbor());
        }
    });
    file.finish();
}

fn good(case: &Case) {
    let (url, bytes, expect) = (case.text("url"), case.hex("cbor"), case.field("expect"));
    assert_eq!(url.len() as u64, case.number("url_length"));
    assert_eq!(url, format!("{SCHEME}{}", *digits::encode(&bytes)));

    let read = QrInvitation::parse(url).unwrap();
    assert_eq!(*QrInvitation::from_cbor(&bytes).unwrap().to_cbor(), *read.to_cbor());
    assert_eq!(read.client_key, *case.key_pair("client_static_private").public());
    assert_eq!(read.client_key, case.public_key("client_static_x962"));
    assert_eq!(read.client_key.to_compressed(), expect.array("compressed_public_key"));
    assert_eq!(read.secret.expose(), &expect.array("qr_secret"));
    assert_eq!(read.known_domains, expect.number("known_domains"));
    assert_eq!(read.made_at, expect.get("timestamp").as_u64());
    assert_eq!(read.state_assisted, expect.get("state_assisted").as_bool());
    assert_eq!(read.hint.as_str(), expect.text("effective_hint"));
    let channels: Vec<u64> = serde_json::from_value(expect.get("transport_channels").clone()).unwrap();
    assert_eq!(read.channels, channels);
    assert_eq!(read.offers_websocket(), channels.contains(&0));

    let map = cbor::parse(&bytes, cbor::QR_DEPTH).unwrap().as_map().unwrap();
    let hint = map.get(5).map(|item| item.as_text().unwrap());
    assert_eq!(hint.unwrap_or("ga"), expect.text("hint"));
    assert_eq!(key6(&map), *expect.get("key6"));
    let unknown: Vec<Value> =
        map.iter().map(|(key, _)| key.as_int().unwrap()).filter(|key| *key > 6).map(Value::from).collect();
    assert_eq!(Value::from(unknown.clone()), *expect.get("unknown_keys"));

    // What we write is this code again, unless it says something in a way
    // that we never would, or something that we do not keep.
    let ours = map.get(2).is_some()
        && hint == Some(read.hint.as_str())
        && (map.get(6).is_none() || map.get(6).unwrap().as_array().is_some() && channels != [0])
        && unknown.is_empty();
    if ours {
        assert_eq!(hex(&read.to_cbor()), hex(&bytes));
        assert_eq!(*read.to_text(), url);
    }
}

/// Key 6 as the vectors show it: absent, the old bool, or a list.
fn key6(map: &Map<'_>) -> Value {
    match map.get(6).map(|item| item.kind()) {
        None => Value::Null,
        Some(Kind::Bool(value)) => Value::from(value),
        Some(Kind::Array(list)) => list.iter().map(|item| item.as_unsigned().unwrap()).collect(),
        Some(other) => panic!("key 6 is {other:?}"),
    }
}
