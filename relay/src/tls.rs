//! TLS for a relay: 1.2 and 1.3, because peers offer only one or the other.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;

use crate::error::{Error, Pem};

/// Reads certificate chain and private key from PEM files.
///
/// # Errors
/// [`Error::File`], [`Error::NoPem`], or [`Error::Tls`] if the two do not
/// belong together.
pub fn from_files(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, Error> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| file_error(error, Pem::Certificate, certificate))?;
    if chain.is_empty() {
        return Err(Error::NoPem { what: Pem::Certificate, path: certificate.into() });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| file_error(error, Pem::Key, key))?;
    server(chain, key)
}

/// A TLS server with this chain, leaf first, and key.
///
/// # Errors
/// [`Error::Tls`] if the two cannot be used together.
pub fn server(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A device comes once per sign-in. Tickets would cost memory and let the
    // relay recognise one that comes back.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

fn file_error(error: pem::Error, what: Pem, path: &Path) -> Error {
    match error {
        pem::Error::Io(cause) => Error::File { what, path: path.into(), cause },
        _ => Error::NoPem { what, path: path.into() },
    }
}
