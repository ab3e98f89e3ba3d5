//! makeCredential and getAssertion as a platform writes them, and what it
//! checks in the answers.

use cablecar_protocol::cbor::{self, Entries, Writer};
use cablecar_protocol::ctap::{AttestedCredential, AuthenticatorData};
use ed25519_dalek::Verifier;

use super::platform::{Platform, Token, map};

/// The client data hash of every request.
pub(super) const HASH: [u8; 32] = [7; 32];

pub(super) const ES256: i64 = -7;
pub(super) const EDDSA: i64 = -8;

/// A makeCredential with what must be there.
pub(super) fn make(rp: &str, user: &[u8]) -> Vec<u8> {
    request(0x01, |request| {
        request.entry(1, |w| w.bytes(&HASH));
        request.entry(2, |w| {
            w.map(|map| {
                map.text_entry("id", |w| w.text(rp));
            });
        });
        request.entry(3, |w| {
            w.map(|map| {
                map.text_entry("id", |w| w.bytes(user));
                map.text_entry("name", |w| w.text("alice"));
                map.text_entry("displayName", |w| w.text("Alice"));
            });
        });
        request.entry(4, |w| write_algorithms(&[ES256], w));
    })
}

/// The same, for a passkey that is found without its id.
pub(super) fn make_discoverable(rp: &str, user: &[u8]) -> Vec<u8> {
    with_options(&make(rp, user), &[("rk", true)])
}

/// A getAssertion with what must be there.
pub(super) fn get(rp: &str) -> Vec<u8> {
    request(0x02, |request| {
        request.entry(1, |w| w.text(rp));
        request.entry(2, |w| w.bytes(&HASH));
    })
}

fn request(command: u8, fill: impl FnOnce(&mut Entries)) -> Vec<u8> {
    [&[command][..], &Writer::map_of(fill)].concat()
}

/// A request's map with one more entry, or one replaced.
pub(super) fn with(request: &[u8], key: i64, value: impl FnOnce(&mut Writer)) -> Vec<u8> {
    changed(request, key, |entries| {
        entries.entry(key, value);
    })
}

/// A request's map without an entry.
pub(super) fn without(request: &[u8], key: i64) -> Vec<u8> {
    changed(request, key, |_| {})
}

fn changed(request: &[u8], key: i64, fill: impl FnOnce(&mut Entries)) -> Vec<u8> {
    let parameters = map(&request[1..]);
    self::request(request[0], |entries| {
        fill(entries);
        for (other, item) in parameters.iter().filter(|(other, _)| other.as_int() != Some(key)) {
            entries.entry(other.as_int().unwrap(), |w| w.copy(item));
        }
    })
}

pub(super) fn with_options(request: &[u8], options: &[(&str, bool)]) -> Vec<u8> {
    let key = if request[0] == 0x01 { 7 } else { 5 };
    with(request, key, |w| {
        w.map(|map| {
            for (name, value) in options {
                map.text_entry(name, |w| w.bool(*value));
            }
        });
    })
}

pub(super) fn with_extensions(request: &[u8], fill: impl FnOnce(&mut Entries)) -> Vec<u8> {
    let key = if request[0] == 0x01 { 6 } else { 4 };
    with(request, key, |w| w.map(fill))
}

pub(super) fn with_algorithms(request: &[u8], algorithms: &[i64]) -> Vec<u8> {
    with(request, 4, |w| write_algorithms(algorithms, w))
}

/// With an exclude list or an allow list.
pub(super) fn with_list(request: &[u8], ids: &[&[u8]]) -> Vec<u8> {
    let key = if request[0] == 0x01 { 5 } else { 3 };
    with(request, key, |w| {
        w.array(|list| {
            for id in ids {
                list.push(|w| write_descriptor(id, "public-key", w));
            }
        });
    })
}

pub(super) fn write_descriptor(id: &[u8], kind: &str, writer: &mut Writer) {
    writer.map(|map| {
        map.text_entry("id", |w| w.bytes(id));
        map.text_entry("type", |w| w.text(kind));
    });
}

/// With pinUvAuthParam and pinUvAuthProtocol.
pub(super) fn with_token(request: &[u8], token: &Token) -> Vec<u8> {
    let key = if request[0] == 0x01 { 8 } else { 6 };
    let param = token.authenticate(&HASH);
    with(&with(request, key, |w| w.bytes(&param)), key + 1, |w| w.unsigned(token.protocol))
}

fn write_algorithms(algorithms: &[i64], writer: &mut Writer) {
    writer.array(|list| {
        for algorithm in algorithms {
            list.push(|w| {
                w.map(|map| {
                    map.text_entry("alg", |w| w.int(*algorithm));
                    map.text_entry("type", |w| w.text("public-key"));
                });
            });
        }
    });
}

