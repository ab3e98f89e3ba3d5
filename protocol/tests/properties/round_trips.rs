//! parse(write(x)) = x, for everything that is both written and parsed.

use cablecar_protocol::cbor::{CTAP_DEPTH, parse};
use cablecar_protocol::channel::{AuthenticatorEvent, ClientEvent, LONGEST_MESSAGE, Request};
use cablecar_protocol::ctap::{
    AttestedCredential, AuthenticatorData, CredentialDescriptor, Flags, GetInfo, Options, PrfInputs,
    PrfOutputs, PrfValues, RelyingParty, User, get_assertion, make_credential,
};
use cablecar_protocol::danger::{open_record, seal_record};
use cablecar_protocol::error::{Error, Which};
use cablecar_protocol::ids::{ClientNonce, ContactId, LinkId, MAX_CONTACT_ID, RoutingId, TunnelId};
use cablecar_protocol::linking::{LinkGift, Offer};
use cablecar_protocol::message::Hello;
use cablecar_protocol::qr::Hint;
use cablecar_protocol::secrets::{IdentityKey, LinkSecret};
use cablecar_protocol::stream::{Deframer, frame};
use cablecar_protocol::tunnel::{ClientPayload, Route, routing_id_from_headers};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use zeroize::Zeroizing;

use crate::world::{KEYS, channels};

fn bytes(length: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), length)
}

fn hints() -> impl Strategy<Value = Hint> {
    prop_oneof![
        Just(Hint::GetAssertion),
        Just(Hint::MakeCredential),
        Just(Hint::DigitalCredentialPresentation),
        Just(Hint::DigitalCredentialIssuance),
    ]
}

fn routes() -> impl Strategy<Value = Route> {
    prop_oneof![
        any::<[u8; 16]>().prop_map(|id| Route::New(TunnelId::new(id))),
        any::<([u8; 3], [u8; 16])>().prop_map(|(r, t)| Route::Connect(RoutingId::new(r), TunnelId::new(t))),
        bytes(1..=MAX_CONTACT_ID).prop_map(|id| Route::Contact(ContactId::new(id).unwrap())),
    ]
}

/// Names and values in the order in which CBOR has them.
fn options() -> impl Strategy<Value = Vec<(String, bool)>> {
    btree_map("[a-z]{1,12}", any::<bool>(), 0..6).prop_map(|map| {
        let mut list: Vec<_> = map.into_iter().collect();
        list.sort_by_key(|(name, _)| (name.len(), name.clone()));
        list
    })
}

fn get_infos() -> impl Strategy<Value = GetInfo> {
    let texts = |range| vec(".{0,20}", range);
    (texts(1..4), texts(0..4), any::<[u8; 16]>(), options(), texts(0..4)).prop_map(
        |(versions, extensions, aaguid, options, transports)| GetInfo {
            versions,
            extensions,
            aaguid,
            options,
            transports,
        },
    )
}

fn descriptors() -> impl Strategy<Value = CredentialDescriptor> {
    (
        bytes(0..64),
        vec(prop::sample::select(vec!["usb", "ble", "hybrid", "internal"]).prop_map(String::from), 0..5),
    )
        .prop_map(|(id, transports)| CredentialDescriptor { id, transports })
}

fn users() -> impl Strategy<Value = User> {
    (bytes(1..=User::MAX_ID), of(".{0,20}"), of(".{0,20}")).prop_map(|(id, name, display_name)| User {
        id,
        name,
        display_name,
    })
}

fn prf_values() -> impl Strategy<Value = PrfValues> {
    any::<([u8; 32], Option<[u8; 32]>)>().prop_map(|(first, second)| PrfValues {
        first: Zeroizing::new(first),
        second: second.map(Zeroizing::new),
    })
}

