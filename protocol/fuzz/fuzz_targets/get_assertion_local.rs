#![no_main]

use cablecar_protocol_fuzz::get_assertion_local;

libfuzzer_sys::fuzz_target!(|data: &[u8]| get_assertion_local(data));
