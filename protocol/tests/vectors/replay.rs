//! Whole sessions, replayed through the public states of both sides with the
//! keys of a vector in place of random ones.

use cablecar_protocol::Error;
use cablecar_protocol::authenticator::qr_initiated::ExpectRoutingId;
use cablecar_protocol::authenticator::state_assisted::{WakeUp, wake};
use cablecar_protocol::cbor;
use cablecar_protocol::channel::{
    AuthenticatorEnd, AuthenticatorEvent, Channel, ClientEnd, ClientEvent, Request,
};
use cablecar_protocol::client_platform::{Heard, Nearby, qr_initiated, state_assisted};
use cablecar_protocol::danger::{Counters, authenticator_channel, open_record, seal_record};
use cablecar_protocol::eid::ServiceData;
use cablecar_protocol::error::Which;
use cablecar_protocol::handshake::ExpectGreeting;
use cablecar_protocol::ids::{ContactId, LinkId, RoutingId, TunnelId};
use cablecar_protocol::linking::{LinkGift, LinkedAuthenticator, Offer};
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::QrInvitation;
use cablecar_protocol::secrets::{IdentityKey, LinkSecret, QrSecret};
use cablecar_protocol::tunnel::{ClientPayload, Route, TunnelServiceDomain, routing_id_from_headers};

use crate::case::{Case, hex, prepared};
use crate::noise;

pub(crate) fn near<Waiting: std::fmt::Debug>(heard: Heard<Waiting>) -> Nearby {
    match heard {
        Heard::Ours(nearby) => nearby,
        Heard::NotOurs(waiting) => panic!("not heard by {waiting:?}"),
    }
}

/// The states of both sides just before the greeting.
pub(crate) struct Both {
    pub(crate) client: Nearby,
    /// None where a phone of ours would have drawn another advert.
    pub(crate) authenticator: Option<ExpectGreeting>,
}

/// From the code on screen to the moment before the greeting.
pub(crate) fn qr(case: &Case) -> Both {
    let handshake = case.field("handshake");
    let scanned = QrInvitation::parse(case.text("qr_url")).unwrap();
    let domain = TunnelServiceDomain::new(case.number("tunnel_domain_id") as u16).unwrap();
    assert_eq!(domain.host(), case.text("tunnel_domain"));
    assert_eq!(*scanned.to_cbor(), case.hex("qr_cbor"));
    assert_eq!(scanned.secret.eid_key().expose(), &case.array("eid_key"));

    let secret: [u8; QrSecret::LENGTH] = case.array("qr_secret");
    let mut rng = prepared(handshake.hex("client_static_private")).with(secret);
    let (client, mut shown) =
        qr_initiated::ExpectAdvert::invite(scanned.hint, scanned.made_at.unwrap_or(0), &mut rng).unwrap();
    assert!(rng.is_spent());
    assert_eq!(shown.client_key, handshake.public_key("client_static_public"));
    // What clients say in several ways, and ours in one.
    (shown.state_assisted, shown.known_domains) = (scanned.state_assisted, scanned.known_domains);
    (shown.made_at, shown.channels) = (scanned.made_at, scanned.channels.clone());
    assert_eq!(*shown.to_text(), case.text("qr_url"));

    let phone = ExpectRoutingId::accept(scanned, domain);
    assert_eq!(phone.tunnel().route.path(), case.text("new_path"));
    let Route::New(tunnel_id) = phone.tunnel().route else { panic!("not new") };
    assert_eq!(tunnel_id.as_bytes(), &case.array("tunnel_id"));
    let routing = routing_id_from_headers([case.text("routing_id_header").as_bytes()].into_iter()).unwrap();
    let plaintext: [u8; 16] = case.array("advert_plaintext");
    let (authenticator, advert) = phone.routed(routing, &mut prepared(&plaintext[1..11])).unwrap();
    assert_eq!(advert.as_bytes(), &case.array("advert"));

    let nearby = near(client.hear(&ServiceData::new(advert.as_bytes()).unwrap()));
    assert_eq!(nearby.tunnel().route.path(), case.text("connect_path"));
    assert_eq!(nearby.tunnel().domain, domain);
    Both { client: nearby, authenticator: Some(authenticator) }
}

