//! Who must be verified to have a passkey made, and how: CTAP 2.1, 6.1.2,
//! steps 5 to 11.

use cablecar_protocol::ctap::Flags;
use rand_core::OsRng;

use super::platform::{GA, MC, Platform};
use super::requests::*;
use crate::consent::Answer;
use crate::ctap2::{Context, Moment, Step};
use crate::verification::Verified;

const RP: &str = "example.com";

#[test]
fn a_token_must_be_the_right_one() {
    for protocol in [1, 2] {
        let mut platform = Platform::new();
        let good = make_discoverable(RP, b"1");
        let param = |length: usize| with(&good, 8, |w| w.bytes(&vec![9; length]));
        assert_eq!(platform.ask(&param(16)), Err(0x14));
        assert_eq!(platform.ask(&with(&param(16), 9, |w| w.unsigned(3))), Err(0x02));
        assert_eq!(platform.ask(&with(&param(16), 9, |w| w.unsigned(0))), Err(0x02));
        // There is no PIN that it could stand for.
        assert_eq!(platform.ask(&with(&param(16), 9, |w| w.unsigned(protocol))), Err(0x35));
        platform.set_pin(protocol, "1234");
        for length in [1, 16, 32] {
            assert_eq!(platform.ask(&with(&param(length), 9, |w| w.unsigned(protocol))), Err(0x33));
        }
        let token = platform.token(protocol, "1234", GA, Some(RP)).unwrap();
        assert_eq!(platform.ask(&with_token(&good, &token)), Err(0x33), "without the permission");
        let token = platform.token(protocol, "1234", MC, Some("other.example")).unwrap();
        assert_eq!(platform.ask(&with_token(&good, &token)), Err(0x33), "for another RP");
        let token = platform.token(protocol, "1234", MC, Some(RP)).unwrap();
        let other_hash = with(&with_token(&good, &token), 1, |w| w.bytes(&[8; 32]));
        assert_eq!(platform.ask(&other_hash), Err(0x33), "for another message");
        let other_protocol = with(&with_token(&good, &token), 9, |w| w.unsigned(3 - protocol));
        assert_eq!(platform.ask(&other_protocol), Err(0x33), "of the other protocol");
        assert!(platform.asked.is_empty());
        let made = platform.make(&with_token(&good, &token)).ok().unwrap();
        assert_eq!(made.data.flags.0, Flags::UP | Flags::UV | Flags::BE | Flags::AT);
        assert_eq!(platform.ask(&with_token(&good, &token)), Err(0x33), "used up");
        assert_eq!((platform.asked.len(), platform.passkeys()), (1, 1));
        // The old kind of token is for the RP that it is used for first.
        let token = platform.legacy_token(protocol, "1234").unwrap();
        platform.says = |_| Answer::Decline;
        assert_eq!(platform.ask(&with_token(&good, &token)), Err(0x27));
        let elsewhere = make_discoverable("other.example", b"1");
        assert_eq!(platform.ask(&with_token(&elsewhere, &token)), Err(0x33));
        // What the person refused did not use it up.
        platform.says = |question| question.approve(0);
        assert!(platform.make(&with_token(&good, &token)).is_ok());
    }
}

/// (situation, PIN set, built in, alwaysUv, rk, uv, token) → status, UV
#[test]
fn who_must_be_verified_is() {
    let flag = |made: Result<Made, u8>| made.map(|made| made.data.flags.has(Flags::UV));
    for (pin, built_in, always, rk, uv, token, expected) in [
        (false, false, false, false, None, false, Ok(false)),
        (false, false, false, true, None, false, Ok(false)),
        (true, false, false, false, None, false, Ok(false)),
        (true, false, false, false, Some(false), false, Ok(false)),
        (true, false, false, true, None, false, Err(0x36)),
        (true, false, false, true, Some(true), false, Err(0x2c)),
        (true, false, false, true, None, true, Ok(true)),
        (true, false, false, false, None, true, Ok(true)),
        // A token beside it, and the option is not looked at.
        (true, false, false, true, Some(true), true, Ok(true)),
        (false, false, true, false, None, false, Err(0x36)),
        (true, false, true, false, None, false, Err(0x36)),
        (true, false, true, false, None, true, Ok(true)),
        (false, true, false, false, None, false, Ok(false)),
        (false, true, false, true, None, false, Err(0x27)),
        (true, true, false, true, None, false, Err(0x36)),
        (false, true, false, true, Some(true), false, Ok(true)),
        (false, true, true, false, None, false, Ok(true)),
        (true, true, true, true, None, true, Ok(true)),
    ] {
        let situation = format!("{pin} {built_in} {always} {rk} {uv:?} {token}");
        let mut platform = Platform::with_uv(built_in);
        if pin {
            platform.set_pin(2, "1234");
        }
        platform.device.change_state(&mut OsRng, |state| state.always_uv = always).unwrap();
        let mut options = vec![("rk", rk)];
        options.extend(uv.map(|uv| ("uv", uv)));
        let mut request = with_options(&make(RP, b"1"), &options);
        if token {
            request = with_token(&request, &platform.token(2, "1234", MC, Some(RP)).unwrap());
        }
        assert_eq!(flag(platform.make(&request)), expected, "{situation}");
        // Nobody was verified for what a token stood for.
        let ran = expected == Ok(true) && !token;
        assert_eq!(platform.reasons.len(), usize::from(ran), "{situation}");
        assert_eq!(platform.asked.len(), usize::from(expected.is_ok()), "{situation}");
    }
}

