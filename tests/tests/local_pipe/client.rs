//! A client of the local pipe, as a browser is one: it knows an origin, and
//! makes of a page's options what an authenticator understands, and of its
//! answer what a page is given. Written from the specifications.

use aes::Aes256;
use cablecar_phone::consent::scripted::Scripted;
use cablecar_phone::ctap2::{Device, Moment};
use cablecar_phone::passphrase::Passphrase;
use cablecar_phone::pipe::Authenticator;
use cablecar_phone::pipe::engine::Engine;
use cablecar_phone::vault::{Kdf, Vault};
use cablecar_phone::verification::AnyVerifier;
use cablecar_protocol::cbor::{self, Entries, Map, Writer};
use cablecar_tests::people::{Dark, PASSPHRASE};
use cablecar_tests::world::{BEGINNING, ORIGIN, base64};
use cbc::cipher::{Block, BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey};
use rand_core::{OsRng, RngCore};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

/// Commands of frames, and of CTAP.
const CBOR: u8 = 0x10;
const KEEPALIVE: u8 = 0x3b;
const MAKE_CREDENTIAL: u8 = 0x01;
const GET_ASSERTION: u8 = 0x02;
const CLIENT_PIN: u8 = 0x06;

/// One end of the pipe, and the page in front of it.
pub struct Client {
    stream: DuplexStream,
    /// What is written into the client data; a browser knows it from the page.
    pub origin: &'static str,
    /// Typed whenever it is asked for, where there is one.
    pub pin: Option<&'static str>,
    /// How a new passkey is to be attested.
    pub attestation: &'static str,
}

/// Gives power to an authenticator with an empty vault, and a client to it.
pub async fn with_phone(test: impl AsyncFnOnce(&mut Client)) {
    let (vault, passphrase) = (Vault::in_memory(), Passphrase::new(PASSPHRASE.to_vec()).unwrap());
    vault.create(&passphrase, Kdf::DANGER_WEAK, &mut OsRng).unwrap();
    let device = Device::new(vault.unlock(&passphrase).unwrap(), false, &mut OsRng).unwrap();
    let mut phone = Authenticator {
        engine: Engine::new(device, OsRng),
        consent: Scripted::Allow,
        verifier: None::<AnyVerifier>,
        screen: Dark,
        now: || Moment { since_power_up: std::time::Duration::ZERO, epoch: BEGINNING },
    };
    let (ours, theirs) = duplex(1 << 14);
    let (input, output) = tokio::io::split(ours);
    let client = async {
        let mut client = Client { stream: theirs, origin: ORIGIN, pin: None, attestation: "none" };
        test(&mut client).await;
    };
    let (served, ()) = tokio::join!(phone.serve(input, output), client);
    served.unwrap();
}