/// From the call to the moment before the greeting.
pub(crate) fn linked(case: &Case) -> Both {
    let handshake = case.field("handshake");
    let domain = TunnelServiceDomain::new(case.number("tunnel_domain_id") as u16).unwrap();
    assert_eq!(domain.host(), case.text("tunnel_domain"));
    let Ok(Route::Contact(contact_id)) = Route::parse(case.text("contact_path")) else {
        panic!("no contact path")
    };
    let payload = ClientPayload::from_header(case.text("client_payload_header")).unwrap();
    let identity = handshake.key_pair("phone_static_private");
    let link = LinkedAuthenticator {
        contact_id,
        link_id: LinkId::new(case.array("link_id")),
        link_secret: LinkSecret::new(&case.array("link_secret")),
        public_key: *identity.public(),
        name: String::new(),
        domain,
    };
    let mut rng = prepared(case.hex("client_nonce"));
    let (client, dial, said) = state_assisted::ExpectAdvert::contact(&link, payload.hint, &mut rng).unwrap();
    assert!(rng.is_spent());
    assert_eq!(dial.route.path(), case.text("contact_path"));
    assert_eq!(said.to_header(), case.text("client_payload_header"));
    assert_eq!(link.link_secret.eid_key(&said.client_nonce).expose(), &case.array("eid_key"));

    // The two ids reach the phone outside the session; any will do.
    let (routing_id, tunnel_id) = (RoutingId::new([1; 3]), TunnelId::new([2; 16]));
    let wake_up = WakeUp { domain, routing_id, tunnel_id, client_payload: payload };
    let plaintext: [u8; 16] = case.array("advert_plaintext");
    let mut rng = prepared(&plaintext[1..]);
    let woken = wake(&wake_up, &link.link_secret, identity, &mut rng);
    assert!(rng.is_spent());
    let authenticator = if u16::from_le_bytes([plaintext[14], plaintext[15]]) < 256 {
        // What Chromium would not open is drawn again, and here is no more.
        assert_eq!(woken.map(drop), Err(Error::Misuse(Which::NoRandomness)));
        None
    } else {
        let (authenticator, advert, dial) = woken.unwrap();
        assert_eq!(dial.route, Route::Connect(routing_id, tunnel_id));
        assert_eq!(advert.as_bytes(), &case.array("advert"));
        Some(authenticator)
    };
    let advert = ServiceData::new(&case.hex("advert")).unwrap();
    let nearby = near(client.hear(&advert));
    assert_eq!(nearby.tunnel().route.path(), case.text("contact_path"));
    Both { client: nearby, authenticator }
}

/// Sends every frame from the state of its sender and reads it in that of its
/// receiver.
pub(crate) fn wire(case: &Case, both: Both) {
    let handshake = case.field("handshake");
    let frames = case.field("wire").items();
    let mut frames = frames.iter().skip_while(|frame| {
        let signal = frame.text("from") == "server";
        assert!(!signal || frame.hex("frame") == [0], "a signal is one byte 00");
        signal
    });
    let mut next = |from: &str| {
        let frame = frames.next().expect("another frame").clone();
        assert_eq!(frame.text("from"), from);
        frame
    };

    let greeting = next("client").hex("frame");
    assert_eq!(greeting, handshake.hex("message1"));
    let mut rng = prepared(handshake.hex("client_ephemeral_private"));
    let (client, sent) = both.client.greet(&mut rng).unwrap();
    assert_eq!(sent[..], greeting);

    let (reply, first) = (next("phone").hex("frame"), next("phone"));
    assert_eq!(reply, handshake.hex("message2"));
    let hello = Hello::parse(&first.hex("plaintext")).unwrap();
    let mut rng = prepared(handshake.hex("phone_ephemeral_private"));
    let phone = match both.authenticator {
        Some(waiting) => {
            let (phone, [sent, our_hello]) = waiting.read(&greeting, &hello, &mut rng).unwrap();
            assert_eq!(sent, reply);
            // Of several ways to say the same, a phone of ours has one.
            if hello.to_bytes() == first.hex("plaintext") {
                assert_eq!(our_hello, first.hex("frame"));
            }
            phone
        }
        None => {
            let (keys, sent) = noise::authenticator(&handshake, &greeting).unwrap();
            assert_eq!(sent[..], reply);
            let counters = Counters { sent: 1, received: 0 };
            authenticator_channel(keys, counters, hello.features(), None)
        }
    };
    let (client, heard) = client.read(&reply).unwrap().read(&first.hex("frame")).unwrap();
    assert_eq!(heard, hello);

    let mut session = Session {
        keys: [handshake.array("client_to_phone_key"), handshake.array("phone_to_client_key")],
        counters: [0, 0],
        identity: case.has("phone_identity_private").then(|| case.key_pair("phone_identity_private")),
        client: Some(client),
        phone,
    };
    session.sealed(&first);
    for frame in frames {
        session.exchange(frame);
    }
}

