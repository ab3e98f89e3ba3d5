use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::Error;
use crate::tls;

/// Whom to believe that it is the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The authorities of the system.
    System,
    /// Those in this file, and no others.
    File(PathBuf),
    /// Anybody, unseen: for loopback alone, where the signatures of a
    /// certificate would cost the load generator more than the relay.
    #[cfg(feature = "bench")]
    Anybody,
}

impl Trust {
    /// TLS that believes them.
    ///
    /// # Errors
    /// [`Error::Usage`] for a file that cannot be read or holds none, and
    /// where the system has none.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        // Both versions: some relays speak only one of them.
        let versions = &[&rustls::version::TLS13, &rustls::version::TLS12];
        let builder =
            ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions)?;
        let roots = match self {
            Trust::System => of_system()?,
            Trust::File(file) => of_file(file)?,
            #[cfg(feature = "bench")]
            Trust::Anybody => {
                let unseen = Arc::new(unseen::Unseen(provider));
                let config = builder.dangerous().with_custom_certificate_verifier(unseen);
                return Ok(Arc::new(config.with_no_client_auth()));
            }
        };
        Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
    }
}

fn of_system() -> Result<rustls::RootCertStore, Error> {
    let roots = tls::system_roots();
    if roots.is_empty() {
        return Err(Error::Usage(
            "no certificate authority is installed on this system; name one with --ca-file".into(),
        ));
    }
    Ok(roots)
}

fn of_file(file: &Path) -> Result<rustls::RootCertStore, Error> {
    let mut roots = rustls::RootCertStore::empty();
    let bad = |cause: &dyn std::fmt::Display| Error::Usage(format!("--ca-file {}: {cause}", file.display()));
    for certificate in CertificateDer::pem_file_iter(file).map_err(|cause| bad(&cause))? {
        roots.add(certificate.map_err(|cause| bad(&cause))?).map_err(|cause| bad(&cause))?;
    }
    if roots.is_empty() {
        return Err(bad(&"no certificate in it"));
    }
    Ok(roots)
}

#[cfg(feature = "bench")]
mod unseen {
    use std::sync::Arc;

    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::CryptoProvider;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{DigitallySignedStruct, Error, SignatureScheme};

    /// Looks at no certificate and no signature.
    #[derive(Debug)]
    pub(super) struct Unseen(pub(super) Arc<CryptoProvider>);

    impl ServerCertVerifier for Unseen {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.0.signature_verification_algorithms.supported_schemes()
        }
    }
}
