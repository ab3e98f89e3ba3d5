//! What can go wrong, in words for people, with an id for programs and a remedy.

use cablecar_protocol::ctap::Status;
use cablecar_protocol::error::How;

#[cfg(target_os = "linux")]
use crate::doors::virtual_key::uhid;
use crate::proximity::fault::Fault;

/// The class of an error: the exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Class {
    /// Anything else.
    Other = 1,
    /// Wrong arguments or wrong input.
    Usage = 2,
    /// Nobody came in time.
    Timeout = 3,
    /// The person said no.
    Declined = 4,
    /// No matching passkey.
    NoPasskey = 5,
    /// The radio cannot be used.
    Radio = 6,
    /// The tunnel service cannot be reached.
    Relay = 7,
    /// The peer broke the protocol.
    Peer = 8,
}

impl Class {
    /// The exit code.
    pub fn code(self) -> u8 {
        #[allow(clippy::as_conversions, reason = "the discriminant of a fieldless repr(u8) enum")]
        let code = self as u8;
        code
    }
}

/// Why a request ended without an answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The arguments do not go together.
    #[error("{0}")]
    Usage(String),
    /// Standard input is not the options that it should be.
    #[error("the options cannot be used: {0}")]
    Options(String),
    /// The options are well formed, and no phone could do what they ask for.
    #[error("the options cannot be used: {0}")]
    Unsupported(&'static str),
    /// What stands between us and a browser.
    #[error(transparent)]
    Browser(#[from] crate::doors::browser_host::fault::Fault),
    /// Something was not installed.
    #[error(transparent)]
    Install(#[from] crate::install::fault::Fault),
    /// The RP ID may not be used by the origin.
    #[error("{rp_id:?} is no RP ID that {origin} may use")]
    RpId {
        /// What was asked for.
        rp_id: String,
        /// Who asked.
        origin: String,
    },
    /// No phone was heard before the request's own timeout.
    #[error("nobody scanned the code in time")]
    NobodyCame,
    /// Phones were heard before the request's own timeout, this many adverts
    /// of them, but none that had scanned this code.
    #[error("phones are near, but none of them scanned this code in time ({0} adverts were heard)")]
    NotOurs(u64),
    /// A phone was met but stopped answering.
    #[error("the phone stopped answering while we were {0}")]
    PhoneSilent(&'static str),
    /// The phone ended the session before it answered.
    #[error("the phone hung up while we were {0}")]
    PhoneHungUp(&'static str),
    /// The person at this computer stopped it.
    #[error("stopped")]
    Interrupted,
    /// The person refused.
    #[error("the request was declined on the phone")]
    Declined,
    /// There is no passkey for this request on the phone.
    #[error("the phone has no passkey for this request")]
    NoPasskey,
    /// A passkey of the exclude list is on the phone.
    #[error("the phone already has a passkey for this account")]
    AlreadyRegistered,
    /// The phone can make none of the keys asked for.
    #[error("the phone supports none of the algorithms asked for")]
    Algorithm,
    /// The phone cannot do what the request demands.
    #[error("the phone cannot {0}")]
    Unsuitable(&'static str),
    /// The phone answered with another error.
    #[error("the phone answered: {0}")]
    Status(Status),
    /// There is no way to hear a phone.
    #[error("this computer cannot listen for a phone: {0}")]
    Radio(#[from] Fault),
    /// There is no virtual security key to be had.
    #[cfg(target_os = "linux")]
    #[error("there is no virtual security key: {0}")]
    Uhid(#[from] uhid::Fault),
    /// The stand-in for the radio cannot be had.
    #[error("--danger-air {address} cannot be used: {cause}")]
    Air {
        /// What was asked for.
        address: std::net::SocketAddr,
        /// What the system says.
        cause: String,
    },
    /// The host name of the tunnel service does not resolve.
    #[error("the relay {host} cannot be found: {cause}")]
    RelayName {
        /// Its host name.
        host: String,
        /// What the system says.
        cause: String,
    },
    /// The tunnel service does not answer.
    #[error("the relay {host} cannot be reached: {cause}")]
    RelayUnreachable {
        /// Its host name.
        host: String,
        /// What the system says.
        cause: String,
    },
    /// The proxy on the way to the tunnel service refused or broke.
    #[error("the proxy {proxy} does not lead to the relay: {cause}")]
    RelayProxy {
        /// Its name and port.
        proxy: String,
        /// What it did, as the rest of a sentence.
        cause: String,
    },
    /// TLS with the tunnel service failed.
    #[error("the relay {host} could not prove who it is: {cause}")]
    RelayTls {
        /// Its host name.
        host: String,
        /// What the library says.
        cause: String,
    },
    /// The tunnel service does not know the tunnel.
    #[error("the relay {host} knows no such tunnel")]
    RelayNotFound {
        /// Its host name.
        host: String,
    },
    /// The tunnel service answered something else than a websocket.
    #[error("the relay {host} answered {answer}")]
    RelayAnswer {
        /// Its host name.
        host: String,
        /// What it answered.
        answer: String,
    },
    /// The tunnel broke.
    #[error("the connection through the relay broke: {0}")]
    TunnelBroke(String),
    /// The peer broke the protocol.
    #[error(transparent)]
    Protocol(#[from] cablecar_protocol::Error),
    /// The phone's answer does not fit the request.
    #[error("the phone's answer cannot be trusted: {0}")]
    Answer(#[from] Mismatch),
    /// There is nowhere to show a code.
    #[error("there is neither a terminal to show the code on nor SSH_ASKPASS to say where it is")]
    NoScreen,
    /// The doctor's report has findings, this many.
    #[error("{0} of these checks found something")]
    Findings(usize),
    /// The input of a pipe ended within a frame.
    #[error("the input ended in the middle of a frame")]
    FrameCut,
    /// A pipe cannot be read or written.
    #[error("the pipe broke: {0}")]
    PipeBroke(String),
    /// There is no place for a socket.
    #[error("cannot listen at {}: {why}", .path.display())]
    SocketTaken {
        /// Where.
        path: std::path::PathBuf,
        /// What is in the way.
        why: String,
    },
    /// Something of this computer's.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        cause: String,
    },
}

/// How an answer fails to fit its request. Each is one check of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// It does not parse: not canonical CBOR, or something missing.
    #[error("it cannot be read")]
    Unreadable,
    /// It is signed for another RP ID.
    #[error("it is for another site")]
    RpIdHash,
    /// The flag for user presence is not set.
    #[error("it does not say that anybody was there")]
    UserPresence,
    /// Verification was demanded and the flag for it is not set.
    #[error("it does not say that the person was verified")]
    UserVerification,
    /// Backed up but not eligible for it.
    #[error("its flags contradict each other")]
    Flags,
    /// A credential that was not in the allow list, or none where one is needed.
    #[error("it uses a passkey that was not asked for")]
    Credential,
    /// A new key of an algorithm that was not asked for.
    #[error("its key has an algorithm that was not asked for")]
    KeyAlgorithm,
    /// A new key that is no key.
    #[error("its key is not a valid one")]
    Key,
    /// No new credential where there must be one, or one where there must not.
    #[error("it holds no new passkey, or one that was not asked for")]
    Attested,
    /// A signed extension output that was not asked for.
    #[error("it holds an extension that was not asked for")]
    Extension,
    /// No account where the passkey was not asked for by its id.
    #[error("it does not say which account")]
    User,
    /// No signature.
    #[error("it has no signature")]
    Signature,
    /// More than one credential, which this transport does not do.
    #[error("it offers more passkeys than one")]
    Several,
}

impl Mismatch {
    fn id(self) -> &'static str {
        match self {
            Mismatch::Unreadable => "peer.answer-unreadable",
            Mismatch::RpIdHash => "peer.answer-rp-id",
            Mismatch::UserPresence => "peer.answer-user-presence",
            Mismatch::UserVerification => "peer.answer-user-verification",
            Mismatch::Flags => "peer.answer-flags",
            Mismatch::Credential => "peer.answer-credential",
            Mismatch::KeyAlgorithm => "peer.answer-algorithm",
            Mismatch::Key => "peer.answer-key",
            Mismatch::Attested => "peer.answer-attested",
            Mismatch::Extension => "peer.answer-extension",
            Mismatch::User => "peer.answer-user",
            Mismatch::Signature => "peer.answer-signature",
            Mismatch::Several => "peer.answer-several",
        }
    }
}

impl Error {
    /// Exit class, stable id and remedy: what happened, for programs, and
    /// what to try, for people.
    pub fn advice(&self) -> (Class, &'static str, &'static str) {
        use cablecar_protocol::Error as P;
        match self {
            Error::Usage(_) => (Class::Usage, "usage.arguments", "see cablecar --help"),
            Error::Options(_) => (
                Class::Usage,
                "options.invalid",
                "pass the publicKey member of the page's options as WebAuthn JSON (Level 3) on standard input",
            ),
            Error::Unsupported(_) => (
                Class::Usage,
                "options.invalid",
                "ask for type public-key, and leave out authenticatorAttachment or say cross-platform",
            ),
            Error::Browser(fault) => fault.advice(),
            Error::Install(fault) => fault.advice(),
            Error::RpId { .. } => (
                Class::Usage,
                "options.rp-id",
                "use the origin's own host, or a parent of it that is no public suffix, in lower case",
            ),
            Error::NobodyCame => (
                Class::Timeout,
                "phone.nobody-came",
                "run it again and scan the code with the phone close by, Bluetooth on at both",
            ),
            Error::NotOurs(_) => (
                Class::Timeout,
                "phone.not-ours",
                "run it again, and scan the code that this computer shows then; an older one is no longer good",
            ),
            Error::PhoneSilent(_) => {
                (Class::Timeout, "phone.silent", "look at the phone, keep it awake, and try again")
            }
            Error::PhoneHungUp(_) => {
                (Class::Other, "phone.hung-up", "look at the phone for a message, and try again")
            }
            Error::Interrupted => (Class::Other, "interrupted", "run it again for a new code"),
            Error::Declined => (Class::Declined, "phone.declined", "run it again if that was a mistake"),
            Error::NoPasskey => (
                Class::NoPasskey,
                "phone.no-passkey",
                "sign in another way and register this phone, or use the phone that has the passkey",
            ),
            Error::AlreadyRegistered => (
                Class::Other,
                "phone.already-registered",
                "sign in with the passkey that is there, or register another phone",
            ),
            Error::Algorithm => {
                (Class::Other, "phone.algorithm", "ask for ES256 (-7), which every phone supports")
            }
            Error::Unsuitable(_) => (Class::Other, "phone.unsuitable", "use another phone, or ask for less"),
            Error::Status(_) => (Class::Other, "phone.status", "look at the phone, and try again"),
            Error::Radio(fault) => {
                let (id, remedy) = fault.advice();
                (Class::Radio, id, remedy)
            }
            #[cfg(target_os = "linux")]
            Error::Uhid(fault) => {
                let (id, remedy) = fault.advice();
                (Class::Other, id, remedy)
            }
            Error::Air { .. } => (
                Class::Radio,
                "radio.air",
                "stop the other program that listens there, or give another port here and to the phone",
            ),
            Error::RelayName { .. } => {
                (Class::Relay, "relay.name", "check the network and its DNS, or give --connect-to")
            }
            Error::RelayUnreachable { .. } => (
                Class::Relay,
                "relay.unreachable",
                "check that the network lets port 443 of that host through",
            ),
            Error::RelayProxy { .. } => (
                Class::Relay,
                "relay.proxy",
                "check HTTPS_PROXY and NO_PROXY; a name and a password stand before the host: http://NAME:PASSWORD@HOST:PORT",
            ),
            Error::RelayTls { .. } => (
                Class::Relay,
                "relay.tls",
                "if the relay has a private certificate authority, give its certificate with --ca-file",
            ),
            Error::RelayNotFound { .. } => (
                Class::Relay,
                "relay.not-found",
                "the phone may have left, or another computer came first: show a new code",
            ),
            Error::RelayAnswer { .. } => {
                (Class::Relay, "relay.answer", "check that the host is a tunnel service")
            }
            Error::TunnelBroke(_) => (Class::Relay, "relay.broken", "try again with a new code"),
            Error::Protocol(P::Decrypt) => (
                Class::Peer,
                "peer.bad-tag",
                "try again with a new code; if it stays so, something between the devices changes what they say",
            ),
            Error::Protocol(P::Malformed(_)) => {
                (Class::Peer, "peer.malformed", "try again; if it stays so, report it with the phone's model")
            }
            Error::Protocol(P::Misbehaved(How::NoCtap)) => {
                (Class::Peer, "peer.no-ctap", "use a phone that holds passkeys")
            }
            Error::Protocol(P::Misbehaved(_)) => (
                Class::Peer,
                "peer.misbehaved",
                "try again; if it stays so, report it with the phone's model",
            ),
            Error::Protocol(_) => (Class::Other, "internal", "please report this"),
            Error::Answer(mismatch) => (
                Class::Peer,
                mismatch.id(),
                "nothing was passed on; try again, and report it with the phone's model if it stays so",
            ),
            Error::NoScreen => (
                Class::Other,
                "screen.none",
                "set CABLECAR_TTY to a terminal of yours, as in CABLECAR_TTY=$(tty), or SSH_ASKPASS to a program",
            ),
            Error::Findings(_) => {
                (Class::Other, "doctor.findings", "do what the report says under each finding")
            }
            Error::FrameCut => (
                Class::Peer,
                "pipe.truncated",
                "look for a message of the program at the other end; if there is none, report it there",
            ),
            Error::PipeBroke(_) => {
                (Class::Other, "pipe.broken", "look for a message of the program at the other end")
            }
            Error::SocketTaken { .. } => {
                (Class::Other, "pipe.taken", "stop what listens there, or name another path")
            }
            Error::Io { .. } => (Class::Other, "system.io", "check the path and its permissions"),
        }
    }

    /// The two lines that people read.
    pub fn lines(&self) -> String {
        let (_, id, remedy) = self.advice();
        format!("error: {self} ({id})\nremedy: {remedy}")
    }
}