struct Session {
    keys: [[u8; 32]; 2],
    counters: [u32; 2],
    identity: Option<IdentityKey>,
    client: Option<Channel<ClientEnd>>,
    phone: Channel<AuthenticatorEnd>,
}

impl Session {
    /// Checks a frame against key and counter alone.
    fn sealed(&mut self, frame: &Case) {
        let side = usize::from(frame.text("from") == "phone");
        let counter = self.counters[side];
        assert_eq!(u64::from(counter), frame.number("counter"), "{}", frame.path);
        let (record, message) = (frame.hex("frame"), frame.hex("plaintext"));
        assert_eq!(seal_record(&self.keys[side], counter, &message).as_ref(), Ok(&record), "{}", frame.path);
        assert_eq!(open_record(&self.keys[side], counter, &record), Ok(message), "{}", frame.path);
        self.counters[side] += 1;
    }

    fn exchange(&mut self, frame: &Case) {
        self.sealed(frame);
        let (record, message) = (frame.hex("frame"), frame.hex("plaintext"));
        let (kind, body) = message.split_first().expect("a type byte");
        match frame.text("from") {
            "client" => {
                let client = self.client.as_mut().expect("the client has not shut down");
                let sent = match kind {
                    0 => self.client.take().unwrap().shutdown(),
                    1 => client.send(Request::Ctap(body)),
                    3 => client.send(Request::Json(std::str::from_utf8(body).unwrap())),
                    other => panic!("a client does not send type {other}"),
                };
                assert_eq!(hex(&sent.unwrap()), hex(&record), "{}", frame.path);
                let expected = match kind {
                    0 => AuthenticatorEvent::Shutdown,
                    1 => AuthenticatorEvent::Ctap(body.to_vec()),
                    _ => AuthenticatorEvent::Json(body.to_vec()),
                };
                assert_eq!(self.phone.receive(&record), Ok(expected), "{}", frame.path);
            }
            "phone" => {
                let sent = match kind {
                    1 | 3 => self.phone.send(body),
                    2 => self.update(body),
                    other => panic!("a phone does not send type {other}"),
                };
                assert_eq!(hex(&sent.unwrap()), hex(&record), "{}", frame.path);
                let client = self.client.as_mut().expect("the client has not shut down");
                match (kind, client.receive(&record).unwrap()) {
                    (1, ClientEvent::Ctap(heard)) | (3, ClientEvent::Json(heard)) => assert_eq!(heard, body),
                    (2, ClientEvent::Update(offer)) => expect_offer(body, &offer),
                    (_, other) => panic!("{}: heard {other:?}", frame.path),
                }
            }
            other => panic!("nobody is called {other:?}"),
        }
    }

    /// Gives the link of the vector anew, proof and all.
    fn update(&mut self, body: &[u8]) -> Result<Vec<u8>, Error> {
        let Some(link) = Link::read(body) else { return self.phone.update(None) };
        self.phone.update(Some(&LinkGift {
            contact_id: &link.contact_id,
            link_id: link.link_id,
            link_secret: &link.link_secret,
            identity: self.identity.as_ref().expect("phone_identity_private"),
            name: &link.name,
        }))
    }
}

/// The fields of a link as they stand in an update.
struct Link {
    contact_id: ContactId,
    link_id: LinkId,
    link_secret: LinkSecret,
    public_key: Vec<u8>,
    name: String,
}

impl Link {
    fn read(body: &[u8]) -> Option<Self> {
        let link = cbor::parse(body, cbor::CTAP_DEPTH).unwrap().as_map().unwrap().get(1)?.as_map().unwrap();
        let bytes = |key| link.get(key).unwrap().as_bytes().unwrap();
        Some(Self {
            contact_id: ContactId::new(bytes(1).to_vec()).unwrap(),
            link_id: LinkId::new(bytes(2).try_into().unwrap()),
            link_secret: LinkSecret::new(bytes(3).try_into().unwrap()),
            public_key: bytes(4).to_vec(),
            name: link.get(5).unwrap().as_text().unwrap().to_owned(),
        })
    }
}

/// What the client stores is what stood in the update.
pub(crate) fn expect_offer(body: &[u8], offer: &Offer) {
    match (Link::read(body), offer) {
        (None, Offer::Nothing) => {}
        (Some(sent), Offer::Link(link)) => {
            assert_eq!(link.contact_id, sent.contact_id);
            assert_eq!(link.link_id, sent.link_id);
            assert_eq!(link.link_secret.expose(), sent.link_secret.expose());
            assert_eq!(link.public_key.to_uncompressed()[..], sent.public_key);
            assert_eq!(link.name, sent.name);
        }
        (_, other) => panic!("stored {other:?}"),
    }
}
