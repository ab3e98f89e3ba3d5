#![no_main]

use cablecar_protocol_fuzz::get_info;

libfuzzer_sys::fuzz_target!(|data: &[u8]| get_info(data));
