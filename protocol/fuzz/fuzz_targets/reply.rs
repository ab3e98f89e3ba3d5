#![no_main]

use cablecar_protocol_fuzz::reply;

libfuzzer_sys::fuzz_target!(|data: &[u8]| reply(data));
