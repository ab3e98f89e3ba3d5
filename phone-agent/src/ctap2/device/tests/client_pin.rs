//! clientPIN: PINs, guesses, blocking.

use rand_core::OsRng;

use super::platform::{Agreed, CM, GA, MC, Platform, padded, pin_hash};
use crate::ctap2::{Context, Moment, Step};
use crate::defaults;
use crate::vault::NoRandomness;
use crate::verification::Verified;

#[test]
fn a_pin_is_set_changed_and_told_by_both_protocols() {
    for protocol in [1, 2] {
        let mut platform = Platform::new();
        assert_eq!(platform.retries(), (8, false));
        assert_eq!(platform.token(protocol, "1234", CM, None), Err(0x35));
        assert_eq!(platform.legacy_token(protocol, "1234"), Err(0x35));
        assert_eq!(platform.change_pin(protocol, "1234", "12345"), 0x35);
        assert_eq!(platform.set_pin(protocol, "1234"), 0);
        assert_eq!(platform.set_pin(protocol, "9999"), 0x33);
        assert!(platform.token(protocol, "1234", CM, None).is_ok());
        assert!(platform.legacy_token(protocol, "1234").is_ok());
        assert_eq!(platform.change_pin(protocol, "9999", "12345"), 0x31);
        assert_eq!(platform.change_pin(protocol, "1234", "12345"), 0);
        assert_eq!(platform.token(protocol, "1234", CM, None), Err(0x31));
        assert!(platform.token(protocol, "12345", CM, None).is_ok());
        // Only the hash is kept.
        let pin = platform.stored().pin.unwrap();
        assert_eq!((pin.length, *pin.hash), (5, pin_hash("12345")));
        platform.power_cycle();
        assert!(platform.token(3 - protocol, "12345", CM, None).is_ok());
    }
}

#[test]
fn three_wrong_pins_in_a_row_block_until_the_power_cycle_and_eight_for_good() {
    for protocol in [1, 2] {
        let mut platform = Platform::with_pin("1234");
        let wrong = |platform: &mut Platform| platform.token(protocol, "0000", CM, None).unwrap_err();
        assert_eq!(
            [7, 6, 5].map(|left| (wrong(&mut platform), platform.retries().0 == left)),
            [(0x31, true), (0x31, true), (0x34, true)]
        );
        // Blocked: neither right nor wrong costs a guess.
        assert_eq!(platform.retries(), (5, true));
        assert_eq!(platform.token(protocol, "1234", CM, None), Err(0x34));
        assert_eq!(platform.change_pin(protocol, "1234", "4321"), 0x34);
        assert_eq!(platform.legacy_token(3 - protocol, "1234"), Err(0x34));
        assert_eq!(platform.retries(), (5, true));
        platform.power_cycle();
        assert_eq!(platform.retries(), (5, false));
        assert_eq!([wrong(&mut platform), wrong(&mut platform), wrong(&mut platform)], [0x31, 0x31, 0x34]);
        platform.power_cycle();
        assert_eq!([wrong(&mut platform), wrong(&mut platform)], [0x31, 0x32]);
        assert_eq!(platform.retries().0, 0);
        platform.power_cycle();
        assert_eq!(platform.token(protocol, "1234", CM, None), Err(0x32));
        assert_eq!(platform.legacy_token(protocol, "1234"), Err(0x32));
        assert_eq!(platform.change_pin(protocol, "1234", "4321"), 0x32);
        assert_eq!(platform.set_pin(protocol, "4321"), 0x33);
    }
}

#[test]
fn the_right_pin_ends_the_row_and_gives_the_guesses_back() {
    let mut platform = Platform::with_pin("1234");
    for _ in 0..4 {
        assert_eq!(platform.legacy_token(1, "0000"), Err(0x31));
        assert_eq!(platform.change_pin(2, "0000", "4321"), 0x31);
        assert_eq!(platform.retries(), (6, false));
        assert!(platform.token(2, "1234", CM, None).is_ok());
        assert_eq!(platform.retries(), (8, false));
    }
}

