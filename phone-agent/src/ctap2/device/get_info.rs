//! getInfo (04) through the local door: CTAP 2.1, 6.4, and the formats of
//! attestation from 2.2.

use cablecar_protocol::cbor::{Sequence, Writer};

use super::Device;
use crate::ctap2::AAGUID;
use crate::defaults;
use crate::vault::Algorithm;

/// `PRE` stands for the one command of the preview that there is: 41, which is
/// credentialManagement and the only one that libfido2 sends up to 1.12. CTAP
/// 2.1, 6.13.
const VERSIONS: [&str; 3] = ["FIDO_2_0", "FIDO_2_1", "FIDO_2_1_PRE"];

// Shorter ones first, here and below, as the keys of a map: some platforms
// want each list of names in that order.
const EXTENSIONS: [&str; 6] =
    ["credBlob", "credProtect", "hmac-secret", "largeBlobKey", "minPinLength", "hmac-secret-mc"];

/// Newest first, as the specification wants the preferred one first.
const PROTOCOLS: [u64; 2] = [2, 1];

/// How the passkeys in this vault may be reached.
const TRANSPORTS: [&str; 2] = ["hybrid", "internal"];

const ALGORITHMS: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];

const ATTESTATION_FORMATS: [&str; 2] = ["none", "packed"];

impl Device {
    /// The map behind the status.
    pub(super) fn get_info(&self) -> Vec<u8> {
        let state = self.vault.state();
        let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        Writer::map_of(|map| {
            map.entry(0x01, |w| w.array(|list| write_texts(&VERSIONS, list)));
            map.entry(0x02, |w| w.array(|list| write_texts(&EXTENSIONS, list)));
            map.entry(0x03, |w| w.bytes(&AAGUID));
            map.entry(0x04, |w| self.write_options(w));
            map.entry(0x05, |w| w.unsigned(number(defaults::MAX_MESSAGE)));
            map.entry(0x06, |w| {
                w.array(|list| PROTOCOLS.iter().for_each(|one| list.push(|w| w.unsigned(*one))));
            });
            map.entry(0x07, |w| w.unsigned(number(defaults::MAX_CREDENTIAL_LIST)));
            map.entry(0x08, |w| w.unsigned(number(defaults::MAX_CREDENTIAL_ID)));
            map.entry(0x09, |w| w.array(|list| write_texts(&TRANSPORTS, list)));
            map.entry(0x0a, |w| w.array(write_algorithms));
            map.entry(0x0b, |w| w.unsigned(number(defaults::MAX_LARGE_BLOBS)));
            map.entry(0x0c, |w| w.bool(state.force_pin_change));
            map.entry(0x0d, |w| w.unsigned(state.min_pin_length.into()));
            map.entry(0x0e, |w| w.unsigned(firmware_version()));
            map.entry(0x0f, |w| w.unsigned(number(defaults::MAX_CRED_BLOB)));
            map.entry(0x10, |w| w.unsigned(number(defaults::MAX_MIN_PIN_RP_IDS)));
            if self.uv {
                map.entry(0x11, |w| w.unsigned(defaults::PLATFORM_UV_ATTEMPTS));
            }
            map.entry(0x14, |w| w.unsigned(number(self.room())));
            map.entry(0x16, |w| w.array(|list| write_texts(&ATTESTATION_FORMATS, list)));
        })
    }

    /// What is absent: `ep`, `bioEnroll` and its preview,
    /// `noMcGaPermissionsWithClientPin`,
    /// and what is about `uv` where nothing is built in.
    fn write_options(&self, writer: &mut Writer) {
        let state = self.vault.state();
        // What is built in may also allow to configure.
        let uv = [("uv", true), ("uvAcfg", true)].into_iter().filter(|_| self.uv);
        let options = [
            // What stands behind a pipe may be taken away with it.
            ("plat", false),
            ("rk", true),
            ("up", true),
            ("clientPin", state.pin.is_some()),
            ("pinUvAuthToken", true),
            ("credMgmt", true),
            ("credentialMgmtPreview", true),
            ("authnrCfg", true),
            ("setMinPINLength", true),
            ("largeBlobs", true),
            ("alwaysUv", state.always_uv),
            ("makeCredUvNotRqd", !state.always_uv),
        ];
        writer.map(|map| {
            for (name, value) in options.into_iter().chain(uv) {
                map.text_entry(name, |w| w.bool(value));
            }
        });
    }
}

fn write_texts(texts: &[&str], list: &mut Sequence) {
    texts.iter().for_each(|text| list.push(|w| w.text(text)));
}

fn write_algorithms(list: &mut Sequence) {
    for algorithm in ALGORITHMS {
        list.push(|w| {
            w.map(|map| {
                map.text_entry("alg", |w| w.int(algorithm.cose()));
                map.text_entry("type", |w| w.text("public-key"));
            });
        });
    }
}

/// The program's version, as one number that only grows: a byte for each of
/// its parts.
fn firmware_version() -> u64 {
    let parts = env!("CARGO_PKG_VERSION").split('.');
    parts.filter_map(|part| part.parse::<u8>().ok()).fold(0, |all, part| all << 8 | u64::from(part))
}
