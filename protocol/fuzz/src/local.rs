//! What only the local pipe carries: its frames, and the requests of CTAP that
//! no tunnel does. Each is read, written again from what was read, and read
//! again to the same.

use cablecar_protocol::cbor::{self, Entries, Item, Writer};
use cablecar_protocol::ctap::{
    HmacSecretInput, PinUvAuth, SubcommandRequest, client_pin as pin, config as configuration, get_assertion,
    large_blobs as blobs, make_credential,
};
use cablecar_protocol::pipe;

/// A pipe's frames, in pieces and at once: the same frames and the same end,
/// which written again are the stream.
pub fn pipe_frames(data: &[u8]) {
    const LIMIT: usize = 64;
    let Some((step, stream)) = data.split_first() else { return };
    let run = |step: usize| {
        let (mut reader, mut found) = (pipe::Reader::new(LIMIT), Vec::new());
        for mut piece in stream.chunks(step) {
            while let Some(incoming) = reader.read(&mut piece) {
                found.push(incoming);
            }
            assert!(piece.is_empty());
        }
        (found, reader.end())
    };
    let (found, end) = run(stream.len().max(1));
    assert_eq!(run(usize::from(*step) + 1), (found.clone(), end));
    let mut left = stream;
    for incoming in found {
        let (header, length) = match &incoming {
            pipe::Incoming::Frame(command, payload) => {
                assert!(payload.len() <= LIMIT);
                (command.frame(payload), 0)
            }
            pipe::Incoming::TooLong(command, length) => {
                assert!(*length as usize > LIMIT);
                ([&[command.byte()], &length.to_be_bytes()[..]].concat(), *length as usize)
            }
        };
        left = left.strip_prefix(&header[..]).unwrap();
        left = left.get(length..).unwrap_or_default();
    }
    assert!(left.is_empty() || end.is_err());
}

/// `make_credential::Parameters::parse`.
pub fn make_credential_local(data: &[u8]) {
    let Ok(read) = make_credential::Parameters::parse(data) else { return };
    let make_credential::Extensions {
        cred_blob,
        cred_protect,
        hmac_secret,
        hmac_secret_mc,
        large_blob_key,
        min_pin_length,
    } = read.extensions;
    let again = beyond(&read.request.to_bytes()[1..], |map| {
        map.entry(6, |w| {
            w.map(|map| {
                if let Some(blob) = cred_blob {
                    map.text_entry("credBlob", |w| w.bytes(blob));
                }
                if let Some(level) = cred_protect {
                    map.text_entry("credProtect", |w| w.unsigned(level));
                }
                map.text_entry("hmac-secret", |w| w.bool(hmac_secret));
                if let Some(input) = &hmac_secret_mc {
                    map.text_entry("hmac-secret-mc", |w| salts(input, w));
                }
                if large_blob_key {
                    map.text_entry("largeBlobKey", |w| w.bool(true));
                }
                map.text_entry("minPinLength", |w| w.bool(min_pin_length));
            });
        });
        proof(read.pin_uv_auth, 8, map);
        number(read.enterprise_attestation, 10, map);
        map.entry(11, |w| {
            w.array(|all| read.attestation_formats.iter().for_each(|format| all.push(|w| w.text(format))));
        });
    });
    assert_eq!(make_credential::Parameters::parse(&again).as_ref(), Ok(&read));
    // The other door reads what both have alike.
    if let Ok(tunnelled) = make_credential::Request::parse(data) {
        assert_eq!(make_credential::Request { prf: None, ..tunnelled }, read.request);
    }
}

/// `get_assertion::Parameters::parse`.
pub fn get_assertion_local(data: &[u8]) {
    let Ok(mut read) = get_assertion::Parameters::parse(data) else { return };
    if let Ok(tunnelled) = get_assertion::Request::parse(data) {
        assert_eq!(get_assertion::Request { prf: None, ..tunnelled }, read.request);
    }
    read.request.has_allow_list = !read.request.allow.is_empty(); // of unknown types nothing is kept
    let get_assertion::Extensions { cred_blob, hmac_secret, large_blob_key } = read.extensions;
    let again = beyond(&read.request.to_bytes()[1..], |map| {
        map.entry(4, |w| {
            w.map(|map| {
                map.text_entry("credBlob", |w| w.bool(cred_blob));
                if let Some(input) = &hmac_secret {
                    map.text_entry("hmac-secret", |w| salts(input, w));
                }
                if large_blob_key {
                    map.text_entry("largeBlobKey", |w| w.bool(true));
                }
            });
        });
        proof(read.pin_uv_auth, 6, map);
    });
    assert_eq!(get_assertion::Parameters::parse(&again), Ok(read));
}

/// `client_pin::Request::parse`.
pub fn client_pin(data: &[u8]) {
    let Ok(read) = pin::Request::parse(data) else { return };
    let again = Writer::map_of(|map| {
        number(read.protocol, 1, map);
        number(Some(read.subcommand), 2, map);
        item(read.key_agreement, 3, map);
        for (key, value) in [(4, read.param), (5, read.new_pin), (6, read.pin_hash)] {
            bytes(value, key, map);
        }
        number(read.permissions, 9, map);
        if let Some(rp_id) = read.rp_id {
            map.entry(10, |w| w.text(rp_id));
        }
    });
    assert_eq!(pin::Request::parse(&again), Ok(read));
}

