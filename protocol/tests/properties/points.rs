//! T14: what is no point on P-256 in the right form is refused where it
//! enters, before anything is multiplied with it. The error says so: a bad
//! point is `Malformed`; whatever gets as far as a shared secret and fails
//! there is `Decrypt`.

use cablecar_protocol::Error;
use cablecar_protocol::cbor::Writer;
use cablecar_protocol::channel::ClientEvent;
use cablecar_protocol::danger::seal_record;
use cablecar_protocol::error::What;
use cablecar_protocol::linking::Offer;
use cablecar_protocol::qr::QrInvitation;
use cablecar_protocol::secrets::{IdentityKey, PublicKey};
use rand_core::OsRng;

use crate::world::{KEYS, channels, hello, near};

const P: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
];
/// The y of the point with x = 0, the square root of b.
const SQRT_B: [u8; 32] = [
    0x66, 0x48, 0x5c, 0x78, 0x0e, 0x2f, 0x83, 0xd7, 0x24, 0x33, 0xbd, 0x5d, 0x84, 0xa0, 0x6b, 0xb6, 0x54,
    0x1c, 0x2a, 0xf3, 0x1d, 0xae, 0x87, 0x17, 0x28, 0xbf, 0x85, 0x6a, 0x17, 0x4f, 0x93, 0xf4,
];

fn good() -> PublicKey {
    *IdentityKey::from_scalar(&[5; 32]).unwrap().public()
}

/// `first ‖ x ‖ y`
fn point(first: u8, x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[first], x, y].concat()
}

/// Encodings that a lax reader takes for a point.
fn bad_points() -> Vec<(&'static str, Vec<u8>)> {
    let bytes = good().to_uncompressed();
    let (x, y) = (&bytes[1..33], &bytes[33..]);
    let changed = |at: usize| {
        let mut bytes = bytes;
        bytes[at] ^= 1;
        bytes.to_vec()
    };
    let mut above = P;
    above[31] = 0xff; // stays p: the last byte is ff already
    above[7] += 1;
    let mut swapped = y.to_vec();
    swapped.extend_from_slice(x);
    vec![
        ("nothing", vec![]),
        ("infinity", vec![0]),
        ("infinity in 65 bytes", vec![0; 65]),
        ("04 and zeros", point(4, &[0; 32], &[0; 32])),
        ("x = p", point(4, &P, y)),
        ("y = p", point(4, x, &P)),
        ("x = p, y that of x = 0", point(4, &P, &SQRT_B)),
        ("x above p", point(4, &above, y)),
        ("x and y all ones", point(4, &[0xff; 32], &[0xff; 32])),
        ("off the curve by a bit of y", changed(64)),
        ("off the curve by a bit of x", changed(32)),
        ("x and y swapped", point(4, &swapped[..32], &swapped[32..])),
        ("hybrid, even", point(6, x, y)),
        ("hybrid, odd", point(7, x, y)),
        ("hybrid, the right parity", point(6 + (y[31] & 1), x, y)),
        ("05", point(5, x, y)),
        ("03 in 65 bytes", point(3, x, y)),
        ("02 in 65 bytes", point(2, x, y)),
        ("compressed", good().to_compressed().to_vec()),
        ("64 bytes, no first", bytes[1..].to_vec()),
        ("64 bytes, no last", bytes[..64].to_vec()),
        ("66 bytes", [&bytes[..], &[0]].concat()),
    ]
}

