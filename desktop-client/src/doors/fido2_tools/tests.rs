#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;

use base64ct::{Base64, Encoding};
use cablecar_protocol::cbor::Writer;
use cablecar_protocol::ctap::{
    AttestedCredential, AuthenticatorData, CredentialDescriptor, Options as CtapOptions, Status, User,
    get_assertion, make_credential,
};
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::arguments::Options;
use super::*;

const HASH: [u8; 32] = [7; 32];
const ID: [u8; 16] = [3; 16];
const RP: &str = "example.com";
const UP_UV: u8 = 0x05;

/// A folder with the files of one call after the other.
struct Bench(TempDir, SigningKey);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap(), SigningKey::from_slice(&[9; 32]).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, lines: &[String]) -> &Self {
        std::fs::write(self.path(name), lines.join("\n") + "\n").unwrap();
        self
    }

    fn lines(&self, name: &str) -> Vec<String> {
        std::fs::read_to_string(self.path(name)).unwrap().lines().map(str::to_owned).collect()
    }

    /// Arguments, in which `@` stands for the folder.
    fn options(&self, arguments: &str, plain: &str, never: &str, valued: &str) -> Result<Options, Failure> {
        let arguments = arguments.replace('@', &format!("{}/", self.0.path().display()));
        let (_, arguments) = Arguments::split(arguments.split(' ').map(OsString::from).collect())?;
        arguments.read(plain, never, valued)
    }

    fn make(&self, arguments: &str, answer: Result<Vec<u8>, Error>) -> (Result<(), Failure>, Option<Ask>) {
        let mut asked = None;
        let options = self.options(arguments, "dhqrvw", "bu", "tioc").unwrap();
        let made = cred::make(&options, |ask| {
            asked = Some(copy(ask));
            answer
        });
        (made, asked)
    }

    fn get(&self, arguments: &str, answer: Result<Vec<u8>, Error>) -> (Result<(), Failure>, Option<Ask>) {
        let mut asked = None;
        let got = self.options(arguments, "dprvw", "bhu", "tio").and_then(|options| {
            assert::get(&options, |ask| {
                asked = Some(copy(ask));
                answer
            })
        });
        (got, asked)
    }

    fn verify_cred(&self, arguments: &str) -> Result<(), Failure> {
        cred::verify(&self.options(arguments, "dv", "h", "ioc")?)
    }

    fn verify_assert(&self, arguments: &str) -> Result<(), Failure> {
        assert::verify(&self.options(arguments, "dpv", "h", "i")?)
    }

    fn made(&self, is_signed: bool) -> Vec<u8> {
        let point = self.1.verifying_key().to_encoded_point(false);
        let public_key = Writer::map_of(|map| {
            map.entry(1, |w| w.int(2)).entry(3, |w| w.int(-7)).entry(-1, |w| w.int(1));
            map.entry(-2, |w| w.bytes(point.x().unwrap())).entry(-3, |w| w.bytes(point.y().unwrap()));
        });
        let attested = AttestedCredential { aaguid: [0; 16], id: ID.to_vec(), public_key };
        let data = AuthenticatorData::new(Sha256::digest(RP).into(), UP_UV, 0, Some(attested));
        let signature = self.sign(data.as_bytes());
        let statement = match is_signed {
            false => vec![0xa0],
            true => Writer::map_of(|map| {
                map.text_entry("alg", |w| w.int(-7)).text_entry("sig", |w| w.bytes(&signature));
            }),
        };
        let format = if is_signed { "packed" } else { "none" };
        let response = make_credential::Response {
            format: format.into(),
            authenticator_data: data,
            statement,
            prf: None,
        };
        Status::OK.with(&response.to_bytes())
    }

    fn signed_in(&self, rp: &str, id: &[u8]) -> Vec<u8> {
        let data = AuthenticatorData::new(Sha256::digest(rp).into(), UP_UV, 0, None);
        let response = get_assertion::Response {
            credential: Some(CredentialDescriptor { id: id.to_vec(), transports: vec![] }),
            signature: self.sign(data.as_bytes()),
            authenticator_data: data,
            user: Some(User { id: b"ada".to_vec(), name: None, display_name: None }),
            number_of_credentials: None,
            user_selected: None,
            prf: None,
        };
        Status::OK.with(&response.to_bytes())
    }

    fn sign(&self, data: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.1.sign(&[data, &HASH].concat());
        signature.to_der().as_bytes().to_vec()
    }
}

