//! What keeps a relay from starting, and what to do about it.

use std::io;
use std::path::PathBuf;

use crate::access::ListFile;
use crate::address::Address;

/// Why a relay did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The command line does not parse.
    #[error("{0}")]
    Usage(String),
    /// A setting that contradicts another or cannot be.
    #[error("{setting} {problem}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A value that somebody gave and that cannot be.
    #[error("{place} {problem}")]
    Value {
        /// Flag, variable, or file, line and key.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A key that no setting has.
    #[error("{place}: there is no {unknown}; the nearest is {nearest}")]
    UnknownKey {
        /// File and line.
        place: String,
        /// The key.
        unknown: String,
        /// The known one that is most like it.
        nearest: String,
    },
    /// The configuration file is no TOML.
    #[error("{place}: {problem}")]
    NotToml {
        /// File and line.
        place: String,
        /// What is wrong there.
        problem: String,
    },
    /// The configuration file cannot be read.
    #[error("cannot read the configuration file {}: {cause}", path.display())]
    ConfigFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file of certificates or keys cannot be read.
    #[error("cannot read the {what} file {}: {cause}", path.display())]
    File {
        /// Certificate or key.
        what: Pem,
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file of certificates or keys holds none.
    #[error("there is no {what} in PEM form in {}", path.display())]
    NoPem {
        /// Certificate or key.
        what: Pem,
        /// Which file.
        path: PathBuf,
    },
    /// Certificate and key do not make a TLS server.
    #[error("certificate and key cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    /// The certificate is not valid any more.
    #[error("the certificate in {} has expired", path.display())]
    Expired {
        /// Which file.
        path: PathBuf,
    },
    /// No certificate comes from the authority.
    #[error("no certificate by ACME: {0}")]
    Acme(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {cause}")]
    Listen {
        /// Which.
        addr: Address,
        /// Why.
        cause: io::Error,
    },
    /// A tunnel service domain id that nobody has been given.
    #[error("tunnel service domain {0} is not assigned to anybody")]
    Unassigned(u16),
    /// A host name under which no client can reach a relay.
    #[error("{0} is not the host of any tunnel service domain")]
    NoDomain(String),
    /// A file of tokens or networks cannot be used.
    #[error("the {what} file {} {problem}", path.display())]
    List {
        /// Which of them.
        what: ListFile,
        /// Where.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The folder of the start counter and the handover sockets cannot be used.
    #[error("cannot use the folder {}: {cause}", path.display())]
    State {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// No relay answers where the admin listener should be.
    #[error("no relay answers at {addr}: {cause}")]
    Unreachable {
        /// Where.
        addr: Address,
        /// Why.
        cause: io::Error,
    },
    /// Something answers there, and it is no relay.
    #[error("what answers at {addr} is no relay's admin listener")]
    Stranger {
        /// Where.
        addr: Address,
    },
    /// The relay did not do what it was told.
    #[error("the relay refused: {0}")]
    Refused(String),
    /// The system gave no threads, signals or randomness.
    #[error("the system refused: {0}")]
    System(String),
}

/// What a PEM file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pem {
    /// The certificate, and those between it and a root.
    Certificate,
    /// Its private key.
    Key,
}

impl std::fmt::Display for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Pem::Certificate => "certificate",
            Pem::Key => "private key",
        })
    }
}

impl Error {
    /// The stable name of this cause, for programs.
    pub fn id(&self) -> &'static str {
        match self {
            Error::Usage(_) => "usage.arguments",
            Error::Setting { .. } | Error::Value { .. } => "config.setting",
            Error::UnknownKey { .. } => "config.unknown-key",
            Error::NotToml { .. } => "config.toml",
            Error::ConfigFile { .. } => "config.file",
            Error::File { what: Pem::Certificate, .. } | Error::NoPem { what: Pem::Certificate, .. } => {
                "config.tls-cert"
            }
            Error::File { .. } | Error::NoPem { .. } => "config.tls-key",
            Error::Tls(_) => "config.tls",
            Error::Expired { .. } => "config.tls-expired",
            Error::Acme(_) => "tls.acme",
            Error::Listen { .. } => "relay.listen",
            Error::Unassigned(_) => "domain.unassigned",
            Error::NoDomain(_) => "domain.unknown",
            Error::List { .. } => "config.access-file",
            Error::State { .. } => "relay.state",
            Error::Unreachable { .. } => "admin.unreachable",
            Error::Stranger { .. } => "admin.stranger",
            Error::Refused(_) => "admin.refused",
            Error::System(_) => "relay.system",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Error::Usage(_) => {
                "see cablecar-relay --help; serve needs --tls-cert and --tls-key, or --plain behind a proxy that does TLS"
            }
            Error::Setting { .. } | Error::Value { .. } => {
                "change the setting; cablecar-relay serve --help names the defaults"
            }
            Error::UnknownKey { .. } => {
                "correct it or take it out; cablecar-relay config print lists all keys"
            }
            Error::NotToml { .. } => {
                "write it as cablecar-relay config print does: key = value, texts in quotes"
            }
            Error::ConfigFile { .. } | Error::File { .. } => {
                "check the path and that this user may read the file"
            }
            Error::NoPem { what: Pem::Certificate, .. } => {
                "give the file with -----BEGIN CERTIFICATE-----, leaf first"
            }
            Error::NoPem { .. } => {
                "give the file with -----BEGIN PRIVATE KEY-----, not encrypted with a passphrase"
            }
            Error::Tls(_) => "give the certificate and the very key that belongs to it",
            Error::Acme(_) => {
                "check that the authority is reached, and reaches port 443 of the relay under its own name"
            }
            Error::Expired { .. } => "renew it; if it is new, look at this machine's clock",
            Error::Listen { cause, .. } if cause.kind() == io::ErrorKind::AddrInUse => {
                "stop the program that listens there, or choose another --listen"
            }
            Error::Listen { addr: Address::Tcp(_), cause }
                if cause.kind() == io::ErrorKind::PermissionDenied =>
            {
                "choose a port above 1023, or allow this program the low ones"
            }
            Error::Listen { addr: Address::Systemd, .. } => {
                "start it from a socket unit, or choose an address with --listen"
            }
            Error::Listen { addr: Address::Unix(_), .. } => {
                "choose a path in a folder that is there and that this user may write to"
            }
            Error::Listen { .. } => "choose an address of this machine with --listen",
            Error::Unassigned(_) => "choose an id from 256 to 65535, or 0 or 1",
            Error::NoDomain(_) => "list the possible hosts with cablecar-relay domain find",
            Error::List { .. } => {
                "give a file that this user may read: one token of at least 16 characters, or one network, a line; # begins a comment"
            }
            Error::State { .. } => {
                "give --state-dir a folder that this user may write, with a path of less than 80 characters"
            }
            Error::Unreachable { cause, .. } if cause.kind() == io::ErrorKind::PermissionDenied => {
                "use the relay's user, or root"
            }
            Error::Unreachable { .. } => {
                "start the relay with --admin-listen, and give the same address here"
            }
            Error::Stranger { .. } => {
                "give the address that the relay has in --admin-listen, not the one for clients"
            }
            Error::Refused(_) => "correct what it names, and tell it again; it goes on as before",
            Error::System(_) => "look at the limits of this user and machine",
        }
    }

    pub(crate) fn system(cause: impl std::fmt::Display) -> Self {
        Self::System(cause.to_string())
    }

    /// The exit code of a program that ends with this error.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Listen { .. } | Error::Unreachable { .. } => 7,
            Error::System(_) | Error::Stranger { .. } | Error::Refused(_) => 1,
            _ => 2,
        }
    }
}
