//! largeBlobs.

use super::platform::{ACFG, CM, LBW, Platform, Token, map, sha256};
use crate::defaults::{MAX_FRAGMENT, MAX_LARGE_BLOBS};

const EMPTY: [u8; 17] =
    [0x80, 0x76, 0xbe, 0x8b, 0x52, 0x8d, 0x00, 0x75, 0xf7, 0xaa, 0xe9, 0x8d, 0x6f, 0xa5, 0x7a, 0x6d, 0x3c];

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}

/// An array of this many bytes, its trailer included.
fn array(length: usize) -> Vec<u8> {
    let mut bytes = vec![0x17; length - 16];
    bytes.extend(&sha256(&bytes)[..16]);
    bytes
}

fn read(platform: &mut Platform, offset: u64, count: u64) -> Result<Vec<u8>, u8> {
    let (status, body) = platform.send(0x0c, |map| {
        map.entry(1, |w| w.unsigned(count));
        map.entry(3, |w| w.unsigned(offset));
    });
    if status == 0 { Ok(map(&body).get(1).unwrap().as_bytes().unwrap().to_vec()) } else { Err(status) }
}

fn write(
    platform: &mut Platform,
    token: Option<&Token>,
    offset: usize,
    part: &[u8],
    length: Option<usize>,
) -> u8 {
    let place = u32::try_from(offset).unwrap().to_le_bytes();
    let message = [&[0xff; 32][..], &[0x0c, 0x00], &place, &sha256(part)].concat();
    platform.status(0x0c, |map| {
        map.entry(2, |w| w.bytes(part));
        map.entry(3, |w| w.unsigned(number(offset)));
        if let Some(length) = length {
            map.entry(4, |w| w.unsigned(number(length)));
        }
        if let Some(token) = token {
            map.entry(5, |w| w.bytes(&token.authenticate(&message)));
            map.entry(6, |w| w.unsigned(token.protocol));
        }
    })
}

#[test]
fn a_new_authenticator_has_an_empty_array() {
    let mut platform = Platform::new();
    assert_eq!(read(&mut platform, 0, 1000), Ok(EMPTY.to_vec()));
    assert_eq!(read(&mut platform, 0, 5), Ok(EMPTY[..5].to_vec()));
    assert_eq!(read(&mut platform, 10, 5), Ok(EMPTY[10..15].to_vec()));
    assert_eq!(read(&mut platform, 17, 5), Ok(Vec::new()));
    assert_eq!(read(&mut platform, 0, 0), Ok(Vec::new()));
    assert_eq!(read(&mut platform, 18, 5), Err(0x02));
    assert_eq!(read(&mut platform, u64::from(u32::MAX), 5), Err(0x02));
    assert_eq!(read(&mut platform, 0, number(MAX_FRAGMENT)), Ok(EMPTY.to_vec()));
    assert_eq!(read(&mut platform, 0, number(MAX_FRAGMENT) + 1), Err(0x03));
}

#[test]
fn an_array_is_written_in_parts_and_read_after_a_power_cycle() {
    for protocol in [None, Some(1), Some(2)] {
        let mut platform = Platform::new();
        let token = protocol.map(|protocol| {
            assert_eq!(platform.set_pin(protocol, "1234"), 0);
            platform.token(protocol, "1234", LBW, None).unwrap()
        });
        let bytes = array(MAX_LARGE_BLOBS);
        let (first, rest) = bytes.split_at(MAX_FRAGMENT);
        assert_eq!(write(&mut platform, token.as_ref(), 0, first, Some(bytes.len())), 0);
        // The old one is there until the new one is whole.
        assert_eq!(read(&mut platform, 0, 1000), Ok(EMPTY.to_vec()));
        assert_eq!(write(&mut platform, token.as_ref(), first.len(), rest, None), 0);
        platform.power_cycle();
        assert_eq!(read(&mut platform, 0, number(MAX_FRAGMENT)), Ok(first.to_vec()));
        assert_eq!(read(&mut platform, number(MAX_FRAGMENT), number(MAX_FRAGMENT)), Ok(rest.to_vec()));
    }
    let mut platform = Platform::new();
    assert_eq!(write(&mut platform, None, 0, &array(40), Some(40)), 0);
    assert_eq!(write(&mut platform, None, 0, &EMPTY, Some(17)), 0);
    assert_eq!(platform.stored().large_blobs, [0; 0]);
    assert_eq!(read(&mut platform, 0, 1000), Ok(EMPTY.to_vec()));
}

