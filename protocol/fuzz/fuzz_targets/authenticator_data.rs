#![no_main]

use cablecar_protocol_fuzz::authenticator_data;

libfuzzer_sys::fuzz_target!(|data: &[u8]| authenticator_data(data));
