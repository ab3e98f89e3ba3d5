//! A platform, written from the specification and not from the code that it
//! tests: it has its own half of both PIN/UV auth protocols.

use std::time::Duration;

use aes::Aes256;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use cablecar_protocol::cbor::{self, Entries, Map, Writer};
use cablecar_protocol::ctap::{RelyingParty, User};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{EncodedPoint, PublicKey, SecretKey};
use rand_core::{OsRng, RngCore};
use sha2::{Digest, Sha256};

use crate::consent::{Answer, Question, What};
use crate::ctap2::{Context, Device, Moment, Step};
use crate::passphrase::Passphrase;
use crate::vault::{Algorithm, CredentialId, Kdf, Passkey, State, Vault};
use crate::verification::Verified;

pub(super) const MC: u64 = 0x01;
pub(super) const GA: u64 = 0x02;
pub(super) const CM: u64 = 0x04;
pub(super) const LBW: u64 = 0x10;
pub(super) const ACFG: u64 = 0x20;

/// A platform, the authenticator it talks to, and the person in front.
pub(super) struct Platform {
    pub(super) device: Device,
    pub(super) vault: Vault,
    pub(super) uv: bool,
    pub(super) now: Duration,
    pub(super) says: fn(Question) -> Answer,
    pub(super) verified: Verified,
    pub(super) asked: Vec<What>,
    pub(super) reasons: Vec<String>,
}

pub(super) fn passphrase() -> Passphrase {
    Passphrase::new(b"right".to_vec()).unwrap()
}

impl Platform {
    pub(super) fn new() -> Self {
        Self::with_uv(false)
    }

    pub(super) fn with_uv(uv: bool) -> Self {
        let vault = Vault::in_memory();
        vault.create(&passphrase(), Kdf::DANGER_WEAK, &mut OsRng).unwrap();
        Self {
            device: Device::new(vault.unlock(&passphrase()).unwrap(), uv, &mut OsRng).unwrap(),
            vault,
            uv,
            now: Duration::from_secs(1),
            says: |question| question.approve(0),
            verified: Verified::Yes,
            asked: Vec::new(),
            reasons: Vec::new(),
        }
    }

    /// A platform whose authenticator has this PIN.
    pub(super) fn with_pin(pin: &str) -> Self {
        let mut platform = Self::new();
        assert_eq!(platform.set_pin(2, pin), 0);
        platform
    }

    /// Takes the power away and gives it back: what is left is the vault.
    pub(super) fn power_cycle(&mut self) {
        let vault = self.vault.unlock(&passphrase()).unwrap();
        self.device = Device::new(vault, self.uv, &mut OsRng).unwrap();
        self.now = Duration::from_secs(1);
    }

    /// What is on the medium.
    pub(super) fn stored(&self) -> State {
        self.vault.unlock(&passphrase()).unwrap().state().clone()
    }

