#![no_main]

use cablecar_protocol_fuzz::qr_cbor;

libfuzzer_sys::fuzz_target!(|data: &[u8]| qr_cbor(data));