#[test]
fn a_guess_that_cannot_be_written_down_is_not_looked_at() {
    let mut platform = Platform::with_pin("1234");
    let agreed = platform.agree(2);
    let mut request = vec![0x06];
    request.extend(cablecar_protocol::cbor::Writer::map_of(|map| {
        agreed.write(5, map);
        map.entry(6, |w| w.bytes(&agreed.encrypt(&pin_hash("1234"))));
    }));
    let now = Moment { since_power_up: platform.now, epoch: 0 };
    // Sealing what is written takes randomness.
    let mut none = NoRandomness;
    let mut context = Context { rng: &mut none, now };
    let Step::Answer(reply) = platform.device.take(&request, &mut context) else { panic!("answered") };
    assert_eq!(reply.bytes, [0x7f]);
    assert_eq!(reply.then, crate::ctap2::Then::Stay);
    assert_eq!(platform.raw(&request)[0], 0);
}

#[test]
fn a_wrong_pin_makes_a_new_key_for_its_protocol_alone() {
    let mut platform = Platform::with_pin("1234");
    let (one, two) = (platform.agree(1), platform.agree(2));
    assert_eq!(platform.token(2, "0000", CM, None), Err(0x31));
    let with = |platform: &mut Platform, agreed: &Agreed| {
        platform.status(0x06, |map| {
            agreed.write(5, map);
            map.entry(6, |w| w.bytes(&agreed.encrypt(&pin_hash("1234"))));
        })
    };
    assert_eq!(with(&mut platform, &one), 0);
    assert_eq!(with(&mut platform, &two), 0x31);
}

#[test]
fn a_pin_has_4_code_points_to_63_bytes_of_utf_8() {
    for (pin, status) in [
        ("".to_owned(), 0x37),
        ("123".into(), 0x37),
        ("äöü".into(), 0x37),
        ("😀😀😀".into(), 0x37),
        ("1234".into(), 0),
        ("😀😀😀😀".into(), 0),
        ("x".repeat(63), 0),
        ("ä".repeat(31), 0),
        ("x".repeat(64), 0x37),
        ("ä".repeat(32), 0x37),
    ] {
        for protocol in [1, 2] {
            let mut platform = Platform::new();
            assert_eq!(platform.set_pin(protocol, &pin), status, "{pin}");
            assert_eq!(platform.stored().pin.is_some(), status == 0);
            let mut platform = Platform::with_pin("0000");
            assert_eq!(platform.change_pin(protocol, "0000", &pin), status, "{pin}");
            assert_eq!(platform.token(protocol, "0000", CM, None).is_ok(), status != 0);
        }
    }
}

#[test]
fn padding_is_64_bytes_of_which_the_zeros_at_the_end_do_not_count() {
    for protocol in [1, 2] {
        for (padded, status) in [
            (padded(b"1234"), 0),
            (padded(b"1234")[..48].to_vec(), 0x02),
            (padded(b"1234").repeat(2), 0x02),
            (Vec::new(), 0x02),
            (padded(b"\xff\xfe\xfd\xfc"), 0x37),
        ] {
            let mut platform = Platform::new();
            let agreed = platform.agree(protocol);
            assert_eq!(platform.set_padded_pin(&agreed, &padded), status, "{padded:?}");
            let mut platform = Platform::with_pin("0000");
            let agreed = platform.agree(protocol);
            assert_eq!(platform.change_to_padded(&agreed, "0000", &padded), status, "{padded:?}");
        }
        // What is no whole number of blocks does not decrypt.
        let mut platform = Platform::new();
        let agreed = platform.agree(protocol);
        for cut in [1, 15] {
            let mut new_pin = agreed.encrypt(&padded(b"1234"));
            new_pin.truncate(new_pin.len() - cut);
            let status = platform.status(0x06, |map| {
                agreed.write(3, map);
                map.entry(4, |w| w.bytes(&agreed.authenticate(&new_pin)));
                map.entry(5, |w| w.bytes(&new_pin));
            });
            assert_eq!(status, 0x33);
        }
    }
}

