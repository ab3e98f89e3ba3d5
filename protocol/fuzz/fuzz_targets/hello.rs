#![no_main]

use cablecar_protocol_fuzz::hello;

libfuzzer_sys::fuzz_target!(|data: &[u8]| hello(data));
