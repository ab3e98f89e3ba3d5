//! Certificates from an authority that speaks ACME (RFC 8555). That the name
//! is ours is proven within TLS, at the very port that serves (RFC 8737), so
//! no second port and no program beside this one is needed.

use std::io;
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_acme::caches::DirCache;
use rustls_acme::{AcmeConfig, AcmeState, EventOk};

use crate::config::Acme;
use crate::error::{Error, Pem};
use crate::observer::Event;
use crate::tls;

/// Let's Encrypt's.
const DIRECTORY: &str = rustls_acme::acme::LETS_ENCRYPT_PRODUCTION_DIRECTORY;

/// The protocol in which the authority asks (RFC 8737, section 3).
const CHALLENGE: &[u8] = b"acme-tls/1";

/// Who gives us certificates, and what we have of it.
pub(crate) struct Authority {
    state: AcmeState<io::Error>,
}

impl Authority {
    /// Prepares to ask; nothing is sent yet. Makes the folder of the cache.
    ///
    /// # Errors
    /// [`Error::Acme`] if that folder cannot be made, [`Error::File`] or
    /// [`Error::NoPem`] for the authority's own certificates.
    pub(crate) fn new(acme: &Acme) -> Result<Self, Error> {
        let failed = |cause: io::Error| Error::Acme(format!("{}: {cause}", acme.cache_dir.display()));
        private_folder(&acme.cache_dir).map_err(failed)?;
        let config = AcmeConfig::new_with_client_config([&acme.host], client(acme.ca_file.as_deref())?)
            .directory(acme.directory.as_deref().unwrap_or(DIRECTORY))
            .contact_push(&acme.contact)
            .cache(DirCache::new(acme.cache_dir.clone()));
        Ok(Self { state: config.state() })
    }

    /// A TLS server that shows what the authority gave last.
    ///
    /// # Errors
    /// [`Error::Tls`], which does not happen.
    pub(crate) fn server(&self) -> Result<Arc<ServerConfig>, Error> {
        tls::server_with(self.state.resolver(), &[CHALLENGE])
    }

    /// Asks for a certificate, and again before it expires. After a failure
    /// it waits, each time twice as long.
    pub(crate) async fn attend(mut self, tell: impl Fn(Event)) {
        while let Some(event) = self.state.next().await {
            match event {
                Ok(EventOk::DeployedCachedCert | EventOk::DeployedNewCert) => tell(Event::Reloaded),
                Ok(EventOk::CertCacheStore | EventOk::AccountCacheStore) => {}
                Err(error) => {
                    let error = Error::Acme(error.to_string());
                    tell(Event::NotReloaded { error: error.id(), reason: error.to_string() });
                }
            }
        }
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority(..)")
    }
}

/// A folder that nobody else reads: private keys will lie in it.
fn private_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Whom we believe to be the authority.
fn client(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, Error> {
    let roots = match ca_file {
        Some(path) => {
            let certificates = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| tls::file_error(error, Pem::Certificate, path))?;
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates);
            roots
        }
        None => tls::system_roots(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
