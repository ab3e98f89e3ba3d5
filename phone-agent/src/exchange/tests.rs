//! What several formats have in common, and what the tests of each share.

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use super::*;
use crate::vault::{Algorithm, PrivateKey};

pub(super) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(4)
}

pub(super) fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.as_bytes().to_vec()).unwrap()
}

/// As cheap as a key derivation can be.
pub(super) const CHEAP: Cost = Cost { memory_kib: 1024, passes: 1, lanes: 1 };

pub(super) fn passkey(id: &[u8], algorithm: Algorithm) -> Foreign {
    let key = PrivateKey::random(algorithm, &mut rng()).unwrap();
    Foreign {
        rp_name: Some("Example & <Söhne>".into()),
        user_name: Some("alice \"a\" \u{1f511}".into()),
        created_at: Some(1_706_623_773),
        ..Foreign::new(id.to_vec(), "example.com".into(), vec![0, 1, 0xff], key)
    }
}

/// One of each kind.
pub(super) fn passkeys() -> Vec<Foreign> {
    vec![
        passkey(&[7; 16], Algorithm::Es256),
        passkey(&[9; 32], Algorithm::EdDsa),
        passkey(b"x", Algorithm::Es256),
    ]
}

/// The passkeys that came in.
pub(super) fn taken(found: Vec<Found>) -> Vec<Foreign> {
    found.into_iter().map(|found| found.passkey.unwrap()).collect()
}

/// Why each was left out, by id; `in` for those that were not.
pub(super) fn outcomes(found: &[Found]) -> Vec<&'static str> {
    found.iter().map(|found| found.passkey.as_ref().err().map_or("in", Reason::id)).collect()
}

#[test]
fn the_format_is_guessed_from_what_is_there() {
    for (file, expected) in [
        (&b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5"[..], Ok(Format::Kdbx)),
        (b" \xef", Err(Error::Unknown)),
        (b"\xef\xbb\xbf\n{\"encrypted\":false,\"items\":[]}", Ok(Format::Bitwarden)),
        (b"{\"encrypted\":true}", Ok(Format::Bitwarden)),
        (b"{\"accounts\":[]}", Ok(Format::Cxf)),
        (b"{\"accounts\":[],\"items\":[]}", Err(Error::Unknown)),
        (b"{}", Err(Error::Unknown)),
        (b"{\"items\":", Err(Error::Truncated)),
        (b"PK\x03\x04rest", Err(Error::Zip)),
        (b"eyJhbGciOiJFQ0RILUVTIn0.e30", Err(Error::Sealed)),
        (b"name,password\n", Err(Error::Unknown)),
        (b"", Err(Error::Truncated)),
    ] {
        assert_eq!(Format::guess(file), expected, "{}", String::from_utf8_lossy(file));
    }
}

#[test]
fn each_error_has_an_id_of_its_own_and_a_remedy() {
    let errors = [
        Error::TooLarge,
        Error::Unknown,
        Error::Zip,
        Error::Sealed,
        Error::NotJson(String::new()),
        Error::TooDeep,
        Error::Truncated,
        Error::Shape(String::new()),
        Error::TooMany("x"),
        Error::AccountEncrypted,
        Error::Encryption(String::new()),
        Error::KdfTooDear,
        Error::NoPassphrase,
        Error::WrongPassphrase,
        Error::Damaged("x"),
        Error::KdbxVersion(String::new()),
        Error::Inflates,
        Error::Policy,
        Error::NoPasskeys,
        Error::NothingToExport,
        Error::Exists,
    ];
    let ids: std::collections::HashSet<_> = errors.iter().map(|error| error.advice().1).collect();
    assert_eq!(ids.len(), errors.len());
    assert!(errors.iter().all(|error| !error.advice().2.ends_with('.')));
}

#[test]
fn what_no_vault_may_hold_is_left_out() {
    let with = |change: fn(&mut Foreign)| {
        let mut foreign = passkey(&[7; 16], Algorithm::Es256);
        change(&mut foreign);
        foreign.checked().map(|foreign| foreign.user_name.unwrap_or_default().len())
    };
    assert_eq!(with(|_| {}), Ok(14));
    assert_eq!(with(|one| one.rp_id.clear()), Err(Reason::NoRp));
    assert_eq!(with(|one| one.rp_id = "a\nb".into()), Err(Reason::Malformed("RP ID")));
    assert_eq!(with(|one| one.rp_id = "a".repeat(254)), Err(Reason::TooBig("RP ID")));
    assert_eq!(with(|one| one.id.clear()), Err(Reason::BadId));
    assert_eq!(with(|one| one.id = vec![0; 1024]), Err(Reason::TooBig("credential id")));
    assert_eq!(with(|one| one.user_handle.clear()), Err(Reason::NoUserHandle));
    assert_eq!(with(|one| one.user_handle = vec![0; 65]), Err(Reason::TooBig("user handle")));
    assert_eq!(with(|one| one.blob = Some(vec![0; 65])), Err(Reason::TooBig("credBlob")));
    assert_eq!(with(|one| one.user_name = Some("é".repeat(200))), Ok(256));
}
