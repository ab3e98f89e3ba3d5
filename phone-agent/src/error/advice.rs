//! What each error is to programs, and what people may try.

use super::{Class, Error};
use crate::passphrase::NoPassphrase;
use crate::program::pin::NoPin;
use crate::vault;

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
            Error::NotBuilt(_) => (
                Class::Usage,
                "build.feature",
                "build it with --features and that name, or leave the option out",
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
            Error::Exchange(error) => error.advice(),
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
            Error::NoSuchPasskey(_) => (
                Class::NoPasskey,
                "passkey.unknown",
                "give a website, or the beginning of a credential_id, as cablecar-phone list --format json has them",
            ),
            Error::Ambiguous { .. } => {
                (Class::Usage, "passkey.ambiguous", "give more of the credential id, the last word of each")
            }
            Error::NotRemoved => (Class::Declined, "consent.declined", "answer y to remove it"),
            Error::CannotConfirm => {
                (Class::Other, "consent.cannot-ask", "run it in a terminal, or give --yes")
            }
            Error::BackupExists(_) => (
                Class::Other,
                "backup.exists",
                "name another file: a backup never takes the place of anything",
            ),
            Error::Backup { cause: vault::Error::NotFound, .. } => {
                (Class::Usage, "backup.not-found", "check the path of the backup")
            }
            Error::Backup { cause: vault::Error::WrongPassphrase, .. } => (
                Class::Other,
                "vault.wrong-passphrase",
                "give --backup-passphrase-file: a backup keeps the passphrase that it was made with",
            ),
            Error::Backup { cause, .. } => vault_advice(*cause),
            Error::Pin(error) => pin_advice(*error),
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
            Error::RelayRefused { .. } => (
                Class::Relay,
                "relay.not-allowed",
                "give the token that the relay's operator gave you with --relay-token-file, or choose another relay with --domain-id",
            ),
            Error::RelayToken { .. } => (
                Class::Usage,
                "relay.token-file",
                "put the token alone into the file, and let nobody else read it: chmod 600",
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
        // Told as what it is to the one who hears of it.
        V::Withdrawn => return Error::Cancelled.advice(),
        V::DiskFull => ("vault.disk-full", "make room on the disk; the vault is as it was"),
        V::Unconfirmed => (
            "vault.unconfirmed",
            "check the disk, and look whether it is still there after a restart: the change is made",
        ),
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

fn pin_advice(error: NoPin) -> (Class, &'static str, &'static str) {
    match error {
        NoPin::AlreadySet => (Class::Other, "pin.already-set", "change it with cablecar-phone pin change"),
        NoPin::NotSet => (Class::Other, "pin.not-set", "set one with cablecar-phone pin set"),
        NoPin::TooShort(_) => (Class::Usage, "pin.too-short", "choose a longer PIN"),
        NoPin::TooLong => (Class::Usage, "pin.too-long", "choose a shorter PIN"),
        NoPin::NotText => (Class::Usage, "pin.not-text", "choose a PIN of letters and digits, in UTF-8"),
        NoPin::Same => (Class::Usage, "pin.same", "choose another PIN than the old one"),
        NoPin::Differ => (Class::Usage, "pin.differ", "type the same PIN twice"),
        NoPin::File(_) => (Class::Usage, "pin.file", "check the path after --pin-file and its permissions"),
        NoPin::CannotAsk => (Class::Other, "pin.cannot-ask", "run it in a terminal, or give --pin-file"),
        NoPin::Declined => (Class::Declined, "pin.declined", "try again; nothing was changed"),
    }
}
