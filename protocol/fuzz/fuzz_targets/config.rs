#![no_main]

use cablecar_protocol_fuzz::config;

libfuzzer_sys::fuzz_target!(|data: &[u8]| config(data));
