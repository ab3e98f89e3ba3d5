use cablecar_protocol::cbor;
use cablecar_protocol::channel::Request;
use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::danger::{Door, initiate};
use cablecar_protocol::eid::ServiceData;
use cablecar_protocol::ids::{RoutingId, TunnelId};
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::{QrInvitation, SCHEME, digits};
use cablecar_protocol::secrets::{Psk, QrSecret};
use cablecar_protocol::tunnel::Route;

use crate::case::{Case, File, hex, prepared};
use crate::post_handshake::get_info;
use crate::replay::near;

#[test]
fn captures() {
    let file = File::open("captures", &["iphone_session", "adverts", "qr_urls", "post_handshake"]);
    let session = file.entry("iphone_session");
    file.run(&session, || client_of(&session));
    file.each("adverts", advert);
    file.each("qr_urls", code);
    file.each("post_handshake", |case| {
        let hello = Hello::parse(&case.hex("message")).unwrap();
        assert!(hello.features().ctap);
        get_info(hello.get_info_bytes().unwrap(), hello.get_info().unwrap());
    });
    file.finish();
}

/// The client of a recorded session, up to its first request.
fn client_of(case: &Case) {
    let scanned = QrInvitation::parse(case.text("qr_url")).unwrap();
    assert_eq!(case.text("qr_url"), format!("{SCHEME}{}", *digits::encode(&case.hex("qr_cbor"))));
    let mut rng = prepared(case.hex("client_static_private")).with(case.hex("qr_secret"));
    let (waiting, shown) =
        ExpectAdvert::invite(scanned.hint, scanned.made_at.unwrap_or(0), &mut rng).unwrap();
    assert_eq!(shown.client_key, scanned.client_key);
    assert_eq!(shown.secret.expose(), scanned.secret.expose());

    advert(case);
    let nearby = near(waiting.hear(&ServiceData::new(&case.hex("advert")).unwrap()));
    let route =
        Route::Connect(RoutingId::new(case.array("routing_id")), TunnelId::new(case.array("tunnel_id")));
    assert_eq!(nearby.tunnel().route, route);
    assert_eq!(u64::from(nearby.tunnel().domain.id()), case.number("tunnel_domain_id"));

    let (client, greeting) = nearby.greet(&mut prepared(case.hex("client_ephemeral_private"))).unwrap();
    assert_eq!(hex(&greeting), case.text("message1"));
    let own = case.key_pair("client_static_private");
    let rng = &mut prepared(case.hex("client_ephemeral_private"));
    let again = initiate(Door::QrClient(&own), &Psk::new(&case.array("psk")), rng).unwrap().1;
    assert_eq!(again, greeting);

    let waiting = client.read(&case.hex("message2")).unwrap();
    assert!(waiting.would_open(&case.hex("phone_frame_0")));
    let (mut channel, hello) = waiting.read(&case.hex("phone_frame_0")).unwrap();
    let features: Vec<String> = serde_json::from_value(case.get("expected_features").clone()).unwrap();
    let offers = |name: &str| features.iter().any(|feature| feature == name);
    assert_eq!((hello.features().ctap, hello.features().dc), (offers("ctap"), offers("dc")));
    assert_eq!(hex(hello.get_info_bytes().unwrap()), case.text("expected_getinfo_hex"));
    get_info(hello.get_info_bytes().unwrap(), hello.get_info().unwrap());

    let message = case.hex("client_message_0");
    assert_eq!(message[0], 1, "a CTAP request");
    let sent = channel.send(Request::Ctap(&message[1..])).unwrap();
    assert_eq!(hex(&sent), case.text("client_frame_0"));
}

fn advert(case: &Case) {
    let secret = QrSecret::new(&case.array("qr_secret"));
    let heard = ServiceData::new(&case.hex("advert")).unwrap();
    let opened = heard.open(&secret.eid_key()).expect("opens");
    let plaintext = if case.has("plaintext") { "plaintext" } else { "advert_plaintext" };
    assert_eq!(opened.as_bytes(), &case.array(plaintext));
    assert_eq!(opened.routing_id().as_bytes(), &case.array("routing_id"));
    assert_eq!(u64::from(opened.domain().unwrap().id()), case.number("tunnel_domain_id"));
    assert_eq!(secret.tunnel_id().as_bytes(), &case.array("tunnel_id"));
    assert_eq!(opened.seal(&secret.eid_key()).as_bytes(), &case.array("advert"));
}

fn code(case: &Case) {
    let read = QrInvitation::parse(case.text("url")).unwrap();
    assert_eq!(read.state_assisted, case.get("state_assisted").as_bool());
    assert_eq!(read.hint.as_str(), case.text("hint"));
    let bytes = digits::decode(&case.text("url")[SCHEME.len()..]).unwrap();
    let map = cbor::parse(&bytes, cbor::QR_DEPTH).unwrap().as_map().unwrap();
    let keys: Vec<i64> = map.iter().map(|(key, _)| key.as_int().unwrap()).collect();
    assert_eq!(serde_json::to_value(&keys).unwrap(), *case.get("keys"));
    if keys.iter().all(|key| (0..=5).contains(key)) {
        assert_eq!(*read.to_text(), case.text("url"));
    }
}