fn copy(ask: &Ask) -> Ask {
    let Ask { request, hint, life, needs_uv, needs_rk } = ask;
    Ask { request: request.clone(), hint: *hint, life: *life, needs_uv: *needs_uv, needs_rk: *needs_rk }
}

fn b64(blob: &[u8]) -> String {
    Base64::encode_string(blob)
}

fn text(failure: Result<(), Failure>) -> String {
    failure.unwrap_err().to_string()
}

#[test]
fn a_passkey_is_made_checked_and_used_as_with_the_tools() {
    for is_signed in [false, true] {
        let bench = Bench::new();
        bench.write(
            "in",
            &[b64(&HASH), RP.into(), "ada".into(), b64(b"ada"), "a PIN that nobody reads".into()],
        );
        // As Teams for Linux calls it.
        let (made, asked) =
            bench.make("-M -h -r -v -t es256 -i @in -o @made /dev/hidraw9", Ok(bench.made(is_signed)));
        made.unwrap();
        let asked = asked.unwrap();
        assert!(asked.needs_rk && asked.needs_uv);
        let request = make_credential::Request::parse(&asked.request[1..]).unwrap();
        assert_eq!((request.client_data_hash, request.rp.id.as_str()), (HASH, RP));
        assert_eq!((request.user.id, request.user.name.as_deref()), (b"ada".to_vec(), Some("ada")));
        assert_eq!(request.options, CtapOptions { rk: Some(true), up: None, uv: Some(true) });
        let lines = bench.lines("made");
        assert_eq!(lines.len(), 6);
        assert_eq!((lines[1].as_str(), lines[2].as_str()), (RP, if is_signed { "packed" } else { "none" }));
        assert_eq!((&lines[0], &lines[4]), (&b64(&HASH), &b64(&ID)));

        bench.verify_cred("-V -v -i @made -o @cred es256").unwrap();
        let cred = bench.lines("cred");
        assert_eq!((cred[0].as_str(), cred[1].as_str()), (b64(&ID).as_str(), "-----BEGIN PUBLIC KEY-----"));
        bench.write("pubkey", &cred[1..]);

        bench.write("ask", &[b64(&HASH), RP.into(), cred[0].clone()]);
        let (got, asked) = bench.get("-Gp -i@ask -o @got any", Ok(bench.signed_in(RP, &ID)));
        got.unwrap();
        let request = get_assertion::Request::parse(&asked.unwrap().request[1..]).unwrap();
        assert_eq!((request.allow[0].id.as_slice(), request.options), (&ID[..], CtapOptions::default()));
        assert_eq!(bench.lines("got").len(), 4);
        bench.verify_assert("-V -pv -i @got @pubkey").unwrap();

        // With -r there is no credential in, and the user comes out.
        bench.write("ask", &[b64(&HASH), RP.into()]);
        let (got, asked) = bench.get("-G -r -t pin=true -i @ask -o @got any", Ok(bench.signed_in(RP, &ID)));
        got.unwrap();
        let request = get_assertion::Request::parse(&asked.unwrap().request[1..]).unwrap();
        assert!(request.allow.is_empty() && request.options.uv == Some(true));
        assert_eq!(bench.lines("got")[4], b64(b"ada"));
        bench.verify_assert("-V -i @got @pubkey es256").unwrap();
    }
}

#[test]
fn what_was_bent_is_found() {
    let bench = Bench::new();
    bench.write("in", &[b64(&HASH), RP.into(), "ada".into(), b64(b"ada")]);
    bench.make("-M -i @in -o @made any", Ok(bench.made(true))).0.unwrap();
    bench.verify_cred("-V -i @made -o @cred").unwrap();
    bench.write("pubkey", &bench.lines("cred")[1..]);
    bench.write("ask", &[b64(&HASH), RP.into(), b64(&ID)]);
    bench.get("-G -i @ask -o @got any", Ok(bench.signed_in(RP, &ID))).0.unwrap();

    let bent = |name: &str, line: usize, instead: String| {
        let mut lines = bench.lines(name);
        lines[line] = instead;
        bench.write("bent", &lines);
    };
    let other =
        [b64(&[8; 32]), "example.org".to_owned(), "none".into(), b64(b"\x43abc"), b64(&[1; 16]), b64(b"x")];
    for (line, instead) in other.iter().enumerate() {
        bent("made", line, instead.clone());
        assert!(text(bench.verify_cred("-V -i @bent")).starts_with("fido_cred_verify_self: "), "line {line}");
    }
    let other = [b64(&[8; 32]), "example.org".into(), b64(b"\x43abc"), b64(b"x")];
    for (line, instead) in other.iter().enumerate() {
        bent("got", line, instead.clone());
        assert!(
            text(bench.verify_assert("-V -i @bent @pubkey")).starts_with("fido_assert_verify: "),
            "line {line}"
        );
    }
    bent("got", 0, "!".into());
    assert_eq!(text(bench.verify_assert("-V -i @bent @pubkey")), "input error");
    assert!(text(bench.verify_assert("-V -i @got @got")).ends_with("holds no ES256 key"));
}

