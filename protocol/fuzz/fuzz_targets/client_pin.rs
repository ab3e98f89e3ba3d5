#![no_main]

use cablecar_protocol_fuzz::client_pin;

libfuzzer_sys::fuzz_target!(|data: &[u8]| client_pin(data));