/// `SubcommandRequest::parse` of authenticatorConfig, and what setMinPINLength reads.
pub fn config(data: &[u8]) {
    const MOST: usize = 2;
    let Ok(read) = SubcommandRequest::parse(data) else { return };
    let again = subcommand(read.subcommand, read.parameters, read.protocol, read.param);
    assert_eq!(SubcommandRequest::parse(&again), Ok(read));
    let parameters = read.parameters.map(|item| configuration::MinPinLength::read(item, MOST));
    let Some(Ok(lengths)) = parameters else { return };
    assert!(lengths.rp_ids.as_ref().is_none_or(|ids| ids.len() <= MOST + 1));
    let again = Writer::map_of(|map| {
        number(lengths.length, 1, map);
        if let Some(ids) = &lengths.rp_ids {
            map.entry(2, |w| w.array(|all| ids.iter().for_each(|id| all.push(|w| w.text(id)))));
        }
        map.entry(3, |w| w.bool(lengths.force_change));
    });
    let again = cbor::parse(&again, cbor::CTAP_DEPTH).unwrap();
    assert_eq!(configuration::MinPinLength::read(again, MOST), Ok(lengths));
}

/// `credential_SubcommandRequest::parse`, and what is among its parameters.
pub fn credential_management(data: &[u8]) {
    let Ok(read) = SubcommandRequest::parse(data) else { return };
    let again = subcommand(read.subcommand, read.parameters, read.protocol, read.param);
    assert_eq!(SubcommandRequest::parse(&again), Ok(read));
    let (hash, credential, user) = (read.rp_id_hash(), read.credential(), read.user());
    let Some(map) = read.parameters.and_then(|item| item.as_map()) else {
        return assert!(hash.is_err() && credential.is_err() && user.is_err());
    };
    let id = |key| map.get(key).and_then(|item| item.as_map()?.get_text("id")?.as_bytes());
    if let Ok(hash) = hash {
        assert_eq!(map.get(1).and_then(|item| item.as_bytes()), Some(&hash[..]));
    }
    if let Ok(Some(credential)) = credential {
        assert_eq!(id(2), Some(&credential.id[..]));
    }
    if let Ok(user) = user {
        assert_eq!(id(3), Some(&user.id[..]));
    }
}

/// `large_blobs::Request::parse`.
pub fn large_blobs(data: &[u8]) {
    let Ok(read) = blobs::Request::parse(data) else { return };
    let again = Writer::map_of(|map| match read {
        blobs::Request::Get { offset, count } => {
            number(Some(count), 1, map);
            number(Some(offset), 3, map);
        }
        blobs::Request::Set { offset, part, length, param, protocol } => {
            bytes(Some(part), 2, map);
            number(Some(offset), 3, map);
            number(length, 4, map);
            bytes(param, 5, map);
            number(protocol, 6, map);
        }
    });
    assert_eq!(blobs::Request::parse(&again), Ok(read));
}

/// The entries of a map, and more.
fn beyond(written: &[u8], more: impl FnOnce(&mut Entries)) -> Vec<u8> {
    let written = cbor::parse(written, cbor::CTAP_DEPTH).unwrap().as_map().unwrap();
    Writer::map_of(|map| {
        for (key, value) in written.iter() {
            item(Some(value), key.as_int().unwrap(), map);
        }
        more(map);
    })
}

/// What two commands have in common.
fn subcommand(
    subcommand: u64,
    parameters: Option<Item<'_>>,
    protocol: Option<u64>,
    param: Option<&[u8]>,
) -> Vec<u8> {
    Writer::map_of(|map| {
        number(Some(subcommand), 1, map);
        item(parameters, 2, map);
        number(protocol, 3, map);
        bytes(param, 4, map);
    })
}

fn proof(proof: Option<PinUvAuth<'_>>, key: i64, map: &mut Entries) {
    let Some(proof) = proof else { return };
    bytes(Some(proof.param), key, map);
    number(proof.protocol, key + 1, map);
}

fn salts(input: &HmacSecretInput<'_>, writer: &mut Writer) {
    writer.map(|map| {
        item(Some(input.key_agreement), 1, map);
        bytes(Some(input.salt_enc), 2, map);
        bytes(Some(input.salt_auth), 3, map);
        number(Some(input.protocol), 4, map);
    });
}

fn number(value: Option<u64>, key: i64, map: &mut Entries) {
    if let Some(value) = value {
        map.entry(key, |w| w.unsigned(value));
    }
}

fn bytes(value: Option<&[u8]>, key: i64, map: &mut Entries) {
    if let Some(value) = value {
        map.entry(key, |w| w.bytes(value));
    }
}

fn item(value: Option<Item<'_>>, key: i64, map: &mut Entries) {
    if let Some(value) = value {
        map.entry(key, |w| w.copy(value));
    }
}
