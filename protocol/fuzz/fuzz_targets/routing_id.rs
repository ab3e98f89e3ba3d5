#![no_main]

use cablecar_protocol_fuzz::routing_id;

libfuzzer_sys::fuzz_target!(|data: &[u8]| routing_id(data));