/// The same for the compressed form.
fn bad_compressed() -> Vec<(&'static str, Vec<u8>)> {
    let bytes = good().to_compressed();
    let x = &bytes[1..];
    // Half of all x belong to the twist; look for one.
    let mut near = (0u8..=255).map(|last| point(2, &x[..31], &[last]));
    let twist = near.find(|bytes| p256::PublicKey::from_sec1_bytes(bytes).is_err()).unwrap();
    vec![
        ("nothing", vec![]),
        ("infinity", vec![0]),
        ("infinity in 33 bytes", vec![0; 33]),
        ("x = p", point(2, &P, &[])),
        ("x all ones", point(3, &[0xff; 32], &[])),
        ("on the twist", twist),
        ("04", point(4, x, &[])),
        ("05, compact", point(5, x, &[])),
        ("06", point(6, x, &[])),
        ("32 bytes", x.to_vec()),
        ("34 bytes", [&bytes[..], &[0]].concat()),
        ("uncompressed", good().to_uncompressed().to_vec()),
    ]
}

#[test]
fn the_point_with_x_0_is_one() {
    // Else "x = p, y that of x = 0" would prove nothing.
    assert!(PublicKey::from_uncompressed(&point(4, &[0; 32], &SQRT_B)).is_ok());
}

#[test]
fn as_keys() {
    for (name, bytes) in bad_points() {
        assert_eq!(PublicKey::from_uncompressed(&bytes), Err(Error::Malformed(What::PublicKey)), "{name}");
    }
    for (name, bytes) in bad_compressed() {
        assert_eq!(PublicKey::from_compressed(&bytes), Err(Error::Malformed(What::PublicKey)), "{name}");
    }
}

#[test]
fn in_a_qr_code() {
    let code = |key: &[u8]| {
        Writer::map_of(|map| {
            map.entry(0, |w| w.bytes(key));
            map.entry(1, |w| w.bytes(&[1; 16]));
        })
    };
    assert!(QrInvitation::from_cbor(&code(&good().to_compressed())).is_ok());
    for (name, bytes) in
        bad_compressed().into_iter().chain(bad_points().into_iter().filter(|(n, _)| *n != "compressed"))
    {
        let read = QrInvitation::from_cbor(&code(&bytes));
        assert_eq!(read.unwrap_err(), Error::Malformed(What::PublicKey), "{name}");
    }
}

#[test]
fn in_both_handshake_messages() {
    let bad = Error::Malformed(What::Handshake);
    for (name, bytes) in bad_points() {
        let message = [&bytes[..], &[0; 16]].concat();
        let (client, phone) = near();
        assert_eq!(phone.read(&message, &hello(), &mut OsRng).unwrap_err(), bad, "{name}");
        let (waiting, _) = client.greet(&mut OsRng).unwrap();
        assert_eq!(waiting.read(&message).unwrap_err(), bad, "{name}");
    }
    // A good point that is the wrong one is another matter.
    let message = [&good().to_uncompressed()[..], &[0; 16]].concat();
    let (client, phone) = near();
    assert_eq!(phone.read(&message, &hello(), &mut OsRng).unwrap_err(), Error::Decrypt);
    let (waiting, _) = client.greet(&mut OsRng).unwrap();
    assert_eq!(waiting.read(&message).unwrap_err(), Error::Decrypt);
}

#[test]
fn in_a_link() {
    let offered = |key: &[u8]| {
        let body = Writer::map_of(|map| {
            map.entry(1, |w| {
                w.map(|link| {
                    link.entry(1, |w| w.bytes(&[1]));
                    link.entry(2, |w| w.bytes(&[2; 8]));
                    link.entry(3, |w| w.bytes(&[3; 32]));
                    link.entry(4, |w| w.bytes(key));
                    link.entry(5, |w| w.text("phone"));
                    link.entry(6, |w| w.bytes(&[6; 32]));
                });
            });
        });
        let record = seal_record(&KEYS[1], 0, &[&[2], &body[..]].concat()).unwrap();
        match channels().0.receive(&record) {
            Ok(ClientEvent::Update(Offer::Discarded(error))) => error,
            other => panic!("gave {other:?}"),
        }
    };
    for (name, bytes) in bad_points() {
        assert_eq!(offered(&bytes), Error::Malformed(What::PublicKey), "{name}");
    }
    assert_eq!(offered(&good().to_uncompressed()), Error::Decrypt);
}
