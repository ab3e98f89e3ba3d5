use cablecar_protocol::cbor;
use cablecar_protocol::ids::{ClientNonce, ContactId, LinkId, RoutingId};
use cablecar_protocol::qr::Hint;
use cablecar_protocol::secrets::QrSecret;
use cablecar_protocol::tunnel::{ClientPayload, Dial, Route, TunnelServiceDomain};

use crate::case::{Case, File, hex, judge, unhex, unknown};

#[test]
fn urls() {
    let file = File::open("urls", &["cases", "relay_paths", "client_payload_headers"]);
    file.each("cases", spelled);
    file.each("relay_paths", path);
    file.each("client_payload_headers", header);
    file.finish();
}

fn spelled(case: &Case) {
    let domain = TunnelServiceDomain::new(case.number("tunnel_domain_id") as u16).unwrap();
    let tunnel = QrSecret::new(&case.array("qr_secret")).tunnel_id();
    assert_eq!(tunnel.as_bytes(), &case.array("tunnel_id"));
    let routing = RoutingId::new(case.array("routing_id"));
    let contact = ContactId::new(case.hex("contact_id")).unwrap();

    let origin = format!("wss://{}", domain.host());
    for (field, route) in [
        ("new_url", Route::New(tunnel)),
        ("connect_url", Route::Connect(routing, tunnel)),
        ("contact_url", Route::Contact(contact)),
    ] {
        let dial = Dial { domain, route };
        assert_eq!(dial.url(), case.text(field));
        assert_eq!(dial.origin(), origin);
        assert_eq!(Route::parse(case.text(field).strip_prefix(&origin).unwrap()), Ok(dial.route));
    }
    let lower = case.text("connect_url_lower").strip_prefix(&origin).unwrap();
    assert_eq!(Route::parse(lower), Ok(Route::Connect(routing, tunnel)));

    let payload = ClientPayload {
        link_id: LinkId::new(case.array("link_id")),
        client_nonce: ClientNonce::new(case.array("client_nonce")),
        hint: Hint::from_text(case.text("hint")),
    };
    let (header, bytes) = (case.text("client_payload_header"), case.text("client_payload_cbor"));
    let cbor = case.hex("client_payload_cbor");
    let map = cbor::parse(&cbor, cbor::QR_DEPTH).unwrap().as_map().unwrap();
    assert_eq!(map.get(3).unwrap().as_text(), Some(case.text("hint")));
    if payload.hint.as_str() == case.text("hint") {
        assert_eq!(payload.to_header(), header);
        assert_eq!(payload.to_header().to_lowercase(), bytes);
    }
    assert_eq!(ClientPayload::from_header(header), Ok(payload));
    assert_eq!(ClientPayload::from_header(bytes), Ok(payload));
}

fn path(case: &Case) {
    let route = Route::parse(case.text("path"));
    match (case.verdict(), &route) {
        ("reject", Err(_)) | ("either", Err(_)) => {}
        ("new", Ok(route @ Route::New(_))) | ("connect", Ok(route @ Route::Connect(..))) => {
            assert!(route.path().eq_ignore_ascii_case(case.text("path")));
        }
        ("contact", Ok(route @ Route::Contact(_))) => assert_eq!(route.path(), case.text("path")),
        ("either", Ok(route)) => assert_eq!(Route::parse(&route.path()), Ok(route.clone())),
        ("reject" | "new" | "connect" | "contact", _) => panic!("gave {route:?}"),
        (other, _) => unknown(other),
    }
}

fn header(case: &Case) {
    let read = ClientPayload::from_header(case.text("header"));
    judge(case.verdict(), &read);
    let (Ok(payload), "accept") = (read, case.verdict()) else { return };
    let bytes = unhex(case.text("header"));
    let map = cbor::parse(&bytes, cbor::QR_DEPTH).unwrap().as_map().unwrap();
    assert_eq!(map.get(1).unwrap().as_bytes().unwrap(), payload.link_id.as_bytes());
    assert_eq!(map.get(2).unwrap().as_bytes().unwrap(), payload.client_nonce.as_bytes());
    assert_eq!(Hint::from_text(map.get(3).unwrap().as_text().unwrap()), payload.hint);
    if map.len() == 3 && map.get(3).unwrap().as_text() == Some(payload.hint.as_str()) {
        assert_eq!(payload.to_header().to_lowercase(), hex(&bytes));
    }
}