fn prf_inputs() -> impl Strategy<Value = PrfInputs> {
    (of(prf_values()), btree_map(bytes(0..20), prf_values(), 0..4)).prop_map(|(eval, map)| {
        let mut by_credential: Vec<_> = map.into_iter().collect();
        by_credential.sort_by_key(|(id, _)| (id.len(), id.clone()));
        PrfInputs { eval, by_credential }
    })
}

fn prf_outputs() -> impl Strategy<Value = PrfOutputs> {
    (any::<Option<bool>>(), of(prf_values())).prop_map(|(enabled, results)| PrfOutputs { enabled, results })
}

fn request_options() -> impl Strategy<Value = Options> {
    any::<(Option<bool>, Option<bool>, Option<bool>)>().prop_map(|(rk, up, uv)| Options { rk, up, uv })
}

fn attested() -> impl Strategy<Value = AttestedCredential> {
    (any::<[u8; 16]>(), bytes(0..=AttestedCredential::MAX_ID), any::<[u8; 32]>()).prop_map(
        |(aaguid, id, x)| AttestedCredential {
            aaguid,
            id,
            // {3: -7, -2: x}
            public_key: [&[0xa2, 0x03, 0x26, 0x21, 0x58, 0x20][..], &x].concat(),
        },
    )
}

fn authenticator_data() -> impl Strategy<Value = AuthenticatorData> {
    (any::<([u8; 32], u8, u32)>(), of(attested()), of(any::<bool>())).prop_map(
        |((hash, flags, counter), attested, extension)| {
            let data = AuthenticatorData::new(hash, flags, counter, attested);
            let Some(extension) = extension else { return data };
            let mut bytes = data.as_bytes().to_vec();
            bytes[32] |= Flags::ED;
            bytes.extend([0xa1, 0x61, b'x', if extension { 0xf5 } else { 0xf4 }]);
            AuthenticatorData::parse(&bytes).unwrap()
        },
    )
}