#[test]
fn a_pin_that_must_be_changed_gives_no_token_and_stays_no_pin() {
    let mut platform = Platform::with_pin("1234");
    let before = platform.token(2, "1234", CM, None).unwrap();
    platform.device.change_state(&mut OsRng, |state| state.force_pin_change = true).unwrap();
    assert_eq!(platform.legacy_token(2, "1234"), Err(0x31));
    assert_eq!(platform.token(2, "1234", CM, None), Err(0x37));
    // The guess was right.
    assert_eq!(platform.retries(), (8, false));
    assert_eq!(platform.change_pin(2, "1234", "1234"), 0x37);
    assert!(platform.stored().force_pin_change);
    assert_eq!(platform.change_pin(2, "1234", "4321"), 0);
    assert!(!platform.stored().force_pin_change);
    let after = platform.token(2, "4321", CM, None).unwrap();
    assert_ne!(before, after);
    // Nobody had to change it: the same again is a change.
    assert_eq!(platform.change_pin(2, "4321", "4321"), 0);
}

#[test]
fn what_is_missing_or_of_another_kind_has_its_own_status() {
    for protocol in [1, 2] {
        let mut platform = Platform::with_pin("1234");
        let agreed = platform.agree(protocol);
        let (new_pin, hash) = (agreed.encrypt(&padded(b"4321")), agreed.encrypt(&pin_hash("1234")));
        // (subcommand, its parameters)
        for (subcommand, keys) in
            [(3, &[1, 3, 4, 5][..]), (4, &[1, 3, 4, 5, 6]), (5, &[1, 3, 6]), (9, &[1, 3, 6, 9])]
        {
            let mut send = |left_out: Option<i64>, mistyped: Option<i64>| {
                platform.status(0x06, |map| {
                    map.entry(2, |w| w.unsigned(subcommand));
                    for key in keys.iter().copied().filter(|key| Some(*key) != left_out) {
                        match key {
                            key if Some(key) == mistyped => _ = map.entry(key, |w| w.text("no")),
                            1 => _ = map.entry(1, |w| w.unsigned(protocol)),
                            3 => agreed.write_key(map),
                            4 => _ = map.entry(4, |w| w.bytes(&[0; 16])),
                            5 => _ = map.entry(5, |w| w.bytes(&new_pin)),
                            6 => _ = map.entry(6, |w| w.bytes(&hash)),
                            _ => _ = map.entry(9, |w| w.unsigned(CM)),
                        }
                    }
                })
            };
            for key in keys {
                assert_eq!(send(Some(*key), None), 0x14, "{subcommand} without {key}");
                assert_eq!(send(None, Some(*key)), 0x11, "{subcommand} with text under {key}");
            }
            assert_eq!(send(None, None), if subcommand < 5 { 0x33 } else { 0 });
            // A key to agree with whose entries have wrong types, and one that
            // is no point; setPIN sees first that there is a PIN.
            let good = [(1, 2), (3, -25), (-1, 1)];
            let off_the_curve = if subcommand == 3 { 0x33 } else { 0x02 };
            for (bad, status) in
                [(1, 0x11), (3, 0x11), (-1, 0x11), (-2, 0x11), (-3, 0x11), (0, off_the_curve)]
            {
                let found = platform.status(0x06, |map| {
                    map.entry(1, |w| w.unsigned(protocol)).entry(2, |w| w.unsigned(subcommand));
                    map.entry(3, |w| {
                        w.map(|key| {
                            for (name, value) in good {
                                key.entry(name, |w| if name == bad { w.text("no") } else { w.int(value) });
                            }
                            for name in [-2, -3] {
                                key.entry(
                                    name,
                                    |w| if name == bad { w.unsigned(0) } else { w.bytes(&[0; 32]) },
                                );
                            }
                        });
                    });
                    for (name, value) in [(4, &[0; 16][..]), (5, &new_pin), (6, &hash)] {
                        if keys.contains(&name) {
                            map.entry(name, |w| w.bytes(value));
                        }
                    }
                    if keys.contains(&9) {
                        map.entry(9, |w| w.unsigned(CM));
                    }
                });
                assert_eq!(found, status, "{subcommand} with {bad} of the key");
            }
        }
    }
}

