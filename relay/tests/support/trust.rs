//! A certificate for `relay.example`, and clients that trust it alone.

use std::path::Path;
use std::sync::Arc;

use cablecar_relay::{Security, tls};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

fn made() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(vec!["relay.example".into()]).unwrap()
}

/// A relay's TLS, and the certificate to trust.
pub(crate) fn encrypted() -> (Security, CertificateDer<'static>) {
    let made = made();
    let root = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    (Security::Tls(tls::server(vec![root.clone()], key).unwrap()), root)
}

/// The paths of certificate and key in this folder, and the certificate.
pub(crate) fn files(folder: &Path) -> (String, String, CertificateDer<'static>) {
    let made = made();
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    (write("cert.pem", cert), write("key.pem", key), made.cert.der().clone())
}

pub(crate) fn trusting(root: CertificateDer<'static>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
