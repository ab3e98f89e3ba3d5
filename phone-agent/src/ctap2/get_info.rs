//! getInfo (04), in the form that fits a tunnel.

use cablecar_protocol::ctap::GetInfo;

/// The model of this authenticator: every `cablecar-phone` says the same.
pub const AAGUID: [u8; 16] =
    [0xc1, 0x66, 0x6e, 0x44, 0xd9, 0x6e, 0x45, 0x92, 0xb6, 0x56, 0x79, 0xcf, 0xf1, 0x61, 0xe3, 0x98];

/// What the authenticator says of itself, in the hello and to command 04.
///
/// Keys 5 to 8 are left out: no PIN protocols, and no limits, because a
/// client that hears of a largest list sends only the first part of a longer
/// one.
pub fn get_info() -> GetInfo {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    GetInfo {
        versions: texts(&["FIDO_2_0", "FIDO_2_1"]),
        extensions: texts(&["prf"]),
        aaguid: AAGUID,
        options: vec![("rk".into(), true), ("uv".into(), true)],
        transports: texts(&["internal", "hybrid"]),
    }
}
