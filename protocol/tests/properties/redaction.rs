//! Nothing prints a secret. Every secret here is made of the same two bytes,
//! which must not show in any way that a `Debug` could print them.

use cablecar_protocol::authenticator::qr_initiated::ExpectRoutingId;
use cablecar_protocol::cbor::{self, Writer};
use cablecar_protocol::channel::{ClientEvent, Request};
use cablecar_protocol::client_platform::qr_initiated::ExpectAdvert;
use cablecar_protocol::client_platform::state_assisted;
use cablecar_protocol::ctap::{PrfInputs, PrfOutputs, PrfValues};
use cablecar_protocol::danger::{Door, SessionKeys, initiate};
use cablecar_protocol::eid::{Eid, ServiceData};
use cablecar_protocol::ids::{ClientNonce, ContactId, LinkId, RoutingId, TunnelId};
use cablecar_protocol::linking::{LinkGift, LinkedAuthenticator, Update};
use cablecar_protocol::qr::{Hint, QrInvitation};
use cablecar_protocol::secrets::{EidKey, IdentityKey, LinkSecret, Psk, QrSecret, RootSecret, TrafficKey};
use cablecar_protocol::tunnel::{ClientPayload, Dial, Route, TunnelServiceDomain};
use rand_core::OsRng;
use zeroize::Zeroizing;

use crate::world::{channels, hello, near};

/// 171 in decimal, ab in hexadecimal.
const MARK: u8 = 0xab;

#[track_caller]
fn silent(value: &dyn std::fmt::Debug) {
    for text in [format!("{value:?}"), format!("{value:#?}"), format!("{value:x?}"), format!("{value:X?}")] {
        let lower = text.to_lowercase();
        assert!(!lower.contains("171") && !lower.contains("ab, ab") && !lower.contains("abab"), "{text}");
        assert!(!lower.contains("ab,\n"), "{text}");
    }
}

#[test]
fn keys_and_secrets() {
    silent(&QrSecret::new(&[MARK; 16]));
    silent(&LinkSecret::new(&[MARK; 32]));
    silent(&EidKey::new(&[MARK; 64]));
    silent(&Psk::new(&[MARK; 32]));
    silent(&RootSecret::new(&[MARK; 32]));
    silent(&TrafficKey::new(&[MARK; 32]));
    let identity = IdentityKey::from_scalar(&[MARK; 32]).unwrap();
    silent(&identity);
    silent(identity.public());
    silent(&Door::QrClient(&identity));
    silent(&SessionKeys {
        client_to_authenticator: TrafficKey::new(&[MARK; 32]),
        authenticator_to_client: TrafficKey::new(&[MARK; 32]),
        handshake_hash: [0; 32],
    });
    silent(&initiate(Door::QrClient(&identity), &Psk::new(&[MARK; 32]), &mut OsRng).unwrap().0);
}

#[test]
fn identifiers_and_adverts() {
    let (tunnel, routing) = (TunnelId::new([MARK; 16]), RoutingId::new([MARK; 3]));
    let domain = TunnelServiceDomain::new(266).unwrap();
    let contact = ContactId::new(vec![MARK; 20]).unwrap();
    silent(&tunnel);
    silent(&Dial { domain, route: Route::Connect(routing, tunnel) });
    silent(&Route::Contact(contact));
    let (link_id, client_nonce) = (LinkId::new([MARK; 8]), ClientNonce::new([MARK; 16]));
    silent(&ClientPayload { link_id, client_nonce, hint: Hint::GetAssertion });
    let eid = Eid::from_parts([MARK; 10], routing, domain);
    silent(&eid);
    silent(&eid.seal(&EidKey::new(&[MARK; 64])));
    silent(&ServiceData::new(&[MARK; 20]));
}

fn invitation() -> QrInvitation {
    QrInvitation {
        client_key: *IdentityKey::from_scalar(&[MARK; 32]).unwrap().public(),
        secret: QrSecret::new(&[MARK; 16]),
        known_domains: 2,
        made_at: None,
        state_assisted: None,
        hint: Hint::GetAssertion,
        channels: vec![0],
    }
}

#[test]
fn every_state() {
    silent(&invitation());
    silent(&cbor::parse(&invitation().to_cbor(), cbor::QR_DEPTH).unwrap());
    silent(&ExpectRoutingId::accept(invitation(), TunnelServiceDomain::new(266).unwrap()));
    silent(&ExpectAdvert::invite(Hint::GetAssertion, 0, &mut OsRng).unwrap());
    let (nearby, phone) = near();
    silent(&nearby);
    silent(&phone);
    let (waiting, greeting) = nearby.greet(&mut OsRng).unwrap();
    silent(&waiting);
    let (phone, [reply, record]) = phone.read(&greeting, &hello(), &mut OsRng).unwrap();
    silent(&phone);
    let waiting = waiting.read(&reply).unwrap();
    silent(&waiting);
    silent(&waiting.read(&record).unwrap().0);
}

#[test]
fn links() {
    let identity = IdentityKey::from_scalar(&[MARK; 32]).unwrap();
    let contact_id = ContactId::new(vec![MARK; 20]).unwrap();
    let link_secret = LinkSecret::new(&[MARK; 32]);
    let gift = LinkGift {
        contact_id: &contact_id,
        link_id: LinkId::new([MARK; 8]),
        link_secret: &link_secret,
        identity: &identity,
        name: "phone",
    };
    silent(&gift);
    let (mut client, mut phone) = channels();
    let record = phone.update(Some(&gift)).unwrap();
    let event = client.receive(&record).unwrap();
    silent(&event);
    let body = Writer::map_of(|map| {
        map.entry(1, |w| {
            w.map(|link| {
                link.entry(3, |w| w.bytes(&[MARK; 32]));
            });
        });
    });
    let update = Update::parse(&body).unwrap();
    silent(&update);
    let link = LinkedAuthenticator {
        contact_id,
        link_id: LinkId::new([MARK; 8]),
        link_secret,
        public_key: *identity.public(),
        name: "phone".into(),
        domain: TunnelServiceDomain::new(266).unwrap(),
    };
    silent(&link);
    silent(&state_assisted::ExpectAdvert::contact(&link, Hint::GetAssertion, &mut OsRng).unwrap());
}

/// What the prf extension gives is a secret of the page's.
#[test]
fn prf_values_and_the_messages_that_carry_them() {
    let values = || PrfValues { first: Zeroizing::new([MARK; 32]), second: Some(Zeroizing::new([MARK; 32])) };
    silent(&values());
    silent(&PrfOutputs { enabled: Some(true), results: Some(values()) });
    silent(&PrfInputs { eval: Some(values()), by_credential: vec![(vec![1], values())] });
    let (mut client, mut phone) = channels();
    let request = [MARK; 40];
    silent(&Request::Ctap(&request));
    silent(&phone.receive(&client.send(Request::Ctap(&request)).unwrap()).unwrap());
    let answer = client.receive(&phone.send(&[MARK; 40]).unwrap()).unwrap();
    assert!(matches!(&answer, ClientEvent::Ctap(body) if body == &[MARK; 40]));
    silent(&answer);
}
