use super::*;

const SCALAR: &str = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
/// Made by OpenSSL of this scalar.
const P256_DER: &str = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420\
    0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20a144034200\
    04515c3d6eb9e396b904d3feca7f54fdcd0cc1e997bf375dca515ad0a6c3b4035f\
    4536be3a50f318fbf9a5475902a221502bef0d57e08c53b2cc0a56f17d9f9354";
const P256_PEM: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAQIDBAUGBwgJCgsM
DQ4PEBESExQVFhcYGRobHB0eHyChRANCAARRXD1uueOWuQTT/sp/VP3NDMHpl783
XcpRWtCmw7QDX0U2vjpQ8xj7+aVHWQKiIVAr7w1X4IxTsswKVvF9n5NU
-----END PRIVATE KEY-----
";
/// Without the public key, as Java and some others write it.
const P256_SHORT: &str = "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420\
    0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
const SEED: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const ED_DER: &str = "302e020100300506032b657004220420\
    000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// Of version 2, with the public key, as Bouncy Castle writes it.
const ED_LONG: &str = "3051020101300506032b657004220420\
    000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\
    81210003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn each_form_of_a_key_is_the_same_key() {
    for (der, algorithm, secret) in [
        (P256_DER, Algorithm::Es256, SCALAR),
        (P256_SHORT, Algorithm::Es256, SCALAR),
        (ED_DER, Algorithm::EdDsa, SEED),
        (ED_LONG, Algorithm::EdDsa, SEED),
    ] {
        let key = from_der(&bytes(der)).unwrap();
        assert_eq!((key.algorithm(), key.expose().as_slice()), (algorithm, bytes(secret).as_slice()));
    }
    let key = from_pem(P256_PEM).unwrap();
    assert_eq!(key.expose().as_slice(), bytes(SCALAR));
    for text in [
        P256_PEM.replace('\n', "\r\n"),
        P256_PEM.trim().to_owned(),
        base64::url(&bytes(P256_DER)).as_str().to_owned(),
    ] {
        assert_eq!(from_pem(&text).unwrap().expose(), key.expose(), "{text}");
    }
}

#[test]
fn what_is_written_is_what_others_write() {
    let key = from_der(&bytes(P256_SHORT)).unwrap();
    assert_eq!(*to_der(&key).unwrap(), bytes(P256_DER));
    assert_eq!(*to_pem(&key).unwrap(), P256_PEM);
    let key = from_der(&bytes(ED_LONG)).unwrap();
    assert_eq!(*to_der(&key).unwrap(), bytes(ED_DER));
    assert_eq!(from_pem(&to_pem(&key).unwrap()).unwrap().expose(), key.expose());
}

#[test]
fn other_algorithms_are_named() {
    let outer = |oid: &str, parameters: &str| {
        let algorithm = [bytes(oid), bytes(parameters)].concat();
        let inner =
            [&[2, 1, 0, 0x30, u8::try_from(algorithm.len()).unwrap()][..], &algorithm, &[4, 2, 0x30, 0]]
                .concat();
        [&[0x30, u8::try_from(inner.len()).unwrap()][..], &inner].concat()
    };
    for (oid, parameters, name) in [
        ("06092a864886f70d010101", "0500", "RS256"),
        ("06072a8648ce3d0201", "06052b81040022", "ES384"),
        ("06072a8648ce3d0201", "06052b8104000a", "ES256K"),
        ("06032b6571", "", "Ed448"),
        ("06032b656e", "", "1.3.101.110"),
    ] {
        assert_eq!(from_der(&outer(oid, parameters)).unwrap_err(), Reason::Algorithm(name.into()));
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let mut other_point = bytes(P256_DER);
    *other_point.last_mut().unwrap() ^= 1;
    let mut other_public = bytes(ED_LONG);
    *other_public.last_mut().unwrap() ^= 1;
    let zero = bytes(&P256_SHORT.replace(SCALAR, &"00".repeat(32)));
    let beyond = bytes(&P256_SHORT.replace(SCALAR, &"ff".repeat(32)));
    let short_seed = bytes(
        "302d020100300506032b65700421041f000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
    );
    for (what, der) in [
        ("another point", other_point),
        ("another public key", other_public),
        ("zero", zero),
        ("beyond the order", beyond),
        ("a short seed", short_seed),
        ("nothing", vec![]),
        (
            "a public key alone",
            bytes("302a300506032b657003210003a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"),
        ),
        ("something behind it", [bytes(ED_DER), vec![0]].concat()),
    ] {
        assert_eq!(from_der(&der).unwrap_err(), Reason::BadKey, "{what}");
    }
    for text in [
        "",
        "?",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
    ] {
        assert_eq!(from_pem(text).unwrap_err(), Reason::BadKey, "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(at in 0_usize..138, flip in 1_u8.., cut in 0_usize..138) {
        for der in [P256_DER, P256_SHORT, ED_DER, ED_LONG] {
            let mut der = bytes(der);
            if let Some(byte) = der.get_mut(at) {
                *byte ^= flip;
            }
            let _ = from_der(&der);
            let _ = from_der(der.get(..cut).unwrap_or_default());
        }
    }
}
