//! What can go wrong, sorted by whose fault it is.

/// Why the protocol refuses to go on.
///
/// The variants say who has to change something: the bytes do not parse, the
/// peer broke a rule, a key does not fit, or our own caller asked for
/// something impossible. Comparable, without text, so a test can name the
/// exact one it expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The input does not have the form that the specification gives it.
    #[error("malformed {0}")]
    Malformed(What),
    /// The input parses, but the peer may not send it, or not now.
    #[error("the other device {0}")]
    Misbehaved(How),
    /// A seal did not open. One word on purpose: a wrong key, a changed byte,
    /// a replay and a lost message look alike, and none may be told apart by
    /// whoever sent it.
    #[error("could not be decrypted")]
    Decrypt,
    /// Our own caller asked for something that cannot be done.
    #[error("{0}")]
    Misuse(Which),
}

/// What did not parse ([`Error::Malformed`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum What {
    /// Text that is not a `FIDO:/` code at all.
    #[error("QR code: it does not begin with FIDO:/")]
    Scheme,
    /// Something else than ASCII digits, a tail of an impossible length, or a
    /// value that does not fit its bytes.
    #[error("QR code: the digits do not decode")]
    Digits,
    /// The QR map lacks a key, or holds one of the wrong type or length.
    #[error("QR code: the map lacks a key or holds one of the wrong form")]
    Invitation,
    /// Not CTAP2 canonical CBOR.
    #[error("CBOR")]
    Cbor(CborFault),
    /// Not a point on P-256 in the demanded form.
    #[error("P-256 public key")]
    PublicKey,
    /// Not hexadecimal of the demanded length.
    #[error("hexadecimal identifier")]
    Hex,
    /// Not base64url without padding, or an empty or overlong contact id.
    #[error("contact id")]
    ContactId,
    /// Not a path of a tunnel service.
    #[error("tunnel path")]
    Path,
    /// A tunnel service domain id that nobody has been given.
    #[error("tunnel service domain")]
    Domain,
    /// The client payload header of a state-assisted transaction.
    #[error("client payload")]
    ClientPayload,
    /// A handshake message that is not 81 bytes with a point in front.
    #[error("handshake message")]
    Handshake,
    /// A record too short for its tag, or whose padding exceeds it.
    #[error("record")]
    Record,
    /// The post-handshake message, or the getInfo inside it.
    #[error("hello")]
    Hello,
    /// An update message.
    #[error("update")]
    Update,
    /// A CTAP request, response or part of one.
    #[error("CTAP message")]
    Ctap,
    /// A stream that ends within a frame.
    #[error("frame")]
    Frame,
}

/// Which rule of strict canonical CBOR was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CborFault {
    /// The input ends inside an item.
    Truncated,
    /// Bytes follow the item.
    Trailing,
    /// A header that is not the shortest form of its value.
    NotShortest,
    /// An indefinite length.
    Indefinite,
    /// A tag, a float, or a simple value other than false, true and null.
    Forbidden,
    /// An integer outside the range of an `i64`.
    Range,
    /// Text that is not UTF-8.
    Utf8,
    /// A map key that is neither integer, bytes nor text, or out of order, or
    /// there twice.
    Keys,
    /// Deeper nesting than the reader allows.
    Depth,
}

/// Which rule the peer broke ([`Error::Misbehaved`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum How {
    /// A message without even a type byte.
    #[error("sent an empty message")]
    EmptyMessage,
    /// A message type that neither side has agreed on.
    #[error("sent a message of a type that was not agreed on")]
    UnexpectedType,
    /// A reply to which there was no request, or of another type.
    #[error("sent a reply that nobody asked for")]
    Unsolicited,
    /// A hello without the CTAP that a passkey needs.
    #[error("does not speak CTAP")]
    NoCtap,
    /// A request before the last one was answered.
    #[error("sent a request before the last one was answered")]
    TooEager,
    /// More messages than a counter may count.
    #[error("sent more messages than one session may carry")]
    TooManyMessages,
    /// The routing id header is missing, doubled or not three bytes.
    #[error("gave no usable routing id")]
    RoutingId,
}

/// What our own caller did wrong ([`Error::Misuse`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Which {
    /// The source of randomness failed.
    #[error("the system gave no randomness")]
    NoRandomness,
    /// The channel failed before and stays shut.
    #[error("the channel has failed and cannot be used again")]
    Poisoned,
    /// A second request while the first has no reply.
    #[error("a request is already under way")]
    RequestOutstanding,
    /// A reply while there is no request.
    #[error("there is no request to answer")]
    NothingToAnswer,
    /// A kind of request that the authenticator did not offer.
    #[error("the authenticator does not offer that")]
    NotOffered,
    /// A message larger than one session message may be.
    #[error("the message is too large to send")]
    TooLarge,
    /// The counter of sent messages is used up.
    #[error("the session has carried all the messages it may")]
    Exhausted,
    /// A value that the form cannot hold, such as a contact id of 1,000 bytes.
    #[error("the value does not fit")]
    DoesNotFit,
}

impl From<CborFault> for Error {
    fn from(fault: CborFault) -> Self {
        Error::Malformed(What::Cbor(fault))
    }
}
