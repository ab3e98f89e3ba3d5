use cablecar_protocol::Error;
use cablecar_protocol::cbor;
use cablecar_protocol::channel::{
    AuthenticatorEnd, AuthenticatorEvent, Channel, ClientEnd, ClientEvent, Request,
};
use cablecar_protocol::ctap::{Command, GetInfo, Status};
use cablecar_protocol::danger::{Counters, SessionKeys, authenticator_channel, client_channel, seal_record};
use cablecar_protocol::error::Which;
use cablecar_protocol::linking::Offer;
use cablecar_protocol::message::{Features, Hello};
use cablecar_protocol::secrets::TrafficKey;

use crate::case::{Case, File, hex, judge, unknown};

#[test]
fn post_handshake() {
    let file = File::open("post_handshake", &["cases", "errors", "frames"]);
    file.each("cases", good);
    file.each("errors", |case| judge(case.verdict(), &Hello::parse(&case.hex("message"))));
    file.each("frames", |case| match case.text("from") {
        "client" => to_phone(case),
        "phone" => to_client(case),
        other => panic!("nobody is called {other:?}"),
    });
    file.finish();
}

fn good(case: &Case) {
    let (bytes, expect) = (case.hex("message"), case.field("expect"));
    let hello = Hello::parse(&bytes).unwrap();
    let features =
        Features { ctap: expect.get("ctap").as_bool().unwrap(), dc: expect.get("dc").as_bool().unwrap() };
    assert_eq!(hello.features(), features);
    let map = cbor::parse(&bytes, cbor::CTAP_DEPTH).unwrap().as_map().unwrap();
    assert_eq!(hello.get_info_bytes(), map.get(1).map(|item| item.as_bytes().unwrap()));
    assert_eq!(hello.get_info().is_some(), features.ctap);
    if case.has("getinfo") {
        assert_eq!(hex(hello.get_info_bytes().unwrap()), case.text("getinfo"));
    }
    if let Some(bytes) = hello.get_info_bytes() {
        get_info(bytes, hello.get_info().unwrap());
    }
    assert_eq!(Hello::parse(&hello.to_bytes()), Ok(hello));
}

/// The fields of a getInfo, read here by themselves.
pub(crate) fn get_info(bytes: &[u8], read: &GetInfo) {
    let map = cbor::parse(bytes, cbor::CTAP_DEPTH).unwrap().as_map().unwrap();
    let texts = |key| -> Vec<&str> {
        let list = map.get(key).map(|item| item.as_array().unwrap());
        list.iter().flat_map(|list| list.iter()).map(|item| item.as_text().unwrap()).collect()
    };
    assert_eq!(read.versions, texts(1));
    assert_eq!(read.extensions, texts(2));
    assert_eq!(read.aaguid[..], *map.get(3).unwrap().as_bytes().unwrap());
    assert_eq!(read.transports, texts(9));
    for (name, value) in
        map.get(4).map(|item| item.as_map().unwrap()).iter().flat_map(|options| options.iter())
    {
        assert_eq!(read.option(name.as_text().unwrap()), value.as_bool());
    }
    assert_eq!(GetInfo::parse(&read.to_bytes()).as_ref(), Ok(read));
}

const KEYS: [[u8; 32]; 2] = [[1; 32], [2; 32]];

/// The state in which a frame arrives: what was advertised, and what kind of
/// request has no answer yet.
struct State {
    features: Features,
    outstanding: Option<u8>,
}

impl State {
    fn of(case: &Case) -> Self {
        let said = format!("{} {}", case.hint("name"), case.hint("note"));
        let outstanding = match () {
            () if said.contains("to a ctap request") => Some(1),
            () if said.contains("to a json request") => Some(3),
            () => None,
        };
        let dc = said.contains("dc was advertised") || outstanding == Some(3);
        Self { features: Features { ctap: true, dc }, outstanding }
    }