proptest! {
    #[test]
    fn ids(tunnel: [u8; 16], routing: [u8; 3], link: [u8; 8], contact in bytes(1..=MAX_CONTACT_ID)) {
        let hex = TunnelId::new(tunnel).to_hex();
        prop_assert_eq!(TunnelId::from_hex(&hex), Ok(TunnelId::new(tunnel)));
        prop_assert_eq!(TunnelId::from_hex(&hex.to_lowercase()), Ok(TunnelId::new(tunnel)));
        prop_assert_eq!(ClientNonce::from_hex(&hex), Ok(ClientNonce::new(tunnel)));
        prop_assert_eq!(LinkId::from_hex(&LinkId::new(link).to_hex()), Ok(LinkId::new(link)));
        let routing = RoutingId::new(routing);
        let header = routing.to_hex();
        prop_assert_eq!(routing_id_from_headers([header.as_bytes()].into_iter()), Ok(routing));
        let contact = ContactId::new(contact).unwrap();
        prop_assert_eq!(ContactId::from_base64url(&contact.to_base64url()), Ok(contact));
    }

    #[test]
    fn paths(route in routes()) {
        prop_assert_eq!(Route::parse(&route.path()), Ok(route.clone()));
        if !matches!(route, Route::Contact(_)) {
            let ids = route.path().to_lowercase();
            prop_assert_eq!(Route::parse(&ids), Ok(route));
        }
    }

    #[test]
    fn client_payloads(link: [u8; 8], nonce: [u8; 16], hint in hints()) {
        let payload = ClientPayload { link_id: LinkId::new(link), client_nonce: ClientNonce::new(nonce), hint };
        prop_assert_eq!(ClientPayload::from_header(&payload.to_header()), Ok(payload));
        prop_assert_eq!(ClientPayload::from_header(&payload.to_header().to_lowercase()), Ok(payload));
    }

    #[test]
    fn get_infos_and_hellos(info in get_infos()) {
        prop_assert_eq!(GetInfo::parse(&info.to_bytes()), Ok(info.clone()));
        let hello = Hello::new(info.clone());
        let read = Hello::parse(&hello.to_bytes());
        prop_assert_eq!(read.as_ref(), Ok(&hello));
        prop_assert_eq!(hello.get_info(), Some(&info));
    }

    #[test]
    fn authenticator_datas(data in authenticator_data()) {
        prop_assert_eq!(AuthenticatorData::parse(data.as_bytes()), Ok(data.clone()));
        let longer = [data.as_bytes(), &[0]].concat();
        prop_assert!(AuthenticatorData::parse(&longer).is_err());
        prop_assert!(AuthenticatorData::parse(&longer[..longer.len() - 2]).is_err());
        if let Some(credential) = &data.attested {
            prop_assert_eq!(credential.algorithm(), Some(-7));
        }
    }

    #[test]
    fn make_credentials(
        client_data_hash: [u8; 32], (rp, name) in (".{0,30}", of(".{0,30}")), user in users(),
        algorithms in vec(any::<i64>(), 0..5), exclude in vec(descriptors(), 0..4),
        prf in of(prf_inputs()), options in request_options(),
    ) {
        let rp = RelyingParty { id: rp, name };
        let request = make_credential::Request {
            client_data_hash, rp, user, algorithms, exclude, prf, options, pin_uv_auth: false,
        };
        let bytes = request.to_bytes();
        prop_assert_eq!(bytes[0], 1);
        prop_assert_eq!(make_credential::Request::parse(&bytes[1..]), Ok(request));
    }

    #[test]
    fn made_credentials(
        format in "[a-z]{0,10}", authenticator_data in authenticator_data(), prf in of(prf_outputs()), x: u8,
    ) {
        let statement = [&[0xa1, 0x61, b's', 0x41][..], &[x]].concat();
        let response = make_credential::Response { format, authenticator_data, statement, prf };
        let read = make_credential::Response::parse(&response.to_bytes());
        prop_assert_eq!(read.as_ref(), Ok(&response));
        let object = response.attestation_object();
        let map = parse(&object, CTAP_DEPTH).unwrap().as_map().unwrap();
        prop_assert_eq!(map.get_text("authData").unwrap().as_bytes().unwrap(), response.authenticator_data.as_bytes());
        prop_assert_eq!(map.get_text("attStmt").unwrap().encoded(), &response.statement);
    }

    #[test]
    fn get_assertions(
        rp_id in ".{0,30}", client_data_hash: [u8; 32], allow in vec(descriptors(), 0..4),
        prf in of(prf_inputs()), options in request_options(),
    ) {
        let has_allow_list = !allow.is_empty();
        let request = get_assertion::Request {
            rp_id, client_data_hash, allow, has_allow_list, prf, options, pin_uv_auth: false,
        };
        let bytes = request.to_bytes();
        prop_assert_eq!(bytes[0], 2);
        prop_assert_eq!(get_assertion::Request::parse(&bytes[1..]), Ok(request));
    }

    #[test]
    fn assertions(
        credential in of(descriptors()), authenticator_data in authenticator_data(), signature in bytes(0..80),
        user in of(users()), number_of_credentials in of(0..u64::MAX / 2), user_selected: Option<bool>,
        prf in of(prf_outputs()),
    ) {
        let response = get_assertion::Response {
            credential, authenticator_data, signature, user, number_of_credentials, user_selected, prf,
        };
        prop_assert_eq!(get_assertion::Response::parse(&response.to_bytes()), Ok(response));
    }

    #[test]
    fn links(
        contact in bytes(1..=190), link: [u8; 8], secret: [u8; 32], name in ".{0,25}",
        scalar in proptest::array::uniform32(1u8..=0xfe),
    ) {
        let identity = IdentityKey::from_scalar(&scalar).unwrap();
        let contact_id = ContactId::new(contact).unwrap();
        let link_secret = LinkSecret::new(&secret);
        let gift = LinkGift {
            contact_id: &contact_id, link_id: LinkId::new(link), link_secret: &link_secret,
            identity: &identity, name: &name,
        };
        let (mut client, mut phone) = channels();
        let record = phone.update(Some(&gift)).unwrap();
        prop_assert_eq!(record.len(), 528, "the size tells whether there is a link");
        let Ok(ClientEvent::Update(Offer::Link(stored))) = client.receive(&record) else { panic!("no link") };
        prop_assert_eq!(&stored.contact_id, &contact_id);
        prop_assert_eq!(stored.link_id, LinkId::new(link));
        prop_assert_eq!(stored.link_secret.expose(), &secret);
        prop_assert_eq!(&stored.public_key, identity.public());
        prop_assert_eq!(&stored.name, &name);
        prop_assert_eq!(phone.update(None).unwrap().len(), 528);
    }

    #[test]
    fn short_records(message in bytes(0..300), key: [u8; 32], counter in 0u32..1 << 24) {
        let record = seal_record(&key, counter, &message).unwrap();
        prop_assert_eq!(record.len(), (message.len() / 32 + 1) * 32 + 16);
        prop_assert_eq!(open_record(&key, counter, &record), Ok(message));
        prop_assert_eq!(open_record(&key, counter ^ 1, &record), Err(Error::Decrypt));
    }

    #[test]
    fn streams(messages in vec(bytes(0..200), 1..6), cut in 1usize..400) {
        let mut stream = frame(&[4; 81]);
        for (counter, message) in messages.iter().enumerate() {
            stream.extend(frame(&seal_record(&KEYS[0], counter as u32, message).unwrap()));
        }
        let (mut deframer, mut greeted, mut read) = (Deframer::default(), false, Vec::new());
        for piece in stream.chunks(cut) {
            deframer.push(piece);
            if !greeted {
                greeted = deframer.handshake_message().unwrap().is_some();
            }
            if !greeted {
                continue;
            }
            loop {
                let counter = read.len() as u32;
                let opens = |record: &[u8]| open_record(&KEYS[0], counter, record).is_ok();
                let Some(record) = deframer.record(opens).unwrap() else { break };
                read.push(open_record(&KEYS[0], counter, &record).unwrap());
            }
        }
        prop_assert_eq!(read, messages);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A conversation of any sizes, through both ends.
    #[test]
    fn sessions(sizes in vec((0usize..70 * 1024, 0usize..70 * 1024), 1..4), fill: u8) {
        let (mut client, mut phone) = channels();
        for (asked, answered) in sizes {
            let [request, answer] = [asked, answered].map(|size| vec![fill; size]);
            let record = client.send(Request::Ctap(&request)).unwrap();
            prop_assert!(phone.would_open(&record));
            prop_assert_eq!(phone.receive(&record), Ok(AuthenticatorEvent::Ctap(request)));
            let record = phone.send(&answer).unwrap();
            let Ok(ClientEvent::Ctap(heard)) = client.receive(&record) else { panic!("no answer") };
            prop_assert_eq!(heard, answer);
        }
        prop_assert_eq!(phone.receive(&client.shutdown().unwrap()), Ok(AuthenticatorEvent::Shutdown));
    }
}

#[test]
fn the_largest_message_and_one_more() {
    let (mut client, mut phone) = channels();
    let too_large = vec![7; LONGEST_MESSAGE];
    assert_eq!(client.send(Request::Ctap(&too_large)), Err(Error::Misuse(Which::TooLarge)));
    let largest = &too_large[1..];
    let record = client.send(Request::Ctap(largest)).unwrap();
    assert!(record.len() <= cablecar_protocol::tunnel::MAX_MESSAGE);
    assert_eq!(phone.receive(&record), Ok(AuthenticatorEvent::Ctap(largest.to_vec())));
    let record = phone.send(largest).unwrap();
    assert!(matches!(client.receive(&record), Ok(ClientEvent::Ctap(heard)) if heard == largest));
}
