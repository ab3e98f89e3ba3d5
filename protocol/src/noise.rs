//! The two Noise handshakes: the only file that names `snow`.
//!
//! ```text
//! Noise_KNpsk0_P256_AESGCM_SHA256, prologue 01    Noise_NKpsk0_P256_AESGCM_SHA256, prologue 00
//! -> s (the client's, in the QR code)             <- s (the phone's, in the link)
//! -> psk, e                                       -> psk, e, es
//! <- e, ee, se                                    <- e, ee
//! ```
//!
//! Each message is a point of 65 bytes and a tag of 16: the payload is empty.
//! The keys of the two directions leave snow at the end, because snow refuses
//! the large messages that a session may carry.
//!
//! snow panics on scalars of 0 or above the order and on points that are none,
//! and clears nothing. So every key and point is proven by [`crate::secrets`]
//! before it goes in, the Diffie-Hellman and cipher objects are our own and
//! cleared, and the PSK is overwritten in place when the handshake ends.

use rand_core::CryptoRngCore;
use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use snow::{Builder, HandshakeState};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce, Tag};

use crate::error::{Error, What, Which};
use crate::secrets::{IdentityKey, Psk, PublicKey, TrafficKey, random_scalar};

/// Length of both handshake messages.
pub const HANDSHAKE_MESSAGE: usize = 65 + TAG;
const TAG: usize = 16;