impl Client {
    /// Sends a request and gives the status, or what follows a good one.
    async fn ask(&mut self, command: u8, fill: impl FnOnce(&mut Entries)) -> Result<Vec<u8>, u8> {
        let request = [&[command], &Writer::map_of(fill)[..]].concat();
        let mut frame = vec![CBOR];
        frame.extend(u32::try_from(request.len()).unwrap().to_be_bytes());
        frame.extend(request);
        self.stream.write_all(&frame).await.unwrap();
        loop {
            let (kind, length) =
                (self.stream.read_u8().await.unwrap(), self.stream.read_u32().await.unwrap());
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.stream.read_exact(&mut payload).await.unwrap();
            match (kind, payload.split_first().unwrap()) {
                (KEEPALIVE, _) => {}
                (CBOR, (0, body)) => return Ok(body.to_vec()),
                (CBOR, (status, [])) => return Err(*status),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Sets the PIN, which is typed from now on.
    pub async fn set_pin(&mut self, pin: &'static str) {
        let shared = self.agree().await;
        let mut padded = pin.as_bytes().to_vec();
        padded.resize(64, 0);
        let sealed = shared.encrypt(&padded);
        let param = hmac(&shared.mac_key, &sealed);
        let set = self.ask(CLIENT_PIN, |map| {
            shared.write(3, map);
            map.entry(4, |w| w.bytes(&param)).entry(5, |w| w.bytes(&sealed));
        });
        assert_eq!(set.await, Ok(vec![]));
        self.pin = Some(pin);
    }

    /// pinUvAuthParam for this client data, where there is a PIN.
    async fn proof(&mut self, permission: u64, rp_id: &str, hash: &[u8; 32]) -> Option<Vec<u8>> {
        let pin_hash: [u8; 32] = Sha256::digest(self.pin?).into();
        let shared = self.agree().await;
        let body = self.ask(CLIENT_PIN, |map| {
            shared.write(9, map);
            map.entry(6, |w| w.bytes(&shared.encrypt(&pin_hash[..16])));
            map.entry(9, |w| w.unsigned(permission)).entry(10, |w| w.text(rp_id));
        });
        let body = body.await.unwrap();
        let token = shared.decrypt(map(&body).get(2).unwrap().as_bytes().unwrap());
        Some(hmac(&token, hash))
    }

    /// PIN/UV auth protocol two: getKeyAgreement, and our half.
    async fn agree(&mut self) -> Shared {
        let body = self.ask(CLIENT_PIN, |map| {
            map.entry(1, |w| w.unsigned(2)).entry(2, |w| w.unsigned(2));
        });
        let body = body.await.unwrap();
        let key = map(&body).get(1).unwrap().as_map().unwrap();
        let coordinate = |label| key.get(label).unwrap().as_array_of::<32>().unwrap();
        let theirs = [&[4][..], &coordinate(-2), &coordinate(-3)].concat();
        let theirs = PublicKey::from_sec1_bytes(&theirs).unwrap();
        let own = SecretKey::random(&mut OsRng);
        let z = p256::ecdh::diffie_hellman(own.to_nonzero_scalar(), theirs.as_affine());
        let hkdf = Hkdf::<Sha256>::new(Some(&[0; 32]), z.raw_secret_bytes());
        let [mut mac_key, mut aes_key] = [[0; 32]; 2];
        hkdf.expand(b"CTAP2 HMAC key", &mut mac_key).unwrap();
        hkdf.expand(b"CTAP2 AES key", &mut aes_key).unwrap();
        Shared { mac_key, aes_key, own: own.public_key() }
    }

    /// `navigator.credentials.create()`
    pub async fn create(&mut self, options: &Value) -> Result<Value, u8> {
        let rp = options["rp"]["id"].as_str().unwrap();
        let client_data = self.client_data("webauthn.create", options);
        let hash: [u8; 32] = Sha256::digest(&client_data).into();
        let proof = self.proof(1, rp, &hash).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let attestation = self.attestation;
        let made = self.ask(MAKE_CREDENTIAL, |map| {
            map.entry(1, |w| w.bytes(&hash));
            map.entry(2, |w| {
                w.map(|entity| {
                    entity.text_entry("id", |w| w.text(rp));
                    entity.text_entry("name", |w| w.text(&text(&options["rp"]["name"])));
                });
            });
            map.entry(3, |w| {
                w.map(|entity| {
                    entity.text_entry("id", |w| w.bytes(&unbase64(&options["user"]["id"])));
                    for name in ["name", "displayName"] {
                        entity.text_entry(name, |w| w.text(&text(&options["user"][name])));
                    }
                });
            });
            map.entry(4, |w| {
                w.array(|all| {
                    for one in options["pubKeyCredParams"].as_array().unwrap() {
                        all.push(|w| {
                            w.map(|kind| {
                                kind.text_entry("alg", |w| w.int(one["alg"].as_i64().unwrap()));
                                kind.text_entry("type", |w| w.text("public-key"));
                            });
                        });
                    }
                });
            });
            map.entry(7, |w| {
                w.map(|wanted| {
                    wanted.text_entry("rk", |w| w.bool(true));
                });
            });
            write_proof(proof.as_deref(), 8, map);
            map.entry(11, |w| w.array(|formats| formats.push(|w| w.text(attestation))));
        });
        let body = made.await?;
        let [format, data, statement] = [1, 2, 3].map(|key| map(&body).get(key).unwrap());
        let object = Writer::map_of(|object| {
            object.text_entry("fmt", |w| w.copy(format));
            object.text_entry("authData", |w| w.copy(data));
            object.text_entry("attStmt", |w| w.copy(statement));
        });
        let id = base64(credential_id(data.as_bytes().unwrap()));
        Ok(json!({
            "id": id, "rawId": id, "type": "public-key", "extensions": {},
            "response": {"attestationObject": base64(&object), "clientDataJSON": base64(&client_data)},
        }))
    }

    /// `navigator.credentials.get()`
    pub async fn get(&mut self, options: &Value) -> Result<Value, u8> {
        let rp = options["rpId"].as_str().unwrap();
        let client_data = self.client_data("webauthn.get", options);
        let hash: [u8; 32] = Sha256::digest(&client_data).into();
        let proof = self.proof(2, rp, &hash).await;
        let allow = options["allowCredentials"].as_array().cloned().unwrap_or_default();
        let signed = self.ask(GET_ASSERTION, |map| {
            map.entry(1, |w| w.text(rp)).entry(2, |w| w.bytes(&hash));
            if !allow.is_empty() {
                map.entry(3, |w| {
                    w.array(|list| {
                        for one in &allow {
                            list.push(|w| {
                                w.map(|credential| {
                                    credential.text_entry("id", |w| w.bytes(&unbase64(&one["id"])));
                                    credential.text_entry("type", |w| w.text("public-key"));
                                });
                            });
                        }
                    });
                });
            }
            write_proof(proof.as_deref(), 6, map);
        });
        let body = signed.await?;
        let map = map(&body);
        let bytes = |map: &Map<'_>, key: i64| base64(map.get(key).unwrap().as_bytes().unwrap());
        let id = map.get(1).and_then(|credential| credential.as_map()?.get_text("id")?.as_bytes()).unwrap();
        let user = map.get(4).and_then(|user| user.as_map()?.get_text("id")?.as_bytes());
        Ok(json!({
            "id": base64(id), "rawId": base64(id), "type": "public-key", "extensions": {},
            "response": {
                "authenticatorData": bytes(&map, 2), "signature": bytes(&map, 3),
                "userHandle": user.map(base64), "clientDataJSON": base64(&client_data),
            },
        }))
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = options["challenge"].as_str().unwrap();
        let data = json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false});
        data.to_string().into_bytes()
    }
}

/// What both ends of a key agreement have.
struct Shared {
    mac_key: [u8; 32],
    aes_key: [u8; 32],
    own: PublicKey,
}

impl Shared {
    /// Protocol, subcommand and our public key.
    fn write(&self, subcommand: u64, map: &mut Entries) {
        let point = self.own.to_encoded_point(false);
        map.entry(1, |w| w.unsigned(2)).entry(2, |w| w.unsigned(subcommand));
        map.entry(3, |w| {
            w.map(|key| {
                key.entry(1, |w| w.unsigned(2)).entry(3, |w| w.int(-25)).entry(-1, |w| w.unsigned(1));
                key.entry(-2, |w| w.bytes(point.x().unwrap())).entry(-3, |w| w.bytes(point.y().unwrap()));
            });
        });
    }