    fn channels(&self) -> (Channel<ClientEnd>, Channel<AuthenticatorEnd>) {
        let keys = || SessionKeys {
            client_to_authenticator: TrafficKey::new(&KEYS[0]),
            authenticator_to_client: TrafficKey::new(&KEYS[1]),
            handshake_hash: [3; 32],
        };
        let mut client = client_channel(keys(), Counters::default(), self.features, None);
        let mut phone = authenticator_channel(keys(), Counters::default(), self.features, None);
        let sent = match self.outstanding {
            None => None,
            Some(1) => Some(client.send(Request::Ctap(&[4])).unwrap()),
            Some(_) => Some(client.send(Request::Json("{}")).unwrap()),
        };
        if let Some(sent) = sent {
            phone.receive(&sent).unwrap();
        }
        (client, phone)
    }
}

fn to_phone(case: &Case) {
    let state = State::of(case);
    let (_, mut phone) = state.channels();
    let message = case.hex("message");
    let received = u32::from(state.outstanding.is_some());
    let heard = phone.receive(&seal_record(&KEYS[0], received, &message).unwrap());
    let usable = |phone: &mut Channel<AuthenticatorEnd>| {
        let next = seal_record(&KEYS[0], received + 1, &[1, 4]).unwrap();
        assert_eq!(phone.receive(&next), Ok(AuthenticatorEvent::Ctap(vec![4])));
    };
    match case.verdict() {
        "close" => assert_eq!(heard, Ok(AuthenticatorEvent::Shutdown)),
        "dispatch" => {
            let expected = match message.split_first().unwrap() {
                (1, body) => AuthenticatorEvent::Ctap(body.to_vec()),
                (3, body) => AuthenticatorEvent::Json(body.to_vec()),
                (other, _) => panic!("nothing dispatches type {other}"),
            };
            assert_eq!(heard, Ok(expected));
            phone.send(&[0]).unwrap();
            usable(&mut phone);
        }
        // An error status is the answer, and the session goes on.
        "error" => {
            let Ok(AuthenticatorEvent::Ctap(request)) = heard else { panic!("gave {heard:?}") };
            assert!(Command::split(&request).is_none_or(|(command, _)| matches!(command, Command::Other(_))));
            phone.send(&[Status::INVALID_COMMAND.byte()]).unwrap();
            usable(&mut phone);
        }
        "ignore" => {
            assert_eq!(heard, Ok(AuthenticatorEvent::Update));
            usable(&mut phone);
        }
        "fatal" => {
            let error = heard.expect_err("fatal");
            assert_ne!(error, Error::Decrypt, "the record itself is good");
            assert!(phone.send(&[0]).is_err());
            let next = seal_record(&KEYS[0], received + 1, &[1, 4]).unwrap();
            assert_eq!(phone.receive(&next), Err(Error::Misuse(Which::Poisoned)));
        }
        "either" => {}
        other => unknown(other),
    }
}

fn to_client(case: &Case) {
    let (mut client, _) = State::of(case).channels();
    let message = case.hex("message");
    let heard = client.receive(&seal_record(&KEYS[1], 0, &message).unwrap());
    match (case.verdict(), heard) {
        ("close", Ok(ClientEvent::Shutdown)) | ("either", _) => {}
        ("dispatch", Ok(ClientEvent::Ctap(body) | ClientEvent::Json(body))) => assert_eq!(body, message[1..]),
        ("ignore", Ok(ClientEvent::Update(Offer::Nothing | Offer::Discarded(_)))) => {
            client.send(Request::Ctap(&[4])).unwrap();
            let answer = seal_record(&KEYS[1], 1, &[1, 0]).unwrap();
            assert!(matches!(client.receive(&answer), Ok(ClientEvent::Ctap(body)) if body == [0]));
        }
        ("fatal", Err(error)) => {
            assert_ne!(error, Error::Decrypt, "the record itself is good");
            let next = seal_record(&KEYS[1], 1, &[2, 0xa0]).unwrap();
            assert_eq!(client.receive(&next).unwrap_err(), Error::Misuse(Which::Poisoned));
            assert_eq!(client.shutdown(), Err(Error::Misuse(Which::Poisoned)));
        }
        ("close" | "dispatch" | "ignore" | "fatal", other) => panic!("gave {other:?}"),
        (other, _) => unknown(other),
    }
}