#[test]
fn answers_that_do_not_fit_are_not_passed_on() {
    let bench = Bench::new();
    bench.write("ask", &[b64(&HASH), RP.into(), b64(&ID)]);
    bench.write("in", &[b64(&HASH), RP.into(), "ada".into(), b64(b"ada")]);
    let get = |answer| text(bench.get("-G -i @ask -o @got any", answer).0);
    let make = |answer| text(bench.make("-M -i @in -o @made any", answer).0);
    assert_eq!(get(Ok(vec![0x2e])), "fido_dev_get_assert: FIDO_ERR_NO_CREDENTIALS");
    assert_eq!(get(Ok(vec![0x27])), "fido_dev_get_assert: FIDO_ERR_OPERATION_DENIED");
    assert_eq!(get(Err(Error::NobodyCame)), "fido_dev_get_assert: FIDO_ERR_USER_ACTION_TIMEOUT");
    assert_eq!(get(Ok(bench.signed_in("example.org", &ID))), "fido_dev_get_assert: FIDO_ERR_ERR_OTHER");
    assert_eq!(get(Ok(bench.signed_in(RP, &[4; 16]))), "fido_dev_get_assert: FIDO_ERR_ERR_OTHER");
    assert_eq!(get(Ok(vec![])), "fido_dev_get_assert: FIDO_ERR_ERR_OTHER");
    assert_eq!(make(Ok(vec![0x19])), "fido_dev_make_cred: FIDO_ERR_CREDENTIAL_EXCLUDED");
    assert_eq!(make(Ok(vec![0, 0xa0])), "fido_dev_make_cred: FIDO_ERR_ERR_OTHER");
    bench.write("in", &[b64(&HASH), "example.org".into(), "ada".into(), b64(b"ada")]);
    assert_eq!(make(Ok(bench.made(false))), "fido_dev_make_cred: FIDO_ERR_ERR_OTHER");
    assert!(!bench.path("got").exists() && !bench.path("made").exists());
}

#[test]
fn what_no_phone_does_is_refused_before_it_is_asked() {
    let bench = Bench::new();
    bench.write("ask", &[b64(&HASH), RP.into(), b64(&ID)]);
    let wrong = [
        ("-G -h -i @ask any", "hmac-secret needs an agreement"),
        ("-G -b -i @ask any", "large blobs do not pass"),
        ("-Gu -i @ask any", "U2F does not pass"),
        ("-G -t up=false -i @ask any", "they always ask"),
        ("-G -t luck=true -i @ask any", "unknown option"),
        ("-G -i @ask", "not understood"),
        ("-G -x -i @ask any", "not understood"),
        ("-G any -i", "not understood"),
        ("-G -i @nothing any", "open "),
        ("-G -r -w -r -i @ask any other", "not understood"),
    ];
    for (arguments, why) in wrong {
        let (got, asked) = bench.get(arguments, Ok(vec![0]));
        assert!(text(got).contains(why), "{arguments}");
        assert!(asked.is_none(), "{arguments}: the phone was asked");
    }
    bench.write("in", &[b64(&[1; 31]), RP.into(), "ada".into(), b64(b"ada")]);
    for (arguments, why) in [
        ("-M -i @in any", "has not 32 bytes"),
        ("-M -c 2 -i @in any", "-c is not"),
        ("-M -i @in any rsa", "unknown type"),
    ] {
        let (made, asked) = bench.make(arguments, Ok(vec![0]));
        assert!(text(made).contains(why) && asked.is_none(), "{arguments}");
    }
}

#[test]
fn the_tools_are_known_by_their_names_wherever_they_are() {
    let called = |name: &str| Tool::called(OsStr::new(name));
    assert_eq!(called("fido2-assert"), Some(Tool::Assert));
    assert_eq!(called("/usr/local/bin/fido2-cred"), Some(Tool::Cred));
    assert_eq!(called("./fido2-token"), Some(Tool::Token));
    assert_eq!([called("cablecar"), called("fido2-assert2"), called("")], [None, None, None]);
}
