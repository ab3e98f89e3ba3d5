//! pinUvAuthTokens: what they are good for, and how long.

use rand_core::OsRng;

use super::platform::{ACFG, CM, GA, LBW, MC, Platform, Token, passphrase};
use crate::ctap2::Moment;
use crate::ctap2::pin_uv::Protocol;
use crate::ctap2::token::Permissions;
use crate::vault::State;

const MAKE: Permissions = Permissions::MAKE_CREDENTIAL;
const GET: Permissions = Permissions::GET_ASSERTION;

/// Whether makeCredential or getAssertion would take this token for this RP.
fn authorises(platform: &mut Platform, token: &Token, permission: Permissions, rp: &str) -> bool {
    let protocol = Protocol::from_number(token.protocol).unwrap();
    let now = Moment { since_power_up: platform.now, epoch: 0 };
    let tag = token.authenticate(b"client data hash");
    let authorised = platform.device.authorise(protocol, &tag, b"client data hash", permission, rp, now);
    assert!(authorised.is_ok() || authorised == Err(cablecar_protocol::ctap::Status::PIN_AUTH_INVALID));
    authorised.is_ok()
}

/// Whether getCredsMetadata takes it.
fn manages(platform: &mut Platform, token: &Token) -> bool {
    let status = platform.status(0x0a, |map| {
        map.entry(1, |w| w.unsigned(1));
        map.entry(3, |w| w.unsigned(token.protocol));
        map.entry(4, |w| w.bytes(&token.authenticate(&[1])));
    });
    assert!(matches!(status, 0 | 0x33));
    status == 0
}

#[test]
fn permissions_are_checked_when_they_are_asked_for() {
    for protocol in [1, 2] {
        let mut platform = Platform::with_pin("1234");
        for (bits, rp, status) in [
            (0, None, 0x02),
            (0, Some("example.com"), 0x02),
            (0x08, None, 0x40),
            (0x08 | MC, Some("example.com"), 0x40),
        ] {
            assert_eq!(platform.token(protocol, "1234", bits, rp), Err(status));
            // And before the PIN is.
            assert_eq!(platform.token(protocol, "0000", bits, rp), Err(status));
        }
        assert_eq!(platform.retries().0, 8);
        for (bits, rp) in [
            (MC, Some("example.com")),
            (MC | GA, Some("example.com")),
            (MC, None),
            (GA | CM, None),
            (CM, None),
            (CM, Some("example.com")),
            (LBW | ACFG, None),
            // Bits that have no name are passed over.
            (0x40 | CM, None),
            (1 << 40, None),
        ] {
            assert!(platform.token(protocol, "1234", bits, rp).is_ok(), "{bits:x}");
        }
    }
}

#[test]
fn the_old_subcommand_takes_no_permissions() {
    let mut platform = Platform::with_pin("1234");
    for key in [9, 0x0a] {
        let agreed = platform.agree(2);
        let status = platform.status(0x06, |map| {
            agreed.write(5, map);
            map.entry(6, |w| w.bytes(&agreed.encrypt(&super::platform::pin_hash("1234"))));
            if key == 9 {
                map.entry(9, |w| w.unsigned(MC));
            } else {
                map.entry(0x0a, |w| w.text("example.com"));
            }
        });
        assert_eq!(status, 0x02);
    }
}

#[test]
fn a_token_does_what_it_was_asked_for_and_nothing_else() {
    let mut platform = Platform::with_pin("1234");
    let token = platform.token(2, "1234", MC, Some("example.com")).unwrap();
    assert!(authorises(&mut platform, &token, MAKE, "example.com"));
    assert!(!authorises(&mut platform, &token, GET, "example.com"));
    assert!(!authorises(&mut platform, &token, MAKE, "example.org"));
    assert!(!manages(&mut platform, &token));
    let token = platform.token(1, "1234", CM, None).unwrap();
    assert!(manages(&mut platform, &token));
    assert!(!authorises(&mut platform, &token, GET, "example.com"));
    // A token for one RP does not count all of them.
    let token = platform.token(1, "1234", CM, Some("example.com")).unwrap();
    assert!(!manages(&mut platform, &token));
}

#[test]
fn a_token_for_no_rp_is_for_that_which_it_is_used_for_first() {
    for protocol in [1, 2] {
        let mut platform = Platform::with_pin("1234");
        for old in [true, false] {
            let token = if old {
                platform.legacy_token(protocol, "1234")
            } else {
                platform.token(protocol, "1234", MC | GA | CM, None)
            };
            let token = token.unwrap();
            // The old subcommand gives no other permissions.
            assert_eq!(manages(&mut platform, &token), !old);
            assert!(authorises(&mut platform, &token, GET, "example.com"));
            assert!(!authorises(&mut platform, &token, GET, "example.org"));
            assert!(authorises(&mut platform, &token, MAKE, "example.com"));
            assert!(!manages(&mut platform, &token));
        }
    }
}

