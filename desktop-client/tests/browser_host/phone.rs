//! A phone and its relay in one: what the program meets when somebody scans
//! its code.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cablecar_protocol::authenticator::qr_initiated::ExpectRoutingId;
use cablecar_protocol::cbor::Writer;
use cablecar_protocol::channel::{AuthenticatorEnd, AuthenticatorEvent, Channel};
use cablecar_protocol::ctap::{
    AttestedCredential, AuthenticatorData, CredentialDescriptor, Flags, GetInfo, Status, User, get_assertion,
    make_credential,
};
use cablecar_protocol::ids::RoutingId;
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::QrInvitation;
use cablecar_protocol::tunnel::TunnelServiceDomain;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest, Sha256};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept_hdr};

use crate::PATIENCE;

/// The id of the one passkey that it has.
pub(crate) const CREDENTIAL: [u8; 16] = [0xc1; 16];

/// Where it speaks and where it is met.
pub(crate) struct Phone {
    air: SocketAddr,
    relay: TcpListener,
    pub(crate) key: SigningKey,
}

/// A phone in the middle of a session.
pub(crate) struct Met {
    websocket: WebSocket<TcpStream>,
    channel: Channel<AuthenticatorEnd>,
}

impl Phone {
    pub(crate) fn new() -> Self {
        Self {
            air: UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap(),
            relay: TcpListener::bind("127.0.0.1:0").unwrap(),
            key: SigningKey::from_slice(&[7; 32]).unwrap(),
        }
    }

    /// What brings the program to it.
    pub(crate) fn env(&self) -> [(&'static str, String); 2] {
        let relay = format!("ws://{}", self.relay.local_addr().unwrap());
        [("CABLECAR_DANGER_AIR", self.air.to_string()), ("CABLECAR_DANGER_RELAY", relay)]
    }

    /// Scans this code, comes near, and says hello.
    pub(crate) fn scan(&self, code: &str) -> Met {
        let rng = &mut rand_core::OsRng;
        let invitation = QrInvitation::parse(code).unwrap();
        let expect = ExpectRoutingId::accept(invitation, TunnelServiceDomain::new(266).unwrap());
        let (expect, advert) = expect.routed(RoutingId::new([1, 2, 3]), rng).unwrap();
        let mut websocket = self.advertise_until_met(advert.as_bytes());
        let hello = Hello::new(GetInfo {
            versions: vec!["FIDO_2_0".into()],
            extensions: vec!["prf".into()],
            aaguid: [0; 16],
            options: vec![("rk".into(), true), ("uv".into(), true)],
            transports: vec!["hybrid".into()],
        });
        let greeting = received(&mut websocket).unwrap();
        let (channel, first) = expect.read(&greeting, &hello, rng).unwrap();
        for message in first {
            websocket.send(Message::Binary(message.into())).unwrap();
        }
        Met { websocket, channel }
    }

    fn advertise_until_met(&self, advert: &[u8; 20]) -> WebSocket<TcpStream> {
        let met = Arc::new(AtomicBool::new(false));
        let (air, datagram, heard) = (self.air, [&[0xff, 0xf9], &advert[..]].concat(), Arc::clone(&met));
        let speaking = thread::spawn(move || {
            let (voice, began) = (UdpSocket::bind("127.0.0.1:0").unwrap(), Instant::now());
            while !heard.load(Ordering::Relaxed) && began.elapsed() < PATIENCE {
                let _ = voice.send_to(&datagram, air);
                thread::sleep(Duration::from_millis(20));
            }
        });
        self.relay.set_nonblocking(true).unwrap();
        let began = Instant::now();
        let stream = loop {
            match self.relay.accept() {
                Ok((stream, _)) => break stream,
                Err(_) => assert!(began.elapsed() < PATIENCE, "the advert was not heard"),
            }
            thread::sleep(Duration::from_millis(2));
        };
        met.store(true, Ordering::Relaxed);
        speaking.join().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        #[allow(clippy::result_large_err, reason = "the library's own signature")]
        let with_subprotocol = |_: &Request, mut response: Response| {
            response.headers_mut().insert("sec-websocket-protocol", "fido.cable".parse().unwrap());
            Ok(response)
        };
        accept_hdr(stream, with_subprotocol).unwrap()
    }

    /// The answer to a registration or a sign-in, as a phone would give it.
    pub(crate) fn answer(&self, request: &[u8]) -> Vec<u8> {
        let flags = Flags::UP | Flags::UV | Flags::BE;
        let data =
            |rp_id: &str, attested| AuthenticatorData::new(Sha256::digest(rp_id).into(), flags, 0, attested);
        match request.split_first().unwrap() {
            (1, body) => {
                let request = make_credential::Request::parse(body).unwrap();
                let attested =
                    AttestedCredential { aaguid: [1; 16], id: CREDENTIAL.to_vec(), public_key: self.cose() };
                let response = make_credential::Response {
                    format: "none".into(),
                    authenticator_data: data(&request.rp.id, Some(attested)),
                    statement: vec![0xa0],
                    prf: None,
                };
                Status::OK.with(&response.to_bytes())
            }
            (2, body) => {
                let request = get_assertion::Request::parse(body).unwrap();
                let data = data(&request.rp_id, None);
                let signed = [data.as_bytes(), &request.client_data_hash[..]].concat();
                let signature: Signature = self.key.sign(&signed);
                let response = get_assertion::Response {
                    credential: Some(CredentialDescriptor::new(CREDENTIAL.to_vec())),
                    authenticator_data: data,
                    signature: signature.to_der().as_bytes().to_vec(),
                    user: Some(User { id: vec![1, 2, 3], name: None, display_name: None }),
                    number_of_credentials: None,
                    user_selected: Some(true),
                    prf: None,
                };
                Status::OK.with(&response.to_bytes())
            }
            other => panic!("{other:?}"),
        }
    }

    fn cose(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_encoded_point(false);
        Writer::map_of(|map| {
            map.entry(1, |w| w.int(2));
            map.entry(3, |w| w.int(-7));
            map.entry(-1, |w| w.int(1));
            map.entry(-2, |w| w.bytes(point.x().unwrap()));
            map.entry(-3, |w| w.bytes(point.y().unwrap()));
        })
    }
}

impl Met {
    /// What the computer wants next.
    pub(crate) fn asked(&mut self) -> AuthenticatorEvent {
        let record = received(&mut self.websocket).expect("the computer hung up");
        self.channel.receive(&record).unwrap()
    }

    /// The request for a passkey that comes next.
    pub(crate) fn request(&mut self) -> Vec<u8> {
        match self.asked() {
            AuthenticatorEvent::Ctap(request) => request,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn say(&mut self, answer: &[u8]) {
        let record = self.channel.send(answer).unwrap();
        self.websocket.send(Message::Binary(record.into())).unwrap();
    }
}

/// The next message, or none if there will be none.
fn received(websocket: &mut WebSocket<TcpStream>) -> Option<Vec<u8>> {
    loop {
        match websocket.read() {
            Ok(Message::Binary(message)) => return Some(message.to_vec()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}