#[test]
fn a_built_in_verification_that_fails_makes_nothing() {
    for (pin, status) in [(false, 0x27), (true, 0x36)] {
        let mut platform = Platform::with_uv(true);
        if pin {
            platform.set_pin(2, "1234");
        }
        let request = with_options(&make(RP, b"1"), &[("uv", true)]);
        let asked_at_last = with_options(&get(RP), &[("uv", true)]);
        platform.verified = Verified::CannotAsk;
        assert_eq!(platform.ask(&request), Err(status));
        assert_eq!(platform.stored().uv_retries, 5);
        platform.verified = Verified::No;
        for left in [4, 3, 2, 1] {
            assert_eq!(platform.ask(&request), Err(status));
            assert_eq!(platform.stored().uv_retries, left);
        }
        assert_eq!(platform.ask(&asked_at_last), Err(status));
        // Blocked: nobody is verified any more.
        platform.verified = Verified::Yes;
        platform.reasons.clear();
        assert_eq!([platform.ask(&request), platform.ask(&asked_at_last)], [Err(status), Err(status)]);
        assert_eq!((platform.reasons.len(), platform.asked.len(), platform.passkeys()), (0, 0, 0));
    }
}

/// What a thief of the running phone would like: that pulling the plug, or
/// taking the request back, makes a try of the built-in verification free.
#[test]
fn a_try_is_paid_for_before_anybody_is_verified() {
    let mut platform = Platform::with_uv(true);
    let make = with_options(&make(RP, b"1"), &[("uv", true)]);
    let get = with_options(&get(RP), &[("uv", true)]);
    for (request, left) in
        [(make.clone(), 4), (get.clone(), 3), (platform.token_by_uv_request(2, GA, Some(RP)), 2)]
    {
        let now = Moment { since_power_up: platform.now, epoch: 0 };
        let step = platform.device.take(&request, &mut Context { rng: &mut OsRng, now });
        assert!(matches!(step, Step::Verify(..)), "{step:?}");
        assert_eq!(platform.stored().uv_retries, left, "on the disk while the person is being verified");
        drop(step);
    }
    platform.power_cycle();
    assert_eq!(platform.stored().uv_retries, 2);
    // Whom nobody can verify pays nothing, and who is the owner gets all back.
    platform.verified = Verified::CannotAsk;
    assert_eq!(platform.ask(&make), Err(0x27));
    assert_eq!(platform.stored().uv_retries, 2);
    platform.verified = Verified::Yes;
    assert!(platform.make(&make).is_ok());
    assert_eq!(platform.stored().uv_retries, 5);
}

#[test]
fn salts_that_are_wrong_cost_no_try() {
    let mut platform = Platform::with_uv(true);
    let agreed = platform.agree(2);
    let request = with_extensions(&with_options(&get(RP), &[("uv", true)]), |map| {
        map.text_entry("hmac-secret", |w| {
            w.map(|map| {
                map.entry(1, |w| agreed.write_cose_key(w));
                map.entry(2, |w| w.bytes(&[0; 48]));
                map.entry(3, |w| w.bytes(&[0; 32]));
                map.entry(4, |w| w.unsigned(2));
            });
        });
    });
    assert_eq!(platform.ask(&request), Err(0x33));
    assert_eq!((platform.reasons.len(), platform.stored().uv_retries), (0, 5));
}
