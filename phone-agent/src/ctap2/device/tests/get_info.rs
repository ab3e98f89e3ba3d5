//! getInfo: every member, and those that follow the state.

use rand_core::OsRng;

use super::platform::{Platform, map};
use super::requests::make_discoverable;
use crate::ctap2::AAGUID;
use crate::vault::Pin;

fn texts(body: &[u8], key: i64) -> Vec<String> {
    let list = map(body).get(key).unwrap().as_array().unwrap();
    list.iter().map(|item| item.as_text().unwrap().to_owned()).collect()
}

fn options(body: &[u8]) -> Vec<(String, bool)> {
    let options = map(body).get(4).unwrap().as_map().unwrap();
    options.iter().map(|(name, value)| (name.as_text().unwrap().into(), value.as_bool().unwrap())).collect()
}

fn number(body: &[u8], key: i64) -> u64 {
    map(body).get(key).unwrap().as_unsigned().unwrap()
}

#[test]
fn every_member_is_there_and_canonical() {
    let mut platform = Platform::new();
    let info = platform.ask(&[0x04]).unwrap();
    let keys: Vec<_> = map(&info).iter().map(|(key, _)| key.as_int().unwrap()).collect();
    assert_eq!(keys, [1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x14, 0x16]);
    assert_eq!(texts(&info, 1), ["FIDO_2_0", "FIDO_2_1", "FIDO_2_1_PRE"]);
    assert_eq!(
        texts(&info, 2),
        ["credBlob", "credProtect", "hmac-secret", "largeBlobKey", "minPinLength", "hmac-secret-mc"]
    );
    assert_eq!(map(&info).get(3).unwrap().as_bytes(), Some(&AAGUID[..]));
    assert_eq!(
        options(&info),
        [
            ("rk", true),
            ("up", true),
            ("plat", false),
            ("alwaysUv", false),
            ("credMgmt", true),
            ("authnrCfg", true),
            ("clientPin", false),
            ("largeBlobs", true),
            ("pinUvAuthToken", true),
            ("setMinPINLength", true),
            ("makeCredUvNotRqd", true),
            ("credentialMgmtPreview", true),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    );
    let protocols = map(&info).get(6).unwrap().as_array().unwrap();
    assert_eq!(protocols.iter().map(|item| item.as_int().unwrap()).collect::<Vec<_>>(), [2, 1]);
    let numbers = [(5, 7609), (7, 64), (8, 1023), (0x0b, 8192), (0x0d, 4), (0x0f, 64), (0x10, 16)];
    for (key, value) in numbers {
        assert_eq!(number(&info, key), value, "{key:#x}");
    }
    assert!(number(&info, 0x0e) > 0);
    assert_eq!(map(&info).get(0x0c).unwrap().as_bool(), Some(false));
    assert_eq!(texts(&info, 9), ["hybrid", "internal"]);
    assert_eq!(texts(&info, 0x16), ["none", "packed"]);
    let algorithms = map(&info).get(0x0a).unwrap().as_array().unwrap();
    let algorithms: Vec<_> = algorithms
        .iter()
        .map(|item| item.as_map().unwrap())
        .map(|one| {
            (one.get_text("alg").unwrap().as_int().unwrap(), one.get_text("type").unwrap().as_text().unwrap())
        })
        .collect();
    assert_eq!(algorithms, [(-7, "public-key"), (-8, "public-key")]);
    assert_eq!(platform.ask(&[0x04, 0xa0]), Err(0x03));
    assert!(platform.asked.is_empty());
}

#[test]
fn what_the_state_says_follows_it() {
    let mut platform = Platform::new();
    let before = number(&platform.ask(&[0x04]).unwrap(), 0x14);
    platform.make(&make_discoverable("example.com", b"1")).map(drop).unwrap();
    platform
        .device
        .change_state(&mut OsRng, |state| {
            state.pin = Some(Pin { hash: Default::default(), length: 8 });
            (state.always_uv, state.force_pin_change, state.min_pin_length) = (true, true, 8);
        })
        .unwrap();
    let info = platform.ask(&[0x04]).unwrap();
    let options = options(&info);
    let option = |name: &str| options.iter().find(|(other, _)| other == name).map(|(_, value)| *value);
    assert_eq!(
        ["clientPin", "alwaysUv", "makeCredUvNotRqd", "uv"].map(option),
        [Some(true), Some(true), Some(false), None]
    );
    assert_eq!(map(&info).get(0x0c).unwrap().as_bool(), Some(true));
    assert_eq!((number(&info, 0x0d), number(&info, 0x14)), (8, before - 1));
}

#[test]
fn a_built_in_verification_is_told_of_only_where_there_is_one() {
    let info = Platform::with_uv(true).ask(&[0x04]).unwrap();
    assert!(options(&info).contains(&("uv".into(), true)));
    assert_eq!(number(&info, 0x11), 3);
}

/// Byte by byte: what getInfo names is taken, and nothing else is.
#[test]
fn the_commands_are_those_that_it_names() {
    for uv in [false, true] {
        let mut platform = Platform::with_uv(uv);
        let info = platform.ask(&[0x04]).unwrap();
        let (versions, options) = (texts(&info, 1), options(&info));
        let version = |name: &str| versions.iter().any(|one| one == name);
        let option = |name: &str| options.iter().any(|(one, value)| one == name && *value);
        let is_known = |name: &str| options.iter().any(|(one, _)| one == name);
        for command in 0..=0xff {
            let named = match command {
                0x01 | 0x02 | 0x04 | 0x07 | 0x08 => version("FIDO_2_0"),
                // Whether a PIN is set or not.
                0x06 => is_known("clientPin"),
                0x09 => is_known("bioEnroll"),
                0x0a => option("credMgmt"),
                0x0b => version("FIDO_2_1"),
                0x0c => option("largeBlobs"),
                0x0d => option("authnrCfg"),
                0x40 => is_known("userVerificationMgmtPreview"),
                0x41 => version("FIDO_2_1_PRE") && option("credentialMgmtPreview"),
                _ => false,
            };
            let taken = platform.raw(&[command])[0] != 0x01;
            assert_eq!(taken, named, "{command:#x}");
        }
        for (subcommand, named) in [(6, option("uv")), (7, option("uv")), (9, option("pinUvAuthToken"))] {
            let status = platform.status(0x06, |map| _ = map.entry(2, |w| w.unsigned(subcommand)));
            assert_eq!(status != 0x3e, named, "{subcommand}");
        }
    }
}