#[test]
fn a_token_is_used_up_by_a_yes_but_for_large_blobs() {
    let mut platform = Platform::with_pin("1234");
    let token = platform.token(2, "1234", MC | GA | CM | LBW, Some("example.com")).unwrap();
    assert!(authorises(&mut platform, &token, MAKE, "example.com"));
    platform.device.after_use();
    assert!(!authorises(&mut platform, &token, MAKE, "example.com"));
    assert!(!authorises(&mut platform, &token, GET, "example.com"));
    let now = Moment { since_power_up: platform.now, epoch: 0 };
    let token = platform.device.pin_uv.token(now).unwrap();
    assert!(token.permits(Permissions::LARGE_BLOB_WRITE));
    assert!(![MAKE, GET, Permissions::CREDENTIAL_MANAGEMENT].iter().any(|one| token.permits(*one)));
    assert!(!token.user_verified());
}

#[test]
fn the_newest_token_is_the_only_one() {
    let mut platform = Platform::with_pin("1234");
    let first = platform.token(2, "1234", CM, None).unwrap();
    let second = platform.token(1, "1234", CM, None).unwrap();
    assert!(!manages(&mut platform, &first));
    assert!(manages(&mut platform, &second));
    // Under the other protocol it is none.
    let other = Token { protocol: 2, ..second };
    assert!(!manages(&mut platform, &other));
    let third = platform.token(2, "1234", CM, None).unwrap();
    // A wrong PIN takes nothing away, a new one does.
    assert_eq!(platform.legacy_token(1, "0000"), Err(0x31));
    assert!(manages(&mut platform, &third));
    assert_eq!(platform.change_pin(1, "1234", "4321"), 0);
    assert!(!manages(&mut platform, &third));
    let fourth = platform.token(2, "4321", CM, None).unwrap();
    platform.power_cycle();
    assert!(!manages(&mut platform, &fourth));
}

#[test]
fn a_token_is_used_within_30_seconds_and_lives_for_10_minutes() {
    let mut platform = Platform::with_pin("1234");
    let token = platform.token(2, "1234", CM, None).unwrap();
    platform.passes(29);
    assert!(manages(&mut platform, &token));
    platform.passes(570);
    assert!(manages(&mut platform, &token));
    platform.passes(1);
    assert!(!manages(&mut platform, &token));

    let token = platform.token(2, "1234", CM, None).unwrap();
    platform.passes(30);
    assert!(!manages(&mut platform, &token));
    // It does not come back with a clock that is turned back.
    platform.now -= std::time::Duration::from_secs(20);
    assert!(!manages(&mut platform, &token));
}

#[test]
fn a_wrong_proof_is_no_use() {
    let mut platform = Platform::with_pin("1234");
    let token = platform.token(2, "1234", CM, None).unwrap();
    let mut tag = token.authenticate(&[1]);
    tag[31] ^= 1;
    let status = platform.status(0x0a, |map| {
        map.entry(1, |w| w.unsigned(1));
        map.entry(3, |w| w.unsigned(2));
        map.entry(4, |w| w.bytes(&tag));
    });
    assert_eq!(status, 0x33);
    platform.passes(30);
    assert!(!manages(&mut platform, &token));
}

#[test]
fn a_pin_that_another_program_changes_takes_the_token_away() {
    let mut platform = Platform::with_pin("1234");
    let token = platform.token(2, "1234", CM, None).unwrap();
    assert!(manages(&mut platform, &token));
    let mut other = platform.vault.unlock(&super::platform::passphrase()).unwrap();
    let change = |contents: &mut crate::vault::Contents| {
        let mut state = contents.state().clone();
        state.pin = None;
        contents.set_state(state);
        Ok(())
    };
    other.change(&mut rand_core::OsRng, change).unwrap();
    assert!(!manages(&mut platform, &token));
}

/// Another program may write while a change of ours waits for it, and that
/// change then takes in what was written: no token outlives it for that.
#[test]
fn a_token_does_not_outlive_what_a_change_took_in() {
    let mut platform = Platform::with_pin("1234");
    let token = platform.token(2, "1234", CM, None).unwrap();
    let mut other = platform.vault.unlock(&passphrase()).unwrap();
    other
        .change(&mut OsRng, |contents| {
            let state = contents.state().clone();
            contents.set_state(State { pin_retries: 7, ..state });
            Ok(())
        })
        .unwrap();
    platform.device.change_state(&mut OsRng, |state| state.always_uv = true).unwrap();
    assert_eq!(platform.stored().pin_retries, 7);
    let param = token.authenticate(&[0x01]);
    let status = platform.status(0x0a, |map| {
        map.entry(1, |w| w.unsigned(1));
        map.entry(3, |w| w.unsigned(2));
        map.entry(4, |w| w.bytes(&param));
    });
    assert_eq!(status, 0x33);
}
