#![no_main]

use cablecar_protocol_fuzz::greeting;

libfuzzer_sys::fuzz_target!(|data: &[u8]| greeting(data));
