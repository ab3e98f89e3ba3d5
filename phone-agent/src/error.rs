//! What can go wrong, in words for people, with an id for programs and a remedy.

mod advice;

use cablecar_protocol::ctap::Status;

use crate::exchange;
use crate::passphrase::NoPassphrase;
use crate::program::pin::NoPin;
use crate::proximity;
use crate::tunnel::token::NoToken;
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
    /// A way to ask or to verify that this build does not have.
    #[error("this build does not have the feature {0}")]
    NotBuilt(&'static str),
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
    /// A file of another program, or for it.
    #[error(transparent)]
    Exchange(#[from] exchange::Error),
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
    /// No passkey of that RP ID, and none whose id begins like this.
    #[error("there is no passkey {0:?} in the vault")]
    NoSuchPasskey(String),
    /// Several passkeys could be meant.
    #[error("{which:?} could be any of {}: {}", among.len(), among.join("; "))]
    Ambiguous {
        /// What was typed.
        which: String,
        /// Which they are, in words.
        among: Vec<String>,
    },
    /// The owner did not say yes to the removal.
    #[error("the passkey was not removed")]
    NotRemoved,
    /// There is no terminal to ask before a passkey is removed.
    #[error("there is no terminal to ask whether to remove it")]
    CannotConfirm,
    /// Something is where a backup was to be written.
    #[error("there is a file at {} already", .0.display())]
    BackupExists(std::path::PathBuf),
    /// The backup, not the vault.
    #[error("the backup {}: {cause}", path.display())]
    Backup {
        /// Its file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        cause: vault::Error,
    },
    /// The PIN.
    #[error(transparent)]
    Pin(#[from] NoPin),
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
    /// The relay opens tunnels only for some (401 or 403).
    #[error("the relay {host} does not open tunnels for this phone")]
    RelayRefused {
        /// Its host name.
        host: String,
    },
    /// The file with the token for the relay gives none.
    #[error("the file {} {cause}", path.display())]
    RelayToken {
        /// Which.
        path: std::path::PathBuf,
        /// Why not.
        cause: NoToken,
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
    /// The two lines that people read.
    pub fn lines(&self) -> String {
        let (_, id, remedy) = self.advice();
        format!("error: {self} ({id})\nremedy: {remedy}")
    }
}
