#![no_main]

use cablecar_protocol_fuzz::client_payload;

libfuzzer_sys::fuzz_target!(|data: &[u8]| client_payload(data));
