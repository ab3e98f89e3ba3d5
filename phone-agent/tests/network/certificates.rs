//! Whom the program believes that it is the relay.

use std::fs;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;

use super::stand_in::{CONFLICT, tls_relay};
use super::{HOST, Phone, ended};

/// A certificate authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.distinguished_name.push(DnType::CommonName, "somebody's own");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// TLS for a host that this authority vouches for.
    pub(crate) fn server(&self, host: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new([host.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key.into());
        Arc::new(config.unwrap())
    }
}

#[test]
fn the_store_of_the_system_is_believed() {
    let (phone, authority) = (Phone::new(), Authority::new());
    let relay = tls_relay(authority.server(HOST), CONFLICT);
    let rule = relay.instead_of(HOST);
    let scan =
        |store: &str| phone.scan(&["--connect-to", &rule]).env("SSL_CERT_FILE", store).output().unwrap();

    // Nobody to believe.
    let (exit, id, said) = ended(&scan("no-certificates"));
    assert_eq!((exit, id.as_str()), (7, "relay.tls"), "{said}");
    assert!(said.contains("the certificate authorities of this system cannot be read"), "{said}");

    // Somebody else.
    fs::write(phone.path("other.pem"), Authority::new().pem()).unwrap();
    let (exit, id, said) = ended(&scan("other.pem"));
    assert_eq!((exit, id.as_str()), (7, "relay.tls"), "{said}");

    // The one who vouches for the relay, which is then heard.
    fs::write(phone.path("store.pem"), authority.pem()).unwrap();
    let (exit, id, said) = ended(&scan("store.pem"));
    assert_eq!((exit, id.as_str()), (7, "relay.code-in-use"), "{said}");
    assert_eq!(relay.heads().len(), 1);
}

#[test]
fn a_file_of_ones_own_is_believed_in_the_place_of_the_store() {
    let (phone, authority) = (Phone::new(), Authority::new());
    let relay = tls_relay(authority.server(HOST), CONFLICT);
    let rule = relay.instead_of(HOST);
    fs::write(phone.path("store.pem"), authority.pem()).unwrap();
    fs::write(phone.path("own.pem"), Authority::new().pem()).unwrap();
    for (file, expected) in [("store.pem", "relay.code-in-use"), ("own.pem", "relay.tls")] {
        let mut scan = phone.scan(&["--connect-to", &rule, "--ca-file", file]);
        let (exit, id, said) = ended(&scan.env("SSL_CERT_FILE", "store.pem").output().unwrap());
        assert_eq!((exit, id.as_str()), (7, expected), "{said}");
    }
}