    /// AES-256-CBC, the IV in front.
    fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        let mut out = vec![0; 16];
        OsRng.fill_bytes(&mut out);
        let mut encryptor = cbc::Encryptor::<Aes256>::new_from_slices(&self.aes_key, &out).unwrap();
        out.extend_from_slice(plaintext);
        let blocks = out[16..].chunks_exact_mut(16).map(Block::<Aes256>::from_mut_slice);
        blocks.for_each(|block| encryptor.encrypt_block_mut(block));
        out
    }

    fn decrypt(&self, ciphertext: &[u8]) -> Vec<u8> {
        let (iv, body) = ciphertext.split_at(16);
        let mut decryptor = cbc::Decryptor::<Aes256>::new_from_slices(&self.aes_key, iv).unwrap();
        let mut out = body.to_vec();
        let blocks = out.chunks_exact_mut(16).map(Block::<Aes256>::from_mut_slice);
        blocks.for_each(|block| decryptor.decrypt_block_mut(block));
        out
    }
}

/// pinUvAuthParam and pinUvAuthProtocol, one key behind the other.
fn write_proof(proof: Option<&[u8]>, key: i64, map: &mut Entries) {
    if let Some(proof) = proof {
        map.entry(key, |w| w.bytes(proof)).entry(key + 1, |w| w.unsigned(2));
    }
}

/// The credential id in authenticator data, behind the AAGUID.
fn credential_id(data: &[u8]) -> &[u8] {
    let length = usize::from(u16::from_be_bytes([data[53], data[54]]));
    &data[55..55 + length]
}

/// The credential's public key in authenticator data: a COSE key.
pub fn public_key(data: &[u8]) -> &[u8] {
    &data[55 + credential_id(data).len()..]
}

pub fn map(body: &[u8]) -> Map<'_> {
    cbor::parse(body, cbor::CTAP_DEPTH).unwrap().as_map().unwrap()
}

pub fn unbase64(value: &Value) -> Vec<u8> {
    use base64ct::Encoding;
    base64ct::Base64UrlUnpadded::decode_vec(value.as_str().unwrap()).unwrap()
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(key).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}
