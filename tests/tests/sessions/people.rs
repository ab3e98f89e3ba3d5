//! A relay, a computer and a phone on one machine, and a website that is not
//! ours: what somebody with three terminals has.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;

use cablecar_protocol::tunnel::TunnelServiceDomain;
use cablecar_tests::relying_party::RelyingParty;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;
use webauthn_rs_core::proto::Credential;

use crate::programs::{Ended, Program};

const ORIGIN: &str = "https://login.example.com";
const DOMAIN: u16 = 266;

/// The website that everybody visits.
pub fn website() -> RelyingParty {
    RelyingParty::new("example.com", ORIGIN)
}

/// The first terminal.
pub struct Relay {
    pub program: Program,
    address: SocketAddr,
    home: TempDir,
}

impl Relay {
    /// A relay without TLS.
    pub fn plain(arguments: &[&str]) -> Self {
        Self::start(tempfile::tempdir().unwrap(), &[&["--plain"], arguments].concat())
    }

    /// A relay with a certificate for its name, by an authority of its own.
    pub fn with_tls() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.distinguished_name.push(DnType::CommonName, "Cablecar sessions");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new([Self::host()]).unwrap().signed_by(&key, &authority).unwrap();
        fs::write(home.path().join("ca.pem"), authority.pem()).unwrap();
        fs::write(home.path().join("cert.pem"), certificate.pem()).unwrap();
        fs::write(home.path().join("key.pem"), key.serialize_pem()).unwrap();
        let domain = DOMAIN.to_string();
        Self::start(home, &["--tls-cert", "cert.pem", "--tls-key", "key.pem", "--domain-id", &domain])
    }

    fn start(home: TempDir, arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let program = Program::start("cablecar-relay", home.path(), &arguments, "");
        let said = program.first_line();
        let address = said.trim().strip_prefix("listening on ").unwrap().parse().unwrap();
        Self { program, address, home }
    }

    fn host() -> String {
        TunnelServiceDomain::new(DOMAIN).unwrap().host()
    }

    /// How both clients get to a relay without TLS.
    pub fn as_danger(&self) -> Vec<String> {
        words(&["--danger-relay", &format!("ws://{}", self.address)])
    }

    /// How both clients get to a relay with TLS, trusting its authority.
    pub fn by_name(&self) -> Vec<String> {
        self.by_name_trusting(&self.home.path().join("ca.pem"))
    }

    /// How both clients get to a relay with TLS, trusting another authority.
    pub fn by_name_trusting(&self, ca_file: &Path) -> Vec<String> {
        let rule = format!("{}:443:{}:{}", Self::host(), self.address.ip(), self.address.port());
        words(&["--connect-to", &rule, "--ca-file", ca_file.to_str().unwrap()])
    }

    /// A certificate, but not of the authority that signed the relay's.
    pub fn another_authority(&self) -> std::path::PathBuf {
        let file = self.home.path().join("other.pem");
        let other = rcgen::generate_simple_self_signed(["other.example".into()]).unwrap();
        fs::write(&file, other.cert.pem()).unwrap();
        file
    }
}

/// A place where adverts are heard: one loopback address.
pub struct Air(String);

impl Air {
    /// A place that nobody else listens to.
    pub fn new() -> Self {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        Self(free.local_addr().unwrap().to_string())
    }
}

/// The second terminal.
pub struct Computer<'a> {
    pub home: TempDir,
    pub air: &'a Air,
    pub network: Vec<String>,
}

impl<'a> Computer<'a> {
    pub fn new(air: &'a Air, network: Vec<String>) -> Self {
        Self { home: tempfile::tempdir().unwrap(), air, network }
    }

    /// Asks for a new passkey, as the page wants it.
    pub fn create(&self, options: &Value) -> Program {
        self.start("create", options, &["--qr", "text"])
    }

    /// Asks for a sign-in, as the page wants it.
    pub fn get(&self, options: &Value) -> Program {
        self.start("get", options, &["--qr", "text"])
    }

    pub fn start(&self, command: &str, options: &Value, more: &[&str]) -> Program {
        let fixed = [command, "--origin", ORIGIN, "--danger-air", &self.air.0];
        let network = self.network.iter().map(String::as_str);
        let arguments: Vec<&str> = fixed.into_iter().chain(network).chain(more.iter().copied()).collect();
        Program::start("cablecar", self.home.path(), &arguments, &options.to_string())
    }

    /// What is on its disk after a request.
    pub fn leftovers(&self) -> usize {
        fs::read_dir(self.home.path()).unwrap().count()
    }
}

/// The code on a screen, to the scanned.
pub fn code(computer: &mut Program) -> String {
    computer.line(|line| line.starts_with("FIDO:/"))
}

/// The third terminal: a phone with a vault.
pub struct Phone {
    pub home: TempDir,
}

impl Phone {
    pub fn new() -> Self {
        let phone = Self { home: tempfile::tempdir().unwrap() };
        fs::write(phone.home.path().join("passphrase"), "correct horse battery staple\n").unwrap();
        let made = phone.start(&["init", "--danger-weak-kdf"], "");
        assert_eq!(made.end().result(), "");
        phone
    }

    fn start(&self, arguments: &[&str], input: &str) -> Program {
        let arguments = [arguments, &["--passphrase-file", "passphrase"]].concat();
        Program::start("cablecar-phone", self.home.path(), &arguments, input)
    }

    /// Scans a code in this place and answers by this script.
    pub fn scan(&self, code: &str, air: &Air, network: &[String], consent: &str) -> Program {
        self.scan_with(&["-"], code, air, network, consent)
    }

    pub fn scan_with(
        &self,
        more: &[&str],
        input: &str,
        air: &Air,
        network: &[String],
        consent: &str,
    ) -> Program {
        let domain = DOMAIN.to_string();
        let fixed = ["scan", "--domain-id", &domain, "--danger-air", &air.0, "--danger-consent", consent];
        let network = network.iter().map(String::as_str);
        let arguments: Vec<&str> = fixed.into_iter().chain(network).chain(more.iter().copied()).collect();
        self.start(&arguments, input)
    }

    /// What the vault holds, as programs read it.
    pub fn passkeys(&self) -> Vec<Value> {
        let listed = self.start(&["list", "--format", "json"], "").end().result();
        serde_json::from_str(&listed).unwrap()
    }
}

/// Both sides of one request, to their ends.
pub fn play(
    mut computer: Program,
    phone: &Phone,
    air: &Air,
    network: &[String],
    consent: &str,
) -> [Ended; 2] {
    let code = code(&mut computer);
    let phone = phone.scan(&code, air, network, consent);
    [computer.end(), phone.end()]
}

/// Registers an account and has the website check what came out.
pub fn register(computer: &Computer<'_>, phone: &Phone, website: &RelyingParty, name: &str) -> Credential {
    let (options, state) = website.register(name);
    let program = computer.create(&options);
    let [computer, phone] = play(program, phone, computer.air, &computer.network, "allow");
    assert_eq!(phone.result(), "");
    let response = serde_json::from_str(&computer.result()).unwrap();
    website.registered(&response, &state).unwrap()
}

/// Options to sign in for which any passkey will do.
pub fn anybody() -> Value {
    json!({"challenge": "YW5vdGhlciBjaGFsbGVuZ2U", "rpId": "example.com", "userVerification": "required"})
}

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(|&word| word.to_owned()).collect()
}
