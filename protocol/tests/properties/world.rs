//! Two ends of a session, and what several tests make them out of.

use cablecar_protocol::authenticator::qr_initiated::ExpectRoutingId;
use cablecar_protocol::channel::{AuthenticatorEnd, Channel, ClientEnd};
use cablecar_protocol::client_platform::{Heard, Nearby, qr_initiated::ExpectAdvert};
use cablecar_protocol::ctap::GetInfo;
use cablecar_protocol::danger::{Counters, SessionKeys, authenticator_channel, client_channel};
use cablecar_protocol::handshake::ExpectGreeting;
use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::message::{Features, Hello};
use cablecar_protocol::qr::Hint;
use cablecar_protocol::secrets::{IdentityKey, TrafficKey};
use cablecar_protocol::tunnel::TunnelServiceDomain;
use rand_core::OsRng;

/// Client to authenticator, and back.
pub(crate) const KEYS: [[u8; 32]; 2] = [[0xa1; 32], [0xa2; 32]];
pub(crate) const HASH: [u8; 32] = [0xa3; 32];
const CLIENT: [u8; 32] = [0xa4; 32];

pub(crate) fn session_keys() -> SessionKeys {
    SessionKeys {
        client_to_authenticator: TrafficKey::new(&KEYS[0]),
        authenticator_to_client: TrafficKey::new(&KEYS[1]),
        handshake_hash: HASH,
    }
}

/// Two open channels that know each other, at these counters of the client's.
pub(crate) fn channels_at(
    client: Counters,
    features: Features,
) -> (Channel<ClientEnd>, Channel<AuthenticatorEnd>) {
    let phone = Counters { sent: client.received, received: client.sent };
    let own = IdentityKey::from_scalar(&CLIENT).unwrap();
    let public = *own.public();
    let domain = TunnelServiceDomain::new(266).unwrap();
    (
        client_channel(session_keys(), client, features, Some((own, domain))),
        authenticator_channel(session_keys(), phone, features, Some(public)),
    )
}

pub(crate) fn channels() -> (Channel<ClientEnd>, Channel<AuthenticatorEnd>) {
    channels_at(Counters::default(), Features { ctap: true, dc: true })
}

/// Both sides of a QR-initiated transaction, just before the greeting.
pub(crate) fn near() -> (Nearby, ExpectGreeting) {
    let (waiting, shown) = ExpectAdvert::invite(Hint::GetAssertion, 0, &mut OsRng).unwrap();
    let phone = ExpectRoutingId::accept(shown, TunnelServiceDomain::new(266).unwrap());
    let (phone, advert) = phone.routed(RoutingId::new([1, 2, 3]), &mut OsRng).unwrap();
    let Heard::Ours(nearby) = waiting.hear(&advert.into()) else { panic!("not ours") };
    (nearby, phone)
}

pub(crate) fn hello() -> Hello {
    Hello::new(GetInfo {
        versions: vec!["FIDO_2_0".into()],
        extensions: vec!["prf".into()],
        aaguid: [9; 16],
        options: vec![("rk".into(), true), ("uv".into(), true)],
        transports: vec!["hybrid".into()],
    })
}