/// Which side's static key is known in advance, and our part of it.
#[cfg_attr(not(feature = "danger"), allow(unreachable_pub, reason = "the danger module gives it out"))]
#[derive(Debug)]
pub enum Door<'a> {
    /// KNpsk0, we are the client and own the key in the QR code.
    QrClient(&'a IdentityKey),
    /// KNpsk0, we are the authenticator and scanned the client's key.
    QrAuthenticator(&'a PublicKey),
    /// NKpsk0, we are the client and hold the authenticator's key.
    LinkClient(&'a PublicKey),
    /// NKpsk0, we are the authenticator and own the key in the link.
    LinkAuthenticator(&'a IdentityKey),
}

/// What both sides have when it is over.
pub(crate) struct Agreed {
    pub(crate) client_to_authenticator: TrafficKey,
    pub(crate) authenticator_to_client: TrafficKey,
    pub(crate) handshake_hash: [u8; 32],
}

/// The client, after it has written the first message.
pub(crate) struct Initiator(Box<HandshakeState>);

/// Writes message 1.
pub(crate) fn initiate(
    door: Door<'_>,
    psk: &Psk,
    rng: &mut dyn CryptoRngCore,
) -> Result<(Initiator, [u8; HANDSHAKE_MESSAGE]), Error> {
    let mut state = build(door, psk, rng)?;
    let mut message = [0; HANDSHAKE_MESSAGE];
    state.write_message(&[], &mut message).map_err(|_| Error::Misuse(Which::NoRandomness))?;
    Ok((Initiator(state), message))
}

impl Initiator {
    /// Reads message 2. Whatever is wrong with it, the state is spent.
    pub(crate) fn finish(mut self, message: &[u8]) -> Result<Agreed, Error> {
        check_form(message)?;
        self.0.read_message(message, &mut []).map_err(|_| Error::Decrypt)?;
        Ok(split(self.0))
    }
}

/// Reads message 1 and writes message 2.
pub(crate) fn respond(
    door: Door<'_>,
    psk: &Psk,
    message: &[u8],
    rng: &mut dyn CryptoRngCore,
) -> Result<(Agreed, [u8; HANDSHAKE_MESSAGE]), Error> {
    check_form(message)?;
    let mut state = build(door, psk, rng)?;
    state.read_message(message, &mut []).map_err(|_| Error::Decrypt)?;
    let mut reply = [0; HANDSHAKE_MESSAGE];
    state.write_message(&[], &mut reply).map_err(|_| Error::Misuse(Which::NoRandomness))?;
    Ok((split(state), reply))
}

/// 81 bytes that begin with a point: before snow, which would also take a
/// payload, and would panic at a point it cannot read.
fn check_form(message: &[u8]) -> Result<(), Error> {
    let bad = Error::Malformed(What::Handshake);
    let (point, _) = message.split_first_chunk::<65>().filter(|(_, tag)| tag.len() == TAG).ok_or(bad)?;
    PublicKey::from_uncompressed(point).map(drop).map_err(|_| bad)
}

fn build(door: Door<'_>, psk: &Psk, rng: &mut dyn CryptoRngCore) -> Result<Box<HandshakeState>, Error> {
    // None of these can fail: the names are snow's own and every key has
    // been proven. The error is there so that nothing panics.
    let impossible = |_| Error::Malformed(What::Handshake);
    let (name, prologue, initiator) = match door {
        Door::QrClient(_) => (KN, [1], true),
        Door::QrAuthenticator(_) => (KN, [1], false),
        Door::LinkClient(_) => (NK, [0], true),
        Door::LinkAuthenticator(_) => (NK, [0], false),
    };
    let own = match door {
        Door::QrClient(own) | Door::LinkAuthenticator(own) => {
            Some((own.expose(), own.public().to_uncompressed()))
        }
        _ => None,
    };
    let remote = match door {
        Door::QrAuthenticator(remote) | Door::LinkClient(remote) => Some(remote.to_uncompressed()),
        _ => None,
    };
    let resolver = Resolver { own: own.clone(), ephemeral: random_scalar(rng)? };
    let params = name.parse().map_err(impossible)?;
    let mut builder = Builder::with_resolver(params, Box::new(resolver))
        .prologue(&prologue)
        .and_then(|builder| builder.psk(0, psk.expose()))
        .map_err(impossible)?;
    if let Some((scalar, _)) = &own {
        builder = builder.local_private_key(scalar.as_slice()).map_err(impossible)?;
    }
    if let Some(remote) = &remote {
        builder = builder.remote_public_key(remote).map_err(impossible)?;
    }
    let state = if initiator { builder.build_initiator() } else { builder.build_responder() };
    state.map(Box::new).map_err(impossible)
}

const KN: &str = "Noise_KNpsk0_P256_AESGCM_SHA256";
const NK: &str = "Noise_NKpsk0_P256_AESGCM_SHA256";

/// The keys of both directions, the initiator's first.
fn split(mut state: Box<HandshakeState>) -> Agreed {
    let mut handshake_hash = [0; 32];
    handshake_hash.iter_mut().zip(state.get_handshake_hash()).for_each(|(to, from)| *to = *from);
    let (first, second) = state.dangerously_get_raw_split();
    let (first, second) = (Zeroizing::new(first), Zeroizing::new(second));
    // snow keeps the PSK until it is overwritten.
    let _ = state.set_psk(0, &[0; 32]);
    Agreed {
        client_to_authenticator: TrafficKey::new(&first),
        authenticator_to_client: TrafficKey::new(&second),
        handshake_hash,
    }
}

/// A static key pair, as snow wants it.
type Pair = (Zeroizing<[u8; 32]>, [u8; 65]);

/// Gives snow our objects in place of its own.
struct Resolver {
    own: Option<Pair>,
    ephemeral: Zeroizing<[u8; 32]>,
}

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Drawn(self.ephemeral.clone())))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        let DHChoice::P256 = choice else { return None };
        Some(Box::new(P256 { own: self.own.clone(), scalar: Zeroizing::new([0; 32]), public: [0; 65] }))
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        let CipherChoice::AESGCM = choice else { return None };
        Some(Box::new(AesGcm(Zeroizing::new([0; 32]))))
    }
}

/// The one random value that a handshake needs: a scalar drawn and proven
/// before, so that snow's own draw cannot give one that makes it panic.
struct Drawn(Zeroizing<[u8; 32]>);

impl Random for Drawn {
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), snow::Error> {
        if dest.len() != self.0.len() {
            return Err(snow::Error::Rng);
        }
        dest.copy_from_slice(self.0.as_slice());
        Ok(())
    }
}

struct P256 {
    own: Option<Pair>,
    scalar: Zeroizing<[u8; 32]>,
    public: [u8; 65],
}