#[test]
fn subcommands_and_protocols_that_there_are_not() {
    let mut platform = Platform::with_pin("1234");
    let just = |platform: &mut Platform, protocol: Option<u64>, subcommand: u64| {
        platform.status(0x06, |map| {
            if let Some(protocol) = protocol {
                map.entry(1, |w| w.unsigned(protocol));
            }
            map.entry(2, |w| w.unsigned(subcommand));
        })
    };
    for subcommand in [0, 6, 7, 8, 10, 0xff, u64::from(u32::MAX)] {
        assert_eq!(just(&mut platform, Some(2), subcommand), 0x3e, "{subcommand}");
    }
    assert_eq!([Some(0), Some(3), None].map(|protocol| just(&mut platform, protocol, 2)), [0x02, 0x02, 0x14]);
    // How many guesses are left is nobody's secret.
    assert_eq!([Some(3), None].map(|protocol| just(&mut platform, protocol, 1)), [0, 0]);
    assert_eq!(platform.status(0x06, |_| {}), 0x14);
    assert_eq!(platform.status(0x06, |map| _ = map.entry(2, |w| w.int(-1))), 0x11);
    assert_eq!(platform.raw(&[0x06]), [0x12]);
    assert_eq!(platform.raw(&[0x06, 0x80]), [0x11]);
    assert_eq!(platform.raw(&[0x06, 0xa1, 0x02]), [0x12]);
    for (protocol, subcommand) in [(3, 3), (3, 4), (3, 5), (0, 9)] {
        let agreed = platform.agree(1);
        let status = platform.status(0x06, |map| {
            map.entry(1, |w| w.unsigned(protocol));
            map.entry(2, |w| w.unsigned(subcommand));
            agreed.write_key(map);
            map.entry(4, |w| w.bytes(&[0; 16]));
            map.entry(5, |w| w.bytes(&[0; 64]));
            map.entry(6, |w| w.bytes(&[0; 16]));
            map.entry(9, |w| w.unsigned(CM));
        });
        assert_eq!(status, 0x02);
    }
}

#[test]
fn only_a_point_of_the_curve_under_the_right_labels_is_a_key() {
    let mut platform = Platform::with_pin("1234");
    let agreed = platform.agree(2);
    let hash = agreed.encrypt(&pin_hash("1234"));
    // P-256's generator, with one thing changed.
    let generator =
        p256::elliptic_curve::sec1::ToEncodedPoint::to_encoded_point(&p256::AffinePoint::GENERATOR, false);
    let (x, y) = (generator.x().unwrap().to_vec(), generator.y().unwrap().to_vec());
    let mut off = y.clone();
    off[31] ^= 1;
    let mut try_key = |kty: i64, alg: i64, crv: i64, x: &[u8], y: &[u8]| {
        platform.status(0x06, |map| {
            map.entry(1, |w| w.unsigned(2));
            map.entry(2, |w| w.unsigned(5));
            map.entry(3, |w| {
                w.map(|key| {
                    key.entry(1, |w| w.int(kty));
                    key.entry(3, |w| w.int(alg));
                    key.entry(-1, |w| w.int(crv));
                    key.entry(-2, |w| w.bytes(x));
                    key.entry(-3, |w| w.bytes(y));
                });
            });
            map.entry(6, |w| w.bytes(&hash));
        })
    };
    for status in [
        try_key(2, -25, 1, &x, &off),
        try_key(2, -25, 1, &[0; 32], &[0; 32]),
        try_key(2, -25, 1, &x[1..], &y),
        try_key(2, -25, 1, &x, &[&y[..], &[0]].concat()),
        try_key(2, -25, 1, &[0xff; 32], &y),
        try_key(1, -25, 1, &x, &y),
        try_key(2, -7, 1, &x, &y),
        try_key(2, -25, 2, &x, &y),
    ] {
        assert_eq!(status, 0x02);
    }
    assert_eq!(try_key(2, -25, 1, &x, &y), 0x31, "a key, and another secret");
    assert_eq!(platform.retries().0, 7, "only the last was a guess");
}

