//! What each fuzz target does with its input. Every parser is here: whatever
//! it accepts is written again and compared, and nothing may panic.
//!
//! The targets in `fuzz_targets/` only name these functions, so that the
//! crate's own tests can replay the corpus without a fuzzer.
//!
//! Here is what leads to a session; a session's beginning, records and stream
//! are in `session`, what CTAP carries through it in `ctap`, and what only the
//! local pipe carries in `local`.

mod ctap;
mod local;
mod session;

use cablecar_protocol::cbor::{self, Item, Kind, Writer};
use cablecar_protocol::eid::{Eid, ServiceData};
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::{QrInvitation, digits as base10};
use cablecar_protocol::secrets::EidKey;
use cablecar_protocol::tunnel::{ClientPayload, Route, routing_id_from_headers};

pub use ctap::{
    authenticator_data, get_assertion_request, get_assertion_response, get_info, make_credential_request,
    make_credential_response,
};
pub use local::{
    client_pin, config, credential_management, get_assertion_local, large_blobs, make_credential_local,
    pipe_frames,
};
pub use session::{deframer, good_handshake, greeting, record, reply, update};

/// A target and the function behind it.
pub type Target = (&'static str, fn(&[u8]));

/// Every target by its name.
pub const TARGETS: [Target; 27] = [
    ("authenticator_data", authenticator_data),
    ("cbor", canonical),
    ("client_payload", client_payload),
    ("client_pin", client_pin),
    ("config", config),
    ("credential_management", credential_management),
    ("deframer", deframer),
    ("digits", digits),
    ("get_assertion_local", get_assertion_local),
    ("get_assertion_request", get_assertion_request),
    ("get_assertion_response", get_assertion_response),
    ("get_info", get_info),
    ("greeting", greeting),
    ("hello", hello),
    ("large_blobs", large_blobs),
    ("make_credential_local", make_credential_local),
    ("make_credential_request", make_credential_request),
    ("make_credential_response", make_credential_response),
    ("pipe", pipe_frames),
    ("qr_cbor", qr_cbor),
    ("qr_text", qr_text),
    ("record", record),
    ("reply", reply),
    ("route", route),
    ("routing_id", routing_id),
    ("service_data", service_data),
    ("update", update),
];

/// `QrInvitation::parse`.
pub fn qr_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(read) = QrInvitation::parse(text) {
        same_invitation(&read);
    }
}

/// `QrInvitation::from_cbor`.
pub fn qr_cbor(data: &[u8]) {
    if let Ok(read) = QrInvitation::from_cbor(data) {
        assert_eq!(read.offers_websocket(), read.channels.contains(&0));
        same_invitation(&read);
    }
}

fn same_invitation(read: &QrInvitation) {
    let again = QrInvitation::parse(&read.to_text()).unwrap();
    assert_eq!(again.client_key, read.client_key);
    assert_eq!(again.secret.expose(), read.secret.expose());
    assert_eq!((again.known_domains, again.made_at), (read.known_domains, read.made_at));
    assert_eq!((again.state_assisted, again.hint), (read.state_assisted, read.hint));
    assert_eq!(again.channels, read.channels);
    assert_eq!(*again.to_cbor(), *read.to_cbor());
}

/// `qr::digits::decode`.
pub fn digits(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(bytes) = base10::decode(text) {
        assert_eq!(*base10::encode(&bytes), text);
    }
    assert_eq!(base10::decode(&base10::encode(data)).as_deref(), Ok(data));
}

/// `cbor::parse`: there is one way to write anything.
pub fn canonical(data: &[u8]) {
    if let Ok(item) = cbor::parse(data, cbor::CTAP_DEPTH) {
        assert_eq!(Writer::item(|writer| write_again(item, writer)), data);
    }
    if let Ok((item, rest)) = cbor::parse_prefix(data, cbor::QR_DEPTH) {
        assert_eq!([item.encoded(), rest].concat(), data);
    }
}

fn write_again(item: Item<'_>, writer: &mut Writer) {
    match item.kind() {
        Kind::Int(value) => writer.int(value),
        Kind::Bytes(value) => writer.bytes(value),
        Kind::Text(value) => writer.text(value),
        Kind::Bool(value) => writer.bool(value),
        Kind::Null => writer.null(),
        Kind::Array(list) => writer.array(|out| {
            assert_eq!(list.iter().count(), list.len());
            list.iter().for_each(|item| out.push(|w| write_again(item, w)));
        }),
        Kind::Map(map) => writer.map(|out| {
            assert_eq!(map.iter().count(), map.len());
            for (key, value) in map.iter() {
                match key.kind() {
                    Kind::Int(key) => out.entry(key, |w| write_again(value, w)),
                    Kind::Bytes(key) => out.bytes_entry(key, |w| write_again(value, w)),
                    Kind::Text(key) => out.text_entry(key, |w| write_again(value, w)),
                    other => panic!("a key is {other:?}"),
                };
            }
        }),
    }
}

/// `ServiceData::new` and both ways to open one.
pub fn service_data(data: &[u8]) {
    let Some(heard) = ServiceData::new(data) else { return assert!(data.len() < 20) };
    assert_eq!(heard.suffix().bytes, data[20..]);
    let key = EidKey::new(&[7; 64]);
    if let Some(opened) = heard.open_linked(&key) {
        assert_eq!(opened.seal(&key).as_bytes(), &data[..20]);
        assert_eq!(heard.open(&key).is_some(), opened.domain().is_ok());
    }
    // The same bytes as a plaintext.
    let plaintext: [u8; 16] = std::array::from_fn(|i| data[i]);
    if let Some(eid) = Eid::from_bytes(plaintext) {
        let opened = ServiceData::from(eid.seal(&key)).open_linked(&key).unwrap();
        assert_eq!(opened.as_bytes(), &plaintext);
    }
}

/// `Hello::parse`.
pub fn hello(data: &[u8]) {
    if let Ok(read) = Hello::parse(data) {
        assert_eq!(Hello::parse(&read.to_bytes()).as_ref(), Ok(&read));
    }
}

/// `ClientPayload::from_header`.
pub fn client_payload(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(read) = ClientPayload::from_header(text) {
        assert_eq!(ClientPayload::from_header(&read.to_header()), Ok(read));
    }
}

/// `Route::parse`.
pub fn route(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(read) = Route::parse(text) {
        assert_eq!(Route::parse(&read.path()), Ok(read.clone()));
        match read {
            Route::Contact(_) => assert_eq!(read.path(), text),
            Route::New(_) | Route::Connect(..) => assert!(read.path().eq_ignore_ascii_case(text)),
        }
    }
}

/// The values of a routing id header, one a line.
pub fn routing_id(data: &[u8]) {
    let values: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    match (routing_id_from_headers(values.iter().copied()), &values[..]) {
        (Ok(read), [only]) => assert!(read.to_hex().as_bytes().eq_ignore_ascii_case(only)),
        (Ok(_), _) => panic!("read out of {} values", values.len()),
        (Err(_), _) => {}
    }
}
