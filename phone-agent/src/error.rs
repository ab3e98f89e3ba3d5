//! What can go wrong, in words for people, with an id for programs and a remedy.

use cablecar_protocol::ctap::Status;

use crate::passphrase::NoPassphrase;
use crate::proximity;
use crate::vault;

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

/// Why the phone did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The arguments do not go together.
    #[error("{0}")]
    Usage(String),
    /// Where the code should be cannot be read.
    #[error("cannot read {what}: {cause}")]
    Input {
        /// File or standard input.
        what: String,
        /// What the system says.
        cause: String,
    },
    /// A link among the arguments, as another program hands it over.
    #[error("a link of another program is not scanned: nobody has seen on which screen the code is")]
    HandedOver,
    /// No camera where one was looked for.
    #[error("{0}")]
    NoCamera(String),
    /// A build that reads no cameras.
    #[error("this build reads no cameras")]
    CameraNotBuilt,
    /// A camera that cannot be used, or not any more.
    #[error("the camera {device} cannot be used: {cause}")]
    Camera {
        /// Its file.
        device: String,
        /// What the system says.
        cause: String,
    },
    /// A minute before the camera, without a code.
    #[error("the camera saw no FIDO code within a minute")]
    NothingSeen,
    /// A picture without a code.
    #[error("there is no FIDO code in the picture")]
    NoCode,
    /// A picture with more than one.
    #[error("there are several FIDO codes in the picture")]
    SeveralCodes,
    /// Text that is no code.
    #[error("this is no FIDO code: {0}")]
    BadCode(cablecar_protocol::Error),
    /// A code from yesterday.
    #[error("the code is more than a day old")]
    CodeTooOld,
    /// A code from tomorrow.
    #[error("the code is from more than a day in the future")]
    CodeTooEarly,
    /// A code for a data channel that is not served here.
    #[error("the code does not offer a connection through a relay")]
    NoWebsocket,
    /// The computer cannot know where the tunnel is.
    #[error("the computer does not know the relay with domain id {0}")]
    DomainUnknown(u16),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The passphrase.
    #[error(transparent)]
    Passphrase(#[from] NoPassphrase),
    /// There is no way to ask for consent.
    #[error("there is nobody to ask for consent")]
    CannotAsk,
    /// The person refused.
    #[error("the request was declined")]
    Declined,
    /// The person did not answer.
    #[error("nobody answered the question in time")]
    NoAnswer,
    /// There is no passkey for the request.
    #[error("there is no passkey for this request")]
    NoPasskey,
    /// A passkey of the exclude list is here.
    #[error("there is a passkey for this account already")]
    AlreadyRegistered,
    /// A request that cannot be served, whatever anybody says.
    #[error("the computer asked for something that is not served: {0}")]
    Refused(Status),
    /// The computer left before it asked for anything.
    #[error("the computer left without asking for a passkey")]
    Left,
    /// The computer left while the person was asked.
    #[error("the computer took its request back")]
    Cancelled,
    /// The advert was not heard.
    #[error("the computer did not confirm in time that it is nearby")]
    NotConfirmed,
    /// The radio.
    #[error(transparent)]
    Radio(#[from] proximity::Error),
    /// The stand-in for the radio cannot be had.
    #[error("--danger-air {address} cannot be used: {cause}")]
    Air {
        /// What was asked for.
        address: std::net::SocketAddr,
        /// What the system says.
        cause: String,
    },
    /// There is no vault where one was looked for.
    #[error("there is no vault at {}", .0.display())]
    NoVault(std::path::PathBuf),
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
    /// TLS with the tunnel service failed.
    #[error("the relay {host} could not prove who it is: {cause}")]
    RelayTls {
        /// Its host name.
        host: String,
        /// What the library says.
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
    /// The host serves no tunnels (404).
    #[error("the relay {host} opens no tunnels: it answered 404 Not Found")]
    NoTunnels {
        /// Its host name.
        host: String,
    },
    /// The tunnel is open already (409): somebody else scanned the same code.
    #[error("this code is already in use: someone may have copied it")]
    CodeInUse,
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
    /// A client of the pipe ended in the middle of a frame.
    #[error("the input ended within a frame")]
    FrameCut,
    /// The pipe cannot be read or written.
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
    /// The doctor found something.
    #[error("{0} of the checks found something")]
    Findings(usize),
    /// Something of this phone's.
    #[error("{what}: {cause}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system says.
        cause: String,
    },
}

impl Error {
    /// Exit class, stable id and remedy: what happened, for programs, and
    /// what to try, for people.
    pub fn advice(&self) -> (Class, &'static str, &'static str) {
        use cablecar_protocol::Error as P;
        match self {
            Error::Usage(_) => (Class::Usage, "usage.arguments", "see cablecar-phone --help"),
            Error::Input { .. } => (
                Class::Usage,
                "qr.unreadable",
                "give a PNG or JPEG picture of the code, or - and its text on standard input",
            ),
            Error::HandedOver => (
                Class::Usage,
                "qr.handed-over",
                "scan a picture, or paste the code with scan -; give --accept-link if you made sure that the code is on the screen in front of you",
            ),
            Error::NoCamera(_) => (
                Class::Usage,
                "camera.none",
                "connect a camera, or name its file after --camera; or scan a picture of the screen",
            ),
            Error::CameraNotBuilt => (
                Class::Usage,
                "camera.none",
                "on Linux, build it with --features camera; or scan a picture of the screen",
            ),
            Error::Camera { .. } => (
                Class::Other,
                "camera.failed",
                "close other programs that use it, and check that your user may use cameras; or scan a picture of the screen",
            ),
            Error::NothingSeen => (
                Class::Timeout,
                "camera.nothing-seen",
                "hold the code nearer, in better light and without a reflection; or scan a picture of the screen",
            ),
            Error::NoCode => (
                Class::Usage,
                "qr.none",
                "take a sharper picture, or read the code with another program and pass its text to standard input",
            ),
            Error::SeveralCodes => {
                (Class::Usage, "qr.several", "take a picture of the one code that you want to use")
            }
            Error::BadCode(_) => (
                Class::Usage,
                "qr.malformed",
                "give the whole text of the code, FIDO:/ and the digits behind it",
            ),
            Error::CodeTooOld => {
                (Class::Other, "qr.too-old", "show a new code on the computer, and check both clocks")
            }
            Error::CodeTooEarly => (Class::Other, "qr.too-early", "set the clocks of both devices"),
            Error::NoWebsocket => (
                Class::Other,
                "qr.no-websocket",
                "use another phone: this one meets computers through a relay only",
            ),
            Error::DomainUnknown(_) => (
                Class::Other,
                "relay.domain-unknown",
                "choose a relay with a domain id of 256 or more (--domain-id): every computer can compute its name",
            ),
            Error::Vault(error) => vault_advice(*error),
            Error::Passphrase(error) => passphrase_advice(*error),
            Error::CannotAsk => {
                (Class::Other, "consent.cannot-ask", "run it in a terminal, where the question can be put")
            }
            Error::Declined => (Class::Declined, "consent.declined", "scan a new code if that was a mistake"),
            Error::NoAnswer => {
                (Class::Timeout, "consent.no-answer", "scan a new code, and answer within two minutes")
            }
            Error::NoPasskey => (
                Class::NoPasskey,
                "passkey.none",
                "register this phone at the website first, or use the phone that has the passkey",
            ),
            Error::AlreadyRegistered => {
                (Class::Other, "passkey.already-registered", "sign in with the passkey that is here")
            }
            Error::Refused(_) => {
                (Class::Other, "request.refused", "use another phone, or let the computer ask for less")
            }
            Error::Left => {
                (Class::Other, "peer.left", "look at the computer for a message, and scan a new code")
            }
            Error::Cancelled => {
                (Class::Other, "peer.cancelled", "look at the computer for a message, and scan a new code")
            }
            Error::NotConfirmed => (
                Class::Timeout,
                "proximity.not-confirmed",
                "bring the phone close to the computer that shows the code, with Bluetooth on at both, and scan a new code",
            ),
            Error::Radio(error) => {
                let (id, remedy) = error.advice();
                (Class::Radio, id, remedy)
            }
            Error::Air { .. } => (
                Class::Radio,
                "radio.air",
                "give the loopback address that the computer was given with --danger-air",
            ),
            Error::NoVault(_) => vault_advice(vault::Error::NotFound),
            Error::RelayName { .. } => {
                (Class::Relay, "relay.name", "check the network and its DNS, or give --connect-to")
            }
            Error::RelayUnreachable { .. } => (
                Class::Relay,
                "relay.unreachable",
                "check that the network lets port 443 of that host through",
            ),
            Error::RelayTls { .. } => (
                Class::Relay,
                "relay.tls",
                "if the relay has a private certificate authority, give its certificate with --ca-file",
            ),
            Error::RelayProxy { .. } => (
                Class::Relay,
                "relay.proxy",
                "check HTTPS_PROXY and NO_PROXY; a name and a password stand before the host: http://NAME:PASSWORD@HOST:PORT",
            ),
            Error::NoTunnels { .. } => (
                Class::Relay,
                "relay.not-found",
                "choose another relay with --domain-id: this host is no tunnel service, or has nothing at that path",
            ),
            Error::CodeInUse => (
                Class::Relay,
                "relay.code-in-use",
                "show a new code on the computer, and let nobody else see it",
            ),
            Error::RelayAnswer { .. } => {
                (Class::Relay, "relay.answer", "check that the host is a tunnel service")
            }
            Error::TunnelBroke(_) => (Class::Relay, "relay.broken", "scan a new code"),
            Error::Protocol(P::Decrypt) => (
                Class::Peer,
                "peer.bad-tag",
                "scan a new code; if it stays so, something between the devices changes what they say",
            ),
            Error::Protocol(P::Malformed(_)) => (
                Class::Peer,
                "peer.malformed",
                "scan a new code; if it stays so, report it with the computer's browser",
            ),
            Error::Protocol(P::Misbehaved(_)) => (
                Class::Peer,
                "peer.misbehaved",
                "scan a new code; if it stays so, report it with the computer's browser",
            ),
            Error::Protocol(_) => (Class::Other, "internal", "please report this"),
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
            Error::Findings(_) => {
                (Class::Other, "doctor.findings", "do what the report says under each finding")
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

fn vault_advice(error: vault::Error) -> (Class, &'static str, &'static str) {
    use vault::Error as V;
    let (id, remedy) = match error {
        V::NotFound => ("vault.not-found", "make one with cablecar-phone init, or name it with --vault"),
        V::Exists => ("vault.exists", "use the one that is there, or name another file with --vault"),
        V::NotAVault => ("vault.not-a-vault", "name the right file with --vault"),
        V::UnknownVersion(_) => ("vault.unknown-version", "update cablecar-phone"),
        V::Truncated => ("vault.truncated", "bring back a copy, and check the disk"),
        V::Damaged(_) => ("vault.damaged", "bring back a copy, and check the disk"),
        V::KdfOutOfRange => {
            ("vault.kdf-out-of-range", "do not use this file: no version of cablecar-phone made it")
        }
        V::WrongPassphrase => ("vault.wrong-passphrase", "try again; nothing was changed"),
        V::RolledBack => (
            "vault.rolled-back",
            "bring back the newest copy, or give --accept-rollback if you put the older one there yourself",
        ),
        V::Replaced => ("vault.replaced", "try again"),
        V::InUse => ("vault.in-use", "wait until the other program has finished, and try again"),
        V::DiskFull => ("vault.disk-full", "make room on the disk; the vault is as it was"),
        V::NoRandomness => ("system.no-randomness", "check the system's source of randomness"),
        V::Io(_) => ("vault.io", "check the path and its permissions"),
    };
    (Class::Other, id, remedy)
}

fn passphrase_advice(error: NoPassphrase) -> (Class, &'static str, &'static str) {
    match error {
        NoPassphrase::CannotAsk => {
            (Class::Other, "passphrase.cannot-ask", "run it in a terminal, or give --passphrase-file")
        }
        NoPassphrase::Declined => {
            (Class::Declined, "passphrase.declined", "scan a new code if that was a mistake")
        }
        NoPassphrase::File(_) => {
            (Class::Usage, "passphrase.file", "check the path after --passphrase-file and its permissions")
        }
        NoPassphrase::Empty => {
            (Class::Usage, "passphrase.empty", "choose a passphrase of at least one character")
        }
        NoPassphrase::TooLong => (Class::Usage, "passphrase.too-long", "choose a shorter passphrase"),
        NoPassphrase::Differ => (Class::Usage, "passphrase.differ", "type the same passphrase twice"),
    }
}