#[test]
fn lengths_offsets_and_order_are_checked() {
    let mut platform = Platform::new();
    let bytes = array(100);
    assert_eq!(write(&mut platform, None, 0, &bytes, None), 0x02);
    assert_eq!(write(&mut platform, None, 0, &bytes, Some(16)), 0x02);
    assert_eq!(write(&mut platform, None, 0, &bytes, Some(MAX_LARGE_BLOBS + 1)), 0x18);
    assert_eq!(write(&mut platform, None, 0, &bytes, Some(99)), 0x02);
    assert_eq!(write(&mut platform, None, 0, &vec![0; MAX_FRAGMENT + 1], Some(MAX_LARGE_BLOBS)), 0x03);
    // Nothing began.
    platform.power_cycle();
    assert_eq!(write(&mut platform, None, 50, &bytes[50..], None), 0x04);
    assert_eq!(write(&mut platform, None, 0, &bytes[..50], Some(100)), 0);
    assert_eq!(write(&mut platform, None, 50, &bytes[50..], Some(100)), 0x02);
    assert_eq!(write(&mut platform, None, 49, &bytes[49..], None), 0x04);
    assert_eq!(write(&mut platform, None, 51, &bytes[51..], None), 0x04);
    assert_eq!(write(&mut platform, None, 50, &[&bytes[50..], &[0]].concat(), None), 0x02);
    assert_eq!(write(&mut platform, None, 50, &bytes[50..], None), 0);
    assert_eq!(read(&mut platform, 0, 1000), Ok(bytes.clone()));
    // It is over, and begins anew.
    assert_eq!(write(&mut platform, None, 100, &[0], None), 0x04);
    assert_eq!(write(&mut platform, None, 0, &bytes[..50], Some(100)), 0);
    assert_eq!(write(&mut platform, None, 0, &bytes[..60], Some(100)), 0);
    assert_eq!(write(&mut platform, None, 60, &bytes[60..], None), 0);
    // A power cycle forgets what was under way.
    assert_eq!(write(&mut platform, None, 0, &bytes[..50], Some(100)), 0);
    platform.power_cycle();
    assert_eq!(write(&mut platform, None, 50, &bytes[50..], None), 0x04);
}

#[test]
fn what_does_not_fit_its_trailer_is_not_kept() {
    let mut platform = Platform::new();
    let mut bytes = array(100);
    bytes[99] ^= 1;
    assert_eq!(write(&mut platform, None, 0, &bytes, Some(100)), 0x3d);
    assert_eq!(read(&mut platform, 0, 1000), Ok(EMPTY.to_vec()));
    bytes[99] ^= 1;
    assert_eq!(write(&mut platform, None, 0, &bytes, Some(100)), 0);
    bytes[0] ^= 1;
    assert_eq!(write(&mut platform, None, 0, &bytes[..50], Some(100)), 0);
    assert_eq!(write(&mut platform, None, 50, &bytes[50..], None), 0x3d);
    assert_eq!(read(&mut platform, 0, 1000), Ok(array(100)));
}

#[test]
fn writing_takes_the_permission_where_there_is_a_pin() {
    let mut platform = Platform::with_pin("1234");
    let bytes = array(100);
    assert_eq!(write(&mut platform, None, 0, &bytes, Some(100)), 0x36);
    let other = platform.token(2, "1234", CM | ACFG, None).unwrap();
    assert_eq!(write(&mut platform, Some(&other), 0, &bytes, Some(100)), 0x33);
    let token = platform.token(2, "1234", LBW, None).unwrap();
    assert_eq!(write(&mut platform, Some(&other), 0, &bytes, Some(100)), 0x33);
    let send = |platform: &mut Platform, protocol: Option<u64>, param: &[u8]| {
        platform.status(0x0c, |map| {
            map.entry(2, |w| w.bytes(&bytes));
            map.entry(3, |w| w.unsigned(0));
            map.entry(4, |w| w.unsigned(100));
            map.entry(5, |w| w.bytes(param));
            if let Some(protocol) = protocol {
                map.entry(6, |w| w.unsigned(protocol));
            }
        })
    };
    assert_eq!(send(&mut platform, None, &[0; 32]), 0x14);
    assert_eq!(send(&mut platform, Some(3), &[0; 32]), 0x02);
    assert_eq!(send(&mut platform, Some(2), &[0; 32]), 0x33);
    assert_eq!(read(&mut platform, 0, 1000), Ok(EMPTY.to_vec()), "reading is free");
    assert_eq!(write(&mut platform, Some(&token), 0, &bytes, Some(100)), 0);
    // Where user verification is always asked for, it is here too.
    let mut platform = Platform::new();
    platform.device.change_state(&mut rand_core::OsRng, |state| state.always_uv = true).unwrap();
    assert_eq!(write(&mut platform, None, 0, &bytes, Some(100)), 0x36);
}

#[test]
fn parameters_that_do_not_go_together_are_invalid() {
    let mut platform = Platform::new();
    // (keys, status): 1 get, 2 set, 3 offset, 4 length, 5 param, 6 protocol
    for (keys, status) in [
        (&[][..], 0x02),
        (&[1], 0x02),
        (&[2, 4], 0x02),
        (&[3], 0x02),
        (&[1, 2, 3, 4], 0x02),
        (&[1, 3, 4], 0x02),
        (&[1, 3, 5], 0x02),
        (&[1, 3, 6], 0x02),
        (&[1, 3], 0),
        (&[2, 3, 4], 0),
    ] {
        let send = |platform: &mut Platform, mistyped: Option<i64>| {
            platform.status(0x0c, |map| {
                for key in keys {
                    match key {
                        key if Some(*key) == mistyped => _ = map.entry(*key, |w| w.text("no")),
                        1 => _ = map.entry(1, |w| w.unsigned(5)),
                        2 => _ = map.entry(2, |w| w.bytes(&array(20))),
                        4 => _ = map.entry(4, |w| w.unsigned(20)),
                        5 => _ = map.entry(5, |w| w.bytes(&[0; 32])),
                        6 => _ = map.entry(6, |w| w.unsigned(2)),
                        key => _ = map.entry(*key, |w| w.unsigned(0)),
                    }
                }
            })
        };
        assert_eq!(send(&mut platform, None), status, "{keys:?}");
        for key in keys {
            assert_eq!(send(&mut platform, Some(*key)), 0x11, "{keys:?}, text under {key}");
        }
    }
}
