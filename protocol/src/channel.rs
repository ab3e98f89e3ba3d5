//! The room at the end of the corridor: sealed messages in both directions.
//!
//! ```text
//! padded     = message ‖ zeros ‖ z      z = number of zeros, length a multiple of 32
//! nonce      = 8 zero bytes ‖ counter (4, big-endian)      one counter a direction, from 0
//! record     = AES-256-GCM(key, nonce, no associated data, padded)
//! ```
//!
//! A record that does not open ends the session: there is no way to find the
//! beat again, and a relay that drops, repeats or swaps messages must not find
//! out more than that. Which side one is on is a type, because only the client
//! may shut down and only the authenticator may give linking information.

use std::fmt;

use crate::error::{Error, How, Which};
use crate::linking::{LinkGift, LinkVerifier, Offer, Update};
use crate::message::{Features, MessageType};
use crate::record::{Opener, Sealer};
use crate::secrets::PublicKey;

pub use crate::record::{LAST_COUNTER, LONGEST_MESSAGE};

/// Marks the client's end of a [`Channel`].
#[derive(Debug)]
pub struct ClientEnd {
    verifier: Option<LinkVerifier>,
}

/// Marks the authenticator's end of a [`Channel`].
#[derive(Debug)]
pub struct AuthenticatorEnd {
    handshake_hash: [u8; 32],
    client_key: Option<PublicKey>,
}

/// A session under way.
pub struct Channel<End> {
    sealer: Sealer,
    opener: Opener,
    features: Features,
    outstanding: Option<MessageType>,
    poisoned: bool,
    end: End,
}

