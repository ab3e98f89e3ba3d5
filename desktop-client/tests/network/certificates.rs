//! Whom the program believes that it is the relay.

use std::fs;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;

use super::stand_in::{OPENED, tls_relay};
use super::{Computer, HOST, first_finding};

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
    let (computer, authority) = (Computer::new(), Authority::new());
    let relay = tls_relay(authority.server(HOST), OPENED);
    let rule = relay.instead_of(HOST);
    let found = |store: &str| {
        let mut doctor = computer.doctor(&["--domain-id", "0", "--connect-to", &rule]);
        doctor.env("SSL_CERT_FILE", store);
        first_finding(doctor)
    };

    // Nobody to believe.
    let (id, said) = found("no-certificates");
    assert!(
        id == "relay.tls" && said.contains("the certificate authorities of this system cannot be read"),
        "{id} {said}"
    );

    // Somebody else.
    fs::write(computer.path("other.pem"), Authority::new().pem()).unwrap();
    assert_eq!(found("other.pem").0, "relay.tls");
    assert!(relay.heads().is_empty());

    // The one who vouches for the relay, which is then heard.
    fs::write(computer.path("store.pem"), authority.pem()).unwrap();
    assert_eq!(found("store.pem"), Default::default());
    assert_eq!(relay.heads().len(), 1);
}

#[test]
fn a_file_of_ones_own_is_believed_in_the_place_of_the_store() {
    let (computer, authority) = (Computer::new(), Authority::new());
    let relay = tls_relay(authority.server(HOST), OPENED);
    let rule = relay.instead_of(HOST);
    fs::write(computer.path("store.pem"), authority.pem()).unwrap();
    fs::write(computer.path("own.pem"), Authority::new().pem()).unwrap();
    for (file, expected) in [("store.pem", ""), ("own.pem", "relay.tls")] {
        let arguments = ["--domain-id", "0", "--connect-to", &rule, "--ca-file", file];
        let mut doctor = computer.doctor(&arguments);
        doctor.env("SSL_CERT_FILE", "store.pem");
        assert_eq!(first_finding(doctor).0, expected);
    }
}
