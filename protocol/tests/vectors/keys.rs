use cablecar_protocol::client_platform::{qr_initiated, state_assisted};
use cablecar_protocol::danger::{self, Door};
use cablecar_protocol::derive::Purpose;
use cablecar_protocol::eid::Eid;
use cablecar_protocol::ids::{ClientNonce, ContactId, LinkId};
use cablecar_protocol::linking::LinkedAuthenticator;
use cablecar_protocol::qr::Hint;
use cablecar_protocol::secrets::{IdentityKey, LinkSecret, Psk, QrSecret, RootSecret};
use cablecar_protocol::tunnel::TunnelServiceDomain;
use hkdf::Hkdf;
use sha2::Sha256;

use crate::case::{Case, File, prepared};
use crate::replay::near;

#[test]
fn keys() {
    let file = File::open("keys", &["cases"]);
    file.each("cases", |case| match case.text("kind") {
        "qr" => qr(case),
        "linked" => linked(case),
        "phone_root" => phone_root(case),
        other => panic!("unknown kind {other:?}"),
    });
    file.finish();
}

const OURS: [u8; 32] = [7; 32];
const EPHEMERAL: [u8; 32] = [9; 32];

fn qr(case: &Case) {
    let secret = QrSecret::new(&case.array("qr_secret"));
    let eid_key = secret.eid_key();
    assert_eq!(eid_key.expose(), &case.array("eid_key"));
    assert_eq!(eid_key.expose()[..32], case.hex("eid_aes_key"));
    assert_eq!(eid_key.expose()[32..], case.hex("eid_hmac_key"));
    assert_eq!(secret.tunnel_id().as_bytes(), &case.array("tunnel_id"));
    for (info, purpose) in
        [("eid_info", Purpose::EidKey), ("tunnel_id_info", Purpose::TunnelId), ("psk_info", Purpose::Psk)]
    {
        assert_eq!((purpose as u32).to_le_bytes(), case.array(info));
    }
    // The inner step of HKDF, with the salt that we say is the default.
    let (prk, _) = Hkdf::<Sha256>::extract(Some(&[0; 32]), secret.expose());
    assert_eq!(prk[..], case.hex("eid_prk"));
    assert_eq!(case.hex("psk_salt"), case.hex("advert_plaintext"));

    // The PSK shows itself in the first handshake message only.
    let mut rng = prepared(OURS).with(*secret.expose());
    let (waiting, _) = qr_initiated::ExpectAdvert::invite(Hint::GetAssertion, 0, &mut rng).unwrap();
    let eid = Eid::from_bytes(case.array("advert_plaintext")).unwrap();
    let nearby = near(waiting.hear(&eid.seal(&eid_key).into()));
    let (_, greeting) = nearby.greet(&mut prepared(EPHEMERAL)).unwrap();
    let ours = IdentityKey::from_scalar(&OURS).unwrap();
    assert_eq!(greeting, greeting_under(Door::QrClient(&ours), case));
}

fn linked(case: &Case) {
    let secret = LinkSecret::new(&case.array("link_secret"));
    let nonce: [u8; 16] = case.array("client_nonce");
    let eid_key = secret.eid_key(&ClientNonce::new(nonce));
    assert_eq!(eid_key.expose(), &case.array("eid_key"));

    let link = LinkedAuthenticator {
        contact_id: ContactId::new(vec![1]).unwrap(),
        link_id: LinkId::new([2; 8]),
        link_secret: secret,
        public_key: *IdentityKey::from_scalar(&OURS).unwrap().public(),
        name: String::new(),
        domain: TunnelServiceDomain::new(0).unwrap(),
    };
    let (waiting, _, payload) =
        state_assisted::ExpectAdvert::contact(&link, Hint::GetAssertion, &mut prepared(nonce)).unwrap();
    assert_eq!(payload.client_nonce.as_bytes(), &nonce);
    let eid = Eid::from_bytes(case.array("advert_plaintext")).unwrap();
    let nearby = near(waiting.hear(&eid.seal(&eid_key).into()));
    let (_, greeting) = nearby.greet(&mut prepared(EPHEMERAL)).unwrap();
    assert_eq!(greeting, greeting_under(Door::LinkClient(&link.public_key), case));
}

/// The first message that the PSK of the vector gives.
fn greeting_under(door: Door<'_>, case: &Case) -> [u8; 81] {
    danger::initiate(door, &Psk::new(&case.array("psk")), &mut prepared(EPHEMERAL)).unwrap().1
}

fn phone_root(case: &Case) {
    let root = RootSecret::new(&case.array("root_secret"));
    let contact = ContactId::new(case.hex("contact_id")).unwrap();
    let link = LinkId::new(case.array("pairing_id"));
    assert_eq!(*root.contact_secret(&contact), case.array("per_contact_id_secret"));
    assert_eq!(root.link_secret(Some(&contact), &link).expose(), &case.array("paired_secret"));
    let without = root.link_secret(None, &link);
    assert_eq!(without.expose(), &case.array("paired_secret_without_contact_id"));
    let seed = case.array("identity_key_seed");
    assert_eq!(*root.identity_key_seed(), seed);
    let identity = root.identity_key().unwrap();
    assert_eq!(identity.public(), IdentityKey::from_seed(&seed).unwrap().public());
}