#[test]
fn pin_hashes_of_another_length_are_wrong_guesses() {
    for protocol in [1, 2] {
        for length in [0, 1, 15, 16, 17, 31, 32, 33, 48, 64] {
            let mut platform = Platform::with_pin("1234");
            let agreed = platform.agree(protocol);
            let status = platform.status(0x06, |map| {
                agreed.write(5, map);
                map.entry(6, |w| w.bytes(&vec![0; length]));
            });
            assert_eq!((status, platform.retries().0), (0x31, 7), "{length}");
        }
    }
}

#[test]
fn a_built_in_verification_gives_tokens_and_is_blocked_after_five_failures() {
    let mut platform = Platform::with_uv(true);
    assert!(platform.token_by_uv(2, MC | GA, Some("example.com")).is_ok());
    assert!(platform.token_by_uv(2, MC | GA, None).is_ok());
    assert_eq!(
        platform.reasons,
        ["make a passkey for example.com, sign in to example.com", "make a passkey, sign in"]
    );
    let uv_retries = |platform: &mut Platform| {
        let (status, body) = platform.send(0x06, |map| _ = map.entry(2, |w| w.unsigned(7)));
        assert_eq!(status, 0);
        super::platform::map(&body).get(5).unwrap().as_unsigned().unwrap()
    };
    assert_eq!(uv_retries(&mut platform), u64::from(defaults::UV_RETRIES));
    platform.verified = Verified::CannotAsk;
    assert_eq!(platform.token_by_uv(1, CM, None), Err(0x27));
    assert_eq!(uv_retries(&mut platform), 5);
    platform.verified = Verified::No;
    for left in [4, 3, 2, 1] {
        assert_eq!(platform.token_by_uv(1, CM, None), Err(0x3f));
        // It survives the power cycle.
        platform.power_cycle();
        assert_eq!(uv_retries(&mut platform), left);
    }
    assert_eq!(platform.token_by_uv(2, CM, None), Err(0x3c));
    platform.verified = Verified::Yes;
    let asked = platform.reasons.len();
    assert_eq!(platform.token_by_uv(2, CM, None), Err(0x3c));
    assert_eq!(platform.reasons.len(), asked, "nobody is verified for nothing");
    // The PIN opens it again.
    assert_eq!(platform.set_pin(2, "1234"), 0);
    assert!(platform.token(2, "1234", CM, None).is_ok());
    assert_eq!(uv_retries(&mut platform), 5);
    platform.verified = Verified::No;
    assert_eq!(platform.token_by_uv(2, CM, None), Err(0x3f));
    platform.verified = Verified::Yes;
    assert!(platform.token_by_uv(2, CM, None).is_ok());
    assert_eq!(uv_retries(&mut platform), 5);
}

#[test]
fn a_token_by_verification_needs_what_one_by_pin_needs() {
    let mut platform = Platform::with_uv(true);
    assert_eq!(platform.token_by_uv(2, 0, None), Err(0x02));
    assert_eq!(platform.token_by_uv(2, 0x08, None), Err(0x40));
    let agreed = platform.agree(2);
    assert_eq!(platform.status(0x06, |map| agreed.write(6, map)), 0x14);
    assert_eq!(platform.reasons, [""; 0]);
}