impl P256 {
    fn set_scalar(&mut self, scalar: &[u8]) -> Option<()> {
        self.scalar = Zeroizing::new(scalar.try_into().ok()?);
        self.public = IdentityKey::from_scalar(&self.scalar).ok()?.public().to_uncompressed();
        Some(())
    }
}

impl Dh for P256 {
    fn name(&self) -> &'static str {
        "P256"
    }

    fn pub_len(&self) -> usize {
        65
    }

    fn priv_len(&self) -> usize {
        32
    }

    fn dh_len(&self) -> usize {
        32
    }

    fn set(&mut self, privkey: &[u8]) {
        // snow would compute the static public key again, a seventh of the
        // whole handshake; ours is known already.
        if let Some((scalar, public)) = &self.own
            && bool::from(scalar.as_slice().ct_eq(privkey))
        {
            (self.scalar, self.public) = (scalar.clone(), *public);
            return;
        }
        // snow sets nothing but the static key that it was given.
        let known = self.set_scalar(privkey);
        debug_assert!(known.is_some());
    }

    fn generate(&mut self, rng: &mut dyn Random) -> Result<(), snow::Error> {
        let mut scalar = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(scalar.as_mut_slice())?;
        self.set_scalar(scalar.as_slice()).ok_or(snow::Error::Rng)
    }

    fn pubkey(&self) -> &[u8] {
        &self.public
    }

    fn privkey(&self) -> &[u8] {
        self.scalar.as_slice()
    }

    fn dh(&self, pubkey: &[u8], out: &mut [u8]) -> Result<(), snow::Error> {
        let secret = p256::SecretKey::from_slice(self.scalar.as_slice()).map_err(|_| snow::Error::Dh)?;
        let public = p256::PublicKey::from_sec1_bytes(pubkey).map_err(|_| snow::Error::Dh)?;
        let shared = p256::ecdh::diffie_hellman(secret.to_nonzero_scalar(), public.as_affine());
        out.get_mut(..32).ok_or(snow::Error::Dh)?.copy_from_slice(shared.raw_secret_bytes());
        Ok(())
    }
}

struct AesGcm(Zeroizing<[u8; 32]>);

impl Cipher for AesGcm {
    fn name(&self) -> &'static str {
        "AESGCM"
    }

    fn set(&mut self, key: &[u8; 32]) {
        self.0 = Zeroizing::new(*key);
    }

    fn encrypt(&self, nonce: u64, authtext: &[u8], plaintext: &[u8], out: &mut [u8]) -> usize {
        let Some((text, rest)) = out.split_at_mut_checked(plaintext.len()) else { return 0 };
        text.copy_from_slice(plaintext);
        let sealed = Aes256Gcm::new(self.0.as_slice().into()).encrypt_in_place_detached(
            &noise_nonce(nonce),
            authtext,
            text,
        );
        match (sealed, rest.get_mut(..TAG)) {
            (Ok(tag), Some(room)) => {
                room.copy_from_slice(&tag);
                plaintext.len() + TAG
            }
            _ => 0,
        }
    }

    fn decrypt(
        &self,
        nonce: u64,
        authtext: &[u8],
        ciphertext: &[u8],
        out: &mut [u8],
    ) -> Result<usize, snow::Error> {
        let length = ciphertext.len().checked_sub(TAG).ok_or(snow::Error::Decrypt)?;
        let (sealed, tag) = ciphertext.split_at_checked(length).ok_or(snow::Error::Decrypt)?;
        let text = out.get_mut(..length).ok_or(snow::Error::Decrypt)?;
        text.copy_from_slice(sealed);
        Aes256Gcm::new(self.0.as_slice().into())
            .decrypt_in_place_detached(&noise_nonce(nonce), authtext, text, Tag::from_slice(tag))
            .map_err(|_| snow::Error::Decrypt)?;
        Ok(length)
    }
}

/// Noise's AESGCM nonce: 4 zero bytes ‖ u64 big-endian.
fn noise_nonce(counter: u64) -> Nonce<aes_gcm::aead::consts::U12> {
    let mut nonce = Nonce::default();
    nonce.iter_mut().skip(4).zip(counter.to_be_bytes()).for_each(|(to, from)| *to = from);
    nonce
}
