#![no_main]

use cablecar_protocol_fuzz::route;

libfuzzer_sys::fuzz_target!(|data: &[u8]| route(data));
