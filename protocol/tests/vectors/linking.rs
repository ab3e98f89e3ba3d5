use cablecar_protocol::Error;
use cablecar_protocol::cbor;
use cablecar_protocol::channel::{Channel, ClientEnd, ClientEvent, Request};
use cablecar_protocol::danger::{
    Counters, SessionKeys, authenticator_channel, client_channel, open_record, seal_record,
};
use cablecar_protocol::error::Which;
use cablecar_protocol::ids::{ContactId, LinkId};
use cablecar_protocol::linking::{LinkGift, Offer};
use cablecar_protocol::message::Features;
use cablecar_protocol::secrets::{IdentityKey, LinkSecret, TrafficKey};
use cablecar_protocol::tunnel::TunnelServiceDomain;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::case::{Case, File, hex, unhex, unknown};
use crate::replay::expect_offer;

#[test]
fn linking() {
    let file = File::open("linking", &["cases", "no_link_update", "error_base", "errors"]);
    file.each("cases", given);
    let nothing = file.entry("no_link_update");
    file.run(&nothing, || without_link(&unhex(nothing.value.as_str().unwrap())));
    let base = file.entry("error_base");
    file.run(&base, || {
        // Only the client's private half is given here, and ECDH has two ends.
        assert_eq!(proof(&base, "client_static_private", "phone_static_public"), base.hex("mac"));
    });
    file.each("errors", |case| offered(&base, case));
    file.finish();
}

const KEY: [u8; 32] = [5; 32];

fn keys(handshake_hash: [u8; 32]) -> SessionKeys {
    SessionKeys {
        client_to_authenticator: TrafficKey::new(&[4; 32]),
        authenticator_to_client: TrafficKey::new(&KEY),
        handshake_hash,
    }
}

fn client(own: IdentityKey, handshake_hash: [u8; 32]) -> Channel<ClientEnd> {
    let domain = TunnelServiceDomain::new(266).unwrap();
    client_channel(keys(handshake_hash), Counters::default(), Features::CTAP, Some((own, domain)))
}

/// HMAC-SHA-256(ECDH, handshake hash), without our code.
fn proof(case: &Case, private: &str, public: &str) -> Vec<u8> {
    let own = p256::SecretKey::from_slice(&case.hex(private)).unwrap();
    let other = p256::PublicKey::from_sec1_bytes(&case.hex(public)).unwrap();
    let shared = p256::ecdh::diffie_hellman(own.to_nonzero_scalar(), other.as_affine());
    if case.has("shared_secret") {
        assert_eq!(hex(shared.raw_secret_bytes()), case.text("shared_secret"));
    }
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(shared.raw_secret_bytes()).unwrap();
    mac.chain_update(case.hex("handshake_hash")).finalize().into_bytes().to_vec()
}

fn given(case: &Case) {
    assert_eq!(proof(case, "phone_static_private", "client_static_public"), case.hex("mac"));
    assert_eq!(proof(case, "client_static_private", "phone_static_public"), case.hex("mac"));
    let identity = case.key_pair("phone_static_private");
    assert_eq!(*identity.public(), case.public_key("phone_static_public"));
    let own = case.key_pair("client_static_private");
    assert_eq!(*own.public(), case.public_key("client_static_public"));
    let hash = case.array("handshake_hash");

    let mut phone =
        authenticator_channel(keys(hash), Counters::default(), Features::CTAP, Some(*own.public()));
    let record = phone.update(Some(&LinkGift {
        contact_id: &ContactId::new(case.hex("contact_id")).unwrap(),
        link_id: LinkId::new(case.array("link_id")),
        link_secret: &LinkSecret::new(&case.array("link_secret")),
        identity: &identity,
        name: case.text("name"),
    }));
    let record = record.unwrap();
    assert_eq!(record.len() as u64, case.number("update_message_padded_length") + 16);
    let ours = open_record(&KEY, 0, &record).unwrap();
    let message = case.hex("update_message");
    let link = link_of(&message);
    assert_eq!(hex(link.encoded()), case.text("linking_map_cbor"));
    assert_eq!(link.as_map().unwrap().get(6).unwrap().as_bytes().unwrap(), case.hex("mac"));
    // Some phones add entries that we neither need nor write.
    if link.as_map().unwrap().iter().all(|(key, _)| (1..=6).contains(&key.as_int().unwrap_or(0))) {
        assert_eq!(hex(&ours), hex(&message));
    } else {
        for (key, value) in link_of(&ours).as_map().unwrap().iter() {
            assert_eq!(link.as_map().unwrap().get(key.as_int().unwrap()), Some(value));
        }
    }

    let record = seal_record(&KEY, 0, &message).unwrap();
    assert_eq!(record.len() as u64, case.number("update_message_padded_length") + 16);
    let Ok(ClientEvent::Update(offer)) = client(own, hash).receive(&record) else { panic!("no update") };
    expect_offer(&message[1..], &offer);
    let Offer::Link(link) = offer else { panic!("no link") };
    assert_eq!(link.domain.id(), 266);
    assert_eq!(link.link_secret.expose(), &case.array("link_secret"));
    assert_eq!(link.name, case.text("name"));
}

fn link_of(message: &[u8]) -> cbor::Item<'_> {
    assert_eq!(message[0], 2, "the type of an update");
    cbor::parse(&message[1..], cbor::CTAP_DEPTH).unwrap().as_map().unwrap().get(1).unwrap()
}

fn without_link(message: &[u8]) {
    let mut phone = authenticator_channel(keys([0; 32]), Counters::default(), Features::CTAP, None);
    let record = phone.update(None).unwrap();
    assert_eq!(hex(&open_record(&KEY, 0, &record).unwrap()), hex(message));
    let heard = client(IdentityKey::from_scalar(&[6; 32]).unwrap(), [0; 32]).receive(&record);
    assert!(matches!(heard, Ok(ClientEvent::Update(Offer::Nothing))), "{heard:?}");
}

fn offered(base: &Case, case: &Case) {
    let mut channel = client(base.key_pair("client_static_private"), base.array("handshake_hash"));
    let payload = case.hex("update_payload");
    let record = seal_record(&KEY, 0, &[&[2], &payload[..]].concat()).unwrap();
    let heard = channel.receive(&record);
    match (case.verdict(), &heard) {
        ("accept", Ok(ClientEvent::Update(offer @ Offer::Link(_)))) => expect_offer(&payload, offer),
        ("accept_nothing", Ok(ClientEvent::Update(Offer::Nothing))) => {}
        ("discard", Ok(ClientEvent::Update(Offer::Discarded(_)))) => {}
        ("fatal", Err(_)) => {
            assert_eq!(channel.send(Request::Ctap(&[4])), Err(Error::Misuse(Which::Poisoned)));
            return;
        }
        ("either", _) => return,
        ("accept" | "accept_nothing" | "discard" | "fatal", _) => panic!("gave {heard:?}"),
        (other, _) => unknown(other),
    }
    // Whatever became of the link, the session goes on.
    channel.send(Request::Ctap(&[4])).unwrap();
    let answer = seal_record(&KEY, 1, &[1, 0]).unwrap();
    assert!(matches!(channel.receive(&answer), Ok(ClientEvent::Ctap(body)) if body == [0]));

    // A linked session has no key to check a proof with and takes no link.
    let mut linked =
        client_channel(keys(base.array("handshake_hash")), Counters::default(), Features::CTAP, None);
    let heard = linked.receive(&record);
    assert!(matches!(heard, Ok(ClientEvent::Update(Offer::Nothing | Offer::Discarded(_)))), "{heard:?}");
}