/// What makeCredential answered.
pub(super) struct Made {
    pub(super) format: String,
    pub(super) data: AuthenticatorData,
    pub(super) statement: Vec<u8>,
    pub(super) large_blob_key: Option<Vec<u8>>,
}

impl Made {
    pub(super) fn attested(&self) -> &AttestedCredential {
        self.data.attested.as_ref().unwrap()
    }

    pub(super) fn id(&self) -> &[u8] {
        &self.attested().id
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.attested().public_key
    }
}

/// What getAssertion answered.
pub(super) struct Got {
    pub(super) id: Vec<u8>,
    pub(super) data: AuthenticatorData,
    pub(super) signature: Vec<u8>,
    pub(super) body: Vec<u8>,
}

impl Got {
    /// The account's entries, as they are in the map.
    pub(super) fn user(&self) -> Option<Vec<(String, Vec<u8>)>> {
        let user = map(&self.body).get(4)?.as_map().unwrap();
        let value = |item: cbor::Item<'_>| match item.as_bytes() {
            Some(bytes) => bytes.to_vec(),
            None => item.as_text().unwrap().as_bytes().to_vec(),
        };
        Some(user.iter().map(|(key, item)| (key.as_text().unwrap().to_owned(), value(item))).collect())
    }

    pub(super) fn number(&self) -> Option<u64> {
        map(&self.body).get(5).map(|item| item.as_unsigned().unwrap())
    }

    pub(super) fn large_blob_key(&self) -> Option<Vec<u8>> {
        map(&self.body).get(7).map(|item| item.as_bytes().unwrap().to_vec())
    }
}

impl Platform {
    /// A request, its answer canonical in every byte.
    pub(super) fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>, u8> {
        let response = self.raw(request);
        let (status, body) = response.split_first().unwrap();
        if *status != 0 {
            assert!(body.is_empty(), "nothing follows a failure");
            return Err(*status);
        }
        assert!(body.is_empty() || cbor::parse(body, cbor::CTAP_DEPTH).is_ok());
        Ok(body.to_vec())
    }

    pub(super) fn make(&mut self, request: &[u8]) -> Result<Made, u8> {
        let body = self.ask(request)?;
        let map = map(&body);
        assert!(map.iter().all(|(key, _)| [1, 2, 3, 5].contains(&key.as_int().unwrap())));
        Ok(Made {
            format: map.get(1).unwrap().as_text().unwrap().to_owned(),
            data: AuthenticatorData::parse(map.get(2).unwrap().as_bytes().unwrap()).unwrap(),
            statement: map.get(3).unwrap().encoded().to_vec(),
            large_blob_key: map.get(5).map(|item| item.as_bytes().unwrap().to_vec()),
        })
    }

    pub(super) fn get(&mut self, request: &[u8]) -> Result<Got, u8> {
        let body = self.ask(request)?;
        let map = map(&body);
        assert!(map.iter().all(|(key, _)| [1, 2, 3, 4, 5, 7].contains(&key.as_int().unwrap())));
        let descriptor = map.get(1).unwrap().as_map().unwrap();
        assert_eq!(descriptor.get_text("type").unwrap().as_text(), Some("public-key"));
        Ok(Got {
            id: descriptor.get_text("id").unwrap().as_bytes().unwrap().to_vec(),
            data: AuthenticatorData::parse(map.get(2).unwrap().as_bytes().unwrap()).unwrap(),
            signature: map.get(3).unwrap().as_bytes().unwrap().to_vec(),
            body: body.clone(),
        })
    }

    /// How many passkeys are on the medium.
    pub(super) fn passkeys(&self) -> usize {
        self.vault.unlock(&super::platform::passphrase()).unwrap().passkeys().count()
    }
}

/// Whether the signature over authenticator data and client data hash is the
/// key's, by other code than what made it.
pub(super) fn verifies(cose: &[u8], data: &AuthenticatorData, signature: &[u8]) -> bool {
    let message = [data.as_bytes(), &HASH].concat();
    let key = map(cose);
    let number = |label| key.get(label).unwrap().as_int().unwrap();
    let bytes = |label| key.get(label).unwrap().as_array_of::<32>().unwrap();
    match (number(1), number(3), number(-1)) {
        (2, ES256, 1) => {
            let sec1 = [&[4][..], &bytes(-2), &bytes(-3)].concat();
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&sec1).unwrap();
            p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(&message, &signature).is_ok())
        }
        (1, EDDSA, 6) => {
            let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes(-2)).unwrap();
            ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(&message, &signature).is_ok())
        }
        other => panic!("a key of kind {other:?}"),
    }
}
