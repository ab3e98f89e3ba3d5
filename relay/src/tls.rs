//! TLS for a relay: 1.2 and 1.3, because peers offer only one or the other.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};

use crate::certificate::Facts;
use crate::error::{Error, Pem};
use crate::reload::{Commit, Reload};

/// A certificate chain and its key in two PEM files, read again whenever it
/// is asked for. Who is connected already notices nothing.
#[derive(Debug)]
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    slot: Arc<Slot>,
}

/// What new connections are shown.
#[derive(Debug)]
struct Slot(RwLock<Served>);

#[derive(Debug, Clone)]
struct Served {
    key: Arc<CertifiedKey>,
    facts: Facts,
}

impl Certificates {
    /// Reads certificate chain, leaf first, and private key.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::NoPem`], or [`Error::Tls`] if the two do not
    /// belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let served = Served::read(certificate, key)?;
        let slot = Arc::new(Slot(RwLock::new(served)));
        Ok(Self { certificate: certificate.into(), key: key.into(), slot })
    }

    /// A TLS server that shows what was read last.
    ///
    /// # Errors
    /// [`Error::Tls`], which does not happen.
    pub fn server(&self) -> Result<Arc<ServerConfig>, Error> {
        let slot: Arc<Slot> = Arc::clone(&self.slot);
        server_with(slot, &[])
    }

    /// When the leaf ends to be valid.
    pub fn expiry(&self) -> SystemTime {
        self.slot.served().facts.not_after
    }

    /// Whether the key is RSA, whose handshakes cost 32 times what ECDSA's do.
    pub fn is_rsa(&self) -> bool {
        self.slot.served().facts.rsa
    }

    /// Refuses a certificate that is of no use any more.
    ///
    /// # Errors
    /// [`Error::Expired`]
    pub fn check(&self, now: SystemTime) -> Result<(), Error> {
        self.slot.served().check(now, &self.certificate)
    }
}

impl Reload for Certificates {
    fn files(&self) -> Vec<PathBuf> {
        vec![self.certificate.clone(), self.key.clone()]
    }

    fn prepare(&self, now: SystemTime) -> Result<Commit, Error> {
        let served = Served::read(&self.certificate, &self.key)?;
        served.check(now, &self.certificate)?;
        let slot = Arc::clone(&self.slot);
        Ok(Box::new(move || *slot.0.write().unwrap_or_else(PoisonError::into_inner) = served))
    }
}

impl Slot {
    fn served(&self) -> Served {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Slot {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.served().key)
    }
}

impl Served {
    fn read(certificate: &Path, key: &Path) -> Result<Self, Error> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| file_error(error, Pem::Certificate, certificate))?;
        let none = || Error::NoPem { what: Pem::Certificate, path: certificate.into() };
        let facts = chain.first().and_then(|leaf| Facts::of(leaf)).ok_or_else(none)?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| file_error(error, Pem::Key, key))?;
        let key = CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider())?;
        Ok(Self { key: Arc::new(key), facts })
    }

    fn check(&self, now: SystemTime, path: &Path) -> Result<(), Error> {
        if now < self.facts.not_after { Ok(()) } else { Err(Error::Expired { path: path.into() }) }
    }
}

/// A TLS server with this chain, leaf first, and key, for as long as it runs.
///
/// # Errors
/// [`Error::Tls`] if the two cannot be used together.
pub fn server(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, Error> {
    let key = CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider())?;
    server_with(Arc::new(rustls::sign::SingleCertAndKey::from(key)), &[])
}

/// A TLS server that shows what this gives, and speaks these protocols
/// beside HTTP.
pub(crate) fn server_with(
    certificates: Arc<dyn ResolvesServerCert>,
    beside: &[&[u8]],
) -> Result<Arc<ServerConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = [&[&b"http/1.1"[..]], beside].concat().into_iter().map(Into::into).collect();
    // A device comes once per sign-in. Tickets would cost memory and let the
    // relay recognise one that comes back.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// The certificate authorities of the system; none where it has none.
pub(crate) fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

pub(crate) fn file_error(error: pem::Error, what: Pem, path: &Path) -> Error {
    match error {
        pem::Error::Io(cause) => Error::File { what, path: path.into(), cause },
        _ => Error::NoPem { what, path: path.into() },
    }
}
