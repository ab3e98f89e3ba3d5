#![no_main]

use cablecar_protocol_fuzz::large_blobs;

libfuzzer_sys::fuzz_target!(|data: &[u8]| large_blobs(data));