    pub(super) fn passes(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// Sends a whole request and gives the whole response.
    pub(super) fn raw(&mut self, request: &[u8]) -> Vec<u8> {
        let now = Moment { since_power_up: self.now, epoch: 1_800_000_000 };
        let mut rng = OsRng;
        let mut context = Context { rng: &mut rng, now };
        let mut step = self.device.take(request, &mut context);
        loop {
            step = match step {
                Step::Answer(reply) => return reply.bytes,
                Step::Verify(reason, unverified) => {
                    self.reasons.push(reason);
                    self.device.verified(unverified, self.verified, &mut context)
                }
                Step::Ask(question, ready) => {
                    self.asked.push(question.what.clone());
                    let answer = (self.says)(question);
                    Step::Answer(self.device.act(ready, answer, &mut context))
                }
            }
        }
    }

    /// Sends a command with this map, and gives status and body; the body is
    /// canonical or nothing.
    pub(super) fn send(&mut self, command: u8, fill: impl FnOnce(&mut Entries)) -> (u8, Vec<u8>) {
        let mut request = vec![command];
        request.extend(Writer::map_of(fill));
        let response = self.raw(&request);
        let (status, body) = response.split_first().unwrap();
        assert!(body.is_empty() || (*status == 0 && cbor::parse(body, cbor::CTAP_DEPTH).is_ok()));
        (*status, body.to_vec())
    }

    pub(super) fn status(&mut self, command: u8, fill: impl FnOnce(&mut Entries)) -> u8 {
        self.send(command, fill).0
    }

    /// getKeyAgreement, and this platform's half of it.
    pub(super) fn agree(&mut self, protocol: u64) -> Agreed {
        let (status, body) = self.send(0x06, |map| {
            map.entry(1, |w| w.unsigned(protocol));
            map.entry(2, |w| w.unsigned(2));
        });
        assert_eq!(status, 0);
        let key = map(&body).get(1).unwrap().as_map().unwrap();
        assert_eq!(key.iter().map(|(key, _)| key.as_int().unwrap()).collect::<Vec<_>>(), [1, 3, -1, -2, -3]);
        assert_eq!([1, 3, -1].map(|label| key.get(label).unwrap().as_int().unwrap()), [2, -25, 1]);
        let coordinate = |label| key.get(label).unwrap().as_array_of::<32>().unwrap();
        let sec1 = [&[4][..], &coordinate(-2), &coordinate(-3)].concat();
        let theirs = PublicKey::from_sec1_bytes(&sec1).unwrap();
        let own = SecretKey::random(&mut OsRng);
        let z = p256::ecdh::diffie_hellman(own.to_nonzero_scalar(), theirs.as_affine());
        Agreed::new(protocol, z.raw_secret_bytes(), own.public_key().to_encoded_point(false))
    }

    pub(super) fn set_pin(&mut self, protocol: u64, pin: &str) -> u8 {
        let agreed = self.agree(protocol);
        self.set_padded_pin(&agreed, &padded(pin.as_bytes()))
    }

    pub(super) fn set_padded_pin(&mut self, agreed: &Agreed, padded: &[u8]) -> u8 {
        let new_pin = agreed.encrypt(padded);
        let param = agreed.authenticate(&new_pin);
        self.status(0x06, |map| {
            agreed.write(3, map);
            map.entry(4, |w| w.bytes(&param));
            map.entry(5, |w| w.bytes(&new_pin));
        })
    }

    pub(super) fn change_pin(&mut self, protocol: u64, old: &str, new: &str) -> u8 {
        let agreed = self.agree(protocol);
        self.change_to_padded(&agreed, old, &padded(new.as_bytes()))
    }

    pub(super) fn change_to_padded(&mut self, agreed: &Agreed, old: &str, padded: &[u8]) -> u8 {
        let (new_pin, pin_hash) = (agreed.encrypt(padded), agreed.encrypt(&pin_hash(old)));
        let param = agreed.authenticate(&[new_pin.as_slice(), &pin_hash].concat());
        self.status(0x06, |map| {
            agreed.write(4, map);
            map.entry(4, |w| w.bytes(&param));
            map.entry(5, |w| w.bytes(&new_pin));
            map.entry(6, |w| w.bytes(&pin_hash));
        })
    }

    /// getPinToken
    pub(super) fn legacy_token(&mut self, protocol: u64, pin: &str) -> Result<Token, u8> {
        let agreed = self.agree(protocol);
        let (status, body) = self.send(0x06, |map| {
            agreed.write(5, map);
            map.entry(6, |w| w.bytes(&agreed.encrypt(&pin_hash(pin))));
        });
        agreed.token(status, &body)
    }

    /// getPinUvAuthTokenUsingPinWithPermissions
    pub(super) fn token(
        &mut self,
        protocol: u64,
        pin: &str,
        bits: u64,
        rp: Option<&str>,
    ) -> Result<Token, u8> {
        let agreed = self.agree(protocol);
        let (status, body) = self.send(0x06, |map| {
            agreed.write(9, map);
            map.entry(6, |w| w.bytes(&agreed.encrypt(&pin_hash(pin))));
            wanted(bits, rp, map);
        });
        agreed.token(status, &body)
    }

    /// The request for a token by what is built in.
    pub(super) fn token_by_uv_request(&mut self, protocol: u64, bits: u64, rp: Option<&str>) -> Vec<u8> {
        let agreed = self.agree(protocol);
        let parameters = Writer::map_of(|map| {
            agreed.write(6, map);
            wanted(bits, rp, map);
        });
        [&[0x06][..], &parameters].concat()
    }

    /// getPinUvAuthTokenUsingUvWithPermissions
    pub(super) fn token_by_uv(&mut self, protocol: u64, bits: u64, rp: Option<&str>) -> Result<Token, u8> {
        let agreed = self.agree(protocol);
        let (status, body) = self.send(0x06, |map| {
            agreed.write(6, map);
            wanted(bits, rp, map);
        });
        agreed.token(status, &body)
    }

    /// getPINRetries: guesses left, and whether a power cycle is needed.
    pub(super) fn retries(&mut self) -> (u64, bool) {
        let (status, body) = self.send(0x06, |map| {
            map.entry(2, |w| w.unsigned(1));
        });
        assert_eq!(status, 0);
        let map = map(&body);
        (map.get(3).unwrap().as_unsigned().unwrap(), map.get(4).unwrap().as_bool().unwrap())
    }

    /// Puts a passkey into the vault, as another program would.
    pub(super) fn add(&mut self, rp: &str, user: &[u8], change: impl FnOnce(&mut Passkey)) -> CredentialId {
        let rp = RelyingParty { id: rp.into(), name: None };
        let user = User { id: user.to_vec(), name: Some("alice".into()), display_name: Some("Alice".into()) };
        let mut passkey = Passkey::random(Algorithm::Es256, rp, user, 0, &mut OsRng).unwrap();
        change(&mut passkey);
        let id = passkey.id.clone();
        self.device.vault.add(passkey, &mut OsRng).unwrap();
        id
    }
}

fn wanted(bits: u64, rp: Option<&str>, map: &mut Entries) {
    map.entry(9, |w| w.unsigned(bits));
    if let Some(rp) = rp {
        map.entry(0x0a, |w| w.text(rp));
    }
}

pub(super) fn map(body: &[u8]) -> Map<'_> {
    cbor::parse(body, cbor::CTAP_DEPTH).unwrap().as_map().unwrap()
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(super) fn pin_hash(pin: &str) -> [u8; 16] {
    sha256(pin.as_bytes())[..16].try_into().unwrap()
}

pub(super) fn padded(pin: &[u8]) -> Vec<u8> {
    let mut padded = pin.to_vec();
    padded.resize(64, 0);
    padded
}

/// HMAC-SHA-256, as long as the protocol has it.
fn mac(protocol: u64, key: &[u8], message: &[u8]) -> Vec<u8> {
    let mac = <Hmac<Sha256> as Mac>::new_from_slice(key).unwrap().chain_update(message);
    let mut tag = mac.finalize().into_bytes().to_vec();
    tag.truncate(if protocol == 1 { 16 } else { 32 });
    tag
}

/// What a platform has after a key agreement.
pub(super) struct Agreed {
    pub(super) protocol: u64,
    mac_key: [u8; 32],
    aes_key: [u8; 32],
    public: EncodedPoint,
}

impl Agreed {
    fn new(protocol: u64, z: &[u8], public: EncodedPoint) -> Self {
        let (mut mac_key, mut aes_key) = (sha256(z), sha256(z));
        if protocol == 2 {
            let hkdf = Hkdf::<Sha256>::new(Some(&[0; 32]), z);
            hkdf.expand(b"CTAP2 HMAC key", &mut mac_key).unwrap();
            hkdf.expand(b"CTAP2 AES key", &mut aes_key).unwrap();
        }
        Self { protocol, mac_key, aes_key, public }
    }