/// What the client may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// A CTAP command and its parameters.
    Ctap(&'a [u8]),
    /// A digital credential request, if the hello said `dc`.
    Json(&'a str),
}

/// What the client hears ([`Channel::receive`] at its end).
pub enum ClientEvent {
    /// The answer to a CTAP request: status and response.
    Ctap(Vec<u8>),
    /// The answer to a digital credential request.
    Json(Vec<u8>),
    /// Linking information, or nothing in its place.
    Update(Offer),
    /// The authenticator ends the session, which it should do by closing.
    Shutdown,
}

/// What the authenticator hears ([`Channel::receive`] at its end).
#[derive(PartialEq, Eq)]
pub enum AuthenticatorEvent {
    /// A CTAP command and its parameters; perhaps not even a command, which
    /// is to be answered with an error.
    Ctap(Vec<u8>),
    /// A digital credential request.
    Json(Vec<u8>),
    /// An update, of which nothing is defined in this direction.
    Update,
    /// The client will send no more; close.
    Shutdown,
}

impl Channel<ClientEnd> {
    pub(crate) fn client(
        sealer: Sealer,
        opener: Opener,
        features: Features,
        verifier: Option<LinkVerifier>,
    ) -> Self {
        Self { sealer, opener, features, outstanding: None, poisoned: false, end: ClientEnd { verifier } }
    }

    /// Seals a request.
    ///
    /// # Errors
    /// [`Which::RequestOutstanding`] before the last one was answered,
    /// [`Which::NotOffered`] for a kind that the hello did not offer, and
    /// those of sealing: [`Which::Poisoned`], [`Which::TooLarge`],
    /// [`Which::Exhausted`].
    pub fn send(&mut self, request: Request<'_>) -> Result<Vec<u8>, Error> {
        let (kind, body) = match request {
            Request::Ctap(body) => (MessageType::Ctap, body),
            Request::Json(body) => (MessageType::Json, body.as_bytes()),
        };
        if self.outstanding.is_some() {
            return Err(Error::Misuse(Which::RequestOutstanding));
        }
        if !self.offers(kind) {
            return Err(Error::Misuse(Which::NotOffered));
        }
        let record = self.seal(&kind.with(body))?;
        self.outstanding = Some(kind);
        Ok(record)
    }

    /// Opens a record of the authenticator's. After an error the channel is
    /// poisoned: drop it and close.
    ///
    /// # Errors
    /// [`Error::Decrypt`], [`Error::Malformed`] or [`Error::Misbehaved`];
    /// [`Which::Poisoned`] after any of them.
    pub fn receive(&mut self, record: &[u8]) -> Result<ClientEvent, Error> {
        let message = self.open(record)?;
        let event = self.read(&message);
        self.poisoned |= event.is_err();
        event
    }

    fn read(&mut self, message: &[u8]) -> Result<ClientEvent, Error> {
        let (kind, body) = MessageType::split(message)?;
        match kind {
            MessageType::Shutdown => Ok(ClientEvent::Shutdown),
            MessageType::Update => {
                Update::parse(body)?.check(self.end.verifier.as_ref()).map(ClientEvent::Update)
            }
            MessageType::Ctap | MessageType::Json if self.outstanding.take() != Some(kind) => {
                Err(Error::Misbehaved(How::Unsolicited))
            }
            MessageType::Ctap => Ok(ClientEvent::Ctap(body.to_vec())),
            MessageType::Json => Ok(ClientEvent::Json(body.to_vec())),
        }
    }

    /// Seals the last message: the client will send no more.
    ///
    /// # Errors
    /// Those of sealing, see [`Channel::send`].
    pub fn shutdown(mut self) -> Result<Vec<u8>, Error> {
        self.seal(&MessageType::Shutdown.with(&[]))
    }
}

impl Channel<AuthenticatorEnd> {
    pub(crate) fn authenticator(
        sealer: Sealer,
        opener: Opener,
        features: Features,
        client_key: Option<PublicKey>,
        handshake_hash: [u8; 32],
    ) -> Self {
        let end = AuthenticatorEnd { handshake_hash, client_key };
        Self { sealer, opener, features, outstanding: None, poisoned: false, end }
    }

    /// Opens a record of the client's. After an error the channel is
    /// poisoned: drop it and close.
    ///
    /// # Errors
    /// [`Error::Decrypt`], [`Error::Malformed`] or [`Error::Misbehaved`];
    /// [`Which::Poisoned`] after any of them.
    pub fn receive(&mut self, record: &[u8]) -> Result<AuthenticatorEvent, Error> {
        let message = self.open(record)?;
        let event = self.read(&message);
        self.poisoned |= event.is_err();
        event
    }

    fn read(&mut self, message: &[u8]) -> Result<AuthenticatorEvent, Error> {
        let (kind, body) = MessageType::split(message)?;
        match kind {
            MessageType::Shutdown => Ok(AuthenticatorEvent::Shutdown),
            MessageType::Update => Update::parse(body).map(|_| AuthenticatorEvent::Update),
            MessageType::Ctap | MessageType::Json if self.outstanding.is_some() => {
                Err(Error::Misbehaved(How::TooEager))
            }
            MessageType::Ctap => {
                self.outstanding = Some(kind);
                Ok(AuthenticatorEvent::Ctap(body.to_vec()))
            }
            MessageType::Json if !self.offers(kind) => Err(Error::Misbehaved(How::UnexpectedType)),
            MessageType::Json => {
                self.outstanding = Some(kind);
                Ok(AuthenticatorEvent::Json(body.to_vec()))
            }
        }
    }

    /// Seals the answer to the request under way, status byte and all.
    ///
    /// # Errors
    /// [`Which::NothingToAnswer`] if none is, and those of sealing:
    /// [`Which::Poisoned`], [`Which::TooLarge`], [`Which::Exhausted`].
    pub fn send(&mut self, answer: &[u8]) -> Result<Vec<u8>, Error> {
        let kind = self.outstanding.ok_or(Error::Misuse(Which::NothingToAnswer))?;
        let record = self.seal(&kind.with(answer))?;
        self.outstanding = None;
        Ok(record)
    }

    /// Seals the update: a link, or nothing, in 528 bytes either way, so that
    /// the tunnel service cannot tell which.
    ///
    /// # Errors
    /// [`Which::DoesNotFit`] for a link too large, or one offered outside a
    /// QR-initiated session; and those of sealing, see [`Channel::send`].
    pub fn update(&mut self, link: Option<&LinkGift<'_>>) -> Result<Vec<u8>, Error> {
        let body = match (link, &self.end.client_key) {
            (None, _) => Update::padding_only(),
            (Some(link), Some(client)) => link.to_update(client, &self.end.handshake_hash)?,
            (Some(_), None) => return Err(Error::Misuse(Which::DoesNotFit)),
        };
        self.seal(&MessageType::Update.with(&body))
    }

    /// Seals the hello, the only message without a type byte.
    pub(crate) fn hello(&mut self, hello: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal(hello)
    }
}

impl<End> Channel<End> {
    /// Whether a record would open now, without any consequence: for a byte
    /// stream, where the end of a record has to be found.
    pub fn would_open(&self, record: &[u8]) -> bool {
        !self.poisoned && self.opener.would_open(record)
    }

    fn offers(&self, kind: MessageType) -> bool {
        match kind {
            MessageType::Ctap => self.features.ctap,
            MessageType::Json => self.features.dc,
            MessageType::Shutdown | MessageType::Update => true,
        }
    }

    fn seal(&mut self, message: &[u8]) -> Result<Vec<u8>, Error> {
        if self.poisoned {
            return Err(Error::Misuse(Which::Poisoned));
        }
        self.sealer.seal(message)
    }

    fn open(&mut self, record: &[u8]) -> Result<Vec<u8>, Error> {
        if self.poisoned {
            return Err(Error::Misuse(Which::Poisoned));
        }
        let message = self.opener.open(record);
        self.poisoned = message.is_err();
        message
    }
}

impl<End> fmt::Debug for Channel<End> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.poisoned { "poisoned" } else { "open" };
        f.debug_struct("Channel").field("state", &state).field("outstanding", &self.outstanding).finish()
    }
}

// Requests and answers carry what the prf extension takes and gives, so
// these print lengths.

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Ctap(body) => write!(f, "Ctap({} bytes)", body.len()),
            Request::Json(body) => write!(f, "Json({} bytes)", body.len()),
        }
    }
}

impl fmt::Debug for ClientEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientEvent::Ctap(body) => write!(f, "Ctap({} bytes)", body.len()),
            ClientEvent::Json(body) => write!(f, "Json({} bytes)", body.len()),
            ClientEvent::Update(offer) => f.debug_tuple("Update").field(offer).finish(),
            ClientEvent::Shutdown => f.write_str("Shutdown"),
        }
    }
}

impl fmt::Debug for AuthenticatorEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuthenticatorEvent::Ctap(body) => write!(f, "Ctap({} bytes)", body.len()),
            AuthenticatorEvent::Json(body) => write!(f, "Json({} bytes)", body.len()),
            AuthenticatorEvent::Update => f.write_str("Update"),
            AuthenticatorEvent::Shutdown => f.write_str("Shutdown"),
        }
    }
}
