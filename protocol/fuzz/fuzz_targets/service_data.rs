#![no_main]

use cablecar_protocol_fuzz::service_data;

libfuzzer_sys::fuzz_target!(|data: &[u8]| service_data(data));