    /// Protocol, subcommand and this platform's key.
    pub(super) fn write(&self, subcommand: u64, map: &mut Entries) {
        map.entry(1, |w| w.unsigned(self.protocol));
        map.entry(2, |w| w.unsigned(subcommand));
        self.write_key(map);
    }

    pub(super) fn write_key(&self, map: &mut Entries) {
        map.entry(3, |w| self.write_cose_key(w));
    }

    pub(super) fn write_cose_key(&self, writer: &mut Writer) {
        writer.map(|key| {
            key.entry(1, |w| w.unsigned(2));
            key.entry(3, |w| w.int(-25));
            key.entry(-1, |w| w.unsigned(1));
            key.entry(-2, |w| w.bytes(self.public.x().unwrap()));
            key.entry(-3, |w| w.bytes(self.public.y().unwrap()));
        });
    }

    pub(super) fn authenticate(&self, message: &[u8]) -> Vec<u8> {
        mac(self.protocol, &self.mac_key, message)
    }

    pub(super) fn encrypt(&self, plaintext: &[u8]) -> Vec<u8> {
        let aes = Aes256::new(&self.aes_key.into());
        let mut last = [0; 16];
        let mut out = Vec::new();
        if self.protocol == 2 {
            OsRng.fill_bytes(&mut last);
            out.extend(last);
        }
        for block in plaintext.chunks(16) {
            for (into, from) in last.iter_mut().zip(block) {
                *into ^= from;
            }
            aes.encrypt_block((&mut last).into());
            out.extend(last);
        }
        out
    }

    pub(super) fn decrypt(&self, ciphertext: &[u8]) -> Vec<u8> {
        let aes = Aes256::new(&self.aes_key.into());
        let (mut last, body) = match self.protocol {
            2 => ciphertext.split_at(16),
            _ => ([0; 16].as_slice(), ciphertext),
        };
        let mut out = Vec::new();
        for block in body.chunks(16) {
            let mut room: [u8; 16] = block.try_into().unwrap();
            aes.decrypt_block((&mut room).into());
            out.extend(room.iter().zip(last).map(|(a, b)| a ^ b));
            last = block;
        }
        out
    }

    fn token(&self, status: u8, body: &[u8]) -> Result<Token, u8> {
        if status != 0 {
            return Err(status);
        }
        let token = self.decrypt(map(body).get(2).unwrap().as_bytes().unwrap());
        assert_eq!(token.len(), 32);
        Ok(Token { protocol: self.protocol, secret: token })
    }
}

/// A token, as a platform has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) protocol: u64,
    pub(super) secret: Vec<u8>,
}

impl Token {
    pub(super) fn authenticate(&self, message: &[u8]) -> Vec<u8> {
        mac(self.protocol, &self.secret, message)
    }
}
