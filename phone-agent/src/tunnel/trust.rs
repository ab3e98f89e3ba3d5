//! Whom to believe that it is the relay.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::Error;

/// Certificate authorities, and TLS that believes them.
#[derive(Debug, Clone)]
pub(super) struct Trust {
    pub(super) tls: Arc<ClientConfig>,
    /// Why there is nobody to believe, if so.
    pub(super) nobody: Option<String>,
}

impl Trust {
    /// The authorities in this file and no others; or else those of the
    /// system, which are those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name
    /// where they are set.
    pub(super) fn of(ca_file: Option<&Path>) -> Result<Self, Error> {
        let mut roots = rustls::RootCertStore::empty();
        let mut unreadable = None;
        match ca_file {
            None => {
                let found = rustls_native_certs::load_native_certs();
                roots.add_parsable_certificates(found.certs);
                unreadable = found.errors.first().map(ToString::to_string);
            }
            Some(file) => {
                let bad = |cause: &dyn std::fmt::Display| {
                    Error::Usage(format!("--ca-file {}: {cause}", file.display()))
                };
                for certificate in CertificateDer::pem_file_iter(file).map_err(|cause| bad(&cause))? {
                    roots.add(certificate.map_err(|cause| bad(&cause))?).map_err(|cause| bad(&cause))?;
                }
                if roots.is_empty() {
                    return Err(bad(&"no certificate in it"));
                }
            }
        }
        let nobody = roots.is_empty().then(|| match unreadable {
            Some(cause) => format!("the certificate authorities of this system cannot be read: {cause}"),
            None => "no certificate authority is installed on this system".into(),
        });
        // Both versions: some tunnel services speak only one of them.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|cause| Error::Io { what: "TLS".into(), cause: cause.to_string() })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: Arc::new(tls), nobody })
    }
}
